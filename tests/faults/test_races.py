"""Many processes and threads at once, in one registry."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from operations import FULL
from scene import Scene

PROCESSES = 8
THREADS = 8
NAMES = 4
ANSWERS = ("created", "ok", "ok, nothing to do", "EnvironmentNotFound")


def race(scene: Scene, program: str, *arguments: int) -> str:
    """Runs a race to its end; what it printed."""
    done = subprocess.run(
        [scene.programs.directory / program, *map(str, arguments)],
        env=scene.environment,
        cwd=scene.directory,
        capture_output=True,
        text=True,
    )
    said = done.stderr.splitlines()
    assert done.returncode == 0, said
    assert not said, f"{len(said)} promises broken:\n" + "\n".join(said[:20])
    return done.stdout


def check_end(scene: Scene, registry: Path) -> None:
    """What stands on disk at the end is what has a name, and after a reap nothing else is left."""
    scene.registry = registry
    [reaped] = scene.ask("reap")
    assert reaped["status"] == 0
    scene.check_nothing_left()
    [listed] = scene.ask("list")
    slugs = {path.name for path in (registry / "envs").iterdir()}
    assert slugs == {value.split("/")[1] for value in scene.index().values()}
    assert sorted(scene.index()) == listed["report"]
    assert sorted(scene.peer.list(registry)) == listed["report"]


def test_who_creates_one_name_at_once_gets_one_environment_that_is_whole(
    scene: Scene, figures: Callable[..., None]
) -> None:
    printed = race(scene, "race_name", 10_000 if FULL else 1_000, PROCESSES, THREADS)
    rounds, calls, created, attached, broken = map(int, printed.split())
    assert calls == rounds * PROCESSES * THREADS == created + attached
    assert created == rounds
    assert broken == 0
    for registry in scene.directory.glob("registry-*"):
        assert not json.loads((registry / "index.json").read_bytes())["entries"]
    check_end(scene, scene.directory / "registry-1")
    figures(
        "One name, created by all at once",
        processes=PROCESSES,
        threads=THREADS,
        rounds=rounds,
        calls=calls,
        created=created,
        attached=attached,
        broken=broken,
    )


@pytest.mark.parametrize("seed", range(3))
def test_operations_at_random_give_permitted_answers_only(
    scene: Scene, seed: int, figures: Callable[..., None]
) -> None:
    operations = 1_000_000 if FULL else 20_000
    printed = race(scene, "race_random", operations, PROCESSES, NAMES, seed)
    counted = json.loads(printed)
    assert counted.pop("broken") == 0
    for operation, answers in counted.items():
        assert sum(answers.values()) > operations / 100, f"{operation} was hardly tried"
    assert counted["destroy"]["ok, nothing to do"] > 0, "no handle was stale"
    check_end(scene, scene.registry)
    for operation, answers in counted.items():
        figures(
            f"At random: {PROCESSES} processes, {NAMES} names",
            seed=seed,
            operation=operation,
            **{answer: answers[answer] for answer in ANSWERS},
            broken=0,
        )
