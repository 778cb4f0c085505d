"""Where a directory can't be locked, as on NFS, a lock file in it tells whether its owner lives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from actor import Actor, failure
from host import Host

SPEC: dict[str, Any] = {"credentials": {"auth.json": "login"}}
FALLBACKS = ("EBADF", "ENOLCK", "EOPNOTSUPP", "EINVAL")


@pytest.fixture(params=FALLBACKS)
def owner(request: pytest.FixtureRequest, host: Host) -> Actor:
    """An owner whose system refuses the lock on a directory, and grants the one on a file."""
    refused = f"inject=flock:error={request.param}:when=1"
    return host.actor("strace", "-D", "-o", "/dev/null", "-e", refused)


def lock_file(profile: Path) -> Path:
    return profile.parent / ".lock"


def test_owner_with_a_lock_file_is_seen_to_live(host: Host, owner: Actor) -> None:
    profile = owner.create(SPEC)
    assert lock_file(profile).stat().st_mode & 0o7777 == 0o600
    reaping = host.actor()
    assert reaping.reap() == {"root": str(host.root), "removed": [], "kept": 1, "failed": []}
    reaping.create(SPEC)
    assert (profile / "auth.json").read_text() == "login"


def test_killed_owner_with_a_lock_file_is_reclaimed(host: Host, owner: Actor) -> None:
    profile = owner.create(SPEC)
    owner.kill()
    assert host.actor().reap()["removed"] == [str(profile.parent)]
    assert list(host.root.iterdir()) == []


def test_killed_owner_with_a_lock_file_is_reclaimed_by_who_merely_creates(
    host: Host, owner: Actor
) -> None:
    profile = owner.create(SPEC)
    owner.kill()
    made = host.actor().create(SPEC)
    assert host.profiles() == [made]
    assert not profile.exists()


def test_forked_child_keeps_a_lock_file_locked(host: Host, owner: Actor) -> None:
    profile = owner.create(SPEC)
    owner.fork()
    owner.kill()
    assert host.actor().reap()["kept"] == 1
    assert profile.exists()


def test_lock_file_goes_with_the_directory_that_is_given_back(host: Host, owner: Actor) -> None:
    profile = owner.create(SPEC)
    owner.destroy()
    assert owner.reap()["removed"] == [str(profile.parent)]
    assert list(host.root.iterdir()) == []


def test_second_environment_of_an_owner_with_a_lock_file_costs_no_other_lock(
    host: Host, owner: Actor
) -> None:
    first, second = owner.create(SPEC), owner.create(SPEC)
    assert first.parent == second.parent


def test_reaper_that_can_lock_no_directory_still_sees_who_lives(host: Host) -> None:
    """On such a file system nobody locks directories: owner and reaper both fall back."""
    nfs = ("strace", "-D", "-o", "/dev/null", "-e", "inject=flock:error=EBADF:when=1+2")
    owner, killed = host.actor(*nfs), host.actor(*nfs)
    kept, left = owner.create(SPEC), killed.create(SPEC)
    assert kept.parent != left.parent
    killed.kill()
    report = host.actor(*nfs).reap()
    assert (report["removed"], report["kept"]) == ([str(left.parent)], 1)
    assert host.profiles() == [kept]


def test_where_no_lock_at_all_can_be_had_nothing_is_left(host: Host) -> None:
    """Rather none than one whose owner would seem dead."""
    none = ("strace", "-D", "-o", "/dev/null", "-e", "inject=flock:error=ENOLCK")
    error = failure(host.actor(*none).create, "ProfileSetupFailed")
    assert error.payload["path"].startswith(str(host.root))
    assert "lock" in error.payload["reason"]
    assert list(host.root.iterdir()) == []
