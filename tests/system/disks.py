"""Small file systems of an actor's own, that can be filled."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import mounts
from actor import Actor
from host import Host

PAGE = 4096
SMALL = 256 << 10


@pytest.fixture
def disk(host: Host) -> Path:
    place = host.home / "disk"
    host.plant(place.mkdir)
    return place


def on(disk: Path, host: Host, *options: str) -> Actor:
    """An actor with a small file system of its own for its environments."""
    registry = {"AGENT_VENV_REGISTRY_ROOT": str(disk / "registry")}
    actor = host.actor(*mounts.PRIVATE, variables=registry)
    given = ",".join([f"uid={host.user.id},gid={host.user.id},mode=700", *options])
    mounts.mount(actor, "-t", "tmpfs", "-o", given, "none", disk)
    actor.use_root(disk / "root")
    return actor


def fill(actor: Actor, disk: Path, but_pages: int = 0) -> None:
    """Leaves room for so many pages."""
    place = mounts.seen_by(actor, disk)
    status = os.statvfs(place)
    assert status.f_blocks * status.f_frsize <= SMALL, "this is not the small disk"
    filling = place / "filling"
    with pytest.raises(OSError, match="No space left"):
        filling.write_bytes(bytes(SMALL * 4))
    os.truncate(filling, filling.stat().st_size // PAGE * PAGE - but_pages * PAGE)


def empty(actor: Actor, disk: Path) -> None:
    mounts.seen_by(actor, disk / "filling").unlink()
