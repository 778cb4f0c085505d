"""Work done in other processes, and as other users."""

from __future__ import annotations

import ctypes
import os
import pickle
import traceback
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

ORDINARY = 65534
OTHER = 65533
"""Users who are not root."""

_LIBC = ctypes.CDLL(None)
_PR_SET_DUMPABLE = 4


class Child:
    """A forked child that does something as soon as it is told to go, and answers."""

    def __init__(self, work: Callable[[], object], user: int | None = None) -> None:
        go_reader, self._go = os.pipe()
        self._answer, answer_writer = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            try:
                os.close(self._go)
                if user is not None:
                    _become(user)
                os.read(go_reader, 1)
                answer: tuple[bool, object] = True, work()
            except BaseException:
                answer = False, traceback.format_exc()
            with os.fdopen(answer_writer, "wb") as file:
                file.write(pickle.dumps(answer))
            os._exit(0)
        os.close(go_reader)
        os.close(answer_writer)

    def go(self) -> None:
        # Later children hold this end too, so closing it would tell nothing.
        os.write(self._go, b"!")
        os.close(self._go)

    def answer(self) -> object:
        with os.fdopen(self._answer, "rb") as file:
            worked, answer = pickle.loads(file.read())
        os.waitpid(self._pid, 0)
        assert worked, f"in the child: {answer}"
        return answer


def _become(user: int) -> None:
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    # Else its own entries in /proc stay root's.
    _LIBC.prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0)


def as_user(user: int, work: Callable[[], T]) -> T:
    """Does something as that user; what can't be sent back must not be answered."""
    child = Child(work, user)
    child.go()
    return child.answer()  # type: ignore[return-value]
