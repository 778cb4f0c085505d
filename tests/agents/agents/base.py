"""What the checks must know of an agent."""

from __future__ import annotations

import abc
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
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


@dataclass(frozen=True)
class Leak:
    """What of the host an agent uses with standard isolation, and not with strict."""

    what: str
    seen: Callable[[Run, Path], bool]
    """Whether the agent uses it, asked by running it; the path is HOME."""
    on_host: Callable[[Path], object] = lambda home: None
    """Puts it into HOME."""
    inherited: dict[str, str] = field(default_factory=dict)
    """Variables of the parent; {home} is HOME."""
    options: dict[str, object] = field(default_factory=dict)
    """The profile's, beside the isolation."""
    not_given: tuple[str, ...] = ()
    """Of what the checks give the agent otherwise."""

    def __str__(self) -> str:
        return self.what


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

    closed_by_strict: ClassVar[tuple[Leak, ...]] = ()
    """Empty where what strict isolation closes shows only on a machine that is set up for it."""

    trust_question: ClassVar[str] = ""
    """What it asks in a directory that it does not trust, without white space.

    Empty where that is not checked with it.
    """
    greeting: ClassVar[str] = ""
    """What it shows once it is ready there, likewise."""
    trusted_files: ClassVar[dict[str, str]] = {}
    """Without these in a directory it need not be trusted."""
    log_out: ClassVar[tuple[str, ...]] = ()
    """Has it forget its login; empty where sharing and tokens are not checked with it."""

    def uses_token(self, run: Run, token: str) -> bool:
        """Whether it is logged in by this token."""
        raise NotImplementedError

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


def write_skill(directory: Path, name: str) -> None:
    skill = directory / name / "SKILL.md"
    skill.parent.mkdir(parents=True)
    skill.write_text(f"---\nname: {name}\ndescription: the host's own\n---\n")


def write_json(file: Path, value: object) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(value))


def shown(result: Result, prefix: str) -> str | None:
    """The accounts whose keys the server was shown, in order; a key is `<prefix><account>`."""
    return "+".join(key.removeprefix(prefix) for key in result.keys) or None
