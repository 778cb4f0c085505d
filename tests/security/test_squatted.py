"""Another user who takes the names that are about to be made, in a directory that both may write to."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from actor import attempt
from host import OTHER, Host, User

import watching

SPEC: dict[str, Any] = {
    "seed_files": {"settings.json": "{}", "skills/one/SKILL.md": "seed"},
    "credentials": {"auth.json": "login"},
}
ROUNDS = 200
SOMEBODY_ELSE = User("other", OTHER)
EPHEMERAL = "the default ephemeral root"
REGISTRY = "the registry's root"


@pytest.mark.parametrize("what", [EPHEMERAL, REGISTRY])
def test_root_that_another_user_takes_at_any_moment_is_ours_alone_or_refused(
    memory_host: Host, what: str, times: int, figures: Callable[..., None]
) -> None:
    host = memory_host
    os.chown(host.tmp, 0, 0)
    host.tmp.chmod(0o1777)
    # Just as a root must be. One that is named may be a link: there it counts whom the directory at its end belongs to.
    outside = host.directory / "outside"
    outside.mkdir(mode=0o700)
    owner, but = (host.user.id, 0) if what == EPHEMERAL else (OTHER, watching.OPENING)
    os.chown(outside, owner, owner)
    root = host.root if what == EPHEMERAL else host.tmp / "registry"
    kind = "ProfileSetupFailed" if what == EPHEMERAL else "RegistryUnavailable"
    made = refused = 0
    with (
        watching.untouched(outside, but=but),
        host.background("squatter", root, os.path.relpath(outside, root.parent), user=SOMEBODY_ELSE) as printed,
    ):
        for _ in range(ROUNDS * times):
            actor = host.actor(variables={"AGENT_VENV_REGISTRY_ROOT": str(host.tmp / "registry")})
            profiles: list[Path] = []
            if what == EPHEMERAL:
                error = attempt(lambda: profiles.append(actor.create(SPEC)))
            else:
                error = attempt(lambda: profiles.append(actor.create_or_attach("target", SPEC)))
            if error is None:
                check_ours(root, profiles[0], host.user)
                made += 1
                # So that the name is free again: what is there is the victim's, and its foe could not remove it.
                shutil.rmtree(root)
            else:
                assert error.kind == kind, error
                assert error.payload["path"].startswith((str(root), str(outside)))
                refused += 1
            actor.close()
    taken = int(printed[0])
    figures(
        "Names taken by another user", name=what, user=host.user, taken=taken, made=made, refused=refused, led_out=0
    )
    assert taken > ROUNDS


def check_ours(root: Path, profile: Path, user: User) -> None:
    assert profile.is_relative_to(root)
    assert (profile / "auth.json").read_text() == "login"
    for path in [root, *root.rglob("*")]:
        status = path.lstat()
        assert status.st_uid == user.id, f"{path} is not ours"
        assert status.st_mode & 0o077 == 0, f"others can reach {path}"
