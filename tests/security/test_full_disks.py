"""A registry on a disk that somebody fills: nothing of it breaks, and what is destroyed makes room."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import mounts
import pytest
from actor import Actor, LibraryError, attempt, failure
from disks import PAGE, empty, fill, on
from host import Host

SPEC: dict[str, Any] = {
    "seed_files": {"settings.json": "{}", "skills/one/SKILL.md": "seed" * PAGE},
    "credentials": {"auth.json": "login", "oauth/token": "login"},
}
Figures = Callable[..., None]


def check_told(error: LibraryError, disk: Path, *kinds: str) -> None:
    assert error.kind in kinds, error
    assert error.payload["path"].startswith(str(disk))
    assert "No space left" in json.dumps(error.payload)


def check_stands(actor: Actor, disk: Path, names: list[str]) -> None:
    """The registry has these names and nothing else, and each can be attached to."""
    registry = mounts.seen_by(actor, disk / "registry")
    assert sorted(json.loads((registry / "index.json").read_bytes())["entries"]) == names
    assert actor.names() == names
    for name in names:
        profile = mounts.seen_by(actor, actor.attach(name))
        actor.free()
        assert (profile / "auth.json").read_text() == "login"
    assert len(list((registry / "envs").iterdir())) == len(names), "a directory without a name is left"
    assert list((registry / ".agent-venv").iterdir()) == [], "staging or trash is left"


def create_as_room_grows(actor: Actor, disk: Path, give: Callable[[int], None], take_back: Callable[[], None]) -> int:
    """Gives a page or a file more each time, until there is room for all of a create; how often there was not."""
    for more in count():
        give(more)
        error = attempt(lambda: actor.create_or_attach("target", SPEC))
        if error is None:
            check_stands(actor, disk, ["other", "target"])
            return more
        check_told(error, disk, "ProfileSetupFailed", "RegistryUnavailable")
        check_stands(actor, disk, ["other"])
        take_back()
    raise AssertionError


@pytest.mark.parametrize("scarce", ["pages", "files"])
def test_create_that_finds_too_little_room_leaves_nothing(
    host: Host, disk: Path, scarce: str, figures: Figures
) -> None:
    actor = on(disk, host, "size=256k", "nr_inodes=100")
    actor.create_or_attach("other", SPEC)

    def give_files(more: int) -> None:
        used = os.statvfs(mounts.seen_by(actor, disk))
        mounts.mount(actor, "-o", f"remount,nr_inodes={used.f_files - used.f_ffree + more}", disk)

    if scarce == "pages":
        refused = create_as_room_grows(actor, disk, lambda pages: fill(actor, disk, pages), lambda: empty(actor, disk))
    else:
        refused = create_as_room_grows(actor, disk, give_files, lambda: None)
    assert refused > 3
    figures("A disk with room for a part", scarce=scarce, user=host.user, too_little=refused, held=refused)
    # With what room there is now.
    actor.destroy()
    check_stands(actor, disk, ["other"])


def by_handle(actor: Actor) -> None:
    actor.attach("target")
    actor.destroy()


def by_name(actor: Actor) -> None:
    actor.destroy_named("target")


@pytest.mark.parametrize("destroy", [by_handle, by_name], ids=lambda way: way.__name__)
@pytest.mark.parametrize("names", [0, 200])
def test_destroy_works_on_a_full_disk(host: Host, disk: Path, destroy: Callable[[Actor], None], names: int) -> None:
    """Also where the index, which must be written anew, takes several pages."""
    actor = on(disk, host, "size=256k")
    actor.create_or_attach("other", SPEC)
    actor.create_or_attach("target", SPEC)
    index = mounts.seen_by(actor, disk / "registry/index.json")
    content = json.loads(index.read_bytes())
    content["entries"] |= {f"{'gone' * 10}-{n}": f"envs/{n:016}" for n in range(names)}
    index.write_text(json.dumps(content))
    assert index.stat().st_size > names * PAGE // 100
    fill(actor, disk)
    destroy(actor)
    assert actor.names() == ["other"]
    assert "target" not in json.loads(index.read_bytes())["entries"]
    registry = mounts.seen_by(actor, disk / "registry")
    assert len(list((registry / "envs").iterdir())) == 1
    assert list((registry / ".agent-venv").iterdir()) == []
    actor.create_or_attach("target", {})


def test_full_disk_stops_what_writes_and_nothing_else(host: Host, disk: Path) -> None:
    actor = on(disk, host, "size=256k")
    for name in ("other", "target"):
        actor.create_or_attach(name, SPEC)
    fill(actor, disk)
    larger = {"auth.json": "y" * 3 * PAGE}
    error = failure(lambda: actor.refresh(credentials=larger), "ProfileSetupFailed")
    check_told(error, disk, "ProfileSetupFailed")
    check_stands(actor, disk, ["other", "target"])
    report = actor.repair()
    assert not any(report[what] for what in report if what != "root")
    assert actor.reap("registry")["failed"] == []
    actor.create_or_attach("target", SPEC)
    check_stands(actor, disk, ["other", "target"])
    empty(actor, disk)
    actor.refresh(credentials=larger)
    assert (mounts.seen_by(actor, actor.attach("target")) / "auth.json").read_text() == larger["auth.json"]
