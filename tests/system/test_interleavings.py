"""One process stops right after each call that it makes; others act meanwhile; then it goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

import host as hosts
from host import MEMORY, ORDINARY, Host, new_host
from system_calls import Stopped, calls, obeying

SPEC = json.dumps({"seed_files": {"a/b": "seed"}, "credentials": {"auth.json": "login"}})
LIFE = [("create", SPEC), ("refresh", ""), ("destroy", ""), ("create", SPEC)]


@pytest.fixture
def quick_host(programs: Path) -> Iterator[Host]:
    with new_host(ORDINARY, programs, MEMORY) as made:
        yield made


def test_reaper_takes_nothing_from_an_owner_at_any_point_of_its_calls(quick_host: Host) -> None:
    host = quick_host
    reaping = host.actor()
    removed = 0
    for place in chain.from_iterable(calls(host, *map(obeying, LIFE))):
        hosts.remove(host.root)
        owner = Stopped(host, place, *LIFE)
        report = reaping.reap()
        assert report["failed"] == [], place.text
        removed += len(report["removed"])
        first, _, _, second = owner.go_on()
        assert first != second
        assert (Path(second) / "a/b").read_text() == "seed", place.text
        assert (Path(second) / "auth.json").read_text() == "login", place.text
        assert host.profiles() == [Path(second)], place.text
        assert reaping.reap()["kept"] == 1, place.text
    # Before it is locked, a directory is anybody's: then another one must have been made.
    assert removed > 0


def test_two_reapers_remove_each_directory_once_at_any_point_of_their_calls(
    quick_host: Host,
) -> None:
    host = quick_host
    living = host.actor()
    kept = living.create(json.loads(SPEC))

    def leave() -> str:
        owner = host.actor()
        left = owner.create(json.loads(SPEC))
        owner.kill()
        return str(left.parent)

    leave()
    (places,) = calls(host, obeying(("reap", "")))
    by_the_other = 0
    for place in places:
        left = leave()
        first = Stopped(host, place, ("reap", ""))
        second = host.actor().reap()
        (report,) = first.go_on()
        removed = json.loads(report)["ephemeral"]["removed"], second["removed"]
        assert sorted(removed) == [[], [left]], place.text
        assert second["failed"] == [], place.text
        by_the_other += len(second["removed"])
        assert host.profiles() == [kept], place.text
    assert by_the_other > 0
