"""The peer: the public Python package in an environment of its own, and a process that uses it.

`python3 peer.py` gets it into the test cache and prints where its Python is.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
PINNED = HERE / "peer.txt"
PROGRAM = HERE / "theirs.py"

# Nothing here takes ten seconds; what takes a minute hangs.
PATIENCE = 60


def cache() -> Path:
    return Path(os.environ.get("AGENT_VENV_TEST_CACHE") or Path.home() / ".cache/agent-venv-tests")


def python() -> Path:
    """The Python that has the peer's package, installed unless the cache holds this very one."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    environment = cache() / f"peer-python-{version}"
    with _lock():
        if not _is_whole(environment):
            _install(environment)
    return environment / "bin/python"


def _is_whole(environment: Path) -> bool:
    mark = environment / "installed"
    # The Python that it was made from may have gone since.
    return (
        mark.is_file()
        and mark.read_text() == PINNED.read_text()
        and (environment / "bin/python").exists()
    )


def _install(environment: Path) -> None:
    # Whole or not there: it gets its name last, and what a killed installation left goes first.
    for left in cache().glob("installing-*"):
        shutil.rmtree(left)
    staging = Path(tempfile.mkdtemp(prefix="installing-", dir=cache()))
    try:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", staging], check=True)
        pip = [sys.executable, "-m", "pip", "--python", staging / "bin/python", "--quiet"]
        what = ["install", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"]
        subprocess.run([*pip, *what, "--require-hashes", "--requirement", PINNED], check=True)
        shutil.copy(PINNED, staging / "installed")
        if environment.exists():
            shutil.rmtree(environment)
        staging.rename(environment)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


@contextmanager
def _lock() -> Iterator[None]:
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / "peer-lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class PeerError(Exception):
    """What the peer answered instead."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind


class Peer:
    """A process of the peer's."""

    def __init__(self, python: Path) -> None:
        self._process = subprocess.Popen(
            [python, "-I", "-B", PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def create(self, root: Path, name: str, spec: dict[str, Any]) -> dict[str, Any]:
        made: dict[str, Any] = self.ask("create", root=str(root), name=name, spec=spec)
        return made

    def attach(self, root: Path, name: str, adapter: str | None = None) -> dict[str, Any]:
        made: dict[str, Any] = self.ask("attach", root=str(root), name=name, adapter=adapter)
        return made

    def names(self, root: Path) -> list[str]:
        listed: list[str] = self.ask("names", root=str(root))
        return listed

    def destroy(self, root: Path, name: str) -> None:
        self.ask("destroy", root=str(root), name=name)

    def ask(self, op: str, **arguments: Any) -> Any:
        self.tell(op, **arguments)
        return self.answer()

    def tell(self, op: str, **arguments: Any) -> None:
        """Starts something, and does not wait for the answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"op": op, **arguments}) + "\n")
        self._process.stdin.flush()

    def go_on(self) -> None:
        """Lets it leave the stage that it was held at."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def answer(self) -> Any:
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], PATIENCE)
        assert ready, f"the peer gave no answer in {PATIENCE} seconds"
        line = self._process.stdout.readline()
        assert line, f"the peer ended with {self._process.wait()}"
        answer = json.loads(line)
        if "error" in answer:
            raise PeerError(answer["error"], answer["message"])
        return answer["answer"]

    def kill(self) -> None:
        """SIGKILL: no goodbye."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        self.kill()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()


def peer_failure(call: Callable[[], object], kind: str) -> None:
    with pytest.raises(PeerError) as raised:
        call()
    assert raised.value.kind == kind, f"{raised.value} is no {kind}"


if __name__ == "__main__":
    print(python())
