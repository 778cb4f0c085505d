"""Whether an interactive agent asks for trust in a directory, seen on a terminal's screen."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import pexpect
import pyte
import pytest

import fetch
from agents import AGENTS, Agent
from driver import Driver
from host import Host

LINES, COLUMNS = 40, 120
PATIENCE = 90
"""Seconds until it must have shown something; it takes up to twelve."""


def shown(host: Host, environment: Mapping[str, str], directory: Path, agent: Agent) -> str:
    """The screen, without white space, once the agent asks or is ready."""
    variables = {**environment, "TERM": "xterm-256color"}
    program, *arguments = host.command(variables, *fetch.command(agent.id), leaves_others=True)
    screen = pyte.Screen(COLUMNS, LINES)
    stream = pyte.ByteStream(screen)
    terminal = pexpect.spawn(program, arguments, dimensions=(LINES, COLUMNS), cwd=directory)
    deadline = time.monotonic() + PATIENCE
    text = ""
    try:
        while time.monotonic() < deadline:
            try:
                stream.feed(terminal.read_nonblocking(4096, timeout=1))
            except pexpect.TIMEOUT:
                continue
            text = "".join("".join(screen.display).split())
            if agent.trust_question in text or agent.greeting in text:
                return text
        pytest.fail(f"it neither asks nor is ready: {screen.display}")
    finally:
        terminal.close(force=True)


@pytest.mark.parametrize(
    "agent", [agent for agent in AGENTS if agent.trust_question], ids=lambda agent: agent.id
)
def test_a_trusted_directory_is_not_asked_about(agent: Agent, host: Host, profiles: Driver) -> None:
    directory = host.work / "project"
    for name, text in agent.trusted_files.items():
        (directory / name).parent.mkdir(parents=True)
        (directory / name).write_text(text)
    directory.mkdir(exist_ok=True)

    asked = shown(host, profiles.create(agent.id).variables(), directory, agent)
    assert agent.trust_question in asked, "it does not ask, or no longer"
    trusting = profiles.create(agent.id, trusted_directories=[str(directory)])
    assert agent.greeting in shown(host, trusting.variables(), directory, agent)
