"""Whatever an agent leaves in its profile is removed, and nothing outside is touched."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from actor import Actor, LibraryError
from host import Host
from leavings import LEADING_OUT, LEFT
from snapshot import everything

SPEC: dict[str, Any] = {
    "seed_files": {"settings.json": "{}", "skills/one/SKILL.md": "seed"},
    "credentials": {"auth.json": "login", "oauth/token": "login"},
}


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


@ENDED
@pytest.mark.parametrize("left", LEADING_OUT, ids=lambda what: what.__name__)
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
