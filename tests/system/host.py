"""A host to attack: directories of its own, users, and the programs that act there."""

from __future__ import annotations

import os
import resource
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from actor import Actor

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
MEMORY = Path("/dev/shm")
OTHER = 65533
"""A user who is neither root nor the ordinary one."""


@dataclass(frozen=True)
class User:
    name: str
    id: int

    def __str__(self) -> str:
        return self.name

    def command(self) -> list[str]:
        """What executes a program as this user: only then is it this user's in /proc."""
        if self.id == os.geteuid():
            return []
        return ["setpriv", f"--reuid={self.id}", f"--regid={self.id}", "--clear-groups"]


ROOT = User("root", 0)
ORDINARY = User("ordinary", 65534)


def as_user(user: User, work: Callable[[], object]) -> None:
    """Does something in a process of the user's, as an agent would."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.setgroups([])
            os.setresgid(user.id, user.id, user.id)
            os.setresuid(user.id, user.id, user.id)
            work()
            status = 0
        except BaseException as error:
            os.write(2, f"as {user}: {error!r}\n".encode())
        finally:
            os._exit(status)  # whatever happened: the child must never go on with the tests
    assert os.waitpid(child, 0)[1] == 0, f"what {user} should have done failed"


class Host:
    """A home and a temporary directory of one user's, where all may enter, and the programs."""

    def __init__(self, directory: Path, programs: Path, user: User) -> None:
        self.directory = directory
        self.programs = programs
        self.user = user
        self.home = directory / "home"
        self.tmp = directory / "tmp"
        for each in (self.home, self.tmp):
            each.mkdir(mode=0o700)
            os.chown(each, user.id, user.id)
        self._actors: list[Actor] = []
        self._started: list[subprocess.Popen[str]] = []

    @property
    def root(self) -> Path:
        """The ephemeral root that is used by default."""
        return self.tmp / f"agent-venv-{self.user.id}"

    @property
    def registry(self) -> Path:
        """The registry that is used by default."""
        return self.home / ".local/share/agent-venv/envs"

    @property
    def environment(self) -> dict[str, str]:
        return {"PATH": PATH, "HOME": str(self.home), "TMPDIR": str(self.tmp)}

    def actor(
        self,
        *within: str,
        variables: dict[str, str | None] | None = None,
        umask: int = 0o022,
        descriptors: int = 1024,
    ) -> Actor:
        """A process that uses the library, run `within` another program that executes it."""
        environment = {**self.environment, **(variables or {})}
        started = Actor(
            [*within, *self.user.command(), str(self.programs / "actor")],
            env={name: value for name, value in environment.items() if value is not None},
            cwd=self.directory,
            umask=umask,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, 4096)),
        )
        self._actors.append(started)
        return started

    def run(self, program: str, *arguments: object) -> list[str]:
        """Runs a program of ours to its end; answers the words that it printed."""
        done = subprocess.run(
            [*self.user.command(), self.programs / program, *map(str, arguments)],
            env=self.environment,
            cwd=self.directory,
            stdout=subprocess.PIPE,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, f"{program} ended with {done.returncode}"
        return done.stdout.split()

    @contextmanager
    def background(
        self, program: str, *arguments: object, user: User | None = None
    ) -> Iterator[list[str]]:
        """Runs a program of ours beside; what it printed at its end is there once it ended."""
        started = subprocess.Popen(
            [*(user or self.user).command(), self.programs / program, *map(str, arguments)],
            stdout=subprocess.PIPE,
            text=True,
        )
        self._started.append(started)
        printed: list[str] = []
        assert started.stdout is not None
        assert started.stdout.readline() == "ready\n"
        yield printed
        started.terminate()
        printed += started.communicate(timeout=60)[0].splitlines()
        assert started.returncode == 0, f"{program} ended with {started.returncode}"

    def plant(self, work: Callable[[], object]) -> None:
        as_user(self.user, work)

    def login(self, content: str, adapter: str = "codex") -> Path:
        """Puts a login where the agent keeps it on the host."""
        place = {"codex": ".codex/auth.json", "claude-code": ".claude/.credentials.json"}[adapter]
        path = self.home / place
        path.parent.mkdir(exist_ok=True, mode=0o700)
        new = path.with_suffix(".new")
        new.write_text(content)
        for each in (path.parent, new):
            os.chown(each, self.user.id, self.user.id)
        new.replace(path)
        return path

    def profiles(self) -> list[Path]:
        """All profile directories, whoever owns them."""
        return sorted(self.root.glob("*/*/"))

    def end(self) -> None:
        for actor in self._actors:
            actor.close()
        for started in self._started:
            started.kill()
            started.wait()
            assert started.stdout is not None
            started.stdout.close()


@contextmanager
def new_host(user: User, programs: Path, file_system: Path | None = None) -> Iterator[Host]:
    place = directory(file_system)
    made = Host(place, programs, user)
    try:
        yield made
    finally:
        made.end()
        remove(place)


def directory(file_system: Path | None = None) -> Path:
    """A new directory that every user may enter."""
    made = Path(tempfile.mkdtemp(prefix="avenv-system-", dir=file_system))
    made.chmod(0o755)
    return made


def remove(path: Path) -> None:
    """Also of trees that are too deep for Python itself."""
    subprocess.run(["rm", "-rf", "--one-file-system", path], check=True)
