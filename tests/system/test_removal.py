"""Whatever an agent leaves in its profile is removed, and nothing outside is touched."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from actor import Actor, LibraryError
from host import Host
from snapshot import everything

SPEC: dict[str, Any] = {
    "seed_files": {"settings.json": "{}", "skills/one/SKILL.md": "seed"},
    "credentials": {"auth.json": "login", "oauth/token": "login"},
}


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


def destroyed(actor: Actor, host: Host) -> None:
    actor.destroy()


def released(actor: Actor, host: Host) -> None:
    actor.free()


def reaped(actor: Actor, host: Host) -> None:
    actor.kill()
    assert host.actor(descriptors=64).reap()["failed"] == []


ENDED = pytest.mark.parametrize(
    "ended", [destroyed, released, reaped], ids=lambda way: way.__name__
)


@ENDED
@pytest.mark.parametrize("left", LEFT, ids=lambda what: what.__name__)
def test_what_an_agent_leaves_is_removed(
    memory_host: Host, left: Callable[[Path], None], ended: Callable[[Actor, Host], None]
) -> None:
    actor = memory_host.actor(descriptors=64)
    profile = actor.create(SPEC)
    memory_host.plant(lambda: left(profile))
    ended(actor, memory_host)
    assert not os.path.lexists(profile)


@pytest.mark.parametrize("left", LEFT, ids=lambda what: what.__name__)
def test_what_an_agent_leaves_is_removed_from_a_disk(
    ordinary_host: Host, left: Callable[[Path], None]
) -> None:
    """Where listings come in another order, and change in another way while files go."""
    actor = ordinary_host.actor(descriptors=64)
    profile = actor.create(SPEC)
    ordinary_host.plant(lambda: left(profile))
    actor.destroy()
    assert not os.path.lexists(profile)


@pytest.fixture
def outside(host: Host) -> Path:
    """What a careless agent may lead to: files of the user's own, outside of any profile."""
    made = host.directory / "outside"
    (made / "closed").mkdir(parents=True)
    (made / "file").write_text("content")
    (made / "script").write_text("#!/bin/sh")
    (made / "script").chmod(0o555)
    (made / "closed" / "file").write_text("content")
    (made / "closed").chmod(0o500)
    for path in (made, *made.rglob("*")):
        os.chown(path, host.user.id, host.user.id)
    return made


def links(profile: Path, outside: Path) -> None:
    for name in ("settings.json", "auth.json", "oauth/token"):
        (profile / name).unlink()
    (profile / "settings.json").symlink_to(outside / "file")
    (profile / "auth.json").symlink_to(outside / "nothing")
    (profile / "oauth").rmdir()
    (profile / "oauth").symlink_to(outside)
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


@ENDED
@pytest.mark.parametrize(
    "left", [links, hard_links, link_in_place_of_the_profile], ids=lambda what: what.__name__
)
def test_what_leads_outside_is_removed_and_its_target_is_not(
    host: Host,
    outside: Path,
    left: Callable[[Path, Path], None],
    ended: Callable[[Actor, Host], None],
) -> None:
    actor = host.actor()
    profile = actor.create(SPEC)
    before = everything(outside)
    host.plant(lambda: left(profile, outside))
    ended(actor, host)
    assert not os.path.lexists(profile)
    assert everything(outside) == before


@pytest.mark.parametrize(("writers", "way"), [(1, "path"), (3, "path"), (1, "inside")])
def test_background_writers_lose_against_destroy(
    host: Host, writers: int, way: str, times: int
) -> None:
    """They write without a pause: by the profile's path, or with it as their working directory."""
    actor = host.actor()
    for _ in range(5 * times):
        profile = actor.create(SPEC)
        with ExitStack() as writing:
            for _ in range(writers):
                writing.enter_context(host.background("writer", way, profile))
            actor.destroy()
        assert not os.path.lexists(profile)


def test_writers_that_win_for_a_while_lose_when_they_end(memory_host: Host) -> None:
    """More of them than there are processors, all inside: removal need not win while they write."""
    actor = memory_host.actor()
    profile = actor.create(SPEC)
    with ExitStack() as writing:
        for _ in range(6):
            writing.enter_context(memory_host.background("writer", "inside", profile))
        with suppress(LibraryError):
            actor.destroy()
    actor.destroy()
    assert memory_host.profiles() == []


def test_profile_that_is_gone_already_counts_as_destroyed(host: Host) -> None:
    actor = host.actor()
    profile = actor.create(SPEC)
    host.plant(lambda: profile.rename(host.home / "kept"))
    actor.destroy()
    assert (host.home / "kept/settings.json").read_text() == "{}"


def test_profile_whose_process_directory_is_gone_counts_as_destroyed(host: Host) -> None:
    actor = host.actor()
    profile = actor.create(SPEC)
    host.plant(lambda: host.root.rename(host.home / "kept"))
    actor.destroy()
    assert not profile.exists()
    assert actor.create(SPEC).exists()
