"""The agents and the surfaces that every check runs with, and the table at the end."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Generator, Iterator
from pathlib import Path

import pytest

import driver
import fetch
from agents import AGENTS, Agent, Run
from host import Host

SURFACES = ("C", "Python")
OUTCOMES = pytest.StashKey[dict[tuple[str, str], str]]()

# An agent that hangs ends as a failure.
GUARD = ("/usr/bin/timeout", "--kill-after=5", "180")

StartDriver = Callable[..., driver.Driver]


@pytest.fixture(scope="session", params=AGENTS, ids=lambda agent: agent.id)
def agent(request: pytest.FixtureRequest) -> Agent:
    chosen: Agent = request.param
    return chosen


@pytest.fixture(scope="session", params=SURFACES)
def surface(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest.fixture
def program(agent: Agent, host: Host) -> list[str | Path]:
    """What starts the agent's own program in a check."""
    return command(host, agent)


def command(host: Host, agent: Agent, not_given: Collection[str] = ()) -> list[str | Path]:
    return [
        *host.beside_the_server(),
        *GUARD,
        *host.given(agent, not_given),
        *fetch.command(agent.id),
    ]


@pytest.fixture(scope="session")
def library() -> Path:
    built = driver.ROOT / "target/release/libagent_venv.so"
    chosen = Path(os.environ.get("AGENT_VENV_LIBRARY") or built).resolve()
    assert chosen.is_file(), f"{chosen} is missing: build it with cargo build --release"
    return chosen


@pytest.fixture(scope="session")
def c_program(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return driver.build_c(tmp_path_factory.mktemp("c"), os.environ.get("CC", "cc"), library)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    made = Host(tmp_path)
    yield made
    made.assert_home_is_untouched()


@pytest.fixture
def start_driver(host: Host, surface: str, library: Path, c_program: Path) -> Iterator[StartDriver]:
    """Starts the driver of this surface on the host, with variables of the parent's."""
    started = []

    def start(**inherited: str) -> driver.Driver:
        environment = {**host.environment(), **inherited}
        if surface == "C":
            made = driver.Driver(host, environment, c_program)
        else:
            environment |= driver.python_environment(library)
            made = driver.Driver(host, environment, *driver.PYTHON)
        started.append(made)
        return made

    yield start
    for each in started:
        each.end()


@pytest.fixture
def profiles(start_driver: StartDriver) -> driver.Driver:
    """The driver of this surface, with nothing of the agent's in its own environment."""
    return start_driver()


@pytest.fixture
def within(program: list[str | Path]) -> Callable[[driver.Profile], Run]:
    """The agent's own program, run with a profile's variables."""
    return lambda profile: lambda *argv: profile.run(*program, *argv)


@pytest.fixture
def without_profile(host: Host, program: list[str | Path]) -> Callable[[dict[str, str]], Run]:
    """The agent's own program, run with these variables and no help of the library's."""
    return lambda environment: lambda *argv: host.run(environment, *program, *argv)


def pytest_configure(config: pytest.Config) -> None:
    config.stash[OUTCOMES] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    assert isinstance(item, pytest.Function)
    check = item.originalname.removeprefix("test_").replace("_", " ")
    agent = item.callspec.getparam("agent")
    column = (
        f"{agent.id if isinstance(agent, Agent) else agent} {item.callspec.getparam('surface')}"
    )
    outcomes = item.config.stash[OUTCOMES]
    if report.failed or report.skipped:
        outcomes[check, column] = "FAILED"
    elif report.when == "call":
        outcomes.setdefault((check, column), "ok")
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    # A check that was skipped proves nothing, and neither does a run without any.
    outcomes = session.config.stash[OUTCOMES].values()
    if not outcomes or "FAILED" in outcomes:
        session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    outcomes = terminalreporter.config.stash[OUTCOMES]
    checks = list(dict.fromkeys(check for check, _ in outcomes))
    columns = [f"{agent.id} {surface}" for agent in AGENTS for surface in SURFACES]
    columns += sorted({column for _, column in outcomes} - set(columns))
    width = max(map(len, checks), default=0)
    terminalreporter.section("real agents")
    terminalreporter.line("  ".join([" " * width, *columns]))
    for check in checks:
        cells = [outcomes.get((check, each), "-").ljust(len(each)) for each in columns]
        terminalreporter.line("  ".join([check.ljust(width), *cells]))
    failed = list(outcomes.values()).count("FAILED")
    terminalreporter.line(f"{len(outcomes)} checks ran with the real programs: {failed} failed")
