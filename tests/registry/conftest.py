"""A registry for each test, the peer, and the figures at the end."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest

import peer as peers
from peer import Peer

FIGURES = pytest.StashKey[dict[str, int]]()
Count = Callable[..., None]


@pytest.fixture(scope="session")
def times() -> int:
    """How many times as much as usual is done: AGENT_VENV_TEST_TIMES, for a long run by hand."""
    return int(os.environ.get("AGENT_VENV_TEST_TIMES", "1"))


@pytest.fixture(autouse=True)
def _nothing_of_the_user_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home of the test's own, so that a mistake harms nobody."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("AGENT_VENV_EPHEMERAL_ROOT", str(home / "ephemeral"))
    for variable in ("AGENT_VENV_REGISTRY_ROOT", "XDG_DATA_HOME"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Where a registry may be made."""
    return tmp_path / "registry"


@pytest.fixture(scope="session")
def peer_python() -> Path:
    return peers.python()


@pytest.fixture(scope="session")
def peer(peer_python: Path) -> Iterator[Peer]:
    """One process of the peer's for all."""
    started = Peer(peer_python)
    yield started
    started.close()


@pytest.fixture
def start_peer(peer_python: Path) -> Iterator[Callable[[], Peer]]:
    """Starts further processes of the peer's."""
    started: list[Peer] = []

    def start() -> Peer:
        started.append(Peer(peer_python))
        return started[-1]

    yield start
    for each in started:
        each.close()


@pytest.fixture
def count(request: pytest.FixtureRequest) -> Count:
    """Adds to a figure that is printed at the end."""
    figures = request.config.stash[FIGURES]

    def add(what: str, number: int = 1) -> None:
        figures[what] = figures.get(what, 0) + number

    return add


def pytest_configure(config: pytest.Config) -> None:
    config.stash[FIGURES] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped:
        # What was skipped proves nothing.
        report.outcome = "failed"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    figures = terminalreporter.config.stash[FIGURES]
    if not figures:
        return
    terminalreporter.section("figures")
    terminalreporter.line("| what was done to the registry | times |")
    terminalreporter.line("|---|---|")
    for what, number in figures.items():
        terminalreporter.line(f"| {what} | {number:,} |")
