"""Whatever an agent leaves in a persistent profile, the name is free at once and all of it is removed."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from actor import Actor
from host import Host
from leavings import LEADING_OUT, LEFT

import watching

SPEC: dict[str, Any] = {
    "seed_files": {"settings.json": "{}", "skills/one/SKILL.md": "seed"},
    "credentials": {"auth.json": "login", "oauth/token": "login"},
}


def by_handle(actor: Actor, host: Host) -> None:
    actor.destroy()


def by_name(actor: Actor, host: Host) -> None:
    host.actor(descriptors=64).destroy_named("target")


def by_reap_after_a_death(actor: Actor, host: Host) -> None:
    """Who destroys it is killed once the name is gone, at the second thing that it removes."""
    second = "inject=unlinkat:signal=SIGKILL:when=3"
    killed = host.actor("strace", "-o", "/dev/null", "-e", second)
    killed.tell("destroy-named", "target")
    assert killed.wait() != 0
    report = host.actor(descriptors=64).reap("registry")
    assert report["failed"] == []
    assert len(report["removed"]) == 1


WAYS = pytest.mark.parametrize("way", [by_handle, by_name, by_reap_after_a_death], ids=lambda way: way.__name__)


def check_gone(host: Host, actor: Actor, profile: Path) -> None:
    assert not os.path.lexists(profile.parent)
    assert list((host.registry / ".agent-venv").iterdir()) == []
    assert actor.names() == ["other"]
    assert actor.create_or_attach("target", SPEC) == profile
    assert (profile / "auth.json").read_text() == "login"


@WAYS
@pytest.mark.parametrize("left", LEFT, ids=lambda what: what.__name__)
def test_what_an_agent_leaves_is_removed(
    memory_host: Host, left: Callable[[Path], None], way: Callable[[Actor, Host], None]
) -> None:
    actor = memory_host.actor(descriptors=64)
    actor.create_or_attach("other", SPEC)
    profile = actor.create_or_attach("target", SPEC)
    memory_host.plant(lambda: left(profile))
    assert actor.attach("target") == profile
    assert actor.names() == ["other", "target"]
    way(actor, memory_host)
    check_gone(memory_host, actor, profile)


@WAYS
@pytest.mark.parametrize("left", LEADING_OUT, ids=lambda what: what.__name__)
def test_what_leads_outside_is_removed_and_its_target_not_even_opened(
    host: Host,
    outside: Path,
    left: Callable[[Path, Path], None],
    way: Callable[[Actor, Host], None],
) -> None:
    actor = host.actor()
    actor.create_or_attach("other", SPEC)
    profile = actor.create_or_attach("target", SPEC)
    host.plant(lambda: left(profile, outside))
    with watching.untouched(outside, but=watching.LINKS):
        way(actor, host)
    check_gone(host, actor, profile)


@pytest.mark.parametrize(("writers", "where"), [(1, "path"), (3, "path"), (1, "inside")])
def test_writer_that_makes_anew_what_is_removed_loses(host: Host, writers: int, where: str, times: int) -> None:
    actor = host.actor()
    actor.create_or_attach("other", SPEC)
    for _ in range(5 * times):
        profile = actor.create_or_attach("target", SPEC)
        with ExitStack() as writing:
            for _ in range(writers):
                writing.enter_context(host.background("writer", where, profile))
            actor.destroy()
            assert actor.names() == ["other"]
        check_gone(host, actor, profile)
        actor.destroy_named("target")
