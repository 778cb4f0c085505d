"""What an agent may leave in its profile."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path


def deep(start: Path, levels: int, leaf: Callable[[int], None], mode: int = 0o700) -> None:
    """Makes directories in each other, deeper than any path can say."""
    here = os.open(start, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir("d", dir_fd=here)
        inner = os.open("d", os.O_RDONLY, dir_fd=here)
        os.fchmod(here, mode) if mode != 0o700 else None
        os.close(here)
        here = inner
    leaf(here)
    os.close(here)


def read_only_tree(profile: Path) -> None:
    for directory in ("cache/packages/one", "cache/packages/two"):
        (profile / directory).mkdir(parents=True)
        (profile / directory / "file").write_text("content")
        (profile / directory / "file").chmod(0o444)
    for directory in ("cache/packages/one", "cache/packages", "cache"):
        (profile / directory).chmod(0o555)
    profile.chmod(0o500)


def closed_tree(profile: Path) -> None:
    """No right at all, neither for files nor for directories, not even to list them."""
    (profile / "closed/inner/innermost").mkdir(parents=True)
    for path in ("closed/inner/innermost", "closed/inner", "closed"):
        (profile / path / "file").touch(mode=0)
        (profile / path).chmod(0)
    profile.chmod(0)


def only_passable(profile: Path) -> None:
    (profile / "passable/inner").mkdir(parents=True)
    (profile / "passable/inner/file").touch()
    (profile / "passable/inner").chmod(0o300)
    (profile / "passable").chmod(0o100)


def special_files(profile: Path) -> None:
    os.mkfifo(profile / "fifo")
    os.mkfifo(profile / "closed fifo", 0)
    (profile / "auth.json").unlink()
    os.mkfifo(profile / "auth.json")
    here = Path.cwd()
    os.chdir(profile)  # a socket's path is short
    socket.socket(socket.AF_UNIX).bind("socket")
    os.chdir(here)


def odd_names(profile: Path) -> None:
    directory = os.fsencode(profile)
    names = [
        b"new\nline",
        b"\xff\xfe\x80",
        b"x" * 255,
        b" ",
        b"-rf",
        b"\\",
        b"\x01\x1b[31m",
        b"*",
        b"~",
    ]
    names += [b"...", b".. ", b"moved-up-1", b"\xc3\xa4" * 127]
    for name in names:
        Path(os.fsdecode(directory + b"/" + name)).mkdir()
        for inner in names:
            os.close(os.open(directory + b"/" + name + b"/" + inner, os.O_CREAT, 0))


def ten_thousand_files(profile: Path) -> None:
    for directory in range(4):
        (profile / f"{directory}").mkdir()
        for i in range(2500):
            os.close(os.open(profile / f"{directory}/{i}", os.O_CREAT))


def two_thousand_levels(profile: Path) -> None:
    deep(profile, 2000, lambda here: os.close(os.open("file", os.O_CREAT, dir_fd=here)))


def two_thousand_closed_levels(profile: Path) -> None:
    deep(profile, 2000, lambda here: None, mode=0o100)


def broad_and_deep(profile: Path) -> None:
    """A hundred levels, each with several entries, and with names that removal itself may use."""

    def level(here: int, depth: int) -> None:
        for name in ("moved-up-1", f"moved-up-{depth}", "other"):
            os.mkdir(name, dir_fd=here) if depth % 2 else os.close(
                os.open(name, os.O_CREAT, dir_fd=here)
            )

    here = os.open(profile, os.O_RDONLY)
    for depth in range(100, 0, -1):
        if depth not in (1, 2):
            level(here, depth)
        os.mkdir("d", dir_fd=here)
        inner = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)


LEFT: list[Callable[[Path], None]] = [
    read_only_tree,
    closed_tree,
    only_passable,
    special_files,
    odd_names,
    ten_thousand_files,
    two_thousand_levels,
    two_thousand_closed_levels,
    broad_and_deep,
]


def links(profile: Path, outside: Path) -> None:
    for name in ("settings.json", "auth.json", "oauth/token"):
        (profile / name).unlink()
    (profile / "settings.json").symlink_to(outside / "file")
    (profile / "auth.json").symlink_to(outside / "nothing")
    (profile / "oauth").rmdir()
    # Relative, so that not even a mount is crossed on the way.
    (profile / "oauth").symlink_to(os.path.relpath(outside, profile))
    (profile / "to a closed directory").symlink_to(outside / "closed")
    (profile / "to itself").symlink_to("to itself")
    (profile / "up").symlink_to("..")
    (profile / "root").symlink_to("/")
    (profile / "to a file as a directory").symlink_to(f"{outside}/file/")
    (profile / "skills/one/SKILL.md").unlink()
    (profile / "skills/one").rmdir()
    (profile / "skills/one").symlink_to(profile)


def hard_links(profile: Path, outside: Path) -> None:
    for name in ("file", "script"):
        (profile / name).hardlink_to(outside / name)
        (profile / "skills" / name).hardlink_to(outside / name)
    (profile / "skills").chmod(0o500)


def link_in_place_of_the_profile(profile: Path, outside: Path) -> None:
    profile.rename(profile.with_name("moved"))
    profile.symlink_to(outside)


LEADING_OUT: list[Callable[[Path, Path], None]] = [links, hard_links, link_in_place_of_the_profile]
