"""What strict isolation closes: each leak is shown open first, and then closed."""

from __future__ import annotations

import pytest

from agents import AGENTS, Agent, Leak
from conftest import StartDriver, command
from host import Host

LEAKS = [
    pytest.param(agent, leak, id=f"{agent.id}: {leak}")
    for agent in AGENTS
    for leak in agent.closed_by_strict
]


@pytest.mark.parametrize(("agent", "leak"), LEAKS)
def test_strict_isolation_closes_what_is_open_without_it(
    agent: Agent, leak: Leak, host: Host, start_driver: StartDriver
) -> None:
    def is_open(isolation: str) -> bool:
        home = host.copy_of_home(isolation)
        leak.on_host(home)
        inherited = {name: value.format(home=home) for name, value in leak.inherited.items()}
        driver = start_driver(HOME=str(home), **inherited)
        profile = driver.create(agent.id, isolation=isolation, **leak.options)
        program = command(host, agent, leak.not_given)
        return leak.seen(lambda *argv: profile.run(*program, *argv), home)

    assert is_open("standard"), "it does not leak, or no longer"
    assert not is_open("strict")
