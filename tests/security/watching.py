"""Whether anybody so much as opened something."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from snapshot import everything

_LIBC = ctypes.CDLL(None, use_errno=True)
_NOTHING_WAITED_FOR = os.O_NONBLOCK | os.O_CLOEXEC
_ALL = 0xFFF
"""Opened, read, written, its attributes changed, made, moved, removed: of a directory and of what is in it."""
LINKS = 0x4
"""A file has one name more or less."""
OPENING = 0x1 | 0x10 | 0x20
"""Opened, read, and closed, and nothing worse."""


@contextmanager
def untouched(below: Path, *, but: int = 0) -> Iterator[None]:
    """What is done meanwhile neither changes nor opens anything there, `but` for this."""
    before = everything(below, and_changes=not but & LINKS)
    watch = _LIBC.inotify_init1(_NOTHING_WAITED_FOR)
    assert watch >= 0, os.strerror(ctypes.get_errno())
    try:
        for directory in [path for path in before if path.is_dir()]:
            added = _LIBC.inotify_add_watch(watch, os.fsencode(directory), _ALL & ~but)
            assert added >= 0, f"{directory}: {os.strerror(ctypes.get_errno())}"
        yield
        happened = list(_events(watch))
        assert not happened, f"{len(happened)} times something happened in {below}: {happened[:5]}"
    finally:
        os.close(watch)
    assert everything(below, and_changes=not but & LINKS) == before


def _events(watch: int) -> Iterator[str]:
    while True:
        try:
            told = os.read(watch, 1 << 16)
        except BlockingIOError:
            return
        while told:
            _, mask, _, length = struct.unpack_from("iIII", told)
            name = told[16 : 16 + length].rstrip(b"\0")
            yield f"{mask:#x} {os.fsdecode(name)}"
            told = told[16 + length :]
