"""What the library writes is never, for one instant, open to anybody else, at any umask."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import system_calls
from actor import Actor
from host import ROOT, Host

LOGIN = "x" * 700
SPEC: dict[str, Any] = {
    "seed_files": {"skills/one/SKILL.md": "seed"},
    "credentials": {"auth.json": LOGIN, "oauth/token": LOGIN},
}


class Sight(NamedTuple):
    depth: int
    kind: str
    mode: int
    size: int


def parsed(lines: list[str]) -> set[Sight]:
    words = [line.split() for line in lines]
    return {
        Sight(int(depth), kind, int(mode, 8), int(size)) for depth, kind, mode, size, _ in words
    }


@pytest.mark.parametrize("umask", [0o000, 0o077, 0o777], ids="{:03o}".format)
def test_watcher_never_sees_anything_open_to_others(
    memory_host: Host, umask: int, times: int
) -> None:
    actor = memory_host.actor(umask=umask)
    with memory_host.background("watcher", memory_host.tmp, user=ROOT) as printed:
        for turn in range(1000 * times):
            profile = actor.create(SPEC)
            if turn % 4 == 0:
                actor.refresh()
            if turn < 1000 * times - 1:
                actor.destroy()
                actor.free()
    sights = parsed(printed)
    assert {sight for sight in sights if sight.mode & 0o7077} == set()
    # It did look: at the profile directories, and at whole credentials in them.
    assert Sight(3, "d", 0o700, 0) in sights
    assert Sight(4, "f", 0o600, len(LOGIN)) in sights
    # A umask that takes from the owner too is mended.
    assert (profile / "auth.json").stat().st_mode & 0o7777 == 0o600
    assert (profile / "oauth").stat().st_mode & 0o7777 == 0o700
    assert memory_host.root.stat().st_mode & 0o7777 == 0o700


@pytest.mark.parametrize("mode", [0o644, 0o666, 0o777], ids="{:03o}".format)
def test_wider_mode_of_a_credential_is_set_only_after_its_content_stands(
    memory_host: Host, mode: int, times: int
) -> None:
    actor = memory_host.actor(umask=0o077)
    spec = {**SPEC, "file_modes": {"auth.json": mode}}
    with memory_host.background("watcher", memory_host.tmp, user=ROOT) as printed:
        for _ in range(200 * times):
            profile = actor.create(spec)
            actor.refresh()
            actor.free()
        profile = actor.create(spec)
    sights = parsed(printed)
    wide = {sight for sight in sights if sight.mode & 0o7077}
    # In the profile, or in the temporary file beside it; the directories around are 0700.
    assert wide <= {Sight(depth, "f", mode, len(LOGIN)) for depth in (3, 4)}
    assert (profile / "auth.json").stat().st_mode & 0o7777 == mode
    assert (profile / "oauth/token").stat().st_mode & 0o7777 == 0o600
    actor.refresh()
    assert (profile / "auth.json").stat().st_mode & 0o7777 == mode


@pytest.mark.parametrize(
    "mode", [0o000, 0o400, 0o500, 0o600, 0o700, 0o755, 0o777], ids="{:03o}".format
)
@pytest.mark.parametrize("umask", [0o000, 0o077, 0o777], ids="{:03o}".format)
def test_file_modes_hold_at_any_umask(memory_host: Host, umask: int, mode: int) -> None:
    spec = {**SPEC, "file_modes": {"skills/one/SKILL.md": mode, "auth.json": mode}}
    actor = memory_host.actor(umask=umask)
    profile = actor.create(spec)
    actor.refresh()
    for name in ("skills/one/SKILL.md", "auth.json"):
        assert (profile / name).stat().st_mode & 0o7777 == mode


def test_refresh_with_another_spec_takes_its_modes(memory_host: Host) -> None:
    actor = memory_host.actor()
    profile = actor.create(SPEC)
    actor.refresh(credentials={"auth.json": "new"}, file_modes={"auth.json": 0o640})
    assert (profile / "auth.json").stat().st_mode & 0o7777 == 0o640


def test_directories_that_hand_their_group_on_change_nothing(memory_host: Host) -> None:
    """A set-group-id bit on the root is inherited by what is made below it."""
    named = memory_host.home / "named"

    def plant() -> None:
        named.mkdir(mode=0o700)
        named.chmod(0o2700)

    memory_host.plant(plant)
    actor = memory_host.actor()
    actor.use_root(named)
    profile = actor.create(SPEC)
    for path in (profile.parent, profile, profile / "oauth"):
        assert path.stat().st_mode & 0o7777 == 0o700


def test_all_that_is_made_is_asked_for_with_private_modes(memory_host: Host) -> None:
    """What no watcher may be quick enough to see: the modes in the calls themselves."""
    commands = (lambda actor: actor.create(SPEC), Actor.refresh)
    made = [call.text for calls in system_calls.calls(memory_host, *commands) for call in calls]
    directories = [line for line in made if line.startswith(("mkdir", "mkdirat"))]
    files = [line for line in made if "O_CREAT" in line]
    assert len(directories) > 5
    assert len(files) == 5
    assert [line for line in directories if not re.search(r", 0700\) += ", line)] == []
    assert [line for line in files if not re.search(r"O_EXCL.*, 0600\) += ", line)] == []


def test_watcher_would_see_a_moment_of_width(memory_host: Host) -> None:
    """The attack itself, on a program that opens wide and closes later: it must be caught."""
    place = memory_host.tmp / "file"
    with memory_host.background("watcher", memory_host.tmp, user=ROOT) as printed:
        for _ in range(20_000):
            os.close(os.open(place, os.O_CREAT | os.O_WRONLY, 0o666))
            place.chmod(0o600)
            place.unlink()
    assert any(sight.mode & 0o077 for sight in parsed(printed)), json.dumps(printed)


def made_wide(profile: Path) -> set[str]:
    return {str(path) for path in profile.rglob("*") if path.stat().st_mode & 0o077}


def test_adapter_profiles_are_private(memory_host: Host) -> None:
    memory_host.login('{"key":"x"}', "claude-code")
    actor = memory_host.actor(umask=0)
    assert made_wide(actor.create(adapter="claude-code")) == set()
