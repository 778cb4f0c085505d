"""One attack, on one system call after the other, until the operation ends before it is hit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from programs import END, Meddled

SHOWN = 100


class Sweep:
    """Counts the points that were tried, and notes where a promise was broken: one broken point hides no other."""

    def __init__(self, figures: Callable[..., None]) -> None:
        self._figures = figures
        self.next = 1
        """The system call to attack."""
        self._tried = 0
        self._broken: list[str] = []

    @contextmanager
    def point(self, run: Meddled, what: str = "") -> Iterator[None]:
        """Checks what holds after a call was attacked."""
        self._tried += 1
        try:
            yield
        except AssertionError as error:
            at = f"call {len(run.calls)}, {what} {run.hit} after {' '.join(run.calls[-6:-1])}"
            reason = str(error).split("\n")[0]
            self._broken.append(f"{at}: {reason}".replace("  ", " "))

    def end(self, table: str, untouched: Meddled, **columns: object) -> None:
        """The operation came to its end before the attack."""
        assert untouched.hit is None
        assert len(untouched.calls) == self.next - 1, "not every call was attacked"
        held = self._tried - len(self._broken)
        last = [call for call in untouched.calls if call != END][-1]
        self._figures(table, **columns, points=self._tried, held=held, last=last)
        more = len(self._broken) - SHOWN
        shown = "\n".join(self._broken[:SHOWN]) + f"\nand {more} more" * (more > 0)
        assert not self._broken, f"{len(self._broken)} of {self._tried} points broke:\n{shown}"
