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

PINS: dict[str, dict[str, str]] = json.loads(Path(__file__).with_name("programs.json").read_text())


def cache() -> Path:
    return Path(os.environ.get("AGENT_VENV_TEST_CACHE") or Path.home() / ".cache/agent-venv-tests")


def program(agent: str) -> Path:
    """The agent's program, downloaded unless the cache holds this very package."""
    pin = PINS[agent]
    package = cache() / f"{agent}-{pin['version']}"
    with _lock():
        if not _is(package, pin["integrity"]):
            _fetch(pin, package)
    return package / pin["program"]


def _is(package: Path, integrity: str) -> bool:
    mark = package / "integrity"
    return mark.is_file() and mark.read_text() == integrity


def _fetch(pin: dict[str, str], package: Path) -> None:
    # Whole or not there: it gets its name last, and what a killed fetch left goes first.
    for left in cache().glob("fetching-*"):
        shutil.rmtree(left)
    staging = Path(tempfile.mkdtemp(prefix="fetching-", dir=cache()))
    try:
        name = f"{pin['package']}@{pin['version']}"
        pack = ["npm", "pack", "--loglevel=error", name]
        subprocess.run(pack, cwd=staging, stdout=subprocess.DEVNULL, check=True)
        [tarball] = staging.glob("*.tgz")
        found = _integrity(tarball)
        if found != pin["integrity"]:
            raise RuntimeError(f"{name} is {found}, but {pin['integrity']} is pinned")
        subprocess.run(["tar", "-xzf", tarball.name], cwd=staging, check=True)
        tarball.unlink()
        (staging / "integrity").write_text(pin["integrity"])
        if package.exists():
            shutil.rmtree(package)
        staging.rename(package)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _integrity(tarball: Path) -> str:
    digest = hashlib.sha512()
    with tarball.open("rb") as file:
        while block := file.read(1 << 20):
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
        print(each, program(each))
