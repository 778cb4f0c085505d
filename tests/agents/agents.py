"""What the checks must know of each agent: its logins, and how it says what it sees.

A new agent is one class here and one entry in programs.json.
"""

from __future__ import annotations

import abc
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar


@dataclass(frozen=True)
class Result:
    """How a program ended, and what it wrote."""

    code: int
    out: str
    err: str


Run = Callable[..., Result]
"""Runs the agent with these arguments."""


class Agent(abc.ABC):
    id: ClassVar[str]
    variable: ClassVar[str]
    """Moves the agent's directory."""
    host_directory: ClassVar[str]
    """That directory on the host, below HOME."""
    accounts: ClassVar[dict[str, str]]
    """How the agent names each of our fake accounts."""
    leaks: ClassVar[dict[str, str]]
    """Each of these, inherited, changes who a logged-in agent says it is; {decoy} holds a login."""
    unseen_leaks: ClassVar[tuple[str, ...]]
    """These too lead to another login or directory, but need more than a value to show it."""

    @abc.abstractmethod
    def write_login(self, directory: Path, account: str) -> None:
        """Log `account` in, in an agent's directory."""

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
    def sees_server(self, run: Run, name: str) -> bool:
        """Whether the agent says that it has this MCP server."""


class ClaudeCode(Agent):
    id = "claude-code"
    variable = "CLAUDE_CONFIG_DIR"
    host_directory = ".claude"
    accounts: ClassVar = {"max": "first", "pro": "later", "team": "decoy"}
    leaks: ClassVar = {
        "ANTHROPIC_API_KEY": "sk-ant-fake-from-parent",
        "ANTHROPIC_AUTH_TOKEN": "fake-from-parent",
        "CLAUDE_CODE_API_KEY_FILE_DESCRIPTOR": "9",
        "CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat01-fake-from-parent",
        "CLAUDE_SECURESTORAGE_CONFIG_DIR": "{decoy}",
    }
    # A descriptor with a token in it, a federation with its organization, or files of
    # ~/.config/anthropic that the host may have.
    unseen_leaks = (
        "ANTHROPIC_CONFIG_DIR",
        "ANTHROPIC_FEDERATION_RULE_ID",
        "ANTHROPIC_IDENTITY_TOKEN",
        "ANTHROPIC_IDENTITY_TOKEN_FILE",
        "ANTHROPIC_PROFILE",
        "CLAUDE_CODE_OAUTH_TOKEN_FILE_DESCRIPTOR",
    )

    def write_login(self, directory: Path, account: str) -> None:
        [subscription] = [theirs for theirs, ours in self.accounts.items() if ours == account]
        login = {
            "accessToken": f"sk-ant-oat01-fake-{account}",
            "refreshToken": f"sk-ant-ort01-fake-{account}",
            "expiresAt": 4102444800000,
            "scopes": ["user:inference", "user:profile"],
            "subscriptionType": subscription,
        }
        (directory / ".credentials.json").write_text(json.dumps({"claudeAiOauth": login}))

    def write_servers(self, home: Path, name: str) -> None:
        server = {"type": "stdio", "command": "/bin/echo", "args": [name], "env": {}}
        config = {"hasCompletedOnboarding": True, "mcpServers": {name: server}}
        (home / ".claude.json").write_text(json.dumps(config))

    def account(self, run: Run, directory: Path) -> str | None:
        result = run("auth", "status")
        status = json.loads(result.out)
        assert status["configDirectory"] == str(directory)
        assert result.code == (0 if status["loggedIn"] else 1)
        if not status["loggedIn"]:
            return None
        method: str = status["authMethod"]
        return self.accounts.get(status.get("subscriptionType"), method)

    def add_server(self, run: Run, name: str) -> None:
        result = self._add(run, name)
        assert result.code == 0, result

    def sees_server(self, run: Run, name: str) -> bool:
        # `mcp get` starts a server that it finds, and logs that below HOME. So the question is
        # first whether it may be added, and `mcp get`, which looks everywhere, comes after.
        if (refused := self._add(run, name)).code == 0:
            assert run("mcp", "remove", "--scope", "user", name).code == 0
            assert f'No MCP server named "{name}"' in run("mcp", "get", name).err
            return False
        assert f"MCP server {name} already exists in user config" in refused.err
        return True

    def _add(self, run: Run, name: str) -> Result:
        return run("mcp", "add", "--scope", "user", name, "--", "/bin/echo", name)


class Codex(Agent):
    id = "codex"
    variable = "CODEX_HOME"
    host_directory = ".codex"
    # `login status` shows a key's first eight letters and its last five.
    accounts: ClassVar = {f"sk-fake-***{each}": each for each in ("first", "later", "decoy")}
    leaks: ClassVar = {"CODEX_ACCESS_TOKEN": "fake-from-parent"}
    # `codex exec` sends the key of the first, and keeps its state in the second.
    unseen_leaks = ("CODEX_API_KEY", "CODEX_SQLITE_HOME")

    def write_login(self, directory: Path, account: str) -> None:
        key = f"sk-fake-0123456789{account}"
        (directory / "auth.json").write_text(json.dumps({"OPENAI_API_KEY": key}))

    def write_servers(self, home: Path, name: str) -> None:
        server = f'[mcp_servers.{name}]\ncommand = "/bin/echo"\nargs = ["{name}"]\n'
        (home / self.host_directory / "config.toml").write_text(server)

    def account(self, run: Run, directory: Path) -> str | None:
        result = run("login", "status")
        if result.code == 0:
            [mask] = re.findall(r"^API key configured - (\S+)$", result.err, re.MULTILINE)
            return self.accounts[mask]
        if "Not logged in" in result.err:
            return None
        [reason] = re.findall(r"^Error checking login status: (.*)$", result.err, re.MULTILINE)
        return f"unusable: {reason}"

    def add_server(self, run: Run, name: str) -> None:
        result = run("mcp", "add", name, "--", "/bin/echo", name)
        assert result.code == 0, result

    def sees_server(self, run: Run, name: str) -> bool:
        result = run("mcp", "get", name)
        if result.code == 0:
            assert result.out.startswith(f"{name}\n"), result
            return True
        assert f"No MCP server named '{name}' found" in result.err, result
        return False


AGENTS: tuple[Agent, ...] = (ClaudeCode(), Codex())
