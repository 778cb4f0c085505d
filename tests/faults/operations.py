"""What is attacked: each operation, where it begins, and what it may leave and answer."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from logins import COPY, OTHERS, Login
from programs import Answer
from scene import FOREIGN, NEW, OLD, OLD_OR_NEW, OTHER, TARGET, Scene


def edit_index(scene: Scene, change: Callable[[dict[str, str]], object]) -> None:
    """Changes the entries as the library itself could have: its files keep the times that it gave them."""
    path = scene.registry / "index.json"
    index = json.loads(path.read_bytes())
    change(index["entries"])
    mtime = path.stat().st_mtime_ns
    path.write_text(json.dumps(index))
    os.utime(path, ns=(mtime, mtime))


# Where operations begin


def nowhere(scene: Scene) -> None:
    """Neither the registry nor the ephemeral root exists."""


def without_target(scene: Scene) -> None:
    scene.ask(f"create:{OTHER}", age="old")
    scene.peer.make(scene.registry, FOREIGN)


def standing(scene: Scene) -> None:
    without_target(scene)
    scene.ask(f"create:{TARGET}", age="old")


def left_over(scene: Scene) -> None:
    """The target's directory without a name, staging and trash of the dead, a temporary file, a name without a directory."""
    standing(scene)
    target = scene.registry / scene.index()[TARGET]
    (target / ".committed").unlink()
    edit_index(scene, lambda entries: entries.pop(TARGET))
    ours = scene.registry / ".agent-venv"
    for staging in ("00000000-aaaaaaaa", "00000000-bbbbbbbb"):
        plant(ours / staging / "profile")
    (ours / "new").write_text("{")


def dangling(scene: Scene) -> None:
    left_over(scene)
    edit_index(scene, lambda entries: entries.update(gone="envs/0000000000000000"))


def torn_index(scene: Scene) -> None:
    standing(scene)
    (scene.registry / "index.json").write_text('{"schema_version":1,"entr')


def unfinished(scene: Scene) -> None:
    """Another implementation registered the target, and died before it wrote most of its files."""
    standing(scene)
    target = scene.registry / scene.index()[TARGET]
    metadata = json.loads((target / "metadata.json").read_bytes())
    stub = {key: metadata[key] for key in ("schema_version", "name", "adapter_id", "created_at")}
    stub |= {"env_overrides": {}, "credentials_loaded": False, "credentials_loaded_at": None}
    (target / "metadata.json").write_text(json.dumps(stub))
    (target / ".committed").unlink()
    shutil.rmtree(target / "profile")
    (target / "profile/hooks").mkdir(parents=True, mode=0o700)
    (target / "profile").chmod(0o700)


def orphans(scene: Scene) -> None:
    """Ephemeral environments whose owners died, beside what is left over in the registry."""
    left_over(scene)
    scene.ephemeral.mkdir(mode=0o700)
    for owner in ("00000000-cccccccc", "00000000-dddddddd"):
        plant(scene.ephemeral / owner / "agent-venv-aaaaaaaa")


def plant(profile: Path) -> None:
    (profile / "below").mkdir(parents=True)
    (profile / "below/file").touch()


# What an operation must have done where it answered that it did

Done = Callable[[Scene, Answer], None]


def created(scene: Scene, answer: Answer) -> None:
    scene.check_whole(answer, NEW)
    if answer["path"].startswith(str(scene.registry)):
        assert TARGET in scene.names()


def attached(scene: Scene, answer: Answer) -> None:
    scene.check_whole(answer, OLD)


def listed(scene: Scene, answer: Answer) -> None:
    assert answer["report"] == [FOREIGN, OTHER, TARGET]


def refreshed(scene: Scene, answer: Answer) -> None:
    scene.check_whole(answer, NEW)


def told(scene: Scene, answer: Answer) -> None:
    status = scene.login.status
    assert answer["report"]["status"] == ("host_newer" if status == "same" else status)


def destroyed(scene: Scene, answer: Answer) -> None:
    assert TARGET not in scene.names()
    scene.check_nothing_left()


def ephemeral_destroyed(scene: Scene, answer: Answer) -> None:
    assert not Path(answer["path"]).exists()


def repaired(*names: str) -> Done:
    def done(scene: Scene, answer: Answer) -> None:
        report = answer["report"]
        scene.index()
        # What could not be read is told, and left alone: then the index does without it.
        if not report["unreadable"]:
            assert scene.names() == sorted(names), report

    return done


def reaped(scene: Scene, answer: Answer) -> None:
    told = [report["failed"] or report["kept"] for report in answer["report"].values()]
    if not any(told):
        scene.check_nothing_left()


