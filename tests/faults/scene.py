"""A host with a registry and ephemeral environments, put up again before each attack, and what must be true there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from logins import COPY, Login
from peer import Peer
from programs import Answer, Meddled, MeddledProcess, Programs
from snapshot import Node, Snapshot

TARGET = "target"
OTHER = "other"
FOREIGN = "foreign"

SCRIPT = "#!/bin/sh\n"
LARGE = "0123456789abcdef" * 4096


def spec(login: Login, home: Path, age: str, large: str) -> dict[str, Any]:
    return {
        "adapter": login.adapter,
        "options": login.options(home),
        "env_overrides": {"MINE": "$EPHEMERAL_HOME/x"},
        "seed_files": {"seed": "", "hooks/run.sh": SCRIPT, "deep/er/large": large},
        "file_modes": {"hooks/run.sh": 0o700},
        "credentials": {"more/token": f"{age} token"},
    }


DIRECTORY = Node(0o700, None)
SEEDS = {
    "": DIRECTORY,
    "seed": Node(0o600, b""),
    "hooks": DIRECTORY,
    "hooks/run.sh": Node(0o700, SCRIPT.encode()),
    "deep": DIRECTORY,
    "deep/er": DIRECTORY,
    "more": DIRECTORY,
}
OLD = {"old"}
NEW = {"new"}
OLD_OR_NEW = {"old", "new"}


class Scene:
    def __init__(self, directory: Path, programs: Programs, peer: Peer, large: str = LARGE) -> None:
        self.large = large
        self.directory = directory
        self.programs = programs
        self.peer = peer
        self.home = directory / "home"
        self.registry = directory / "registry"
        self.ephemeral = directory / "ephemeral"
        self.start: dict[Path, Snapshot] = {}
        """What stands there when an attack begins."""
        self.dangling: set[str] = set()
        """Names without a directory that were there then."""
        self.use(COPY)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self.home),
            "AGENT_VENV_REGISTRY_ROOT": str(self.registry),
            "AGENT_VENV_EPHEMERAL_ROOT": str(self.ephemeral),
        }

    def spec(self, age: str) -> Path:
        return self.directory / f"{age}.json"

    def log_in(self, age: str) -> None:
        host = self.home / self.login.host
        host.parent.mkdir(parents=True, exist_ok=True)
        host.write_text(self.login.content(age))
        host.chmod(0o600)

    def ask(self, *steps: str, age: str = "new") -> list[Answer]:
        """What a fresh process is answered."""
        return self.programs.ask(self.environment, f"spec:{self.spec(age)}", *steps)

    def meddle(self, nth: int, what: str | int, *steps: str) -> Meddled:
        return self.begin(nth, what, *steps).end()

    def begin(self, nth: int, what: str | int, *steps: str) -> MeddledProcess:
        return self.programs.begin(self.environment, nth, what, f"spec:{self.spec('new')}", *steps)

    def use(self, login: Login) -> None:
        """Whose specs and host's login it is about."""
        self.login = login
        for age in OLD_OR_NEW:
            self.spec(age).write_text(json.dumps(spec(login, self.home, age, self.large)))

    # Putting it up

    def prepare(self, how: Callable[[Scene], None], login: Login = COPY) -> None:
        """Makes a start of what stands there after `how`, with an old login in all and a new one on the host."""
        self.use(login)
        self.log_in("old")
        for each in (self.registry, self.ephemeral):
            shutil.rmtree(each, ignore_errors=True)
        how(self)
        self.log_in("new")
        self.start = self.now()
        registry = self.start[self.registry]
        values = _entries(registry).items()
        self.dangling = {name for name, value in values if not registry.below(value)}

    def now(self) -> dict[Path, Snapshot]:
        return {each: Snapshot.take(each) for each in (self.registry, self.ephemeral)}

    def put_up(self, as_of: dict[Path, Snapshot] | None = None) -> None:
        for directory, snapshot in (as_of or self.start).items():
            snapshot.restore(directory)

    def index(self) -> dict[str, str]:
        """The index's entries, by the file itself: whole at any moment."""
        path = self.registry / "index.json"
        if not path.exists():
            return {}
        index = json.loads(path.read_bytes())
        assert index["schema_version"] == 1
        entries: dict[str, str] = index["entries"]
        return entries

    # What must be true

    def names(self, *before: str, ages: Collection[str] = OLD_OR_NEW) -> list[str]:
        """The names that there are, after the steps `before`: list, attach, index and the peer agree about them."""
        known = (TARGET, OTHER, FOREIGN)
        answers = self.ask(*before, "list", *(f"attach:{name}" for name in known))
        *done, listed = answers[: -len(known)]
        assert [answer["status"] for answer in (*done, listed)] == [0] * (len(done) + 1), answers
        names: list[str] = listed["report"]
        for name, answer in zip(known, answers[-len(known) :], strict=True):
            if name in names:
                assert answer["status"] == 0, f"{name} is listed, but {answer}"
            else:
                found = answer.get("kind", "attached")
                assert found == "EnvironmentNotFound", f"{name} is not listed, but {answer}"
            if name == TARGET and name in names:
                self.check_whole(answer, ages)
        directories = Snapshot.take(self.registry).names("envs")
        behind = {name for name, slug in self.index().items() if slug.split("/")[1] in directories}
        assert set(names) == behind, "the index knows others than list"
        dangling = set(self.index()) - behind
        assert dangling <= self.dangling, f"entries without a directory, which others fail on: {dangling}"
        if self.registry.exists():
            assert set(self.peer.list(self.registry)) == set(self.index())
        return names

    def check_whole(self, answer: Answer, ages: Collection[str]) -> None:
        """An environment that was answered has all that its spec says, and credentials of these ages."""
        assert answer["status"] == 0, answer
        path = Path(answer["path"])
        assert answer["adapter_id"] == self.login.adapter
        recordable = {self.login.variable: str(path), "MINE": f"{path}/x"}
        overrides = dict(answer["env_overrides"])
        # The host's as it is now: read at each attach.
        handed = {name: overrides.pop(name, None) for name in self.login.handed(self.home, "new")}
        assert handed in [self.login.handed(self.home, age) for age in ("old", "new")]
        more = {"COPILOT_CACHE_HOME": f"{path}/cache"} if self.login.variable == "COPILOT_HOME" else {}
        assert overrides == {**recordable, **more}
        self.check_profile(Snapshot.take(path), ages)
        metadata = path.parent / "metadata.json"
        if path.name == "profile":
            recorded = json.loads(metadata.read_bytes())
            assert recorded["env_overrides"] == overrides, "what is handed over at each attach is recorded"
            assert recorded["credentials_loaded"] is True
            assert recorded["credentials_loaded_at"]
            assert metadata.stat().st_mode & 0o7777 == 0o600

    def check_profile(self, found: Snapshot, ages: Collection[str]) -> None:
        seeds = {**SEEDS, "deep/er/large": Node(0o600, self.large.encode())}
        seeds |= {path: Node(0o600, content.encode()) for path, content in self.login.seeds.items()}
        expected = {*seeds, *self.credentials("new")}
        assert set(found) == expected, f"files {set(found) ^ expected} are missing or too many"
        for path, node in seeds.items():
            assert found[path] == node, f"{path} is not what was seeded"
        by_age = [self.credentials(age) for age in ages]
        for path in self.credentials("new"):
            assert found[path] in [credentials[path] for credentials in by_age], f"{path} is torn, or not {ages}"

    def credentials(self, age: str) -> dict[str, Node]:
        return {"more/token": Node(0o600, f"{age} token".encode()), **self.login.files(self.home, age)}

    def check_others_untouched(self) -> None:
        """Whatever happened to the target, the other environments are byte for byte what they were."""
        before, now = self.start[self.registry], Snapshot.take(self.registry)
        for name, value in _entries(before).items():
            if name != TARGET and before.below(value):
                assert now.below(value) == before.below(value), f"{name} was touched"

    def unnamed(self, standing: dict[Path, Snapshot]) -> int:
        """How many environments' directories there are without a name, staging, trash and temporary files included."""
        registry, ephemeral = standing[self.registry], standing[self.ephemeral]
        named = {value.split("/")[1] for value in _entries(registry).values()}
        profiles = {"/".join(path.split("/")[:2]) for path in ephemeral if "/" in path}
        return len(registry.names("envs") - named) + len(registry.names(".agent-venv")) + len(profiles)

    def check_nothing_left(self) -> None:
        """Nothing is there but what has a name."""
        assert not set(Snapshot.take(self.ephemeral).names()), "ephemeral directories are left"
        registry = Snapshot.take(self.registry)
        extra = registry.names() - {"index.json", ".lock", "envs", ".agent-venv"}
        assert all(name.startswith("index.json.unreadable-") for name in extra), extra
        assert not registry.names(".agent-venv"), "staging, trash or a temporary file is left"
        slugs = {value.split("/")[1] for value in self.index().values()}
        assert registry.names("envs") <= slugs, "a directory without a name is left"
        for slug in registry.names("envs"):
            within = registry.names(f"envs/{slug}") - {".committed"}
            assert within == {"metadata.json", "profile"}, f"{slug} holds {within}"
        lock = registry.get(".lock")
        assert lock is None or lock.content == b""


def _entries(registry: Snapshot) -> dict[str, str]:
    index = registry.get("index.json")
    try:
        entries: dict[str, str] = json.loads(index.content or b"")["entries"] if index else {}
    except ValueError:
        return {}
    return entries
