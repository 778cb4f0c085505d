"""Many processes and threads at once, in one registry."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from operations import FULL
from scene import TARGET, Scene

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


REFRESHES = 60


def test_refreshes_at_once_never_bring_an_older_login_back(scene: Scene, figures: Callable[..., None]) -> None:
    """While the host's login changes, each refresh takes the profile's forward."""
    host = scene.home / ".codex/auth.json"
    scene.log_in("old")

    def log_in(number: int) -> None:
        # As agents do it: another file in its place.
        new = host.with_name("new")
        new.write_text(json.dumps({"OPENAI_API_KEY": f"sk-fake-{number}"}))
        new.chmod(0o600)
        new.replace(host)

    log_in(0)
    [created] = scene.ask(f"create:{TARGET}")
    profile = Path(created["path"]) / "auth.json"
    steps = [f"spec:{scene.spec('old')}", f"attach:{TARGET}", *["refresh"] * REFRESHES]
    outputs = [scene.directory / f"answers-{number}" for number in range(4)]
    refreshing = []
    for output in outputs:
        with output.open("wb") as file:
            command = [scene.programs.directory / "operate", *steps]
            refreshing.append(subprocess.Popen(command, env=scene.environment, stdout=file))
    seen = [0]
    logins = 0
    while any(each.poll() is None for each in refreshing):
        logins += 1
        log_in(logins)
        number = int(json.loads(profile.read_text())["OPENAI_API_KEY"].removeprefix("sk-fake-"))
        assert profile.stat().st_mode & 0o7777 == 0o600
        seen.append(number)
    assert seen == sorted(seen), "an older login came back"
    assert [each.returncode for each in refreshing] == [0] * len(refreshing)
    answers = [json.loads(line) for output in outputs for line in output.read_text().splitlines()]
    assert [answer["status"] for answer in answers] == [0] * len(refreshing) * (1 + REFRESHES)
    [refreshed] = scene.ask(f"attach:{TARGET}", "refresh")[1:]
    assert refreshed["status"] == 0
    assert profile.read_text() == host.read_text()
    figures(
        "Refreshed by 4 processes while the host logs in anew",
        refreshes=4 * REFRESHES,
        logins=logins,
        seen=len(set(seen)),
        broken=0,
    )
