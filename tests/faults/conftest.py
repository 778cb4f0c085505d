"""The programs, a scene to attack, and the figures that are printed at the end."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("operations", "scene")

import peer as peers
from peer import Peer
from programs import TREE, Programs
from scene import Scene
from sweep import Sweep

FIGURES = "figures"


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


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Notes one line of a table that is printed at the end."""

    def note(table: str, **columns: object) -> None:
        plain = {head: cell if isinstance(cell, int) else str(cell) for head, cell in columns.items()}
        request.node.user_properties.append((FIGURES, (table, plain)))

    return note


@pytest.fixture
def sweep(figures: Callable[..., None]) -> Sweep:
    return Sweep(figures)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    tables: dict[str, list[dict[str, object]]] = {}
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        if report.when != "call":
            continue
        for key, value in report.user_properties:
            if key == FIGURES:
                table, columns = value
                tables.setdefault(table, []).append(columns)
    for table, lines in tables.items():
        heads = list(lines[0])
        terminalreporter.write_line(f"\n### {table}\n\n| {' | '.join(heads)} |")
        terminalreporter.write_line(f"|{'---|' * len(heads)}")
        for line in lines:
            terminalreporter.write_line(f"| {' | '.join(cell(line[head]) for head in heads)} |")


def cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)
