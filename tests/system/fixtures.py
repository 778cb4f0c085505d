"""Programs, users and hosts: fixtures of the tests here, and of those in tests/security."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import host as hosts
from host import MEMORY, ORDINARY, ROOT, Host, new_host

TREE = Path(__file__).resolve().parents[2]
SOURCES = Path(__file__).with_name("programs")
FLAGS = ["-std=c99", "-D_GNU_SOURCE", "-pedantic", "-Wall", "-Wextra", "-Werror", "-O1", "-g"]


@pytest.fixture(scope="session")
def times() -> int:
    """How many times as much as usual is done: AGENT_VENV_TEST_TIMES, for a long run by hand."""
    return int(os.environ.get("AGENT_VENV_TEST_TIMES", "1"))


@pytest.fixture(scope="session")
def library() -> Path:
    built = TREE / "target/release/libagent_venv.so"
    chosen = Path(os.environ.get("AGENT_VENV_LIBRARY") or built).resolve()
    assert chosen.is_file(), f"{chosen} is missing: build it with cargo build --release"
    return chosen


@pytest.fixture(scope="session")
def programs(library: Path) -> Iterator[Path]:
    """The compiled programs with the library beside them, where every user may run them."""
    assert os.geteuid() == 0, "these tests take on other users, so they must be run by root"
    directory = hosts.directory()
    linked = [f"-I{TREE}/include", "-Wl,-rpath,$ORIGIN", str(library)]
    compilers = [
        subprocess.Popen(["cc", *FLAGS, source, "-o", directory / source.stem, *linked])
        for source in SOURCES.glob("*.c")
    ]
    assert [each.wait() for each in compilers] == [0] * len(compilers)
    shutil.copy(library, directory / "libagent_venv.so.0")
    yield directory
    hosts.remove(directory)


@pytest.fixture(params=[ROOT, ORDINARY], ids=str)
def host(request: pytest.FixtureRequest, programs: Path) -> Iterator[Host]:
    """Each test is run as root, who lacks no permission, and as somebody who does."""
    with new_host(request.param, programs) as made:
        yield made


@pytest.fixture(params=[ROOT, ORDINARY], ids=str)
def memory_host(request: pytest.FixtureRequest, programs: Path) -> Iterator[Host]:
    """The same in memory: no disk slows a race down."""
    with new_host(request.param, programs, MEMORY) as made:
        yield made


@pytest.fixture
def ordinary_host(programs: Path) -> Iterator[Host]:
    with new_host(ORDINARY, programs) as made:
        yield made


@pytest.fixture
def root_host(programs: Path) -> Iterator[Host]:
    with new_host(ROOT, programs) as made:
        yield made


@pytest.fixture
def here(root_host: Host, monkeypatch: pytest.MonkeyPatch) -> Host:
    """The host is this process's own."""
    for name, value in root_host.environment.items():
        monkeypatch.setenv(name, value)
    for name in ("AGENT_VENV_EPHEMERAL_ROOT", "CLAUDE_CONFIG_DIR", "CODEX_HOME"):
        monkeypatch.delenv(name, raising=False)
    return root_host


@pytest.fixture
def outside(host: Host) -> Path:
    """What a careless agent may lead to: files of the user's own, outside of any profile."""
    made = host.directory / "outside"
    (made / "closed").mkdir(parents=True)
    (made / "file").write_text("content")
    (made / "script").write_text("#!/bin/sh")
    (made / "script").chmod(0o555)
    (made / "closed" / "file").write_text("content")
    (made / "closed").chmod(0o500)
    for path in (made, *made.rglob("*")):
        os.chown(path, host.user.id, host.user.id)
    return made
