"""No room, no descriptors, no right to write: told with path and reason, and nothing is left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import mounts
from actor import Actor, attempt, failure
from disks import empty, fill, on
from host import Host

SPEC: dict[str, Any] = {
    "seed_files": {"settings.json": "{}", "skills/one/SKILL.md": "seed"},
    "credentials": {"auth.json": "login"},
}
LARGE = "x" * (1 << 20)


def profiles(actor: Actor, disk: Path) -> list[Path]:
    return sorted(mounts.seen_by(actor, disk).glob("root/*/*"))


@pytest.mark.parametrize("what", ["seed_files", "credentials"])
def test_file_that_does_not_fit_is_named_and_nothing_is_left(
    host: Host, disk: Path, what: str
) -> None:
    actor = on(disk, host, "size=256k")
    error = failure(
        lambda: actor.create({**SPEC, what: {"a": "", "z": LARGE}}), "ProfileSetupFailed"
    )
    assert error.payload["path"].endswith("/z")
    assert error.payload["path"].startswith(str(disk / "root"))
    assert "space" in error.payload["reason"]
    assert profiles(actor, disk) == []
    profile = actor.create(SPEC)
    assert profiles(actor, disk) == [mounts.seen_by(actor, profile)]


def test_full_disk_is_past_when_there_is_room_again(host: Host, disk: Path) -> None:
    actor = on(disk, host, "size=256k")
    fill(actor, disk)
    for _ in range(3):
        error = failure(lambda: actor.create(SPEC), "ProfileSetupFailed")
        assert error.payload["path"].startswith(str(disk))
        assert "space" in error.payload["reason"]
        assert profiles(actor, disk) == []
    empty(actor, disk)
    actor.create(SPEC)


@pytest.mark.parametrize("inodes", range(2, 9))
def test_disk_without_room_for_another_file(host: Host, disk: Path, inodes: int) -> None:
    actor = on(disk, host, f"nr_inodes={inodes}")
    error = failure(lambda: actor.create(SPEC), "ProfileSetupFailed")
    assert error.payload["path"].startswith(str(disk))
    assert "space" in error.payload["reason"]
    assert profiles(actor, disk) == []
    mounts.mount(actor, "-o", "remount,nr_inodes=100", disk)
    actor.create(SPEC)


def test_refresh_on_a_full_disk_leaves_the_old_credential_whole(host: Host, disk: Path) -> None:
    actor = on(disk, host, "size=256k")
    profile = actor.create(SPEC)
    fill(actor, disk)
    new = {"auth.json": "y" * 10_000}
    error = failure(lambda: actor.refresh(credentials=new), "ProfileSetupFailed")
    assert error.payload["path"] == str(profile / "auth.json")
    assert (mounts.seen_by(actor, profile) / "auth.json").read_text() == "login"
    assert profiles(actor, disk) == [mounts.seen_by(actor, profile)]
    empty(actor, disk)
    actor.refresh(credentials=new)
    assert (mounts.seen_by(actor, profile) / "auth.json").read_text() == new["auth.json"]


def test_destroy_works_on_a_full_disk(host: Host, disk: Path) -> None:
    actor = on(disk, host, "size=256k")
    actor.create(SPEC)
    fill(actor, disk)
    actor.destroy()
    assert profiles(actor, disk) == []


def test_read_only_disk_is_told_by_each_operation_and_harms_none(host: Host, disk: Path) -> None:
    actor = on(disk, host)
    profile = actor.create(SPEC)
    mounts.mount(actor, "-o", "remount,ro", disk)
    for call, kind in (
        (lambda: actor.refresh(credentials={"auth.json": "new"}), "ProfileSetupFailed"),
        (actor.destroy, "CleanupFailed"),
        (lambda: actor.create(SPEC), "ProfileSetupFailed"),
    ):
        error = failure(call, kind)
        assert error.payload["path"].startswith(str(disk))
        assert "ead-only" in json_of(error.payload)
    seen = mounts.seen_by(actor, profile)
    assert (seen / "auth.json").read_text() == "login"
    mounts.mount(actor, "-o", "remount,rw", disk)
    actor.destroy()
    assert not seen.exists()
    actor.create(SPEC)


def json_of(payload: dict[str, Any]) -> str:
    return " ".join(map(str, payload.values()))


def test_each_shortage_of_descriptors_is_told_and_leaves_nothing(host: Host) -> None:
    actor = host.actor()
    actor.ready()
    told = []
    for most in range(3, 16):
        actor.allow_descriptors(most)
        error = attempt(lambda: actor.create(SPEC))
        if error is None:
            actor.free()
        else:
            assert error.kind == "ProfileSetupFailed"
            assert "Too many open files" in error.payload["reason"]
            assert host.profiles() == []
            told.append(most)
        actor.allow_descriptors(1024)
        actor.create(SPEC)
        actor.free()
        # Each round begins without a process directory, and with the same descriptors.
        actor.reap()
        assert list(host.root.iterdir()) == []
        assert len(list(Path(f"/proc/{actor.pid}/fd").iterdir())) == 3
    assert told == list(range(3, 3 + len(told)))
    assert 0 < len(told) < 8


def test_destroy_without_descriptors_is_told_and_mended_by_the_next(host: Host) -> None:
    actor = host.actor()
    profile = actor.create(SPEC)
    actor.allow_descriptors(3)
    error = failure(actor.destroy, "CleanupFailed")
    assert error.payload["path"] == str(profile)
    assert profile.exists()
    actor.allow_descriptors(1024)
    actor.destroy()
    assert not profile.exists()


def test_root_that_the_user_may_not_write_to(ordinary_host: Host) -> None:
    place = ordinary_host.directory / "root's"
    place.mkdir(mode=0o755)
    actor = ordinary_host.actor()
    for root in (place, place / "below"):
        actor.use_root(root)
        error = failure(lambda: actor.create(SPEC), "ProfileSetupFailed")
        assert error.payload["path"].startswith(str(place))
        assert "ermission" in error.payload["reason"]
    assert list(place.iterdir()) == []
