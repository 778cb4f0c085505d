"""A refresh replaces each credential as a whole, follows no link, and touches nothing else."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from actor import failure
from host import Host
from snapshot import everything

SPEC: dict[str, Any] = {
    "seed_files": {"settings.json": "{}", "skills/one/SKILL.md": "seed"},
    "credentials": {"auth.json": "login", "oauth/inner/token": "token"},
}
CREDENTIALS = ("auth.json", "oauth/inner/token")


@pytest.fixture
def outside(host: Host) -> Path:
    """What a planted link leads to; the user may write there."""
    made = host.directory / "outside"
    (made / "inner").mkdir(parents=True)
    for name in ("file", "inner/token", "token"):
        (made / name).write_text("content")
    for path in (made, *made.rglob("*")):
        os.chown(path, host.user.id, host.user.id)
    return made


def content_of(path: Path) -> str:
    assert not path.is_symlink()
    assert path.stat().st_mode & 0o7777 == 0o600
    return path.read_text()


def test_refresh_touches_the_credentials_alone(host: Host) -> None:
    actor = host.actor()
    profile = actor.create(SPEC)

    def use() -> None:
        (profile / "history").write_text("used")
        (profile / "link").symlink_to("history")
        (profile / "oauth/inner/other").write_text("the agent's")
        (profile / "auth.json").write_text("changed by the agent")
        (profile / "skills").chmod(0o555)

    host.plant(use)
    credentials = tuple(profile / name for name in CREDENTIALS)
    # A directory in which a file is replaced does change.
    but = (*credentials, profile.parent, profile, profile / "oauth/inner")
    before = everything(profile.parent, but=but, and_changes=True)
    actor.refresh()
    assert everything(profile.parent, but=but, and_changes=True) == before
    assert [content_of(path) for path in credentials] == ["login", "token"]
    actor.refresh(credentials={"auth.json": "new"})
    assert everything(profile.parent, but=but, and_changes=True) == before
    assert [content_of(path) for path in credentials] == ["new", "token"]


def link_to_a_file(profile: Path, outside: Path) -> None:
    (profile / "auth.json").unlink()
    (profile / "auth.json").symlink_to(outside / "file")


def link_to_a_directory(profile: Path, outside: Path) -> None:
    (profile / "auth.json").unlink()
    (profile / "auth.json").symlink_to(outside)


def link_to_nothing(profile: Path, outside: Path) -> None:
    (profile / "auth.json").unlink()
    (profile / "auth.json").symlink_to(outside / "nothing")


def link_to_itself(profile: Path, outside: Path) -> None:
    (profile / "auth.json").unlink()
    (profile / "auth.json").symlink_to("auth.json")


def hard_link(profile: Path, outside: Path) -> None:
    (profile / "auth.json").unlink()
    (profile / "auth.json").hardlink_to(outside / "file")


def fifo(profile: Path, outside: Path) -> None:
    (profile / "auth.json").unlink()
    os.mkfifo(profile / "auth.json")


def closed_file(profile: Path, outside: Path) -> None:
    (profile / "auth.json").chmod(0)


def link_in_place_of_the_upper_directory(profile: Path, outside: Path) -> None:
    (profile / "oauth").rename(profile / "moved")
    (profile / "oauth").symlink_to(outside)


def link_in_place_of_the_lower_directory(profile: Path, outside: Path) -> None:
    (profile / "oauth/inner").rename(profile / "moved")
    (profile / "oauth/inner").symlink_to(outside)


def dangling_link_in_place_of_a_directory(profile: Path, outside: Path) -> None:
    (profile / "oauth").rename(profile / "moved")
    (profile / "oauth").symlink_to(outside / "nothing")


def looping_link_in_place_of_a_directory(profile: Path, outside: Path) -> None:
    (profile / "oauth").rename(profile / "moved")
    (profile / "oauth").symlink_to("oauth")


def nothing_left(profile: Path, outside: Path) -> None:
    (profile / "auth.json").unlink()
    (profile / "oauth/inner/token").unlink()
    (profile / "oauth/inner").rmdir()
    (profile / "oauth").rmdir()


PLANTED: list[Callable[[Path, Path], None]] = [
    link_to_a_file,
    link_to_a_directory,
    link_to_nothing,
    link_to_itself,
    hard_link,
    fifo,
    closed_file,
    link_in_place_of_the_upper_directory,
    link_in_place_of_the_lower_directory,
    dangling_link_in_place_of_a_directory,
    looping_link_in_place_of_a_directory,
    nothing_left,
]


@pytest.mark.parametrize("planted", PLANTED, ids=lambda what: what.__name__)
def test_refresh_replaces_what_was_planted_and_leaves_its_target(
    host: Host, outside: Path, planted: Callable[[Path, Path], None]
) -> None:
    actor = host.actor()
    profile = actor.create(SPEC)
    host.plant(lambda: planted(profile, outside))
    contents = {path: path.read_text() for path in outside.rglob("*") if path.is_file()}
    names = sorted(outside.rglob("*"))
    actor.refresh()
    assert [content_of(profile / name) for name in CREDENTIALS] == ["login", "token"]
    for directory in ("oauth", "oauth/inner"):
        assert not (profile / directory).is_symlink()
        assert (profile / directory).stat().st_mode & 0o7777 == 0o700
    assert sorted(outside.rglob("*")) == names
    assert {path: path.read_text() for path in contents} == contents
    assert [path.name for path in profile.parent.iterdir()] == [profile.name]


@pytest.mark.parametrize(
    ("credential", "planted"),
    [
        ("auth.json", "auth.json"),
        ("oauth/inner/token", "oauth/inner/token"),
        ("oauth/inner/token", "oauth/inner"),
        ("oauth/inner/token", "oauth"),
    ],
)
def test_what_can_not_be_replaced_is_named_and_left(
    host: Host, credential: str, planted: str
) -> None:
    """A directory for a file, and a file for a directory: either may be the agent's work."""
    actor = host.actor()
    profile = actor.create(SPEC)
    place = profile / planted

    def plant() -> None:
        place.rename(profile / "moved")
        if planted == credential:
            place.mkdir()
            (place / "work").write_text("of the agent")
        else:
            place.write_text("of the agent")

    host.plant(plant)
    before = everything(place)
    error = failure(actor.refresh, "ProfileSetupFailed")
    assert error.payload["path"] == str(profile / credential)
    assert everything(place) == before
    assert [path.name for path in profile.parent.iterdir()] == [profile.name]


