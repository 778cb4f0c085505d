"""The programs, a scene to attack, and the figures that are printed at the end."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("operations", "scene")

import figures as tables
import peer as peers
from peer import Peer
from programs import TREE, Programs
from scene import Scene
from sweep import Sweep


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Programs:
    built = TREE / "target/release/libagent_venv.so"
    library = Path(os.environ.get("AGENT_VENV_LIBRARY") or built).resolve()
    assert library.is_file(), f"{library} is missing: build it with make build"
    return Programs(library, tmp_path_factory.mktemp("programs"))


@pytest.fixture(scope="session")
def peer() -> Iterator[Peer]:
    peer = Peer(peers.python())
    yield peer
    peer.end()


@pytest.fixture
def directory() -> Iterator[Path]:
    """In memory: it is put up and taken down a hundred thousand times, and no test here asks whether a disk kept it."""
    with tempfile.TemporaryDirectory(prefix="avenv-faults-", dir="/dev/shm") as directory:
        yield Path(directory)


@pytest.fixture
def scene(directory: Path, programs: Programs, peer: Peer) -> Scene:
    return Scene(directory, programs, peer)


figures = tables.figures
pytest_terminal_summary = tables.pytest_terminal_summary


@pytest.fixture
def sweep(figures: Callable[..., None]) -> Sweep:
    return Sweep(figures)
