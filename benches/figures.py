"""What was measured, and how it is told."""

from __future__ import annotations

from collections import defaultdict
from statistics import median


class Figures:
    """Samples by what was done and by whom. Those of one batch come together."""

    def __init__(self) -> None:
        self._batches: dict[tuple[str, str], list[list[float]]] = defaultdict(list)

    def add(self, what: str, who: str, samples: list[float]) -> None:
        self._batches[what, who].append(samples)

    def note(self, what: str, who: str, values: list[float]) -> None:
        """Something that is measured once, and is no sample."""
        self._batches[what, who] = [[value] for value in values]

    def values(self, what: str, who: str) -> list[float]:
        return [batch[0] for batch in self._batches[what, who]]

    def known(self, what: str, who: str) -> bool:
        return (what, who) in self._batches

    def median(self, what: str, who: str) -> float:
        return median(sample for batch in self._batches[what, who] for sample in batch)

    def spread(self, what: str, who: str) -> tuple[float, float]:
        """The least and the largest median of a batch."""
        medians = [median(batch) for batch in self._batches[what, who]]
        return min(medians), max(medians)

    def ratio(self, what: str, who: str, to_what: str, to_whom: str) -> Ratio:
        """Batch by batch, so that both sides met the same moments of the machine."""
        ours, theirs = self._batches[what, who], self._batches[to_what, to_whom]
        # Where one side was measured more often in a round, its batches of that round go together.
        rounds = min(len(ours), len(theirs))
        grouped = zip(_grouped(ours, rounds), _grouped(theirs, rounds), strict=True)
        ratios = [median(a) / median(b) for a, b in grouped]
        return Ratio(median(ratios), min(ratios), max(ratios))

    def fastest(self, what: str, of: tuple[str, ...]) -> str:
        return min(of, key=lambda who: self.median(what, who))


class Ratio:
    def __init__(self, middle: float, least: float, most: float) -> None:
        self.middle, self.least, self.most = middle, least, most

    def __str__(self) -> str:
        return f"{self.middle:.2f} x ({self.least:.2f} to {self.most:.2f})"


def _grouped(batches: list[list[float]], rounds: int) -> list[list[float]]:
    size = len(batches) // rounds
    return [[s for batch in batches[i * size : (i + 1) * size] for s in batch] for i in range(rounds)]


def time(microseconds: float) -> str:
    for limit, unit, scale in ((1e3, "us", 1), (1e6, "ms", 1e3)):
        if microseconds < limit:
            return f"{_digits(microseconds / scale)} {unit}"
    return f"{_digits(microseconds / 1e6)} s"


def _digits(number: float) -> str:
    return f"{number:.0f}" if number >= 100 else f"{number:.1f}" if number >= 10 else f"{number:.2f}"
