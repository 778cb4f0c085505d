"""What the checks must know of an agent."""

from __future__ import annotations

import abc
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar


@dataclass(frozen=True)
class Result:
    """How a program ended, what it wrote, and the keys that it showed to the server."""

    code: int
    out: str
    err: str
    keys: Sequence[str] = ()


Run = Callable[..., Result]
"""Runs the agent with these arguments."""

SERVER = "http://127.0.0.1:18080"
"""What each run has beside it (serve.py): it refuses everybody, and notes whose key it saw."""


class Agent(abc.ABC):
    id: ClassVar[str]
    variables: ClassVar[dict[str, str]]
    """Move the agent's directories: each to this place below the profile."""
    login: ClassVar[str]
    """The login file, below the profile."""
    host_directory: ClassVar[str]
    """The agent's directory on the host, below HOME."""
    host_login: ClassVar[str]
    """The login file on the host, below HOME."""
    given: ClassVar[dict[str, str]] = {}
    """Set for it beside a profile's variables; {elsewhere} and {cache} are directories."""
    work_files: ClassVar[dict[str, str]] = {}
    """What it needs in the working directory."""
    leaks: ClassVar[dict[str, str]]
    """Each of these, inherited, changes who a logged-in agent says it is; {decoy} holds a login."""
    unseen_leaks: ClassVar[tuple[str, ...]]
    """These too lead to another login or directory, but need more than a value to show it."""

    @abc.abstractmethod
    def login_text(self, account: str) -> str:
        """The login file's content when `account` is logged in."""

    def log_in(self, file: Path, account: str) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(self.login_text(account))

    def environment(self, directory: Path) -> dict[str, str]:
        """The variables that make this directory its profile."""
        return {name: str(directory / place) for name, place in self.variables.items()}

    @abc.abstractmethod
    def write_servers(self, home: Path, name: str) -> None:
        """Give the host an MCP server."""

    @abc.abstractmethod
    def account(self, run: Run, directory: Path) -> str | None:
        """Whom the agent says it is logged in as, None if nobody; it must use this directory."""

    @abc.abstractmethod
    def add_server(self, run: Run, name: str) -> None:
        """Have the agent add an MCP server to its profile."""

    @abc.abstractmethod
    def servers(self, run: Run, names: Sequence[str]) -> list[str]:
        """Which of these MCP servers the agent says that it has."""


def stdio_server(name: str) -> dict[str, object]:
    """An MCP server that does nothing, as most of the agents write it down."""
    return {"command": "/bin/echo", "args": [name]}


def write_json(file: Path, value: object) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(value))


def shown(result: Result, prefix: str) -> str | None:
    """The accounts whose keys the server was shown, in order; a key is `<prefix><account>`."""
    return "+".join(key.removeprefix(prefix) for key in result.keys) or None
