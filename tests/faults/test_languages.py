"""All languages at once in one registry, with processes among them that are killed at random moments."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from operations import FULL
from programs import TREE
from scene import Scene
from test_races import check_end

sys.path.append(str(TREE / "tests/conformance"))
from program import Program

OPERATIONS = 100_000 if FULL else 3_000
KEPT = [f"kept {n}" for n in range(3)]
"""Created, attached to and refreshed by all; destroyed by nobody, so each that was created is whole at any time."""
FLEETING = [f"fleeting {n}" for n in range(3)]
"""Created and destroyed by all."""
KILLED = 0.01
"""Of all requests."""
LONGEST = 0.004
"""Seconds that one lives after its last request: about what an operation takes."""
GONE = "EnvironmentNotFound"
PERMITTED = {
    "x_attach": {GONE, "AdapterMismatch"},
    "x_destroy": {GONE},
    "x_destroy_by_name": {GONE},
}
"""What may be answered but success."""

FILES = {"seed": 0o600, "below/run.sh": 0o700, "login": 0o600}
TIMES = 2_000
"""Each file holds a tag so many times: of one that is torn, or of two writers, it does not."""
WHOLE = re.compile(rb"(<\w+>)\1{%d}" % (TIMES - 1))


def spec(tag: str) -> dict[str, Any]:
    text = f"<{tag}>" * TIMES
    return {
        "adapter_id": "mine",
        "env_overrides": {"MINE": "$EPHEMERAL_HOME/x"},
        "seed_files": {"seed": text, "below/run.sh": text},
        "file_modes": {"below/run.sh": 0o700},
        "credentials": {"login": text},
    }


@pytest.fixture(scope="session")
def languages() -> dict[str, str]:
    """The conformance programs: language and command. One whose tools are missing is left out, and says so."""
    script = TREE / "tests/conformance/programs"
    built = subprocess.run([script], env={**os.environ, "PYTHON3": sys.executable}, check=True, stdout=subprocess.PIPE)
    return dict(line.split("\t", 1) for line in built.stdout.decode().splitlines())


class Player(threading.Thread):
    """Plays one language's program, a new one after each that it killed, until all requests were made."""

    def __init__(self, scene: Scene, language: str, command: str, left: Iterator[int]) -> None:
        super().__init__()
        self.counted: Counter[str] = Counter()
        self.broken: list[str] = []
        self._scene = scene
        self.language = language
        self._command = command
        self._left = left
        self._random = random.Random(language)
        self._program: Program | None = None
        self._made = 0

    def run(self) -> None:
        try:
            for _ in self._left:
                self._ask_once(self._program or self._start())
            if self._program:
                self._program.end()
        except Exception as error:
            self.broken.append(f"{self.language}: {error!r}")

    def _start(self) -> Program:
        self._made += 1
        host = self._scene.directory / f"{self.language}-{self._made}"
        self._program = Program(self.language, self._command, host, self._scene.ephemeral)
        return self._program

    def _ask_once(self, program: Program) -> None:
        request = self._request()
        if self._random.random() < KILLED:
            program.send(json.dumps(request).encode())
            program.kill_after(self._random.uniform(0, LONGEST))
            self._program = None
            self.counted["killed"] += 1
            return
        answer = program.ask(request)
        self.counted["answered"] += 1
        error = answer.get("error", {}).get("kind")
        if error in PERMITTED.get(request["op"], ()):
            self.counted["refused"] += 1
            return
        files = [answer[key] for key in ("files_present", "second_path_files_present") if key in answer]
        if error or not answer["ok"] or any(each != sorted(FILES) for each in files):
            self.broken.append(f"{self.language}: {request['op']} of {request.get('name')}: {answer}")

    def _request(self) -> dict[str, Any]:
        registry = {"registry_root": str(self._scene.registry)}
        kept = {**registry, "name": self._random.choice(KEPT)}
        fleeting = {**registry, "name": self._random.choice(FLEETING)}
        new = {"spec": spec(f"{self.language}{self._random.getrandbits(32)}")}
        operations = {
            "persistent_create_attach_idempotent": (4, {**kept, **new}),
            "persistent_attach_only": (4, kept),
            "x_refresh": (4, {**kept, **new}),
            "persistent_list": (4, {**registry, "names": [fleeting["name"]], **new}),
            # The programs would look into a profile that another one removes; so they are refused it.
            "x_attach": (2, {**fleeting, "adapter_id": "another"}),
            "x_destroy": (2, fleeting),
            "x_destroy_by_name": (2, {**fleeting, "lock_timeout_ms": 30_000}),
            "persistent_destroy_by_name": (1, {**fleeting, **new}),
            "ephemeral_lifecycle": (2, new),
            "x_repair": (1, registry),
            "x_reap": (1, {**registry, "ephemeral_root": str(self._scene.ephemeral)}),
        }
        weights = [weight for weight, _ in operations.values()]
        [op] = self._random.choices(list(operations), weights)
        return {"case_id": "race", "op": op, **operations[op][1]}


def test_all_languages_share_one_registry_while_some_are_killed(
    scene: Scene, languages: dict[str, str], figures: Callable[..., None]
) -> None:
    first = [f"create:{name}" for name in KEPT]
    own = scene.directory / "first.json"
    own.write_text(json.dumps(spec("first")))
    scene.programs.ask(scene.environment, f"spec:{own}", *first)
    left = iter(range(OPERATIONS))
    players = [Player(scene, language, command, left) for language, command in languages.items()]
    for player in players:
        player.start()
    for player in players:
        player.join()
    broken = [line for player in players for line in player.broken]
    assert not broken, f"{len(broken)} answers are not permitted:\n" + "\n".join(broken[:20])
    check_end(scene, scene.registry)
    check_attached(scene)
    for player in players:
        counted = player.counted
        assert counted["answered"] > OPERATIONS / 100, f"{player.language} hardly took part"
        figures(
            "All languages at once, some of them killed",
            language=player.language,
            **{what: counted[what] for what in ("answered", "refused", "killed")},
            broken=0,
        )
    assert sum(player.counted["killed"] for player in players) > OPERATIONS * KILLED / 2


def check_attached(scene: Scene) -> None:
    """What is listed is attached to, and whole; what is not is not there."""
    [listed] = scene.ask("list")
    assert set(KEPT) <= set(listed["report"])
    for name in (*KEPT, *FLEETING):
        [answer] = scene.ask(f"attach:{name}")
        if name not in listed["report"]:
            assert answer["kind"] == GONE
            continue
        assert answer["status"] == 0, answer
        check_profile(Path(answer["path"]))


def check_profile(profile: Path) -> None:
    found = {str(path.relative_to(profile)): path for path in profile.rglob("*") if path.is_file()}
    assert found.keys() == FILES.keys()
    for name, path in found.items():
        assert path.stat().st_mode & 0o7777 == FILES[name]
        assert WHOLE.fullmatch(path.read_bytes()), f"{path} is torn"
