"""Directories that are exchanged for links and back all the time: nothing that they lead to is changed, or opened."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from actor import Actor, attempt
from host import Host

import watching

SPEC: dict[str, Any] = {
    "seed_files": {"settings.json": "{}", "skills/one/SKILL.md": "seed"},
    "credentials": {"auth.json": "login", "oauth/token": "login"},
}
NEW = {"auth.json": "new", "oauth/token": "new"}
ROUNDS = 100
TOLD = {"RegistryUnavailable", "EnvironmentNotFound", "ProfileSetupFailed", "CleanupFailed"}
"""What may be answered while this goes on."""

PERSISTENT = {
    "a directory of credentials": "profile/oauth",
    "a directory of seeds": "profile/skills/one",
    "the profile": "profile",
    "the environment": "",
    "all environments": "..",
    "staging and trash": "../../.agent-venv",
}
"""What is exchanged, from the environment's directory."""
EPHEMERAL = {
    "a directory of credentials": "oauth",
    "a directory of seeds": "skills/one",
    "the profile": "",
    "the process directory": "..",
}
"""The same, from the profile."""

Figures = Callable[..., None]


class Trying:
    """Counts calls, and those that were told of something."""

    def __init__(self) -> None:
        self.swaps = self.calls = self.told = 0

    def __call__(self, call: Callable[[], object]) -> bool:
        error = attempt(call)
        assert error is None or error.kind in TOLD, error
        self.calls += 1
        self.told += error is not None
        return error is None

    def note(self, figures: Figures, what: str, kind: str, user: object) -> None:
        figures(
            "Directories swapped for links while calls go on",
            what=what,
            kind=kind,
            user=user,
            swaps=self.swaps,
            calls=self.calls,
            told=self.told,
            led_out=0,
        )
        assert self.swaps > self.calls / 10, "hardly anything was swapped"


@contextmanager
def swapped(host: Host, place: Path, trying: Trying) -> Iterator[None]:
    """What the link leads to is just what is looked for: followed, it would be taken for it."""
    outside = host.directory / "outside"
    shutil.copytree(place, outside)
    for path in [outside, *outside.rglob("*")]:
        os.chown(path, host.user.id, host.user.id)
    # Relative, so that not even a mount is crossed on the way.
    link = os.path.relpath(outside, place.parent)
    with (
        watching.untouched(outside),
        host.background("swapper", place, link, host.home / "spare") as printed,
    ):
        yield
    trying.swaps += int(printed[0])
    shutil.rmtree(outside)


def live(actor: Actor, trying: Trying) -> None:
    """All that can be done with a persistent environment, in an order in which each meets others."""
    if trying(lambda: actor.create_or_attach("target", SPEC)):
        for call in (lambda: actor.refresh(credentials=NEW), actor.names, actor.repair) * 2:
            trying(call)
        trying(actor.destroy)
        actor.free()
    trying(actor.reap)
    if trying(lambda: actor.create_or_attach("target", SPEC)):
        actor.free()
    if trying(lambda: actor.attach("target")):
        actor.free()
    trying(lambda: actor.destroy_named("target"))


@pytest.mark.parametrize("what", PERSISTENT)
def test_swapped_directory_of_the_registry_leads_nobody_out(
    memory_host: Host, what: str, times: int, figures: Figures
) -> None:
    actor = memory_host.actor()
    profile = actor.create_or_attach("target", SPEC)
    target = Path(os.path.normpath(profile.parent / PERSISTENT[what]))
    trying = Trying()
    with swapped(memory_host, target, trying):
        for _ in range(ROUNDS * times):
            live(actor, trying)
    trying.note(figures, what, "persistent", memory_host.user)
    shutil.rmtree(memory_host.registry)
    assert actor.create_or_attach("target", SPEC) == profile


@pytest.mark.parametrize("what", EPHEMERAL)
def test_swapped_directory_of_an_ephemeral_profile_leads_nobody_out(
    memory_host: Host, what: str, times: int, figures: Figures
) -> None:
    actor = memory_host.actor()
    trying = Trying()
    for _ in range(10 * times):
        profile = actor.create(SPEC)
        with swapped(memory_host, Path(os.path.normpath(profile / EPHEMERAL[what])), trying):
            for _ in range(ROUNDS // 2):
                trying(lambda: actor.refresh(credentials=NEW))
                trying(actor.reap)
            trying(actor.destroy)
        actor.free()
    trying.note(figures, what, "ephemeral", memory_host.user)
    assert (actor.create(SPEC) / "auth.json").read_text() == "login"
