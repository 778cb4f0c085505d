"""Claude Code: `auth status` names the account by its kind of subscription."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from .base import Agent, Result, Run, stdio_server, write_json

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
        result = run("auth", "status")
        status = json.loads(result.out)
        assert status["configDirectory"] == str(directory)
        assert result.code == (0 if status["loggedIn"] else 1)
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
