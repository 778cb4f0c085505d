"""A directory as it stands, to go back to and to compare with."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Node:
    mode: int
    content: bytes | None
    """None: a directory."""
    mtime: int = field(default=0, compare=False)
    """In nanoseconds, by which the library knows its own files again."""
    link: bool = False
    """A symbolic link; its content is where it leads."""


class Snapshot(dict[str, Node]):
    """By the path below the directory; "" is the directory itself. Empty where there is none."""

    @classmethod
    def take(cls, directory: Path) -> Snapshot:
        nodes = cls()
        waiting = [""] if directory.is_dir() else []
        while waiting:
            below = waiting.pop()
            path = os.path.join(directory, below)
            nodes[below] = Node(stat.S_IMODE(os.lstat(path).st_mode), None)
            with os.scandir(path) as entries:
                for entry in entries:
                    name = f"{below}/{entry.name}".lstrip("/")
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(name)
                        continue
                    if entry.is_symlink():
                        nodes[name] = Node(0o777, os.readlink(entry.path).encode(), link=True)
                        continue
                    assert entry.is_file(follow_symlinks=False), f"{entry.path}: neither"
                    is_ = entry.stat(follow_symlinks=False)
                    content = Path(entry.path).read_bytes()
                    nodes[name] = Node(stat.S_IMODE(is_.st_mode), content, is_.st_mtime_ns)
        return nodes

    def restore(self, directory: Path) -> None:
        """Makes the directory what it was, by as few changes as it takes."""
        now = Snapshot.take(directory)
        for below in sorted(set(now) - set(self), reverse=True):
            path = directory / below
            path.rmdir() if now[below].content is None else path.unlink()
        for below, node in sorted(self.items()):
            there = now.get(below)
            if there == node and there.mtime == node.mtime:
                continue
            path = directory / below
            if there is not None and node.link != there.link:
                path.unlink()
            if node.link:
                path.unlink(missing_ok=True)
                path.symlink_to((node.content or b"").decode())
                continue
            if node.content is not None:
                path.write_bytes(node.content)
                os.utime(path, ns=(node.mtime, node.mtime))
            elif there is None:
                path.mkdir()
            path.chmod(node.mode)

    def below(self, directory: str) -> Snapshot:
        """What it holds of one directory in it, that itself included."""
        if directory == "":
            return self
        start = f"{directory}/"
        inside = ((path, node) for path, node in self.items() if f"{path}/".startswith(start))
        return Snapshot({path[len(start) :]: node for path, node in inside})

    def names(self, directory: str = "") -> set[str]:
        """The entries of one directory in it."""
        return {path.split("/")[0] for path in self.below(directory) if path}
