"""What an environment costs in system calls, kept so that each one that is added is noticed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import system_calls
from actor import Actor
from host import Host

SPEC: dict[str, Any] = {
    "seed_files": {"settings.json": "{}"},
    "credentials": {"auth.json": "login"},
}

# With a process directory that stands already: what each further environment costs.
KEPT = {
    "create": {
        "geteuid": 2,
        "getpid": 2,
        "fstat": 5,
        "newfstatat": 1,
        "mkdirat": 1,
        "openat2": 1,
        "openat": 2,
        "write": 2,
        "close": 3,
    },
    "refresh": {
        "getpid": 1,
        "fstat": 2,
        "openat2": 1,
        "getrandom": 1,
        "openat": 1,
        "write": 1,
        "close": 2,
        "renameat": 1,
    },
    "destroy": {
        "getpid": 1,
        "fstat": 1,
        "openat2": 1,
        "getdents64": 2,
        "unlinkat": 3,
        "close": 1,
    },
    "free": {"getpid": 0},
}


def leave_dead(root: Path) -> None:
    for number in range(10, 99):
        (root / f"0123abcd-aaaaaa{number}").mkdir()


def create(actor: Actor) -> object:
    return actor.create(SPEC)


def test_each_operation_makes_the_kept_calls_and_no_other(host: Host) -> None:
    commands = (create, Actor.destroy, create, Actor.refresh, Actor.destroy, Actor.free)
    made = system_calls.calls(host, *commands)[2:]
    counted = [Counter(call.name for call in calls) for calls in made]
    assert dict(zip(KEPT, counted, strict=True)) == {
        name: Counter(kept) for name, kept in KEPT.items()
    }


def test_what_others_have_in_the_root_costs_nothing(host: Host) -> None:
    """Dead process directories are no business of a process that has its own."""
    commands = (create, Actor.destroy, create, Actor.destroy)
    alone = system_calls.calls(host, *commands)[2:]
    host.plant(lambda: leave_dead(host.root))
    beside = system_calls.calls(host, *commands)[2:]
    names = [[[call.name for call in calls] for calls in made] for made in (alone, beside)]
    assert names[0] == names[1]


def test_first_environment_looks_at_eight_others_at_most(host: Host) -> None:
    host.actor().create(SPEC)
    host.plant(lambda: leave_dead(host.root))
    first, _ = system_calls.calls(host, create, Actor.destroy)
    assert Counter(call.name for call in first)["flock"] <= 1 + 8
    left = len(list(host.root.glob("0123abcd-*")))
    assert 89 - 8 <= left < 89
