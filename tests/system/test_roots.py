"""A place that somebody else could reach into is refused, with the remedy, and left as it is."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from actor import failure
from host import OTHER, Host
from snapshot import everything

SPEC = {"credentials": {"auth.json": "login"}}
REMEDY = "AGENT_VENV_EPHEMERAL_ROOT"


@pytest.fixture
def shared(host: Host) -> Path:
    """The host's directory for temporary files, such as /tmp is: root's, sticky, open to all."""
    os.chown(host.tmp, 0, 0)
    host.tmp.chmod(0o1777)
    return host.tmp


@pytest.fixture
def outside(host: Host) -> Path:
    """Where a planted link leads: the victim may write there."""
    made = host.directory / "outside"
    made.mkdir(mode=0o700)
    os.chown(made, host.user.id, host.user.id)
    return made


def link_to(target: str) -> Callable[[Host], None]:
    def plant(host: Host) -> None:
        host.root.symlink_to(host.directory / target)
        os.chown(host.root, OTHER, OTHER, follow_symlinks=False)

    return plant


def directory(mode: int, owner: int | None = None) -> Callable[[Host], None]:
    def plant(host: Host) -> None:
        host.root.mkdir()
        host.root.chmod(mode)
        user = host.user.id if owner is None else owner
        os.chown(host.root, user, user)

    return plant


def file(host: Host) -> None:
    host.root.write_text("content")
    host.root.chmod(0o666)


def fifo(host: Host) -> None:
    os.mkfifo(host.root, 0o666)


HOSTILE: dict[str, Callable[[Host], None]] = {
    "another user's": directory(0o700, OTHER),
    "another user's, open to all": directory(0o777, OTHER),
    "another user's, open to all, sticky": directory(0o1777, OTHER),
    "readable by others": directory(0o755),
    "readable by the group": directory(0o750),
    "open to all": directory(0o777),
    "open to all, sticky": directory(0o1777),
    "passable by others": directory(0o701),
    "link to a directory of ours": link_to("outside"),
    "link to nothing": link_to("nowhere"),
    "link to itself": lambda host: host.root.symlink_to(host.root),
    "file": file,
    "FIFO": fifo,
}


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_default_root_is_refused_and_nothing_is_written(
    host: Host, shared: Path, outside: Path, hostile: str
) -> None:
    HOSTILE[hostile](host)
    before = everything(host.directory)
    actor = host.actor()
    error = failure(lambda: actor.create(SPEC), "ProfileSetupFailed")
    assert error.payload["path"] == str(host.root)
    assert REMEDY in error.message
    assert REMEDY in error.payload["reason"]
    assert everything(host.directory) == before
    assert list(outside.iterdir()) == []
    # What can't be trusted to write in can't be trusted to delete in.
    assert REMEDY in failure(actor.reap, "ProfileSetupFailed").message
    assert everything(host.directory) == before


def test_remedy_helps(host: Host, shared: Path) -> None:
    directory(0o777, OTHER)(host)
    own = host.home / "profiles"
    actor = host.actor(variables={REMEDY: str(own)})
    assert actor.create(SPEC).parent.parent == own
    assert own.stat().st_mode & 0o777 == 0o700


def test_default_root_in_a_sticky_directory_is_private_from_the_start(
    host: Host, shared: Path
) -> None:
    actor = host.actor(umask=0)
    profile = actor.create(SPEC)
    for path in (host.root, profile.parent, profile):
        assert (path.stat().st_mode & 0o7777, path.stat().st_uid) == (0o700, host.user.id)


@pytest.mark.parametrize(
    ("owner", "mode"),
    [(0, 0o777), (None, 0o777), (None, 0o770), (OTHER, 0o755), (OTHER, 0o1777)],
)
def test_temporary_directory_that_others_control_is_refused(
    host: Host, owner: int | None, mode: int
) -> None:
    user = host.user.id if owner is None else owner
    os.chown(host.tmp, user, host.user.id)
    host.tmp.chmod(mode)
    error = failure(host.actor().create, "ProfileSetupFailed")
    assert error.payload["path"] == str(host.tmp)
    assert REMEDY in error.message
    assert not host.root.exists()


@pytest.mark.parametrize("mode", [0o755, 0o777, 0o1777])
@pytest.mark.parametrize("by", ["the call's own", "the variable's"])
def test_named_root_that_another_user_owns_is_refused(host: Host, by: str, mode: int) -> None:
    named = host.directory / "named"
    named.mkdir()
    named.chmod(mode)
    os.chown(named, OTHER, OTHER)
    actor = host.actor(variables={REMEDY: str(named) if by == "the variable's" else ""})
    if by == "the call's own":
        actor.use_root(named)
    error = failure(lambda: actor.create(SPEC), "ProfileSetupFailed")
    assert error.payload["path"] == str(named)
    assert REMEDY in error.message
    assert list(named.iterdir()) == []


def test_named_root_open_to_all_and_not_sticky_is_refused(host: Host) -> None:
    named = host.directory / "named"
    named.mkdir()
    named.chmod(0o777)
    actor = host.actor()
    actor.use_root(named)
    assert REMEDY in failure(actor.create, "ProfileSetupFailed").message
    assert list(named.iterdir()) == []


def test_named_root_open_to_all_and_sticky_is_used(host: Host) -> None:
    named = host.directory / "named"
    named.mkdir()
    named.chmod(0o1777)
    actor = host.actor()
    actor.use_root(named)
    profile = actor.create(SPEC)
    assert profile.parent.parent == named
    actor.destroy()
    assert not profile.exists()


def test_another_user_s_process_directory_in_a_shared_root_is_left_alone(host: Host) -> None:
    named = host.directory / "named"
    named.mkdir()
    named.chmod(0o1777)
    theirs = named / "0123abcd-aaaaaaaa"
    (theirs / "profile").mkdir(parents=True)
    for path in (theirs / "profile", theirs):
        os.chown(path, OTHER, OTHER)
    actor = host.actor()
    actor.use_root(named)
    assert actor.reap() == {"root": str(named), "removed": [], "kept": 0, "failed": []}
    assert (theirs / "profile").is_dir()


def test_named_root_behind_a_link_is_answered_without_the_link(host: Host) -> None:
    real = host.home / "real"
    host.plant(real.mkdir)
    host.plant(lambda: (host.home / "link").symlink_to(real))
    actor = host.actor()
    actor.use_root(host.home / "link")
    assert actor.create(SPEC).parent.parent == real


def test_root_that_is_a_file_is_refused(host: Host) -> None:
    host.plant(lambda: (host.home / "file").write_text("content"))
    actor = host.actor()
    for named in ("file", "file/below"):
        actor.use_root(host.home / named)
        assert failure(actor.create, "ProfileSetupFailed").payload["path"]
    assert (host.home / "file").read_text() == "content"
