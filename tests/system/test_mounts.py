"""A mount inside a profile leads outside: removal never enters it, and says where it is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

import mounts
from actor import Actor, failure
from host import Host
from snapshot import everything

SPEC: dict[str, Any] = {
    "seed_files": {"settings.json": "{}", "skills/one/SKILL.md": "seed"},
    "credentials": {"auth.json": "login", "oauth/token": "login"},
}
OLD_KERNEL = ("strace", "-D", "-f", "-o", "/dev/null", "-e", "inject=openat2:error=ENOSYS")
"""A kernel that can't be asked to stay on one mount, so that each step must be checked."""


@pytest.fixture(params=["this kernel", "an old kernel"])
def actor(request: pytest.FixtureRequest, host: Host) -> Actor:
    old = OLD_KERNEL if request.param == "an old kernel" else ()
    return host.actor(*mounts.PRIVATE, *old)


@pytest.fixture
def outside(host: Host) -> Path:
    """A project of the user's, on the profile's file system: with the same device number."""
    made = host.directory / "outside"
    (made / "src/inner").mkdir(parents=True)
    for name in ("file", "src/file", "src/inner/file"):
        (made / name).write_text("content")
    for path in (made, *made.rglob("*")):
        os.chown(path, host.user.id, host.user.id)
    return made


def bind(actor: Actor, source: Path, place: Path, host: Host) -> None:
    host.plant(lambda: place.parent.mkdir(parents=True, exist_ok=True))
    host.plant(place.mkdir if source.is_dir() else place.touch)
    mounts.mount(actor, "--bind", source, place)


@pytest.mark.parametrize("place", ["workspace", "skills/one/workspace", "a/b/c/d"])
@pytest.mark.parametrize("what", [".", "src", "file"])
def test_bind_mount_is_not_entered_and_named(
    host: Host, actor: Actor, outside: Path, place: str, what: str
) -> None:
    profile = actor.create(SPEC)
    before = everything(outside)
    bind(actor, outside / what, profile / place, host)
    for _ in range(2):
        error = failure(actor.destroy, "CleanupFailed")
        assert error.payload["path"] == str(profile / place)
        assert "mount" in error.payload["os_error"]
        assert everything(outside) == before
    left = mounts.seen_by(actor, profile)
    files = [path for path in left.rglob("*") if not path.is_dir()]
    assert [path for path in files if not path.is_relative_to(left / place)] == []
    mounts.unmount(actor, profile / place)
    actor.destroy()
    assert not profile.exists()
    assert everything(outside) == before


def test_mount_below_a_long_way_down_is_not_entered(
    host: Host, actor: Actor, outside: Path
) -> None:
    """Deeper than removal keeps directories open, so that it must move things about."""
    profile = actor.create(SPEC)
    before = everything(outside)
    place = profile.joinpath(*["d"] * 40)
    bind(actor, outside, place, host)
    for _ in range(2):
        named = Path(failure(actor.destroy, "CleanupFailed").payload["path"])
        assert mounts.seen_by(actor, named).samefile(outside)
        assert everything(outside) == before
    mounts.unmount(actor, named)
    actor.destroy()
    assert not profile.exists()


def test_profile_that_is_itself_a_mount_is_not_entered(
    host: Host, actor: Actor, outside: Path
) -> None:
    profile = actor.create(SPEC)
    before = everything(outside)
    mounts.mount(actor, "--bind", outside, profile)
    assert failure(actor.destroy, "CleanupFailed").payload["path"] == str(profile)
    assert failure(actor.refresh, "InternalInvariantViolation")
    assert everything(outside) == before
    mounts.unmount(actor, profile)
    actor.destroy()
    assert not profile.exists()


def test_refresh_does_not_write_into_a_mount(host: Host, actor: Actor, outside: Path) -> None:
    profile = actor.create(SPEC)
    before = everything(outside)
    mounts.mount(actor, "--bind", outside, profile / "oauth")
    error = failure(actor.refresh, "ProfileSetupFailed")
    assert error.payload["path"] == str(profile / "oauth/token")
    assert "mount" in error.payload["reason"]
    assert everything(outside) == before


def test_refresh_does_not_write_into_a_mounted_file(
    host: Host, actor: Actor, outside: Path
) -> None:
    profile = actor.create(SPEC)
    before = everything(outside)
    mounts.mount(actor, "--bind", outside / "file", profile / "auth.json")
    assert failure(actor.refresh, "ProfileSetupFailed").payload["path"] == str(
        profile / "auth.json"
    )
    assert everything(outside) == before
    assert [path.name for path in profile.parent.iterdir()] == [profile.name]


def test_reap_names_the_mount_and_removes_the_rest(host: Host, outside: Path) -> None:
    killed = host.actor()
    profile = killed.create(SPEC)
    killed.kill()
    before = everything(outside)
    reaping = host.actor(*mounts.PRIVATE)
    bind(reaping, outside, profile / "workspace", host)
    report = reaping.reap()
    assert (report["removed"], report["kept"]) == ([], 0)
    assert [failed["path"] for failed in report["failed"]] == [str(profile / "workspace")]
    assert everything(outside) == before
    mounts.unmount(reaping, profile / "workspace")
    assert reaping.reap()["removed"] == [str(profile.parent)]
    assert not profile.parent.exists()


def test_free_leaves_a_mount_alone(host: Host, actor: Actor, outside: Path) -> None:
    profile = actor.create(SPEC)
    before = everything(outside)
    bind(actor, outside, profile / "workspace", host)
    actor.free()
    assert everything(outside) == before
