"""Copilot CLI: the token that it shows to GitHub names the account."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from .base import SERVER, Agent, Leak, Run, shown, stdio_server, write_json


class CopilotCli(Agent):
    id = "copilot-cli"
    variables: ClassVar = {"COPILOT_HOME": "", "COPILOT_CACHE_HOME": "cache"}
    login = "config.json"
    host_directory = ".copilot"
    host_login = ".copilot/config.json"
    # It unpacks itself: once here, and not in every profile. The last keeps its device id out of
    # ~/.cache/Microsoft.
    given: ClassVar = {
        "COPILOT_DEBUG_GITHUB_API_URL": SERVER,
        "COPILOT_PKG_CACHE_HOME": "{cache}/copilot-unpacked",
        "XDG_CACHE_HOME": "{elsewhere}/xdg-cache",
    }
    leaks: ClassVar = {
        "COPILOT_GITHUB_TOKEN": "gho_fake_from-parent",
        "GH_TOKEN": "gho_fake_from-parent",
        "GITHUB_TOKEN": "gho_fake_from-parent",
    }
    # Another server, or a model of somebody else's; more instructions.
    unseen_leaks = (
        "COPILOT_CUSTOM_INSTRUCTIONS_DIRS",
        "COPILOT_PROVIDER_API_KEY",
        "COPILOT_PROVIDER_BASE_URL",
        "COPILOT_PROVIDER_BEARER_TOKEN",
        "COPILOT_SKILLS_DIRS",
    )

    closed_by_strict: ClassVar = (
        Leak(
            "the login of gh",
            lambda run, home: shown(run("--prompt", "hi"), "Bearer gho_fake_") == "of-gh",
            on_host=lambda home: _log_in_gh(home),
            inherited={"PATH": "{home}/bin:/usr/bin:/bin"},
            options={"login": "none"},
        ),
        Leak(
            "an id in ~/.cache",
            lambda run, home: _leaves(run, home / ".cache/Microsoft"),
            not_given=("XDG_CACHE_HOME",),
        ),
    )

    def login_text(self, account: str) -> str:
        user = {"host": "https://github.com", "login": account}
        token = f"gho_fake_{account}"
        # As it stands after the first run: the tokens in both forms, of which the second counts.
        config = {
            "lastLoggedInUser": user,
            "loggedInUsers": [user],
            "copilotTokens": {f"https://github.com:{account}": token},
            "authTokens": {f"https://github.com:{account}:github": {"token": token}},
            "storeTokenPlaintext": True,
        }
        return f"// This file is managed automatically.\n{json.dumps(config)}"

    def write_servers(self, home: Path, name: str) -> None:
        server = {"type": "local", "tools": ["*"], **stdio_server(name)}
        write_json(home / ".copilot/mcp-config.json", {"mcpServers": {name: server}})

    def account(self, run: Run, directory: Path) -> str | None:
        result = run("--prompt", "hi")
        if (account := shown(result, "Bearer gho_fake_")) is None:
            assert "No authentication information found" in result.err, result
        return account

    def add_server(self, run: Run, name: str) -> None:
        result = run("mcp", "add", name, "--", "/bin/echo", name)
        assert result.code == 0, result

    def servers(self, run: Run, names: Sequence[str]) -> list[str]:
        result = run("mcp", "list")
        assert result.code == 0, result
        assert "User servers:" in result.out or "No MCP servers configured." in result.out, result
        return [name for name in names if f"  {name} (local)\n" in result.out]


def _log_in_gh(home: Path) -> None:
    """A `gh` that tells the token of its configuration, as the real one does."""
    token = home / ".config/gh/token"
    token.parent.mkdir(parents=True)
    token.write_text("gho_fake_of-gh\n")
    program = home / "bin/gh"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nexec cat "${GH_CONFIG_DIR:-$HOME/.config/gh}/token"\n')
    program.chmod(0o755)


def _leaves(run: Run, directory: Path) -> bool:
    run("--prompt", "hi")
    return directory.exists()
