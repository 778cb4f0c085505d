"""What stands in a directory, and who touched it."""

from __future__ import annotations

import ctypes
import hashlib
import os
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LIBC = ctypes.CDLL(None, use_errno=True)
ALL_EVENTS = 0xFFF
DONT_FOLLOW = 0x0200_0000
KINDS = {0x1: "read", 0x2: "modified", 0x4: "attributes changed", 0x20: "opened", 0x200: "deleted"}

Snapshot = dict[str, tuple[object, ...]]


def contents(top: Path, but: tuple[str, ...] = ()) -> Snapshot:
    """What lies below, by kind, mode and content; `but` is left out, with all below it."""
    return {
        where: (stat.S_IFMT(found.st_mode), found.st_mode & 0o7777, _content(path, found))
        for where, path, found in _walk(top, but)
    }


def identities(top: Path, but: tuple[str, ...] = ()) -> Snapshot:
    """The same, and whether each file is still the one that it was and was never written to."""
    return {
        where: (
            found.st_ino,
            found.st_mode,
            found.st_uid,
            found.st_mtime_ns,
            found.st_ctime_ns,
            _content(path, found),
        )
        for where, path, found in _walk(top, but)
    }


def _walk(top: Path, but: tuple[str, ...]) -> Iterator[tuple[str, Path, os.stat_result]]:
    for directory, directories, files in os.walk(top):
        below = Path(directory)
        for name in [*directories, *files]:
            path = below / name
            where = str(path.relative_to(top))
            if where in but:
                directories[:] = [each for each in directories if each != name]
            else:
                yield where, path, path.lstat()


def _content(path: Path, found: os.stat_result) -> object:
    if stat.S_ISLNK(found.st_mode):
        return str(path.readlink())
    if not stat.S_ISREG(found.st_mode):
        return None
    if found.st_size > 1 << 20:
        return found.st_size, found.st_mtime_ns
    return (
        hashlib.sha256(path.read_bytes()).hexdigest() if found.st_size > 4096 else path.read_bytes()
    )


@contextmanager
def untouched(top: Path) -> Iterator[None]:
    """Fails where anything below is opened, read, written, moved or deleted meanwhile."""
    before = identities(top)
    directories = [top, *(path for path in top.rglob("*") if not path.is_symlink())]
    descriptor = _LIBC.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    assert descriptor >= 0, os.strerror(ctypes.get_errno())
    watched = {}
    for path in directories:
        mask = ALL_EVENTS | DONT_FOLLOW
        watch = _LIBC.inotify_add_watch(descriptor, os.fsencode(path), mask)
        assert watch >= 0, os.strerror(ctypes.get_errno())
        watched[watch] = path
    try:
        yield
        try:
            events = os.read(descriptor, 1 << 16)
        except BlockingIOError:
            events = b""
    finally:
        os.close(descriptor)
    told = set()
    while events:
        watch, mask, _, length = struct.unpack_from("iIII", events)
        name = os.fsdecode(events[16 : 16 + length].rstrip(b"\0"))
        told.add((str(watched[watch] / name), KINDS.get(mask & 0xFFF, hex(mask))))
        events = events[16 + length :]
    assert not told, f"touched outside: {sorted(told)}"
    assert identities(top) == before
