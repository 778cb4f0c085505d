"""All that can be seen of a tree, to compare before and after."""

from __future__ import annotations

from pathlib import Path

Seen = tuple[object, ...]


def everything(
    below: Path, *, but: tuple[Path, ...] = (), and_changes: bool = False
) -> dict[Path, Seen]:
    """Each file's inode, kind, rights, owner, time of writing and content.

    With `and_changes` also when anything about it was changed last, and its links: not where a
    hard link in a profile may come and go.
    """
    seen: dict[Path, Seen] = {}
    for path in [below, *below.rglob("*")]:
        if path in but:
            continue
        stat = path.lstat()
        content = path.read_bytes() if path.is_file() else b""
        changes = (stat.st_ctime_ns, stat.st_nlink) if and_changes else ()
        who = (stat.st_ino, stat.st_mode, stat.st_uid, stat.st_gid)
        seen[path] = (*who, stat.st_mtime_ns, content, *changes)
    return seen
