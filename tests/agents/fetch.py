"""Get the agents' own programs from npm, at the pinned versions, once, into the test cache.

`python3 fetch.py` gets them all and prints where they are.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
PINS: dict[str, dict[str, str]] = json.loads((HERE / "programs.json").read_text())

# What is fetched is kept here, not in npm's own cache as well. No script that comes along is run.
NPM = ("--loglevel=error", "--ignore-scripts", "--cache=npm-cache")


def cache() -> Path:
    return Path(os.environ.get("AGENT_VENV_TEST_CACHE") or Path.home() / ".cache/agent-venv-tests")


def command(agent: str) -> tuple[Path, ...]:
    """What starts the agent's program, downloaded unless the cache holds this very package."""
    pin = PINS[agent]
    package = cache() / f"{agent}-{pin['version']}"
    with _lock():
        if not _is(package, _pinned(pin)):
            _fetch(pin, package)
    program = package / pin["program"]
    return (program,) if program.suffix not in (".js", ".mjs") else (_node(), program)


def _node() -> Path:
    found = shutil.which("node")
    assert found, "there is no node on PATH, and some of the agents run on it"
    return Path(found)


def _pinned(pin: dict[str, str]) -> str:
    """npm's integrity of the package, or that of the lock file, which has each package's."""
    return pin["integrity"] if "integrity" in pin else _integrity(HERE / pin["lock"])


def _is(package: Path, integrity: str) -> bool:
    mark = package / "integrity"
    return mark.is_file() and mark.read_text() == integrity


def _fetch(pin: dict[str, str], package: Path) -> None:
    # Whole or not there: it gets its name last, and what a killed fetch left goes first.
    for left in cache().glob("fetching-*"):
        shutil.rmtree(left)
    staging = Path(tempfile.mkdtemp(prefix="fetching-", dir=cache()))
    try:
        (_install if "lock" in pin else _unpack)(pin, staging)
        shutil.rmtree(staging / "npm-cache", ignore_errors=True)
        (staging / "integrity").write_text(_pinned(pin))
        if package.exists():
            shutil.rmtree(package)
        staging.rename(package)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _unpack(pin: dict[str, str], staging: Path) -> None:
    """One package, which needs no other."""
    name = f"{pin['package']}@{pin['version']}"
    subprocess.run(["npm", "pack", *NPM, name], cwd=staging, stdout=subprocess.DEVNULL, check=True)
    [tarball] = staging.glob("*.tgz")
    found = _integrity(tarball)
    if found != pin["integrity"]:
        raise RuntimeError(f"{name} is {found}, but {pin['integrity']} is pinned")
    subprocess.run(["tar", "-xzf", tarball.name], cwd=staging, check=True)
    tarball.unlink()


def _install(pin: dict[str, str], staging: Path) -> None:
    """A package and all that it needs, each as the lock file pins it."""
    for name in ("package.json", "package-lock.json"):
        shutil.copy((HERE / pin["lock"]).with_name(name), staging)
    install = ["npm", "ci", *NPM, "--omit=optional", "--no-audit", "--no-fund"]
    subprocess.run(install, cwd=staging, stdout=subprocess.DEVNULL, check=True)


def _integrity(file: Path) -> str:
    digest = hashlib.sha512()
    with file.open("rb") as opened:
        while block := opened.read(1 << 20):
            digest.update(block)
    return "sha512-" + base64.b64encode(digest.digest()).decode()


@contextmanager
def _lock() -> Iterator[None]:
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    for each in PINS:
        print(each, *command(each))
