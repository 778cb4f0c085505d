"""Claude Code: `auth status` names the account by its kind of subscription."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from .base import Agent, Leak, Result, Run, stdio_server, write_json

SUBSCRIPTIONS = {"first": "max", "later": "pro", "decoy": "team"}


class ClaudeCode(Agent):
    id = "claude-code"
    variables: ClassVar = {"CLAUDE_CONFIG_DIR": ""}
    login = ".credentials.json"
    host_directory = ".claude"
    host_login = ".claude/.credentials.json"
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

    closed_by_strict: ClassVar = (
        Leak(
            "a login in ~/.config/anthropic",
            lambda run, home: _status(run)["authMethod"] == "oauth_token",
            on_host=lambda home: _log_in_elsewhere(home / ".config/anthropic"),
            options={"login": "none"},
        ),
        Leak(
            "logs of MCP servers in ~/.cache",
            lambda run, home: _logs_below(run, home / ".cache/claude-cli-nodejs"),
        ),
        Leak(
            "another provider by a variable",
            lambda run, home: _status(run)["apiProvider"] == "bedrock",
            inherited={"CLAUDE_CODE_USE_BEDROCK": "1"},
        ),
    )

    trust_question = "Isthisaprojectyoucreatedoroneyoutrust?"
    greeting = "ClaudeMax"
    log_out = ("auth", "logout")

    def uses_token(self, run: Run, token: str) -> bool:
        return _status(run)["authMethod"] == "oauth_token"

    def login_text(self, account: str) -> str:
        login = {
            "accessToken": f"sk-ant-oat01-fake-{account}",
            "refreshToken": f"sk-ant-ort01-fake-{account}",
            "expiresAt": 4102444800000,
            "scopes": ["user:inference", "user:profile"],
            "subscriptionType": SUBSCRIPTIONS[account],
        }
        return json.dumps({"claudeAiOauth": login})

    def write_servers(self, home: Path, name: str) -> None:
        config = {"hasCompletedOnboarding": True, "mcpServers": {name: stdio_server(name)}}
        write_json(home / ".claude.json", config)

    def account(self, run: Run, directory: Path) -> str | None:
        status = _status(run)
        assert status["configDirectory"] == str(directory)
        if not status["loggedIn"]:
            return None
        accounts = {theirs: ours for ours, theirs in SUBSCRIPTIONS.items()}
        method: str = status["authMethod"]
        return accounts.get(status.get("subscriptionType"), method)

    def add_server(self, run: Run, name: str) -> None:
        result = self._add(run, name)
        assert result.code == 0, result

    def servers(self, run: Run, names: Sequence[str]) -> list[str]:
        return [name for name in names if self._has(run, name)]

    def _has(self, run: Run, name: str) -> bool:
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


def _status(run: Run) -> dict[str, Any]:
    result = run("auth", "status")
    status: dict[str, Any] = json.loads(result.out)
    assert result.code == (0 if status["loggedIn"] else 1)
    return status


def _log_in_elsewhere(directory: Path) -> None:
    """Logs the host in where another program of the same maker's looks first."""
    write_json(directory / "configs/default.json", {"authentication": {"type": "user_oauth"}})
    login = {
        "access_token": "sk-ant-oat01-fake-elsewhere",
        "refresh_token": "fake",
        "expires_at": 4102444800,
    }
    write_json(directory / "credentials/default.json", login)


def _logs_below(run: Run, directory: Path) -> bool:
    """`mcp get` starts a server that does not answer as it should, which is logged."""
    run("mcp", "add", "--scope", "user", "logged", "--", "/bin/echo", "logged")
    assert "Status:" in run("mcp", "get", "logged").out
    return directory.exists()
