"""File systems of an actor's own: mounted where nobody else sees them, and gone with the actor."""

from __future__ import annotations

import subprocess
from pathlib import Path

from actor import Actor

PRIVATE = ("unshare", "--mount", "--propagation", "private")
"""What an actor is run within, so that mounts can be made for it."""


def mount(actor: Actor, *arguments: object) -> None:
    _inside(actor, "mount", *arguments)


def unmount(actor: Actor, place: Path) -> None:
    _inside(actor, "umount", place)


def _inside(actor: Actor, *command: object) -> None:
    """Runs a command, as root, that sees what the actor sees, and never what the host does."""
    actor.ready()
    namespace = Path(f"/proc/{actor.pid}/ns/mnt")
    assert namespace.readlink() != Path("/proc/self/ns/mnt").readlink()
    subprocess.run(["nsenter", f"--mount={namespace}", *map(str, command)], check=True)


def seen_by(actor: Actor, path: Path) -> Path:
    """Where this process finds what the actor sees at `path`."""
    return Path(f"/proc/{actor.pid}/root") / path.relative_to("/")