@dataclass(frozen=True)
class Operation:
    name: str
    begin: Callable[[Scene], None]
    step: str
    done: Done
    before: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ("RegistryUnavailable",)
    """What it may answer where a system call fails."""
    again: tuple[str, ...] = ()
    """What it may answer when it is done twice."""
    may_exist: frozenset[bool] = frozenset({True})
    """Whether the target may be there after it was cut off."""
    ages: frozenset[str] = frozenset(OLD)
    """Which credentials the target may then have."""
    reads_only: bool = False
    damaged: bool = False
    """There is no readable index before it came to its end."""
    writes: bool = True
    """Whether it takes the durable option."""
    login: Login = COPY
    unfinished: bool = False
    """The target is another implementation's, and can't be attached to before it is finished."""

    def steps(self, durable: bool = False) -> tuple[str, ...]:
        return (f"durable:{int(durable)}", *self.before, "mark", self.step, "mark")

    def __str__(self) -> str:
        return self.name


SETUP = ("RegistryUnavailable", "ProfileSetupFailed", "CredentialsMissing")
CLEANUP = ("RegistryUnavailable", "CleanupFailed")
EITHER = frozenset({True, False})
ABSENT = frozenset({False})
NEWLY = frozenset(NEW)
ANY_AGE = frozenset(OLD_OR_NEW)

CREATE = f"create:{TARGET}"
ATTACH = (f"attach:{TARGET}",)

REGISTRY = [
    Operation("create", without_target, CREATE, created, kinds=SETUP, may_exist=EITHER, ages=NEWLY),
    Operation("create in no registry", nowhere, CREATE, created, kinds=SETUP, may_exist=EITHER, ages=NEWLY),
    Operation(
        "create over a leftover",
        left_over,
        CREATE,
        created,
        kinds=SETUP,
        may_exist=EITHER,
        ages=NEWLY,
    ),
    Operation("create what exists", standing, CREATE, attached, kinds=SETUP, reads_only=True),
    Operation("attach", standing, ATTACH[0], attached, reads_only=True, writes=False),
    Operation("list", standing, "list", listed, reads_only=True, writes=False),
    Operation(
        "refresh",
        standing,
        "refresh",
        refreshed,
        before=ATTACH,
        kinds=(*SETUP, "EnvironmentNotFound"),
        ages=ANY_AGE,
    ),
    Operation("destroy", standing, "destroy", destroyed, before=ATTACH, kinds=CLEANUP, may_exist=EITHER),
    Operation(
        "destroy by name",
        standing,
        f"destroy-name:{TARGET}",
        destroyed,
        kinds=CLEANUP,
        again=("EnvironmentNotFound",),
        may_exist=EITHER,
    ),
    Operation("repair a torn index", torn_index, "repair", repaired(FOREIGN, OTHER, TARGET), damaged=True),
    Operation("repair what is left over", dangling, "repair", repaired(FOREIGN, OTHER), may_exist=ABSENT),
    Operation("reap", orphans, "reap", reaped, kinds=SETUP, may_exist=ABSENT, writes=False),
]

UNFINISHED = Operation(
    "create what is unfinished", unfinished, CREATE, created, kinds=SETUP, ages=NEWLY, unfinished=True
)
FOREIGNERS = [(UNFINISHED, False), (UNFINISHED, True)]

LOGIN_STATUS = Operation(
    "login status",
    standing,
    "status",
    told,
    before=ATTACH,
    kinds=(*SETUP, "EnvironmentNotFound"),
    reads_only=True,
    writes=False,
)
REFRESH = next(operation for operation in REGISTRY if operation.name == "refresh")

EPHEMERAL = [
    Operation("ephemeral create", nowhere, "ephemeral", created, kinds=SETUP, may_exist=ABSENT),
    Operation(
        "ephemeral refresh",
        nowhere,
        "refresh",
        refreshed,
        before=("ephemeral",),
        kinds=SETUP,
        may_exist=ABSENT,
    ),
    Operation(
        "ephemeral destroy",
        nowhere,
        "destroy",
        ephemeral_destroyed,
        before=("ephemeral",),
        kinds=("CleanupFailed",),
        may_exist=ABSENT,
        writes=False,
    ),
]

# Nothing of a login that is not copied is cached: an attach reads the host's, and so it may miss it.
LOGINS = [LOGIN_STATUS] + [
    replace(operation, name=f"{operation.name}, login {login}", login=login, kinds=(*SETUP, *operation.kinds))
    for login in OTHERS
    for operation in (REGISTRY[0], REGISTRY[4], LOGIN_STATUS, REFRESH, EPHEMERAL[0], EPHEMERAL[1])
]

FULL = os.environ.get("AGENT_VENV_FAULTS") == "full"
"""Whether all is tried, and not only as much as each change can wait for."""

QUICK = [(operation, False) for operation in (*REGISTRY, *EPHEMERAL, *LOGINS)]
CASES = QUICK + [(operation, True) for operation, _ in QUICK if operation.writes and operation.login is COPY]
"""Each operation, and whether it is durable."""