def test_refresh_leaves_the_rights_of_directories_as_the_agent_set_them(
    ordinary_host: Host,
) -> None:
    actor = ordinary_host.actor()
    profile = actor.create(SPEC)
    ordinary_host.plant(lambda: (profile / "oauth/inner").chmod(0o500))
    before = everything(profile.parent)
    error = failure(
        lambda: actor.refresh(credentials={"oauth/inner/token": "new"}), "ProfileSetupFailed"
    )
    assert error.payload["path"] == str(profile / "oauth/inner/token")
    assert everything(profile / "oauth") == {
        path: seen for path, seen in before.items() if path.is_relative_to(profile / "oauth")
    }
    assert [path.name for path in profile.parent.iterdir()] == [profile.name]


@pytest.mark.parametrize("size", [64, 100_000])
def test_reader_never_sees_a_missing_or_torn_credential(
    memory_host: Host, size: int, times: int
) -> None:
    memory_host.login('"' + "x" * (size - 2) + '"')
    actor = memory_host.actor()
    profile = actor.create(adapter="codex")
    with memory_host.background("reader", profile / "auth.json", size) as printed:
        for turn in range(250 * times):
            memory_host.login('"' + chr(ord("a") + turn % 26) * (size - 2) + '"')
            actor.refresh()
    reads, missing, torn = map(int, printed[0].split())
    assert (missing, torn) == (0, 0)
    assert reads > 0
    assert set((profile / "auth.json").read_text()) == {'"', chr(ord("a") + (250 * times - 1) % 26)}


def test_refresh_where_the_profile_is_gone_makes_nothing(host: Host) -> None:
    actor = host.actor()
    profile = actor.create(SPEC)
    host.plant(lambda: profile.rename(host.home / "moved"))
    assert failure(actor.refresh, "ProfileSetupFailed").payload["path"] == str(profile)
    assert not profile.exists()
    host.plant(lambda: profile.symlink_to(host.home / "moved"))
    before = everything(host.home / "moved")
    failure(actor.refresh, "ProfileSetupFailed")
    assert everything(host.home / "moved") == before
