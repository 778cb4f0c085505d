"""An owner killed in any call of any operation: what it left is found, and nothing else is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import host as hosts
import system_calls
from actor import Actor, attempt
from host import MEMORY, ORDINARY, Host, new_host

SPEC: dict[str, Any] = {
    "seed_files": {"a/b": "seed"},
    "credentials": {"auth.json": "login", "oauth/token": "login"},
}


@pytest.fixture
def quick_host(programs: Path) -> Iterator[Host]:
    """One user's, in memory: each call is a run of its own."""
    with new_host(ORDINARY, programs, MEMORY) as made:
        yield made


UNFAILING = {"getpid", "geteuid", "close"}


def create(actor: Actor) -> Path:
    return actor.create(SPEC)


COMMANDS = (create, Actor.refresh, Actor.destroy, create, Actor.free, Actor.reap)


def obey(actor: Actor) -> None:
    for command in COMMANDS:
        command(actor)


def test_owner_killed_in_each_call_leaves_nothing_that_reap_does_not_find(
    quick_host: Host,
) -> None:
    host = quick_host
    living, reaping = host.actor(), host.actor()
    kept = living.create(SPEC)
    places = [call for calls in system_calls.calls(host, *COMMANDS) for call in calls]
    for place in places:
        owner = host.actor(*system_calls.injecting(place, "signal=SIGKILL"))
        with pytest.raises(AssertionError, match="the actor ended with -9"):
            obey(owner)
        report = reaping.reap()
        assert (report["kept"], report["failed"]) == (1, []), place
        assert [path.name for path in host.root.iterdir()] == [kept.parent.name], place
    assert len(places) > 100
    assert (kept / "auth.json").read_text() == "login"


def test_reap_killed_in_each_call_is_finished_by_the_next_one(quick_host: Host) -> None:
    host = quick_host
    living, reaping = host.actor(), host.actor()
    kept = living.create(SPEC)

    def leave() -> None:
        owner = host.actor()
        owner.create(SPEC)
        owner.kill()

    leave()
    (places,) = system_calls.calls(host, Actor.reap)
    assert len(places) > 20
    for place in places:
        leave()
        killed = host.actor(*system_calls.injecting(place, "signal=SIGKILL"))
        with pytest.raises(AssertionError, match="the actor ended with -9"):
            killed.reap()
        report = reaping.reap()
        assert (report["kept"], report["failed"]) == (1, []), place
        assert host.profiles() == [kept], place


FIRST = (create,)
SECOND = (create, Actor.destroy, create)


@pytest.mark.parametrize("commands", [FIRST, SECOND], ids=["first", "second"])
@pytest.mark.parametrize("fault", ["EIO", "ENOSPC"])
def test_failure_of_each_call_of_create_is_told_and_leaves_nothing(
    quick_host: Host, fault: str, commands: tuple[Callable[[Actor], object], ...]
) -> None:
    host = quick_host
    told = 0
    for place in system_calls.calls(host, *commands)[-1]:
        if place.name in UNFAILING:
            continue
        hosts.remove(host.root)
        actor = host.actor(*system_calls.injecting(place, f"error={fault}"))
        for command in commands[:-1]:
            command(actor)
        error = attempt(partial(create, actor))
        if error is not None:
            assert error.kind == "ProfileSetupFailed", place.text
            assert error.payload["path"].startswith(str(host.tmp)), place.text
            assert error.payload["reason"], place.text
            assert host.profiles() == [], place.text
            create(actor)
            told += 1
        (profile,) = host.profiles()
        names = ["a", "auth.json", "oauth"]
        assert sorted(path.name for path in profile.iterdir()) == names, place.text
        actor.destroy()
        assert host.profiles() == [], place.text
    assert told > 10


@pytest.mark.parametrize("fault", ["EIO", "ENOSPC"])
def test_failure_of_each_call_of_refresh_leaves_every_credential_whole(
    quick_host: Host, fault: str
) -> None:
    host = quick_host
    told = 0
    for place in system_calls.calls(host, create, Actor.refresh)[-1]:
        if place.name in UNFAILING:
            continue
        hosts.remove(host.root)
        actor = host.actor(*system_calls.injecting(place, f"error={fault}"))
        profile = create(actor)
        error = attempt(actor.refresh)
        if error is not None:
            assert error.kind == "ProfileSetupFailed", place.text
            assert error.payload["path"].startswith(str(profile)), place.text
            told += 1
        for name in ("auth.json", "oauth/token"):
            assert (profile / name).read_text() == "login", place.text
        assert [path.name for path in profile.parent.iterdir()] == [profile.name], place.text
        actor.refresh()
    assert told > 5


def test_failure_of_each_call_of_destroy_is_told_and_mended_by_the_next(
    quick_host: Host,
) -> None:
    host = quick_host
    told = 0
    for place in system_calls.calls(host, create, Actor.destroy)[-1]:
        if place.name in UNFAILING:
            continue
        hosts.remove(host.root)
        actor = host.actor(*system_calls.injecting(place, "error=EIO"))
        profile = create(actor)
        error = attempt(actor.destroy)
        if error is not None:
            assert error.kind == "CleanupFailed", place.text
            assert error.payload["path"].startswith(str(profile)), place.text
            assert error.payload["os_error"], place.text
            told += 1
            actor.destroy()
        assert not profile.exists(), place.text
    assert told > 5
