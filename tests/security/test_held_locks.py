"""A neighbour who holds the registry's lock and never gives it back: who changes something is told, and nobody hangs."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import system_calls
from actor import Actor, failure
from host import Host

SPEC: dict[str, Any] = {"credentials": {"auth.json": "login"}}
CHANGES: dict[str, Callable[[Actor], object]] = {
    "create": lambda actor: actor.create_or_attach("new", SPEC),
    "refresh": lambda actor: actor.refresh(**SPEC),
    "destroy": lambda actor: actor.destroy(),
    "destroy by name": lambda actor: actor.destroy_named("other"),
    "repair": lambda actor: actor.repair(),
}


def by_a_lock(host: Host) -> Iterator[None]:
    held = os.open(host.registry / ".lock", os.O_RDWR)
    fcntl.flock(held, fcntl.LOCK_EX)
    yield
    os.close(held)


def by_a_process_that_was_stopped(host: Host) -> Iterator[None]:
    """One of ours, in the middle of what the lock is for."""
    create = ("create-or-attach", "stopped {}")
    [made] = system_calls.calls(host, system_calls.obeying(create))
    host.actor().destroy_named("stopped")
    # The second lock of a create is the registry's: the first is its staging directory's.
    locked = [call for call in made if call.name == "flock" and "LOCK_EX" in call.text][1]
    stopped = system_calls.Stopped(host, locked, create)
    yield
    assert stopped.go_on() == [str(host.actor().attach("stopped"))]


HOLDERS = [by_a_lock, by_a_process_that_was_stopped]


@pytest.fixture(params=HOLDERS, ids=lambda holder: holder.__name__)
def held(request: pytest.FixtureRequest, host: Host) -> Iterator[Actor]:
    """An actor with an environment, beside another, in a registry that is locked for good."""
    actor = host.actor()
    for name in ("other", "target"):
        actor.create_or_attach(name, SPEC)
    holding = request.param(host)
    next(holding)
    yield actor
    assert next(holding, None) is None
    # Once it is given back, all is as if it had never been held.
    for change in CHANGES.values():
        change(actor)


@pytest.mark.parametrize("milliseconds", [0, 30])
def test_who_changes_something_is_told_in_time(host: Host, held: Actor, milliseconds: int) -> None:
    held.wait_for_the_lock(milliseconds)
    for name, change in CHANGES.items():
        error = failure(lambda change=change: change(held), "RegistryUnavailable")
        assert error.payload["path"] == str(host.registry / ".lock"), name
        assert f"{milliseconds} ms" in error.payload["reason"], name
    assert held.names() == ["other", "target"]


def test_who_sets_no_limit_is_told_too(ordinary_host: Host) -> None:
    """By the limit that there is otherwise: it takes seconds, and not for ever."""
    actor = ordinary_host.actor()
    actor.create_or_attach("other", SPEC)
    holding = by_a_lock(ordinary_host)
    next(holding)
    error = failure(lambda: CHANGES["create"](actor), "RegistryUnavailable")
    assert error.payload["path"] == str(ordinary_host.registry / ".lock")
    assert next(holding, None) is None
    CHANGES["create"](actor)


def test_who_only_looks_waits_for_nobody(host: Host, held: Actor) -> None:
    held.wait_for_the_lock(2**31)
    assert held.names() == ["other", "target"]
    profile = held.attach("target")
    assert held.create_or_attach("target", SPEC) == profile
    assert held.reap("registry")["failed"] == []
    # Ephemeral environments have a lock of their own.
    ephemeral = held.create(SPEC)
    assert Path(ephemeral, "auth.json").read_text() == "login"
    held.destroy()
    held.free()
