"""opencode: `auth list` names the providers that it has a login for, so each account is one."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from .base import Agent, Leak, Run, write_json, write_skill

PROVIDERS = {"first": "anthropic", "later": "openai", "decoy": "groq"}
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class OpenCode(Agent):
    id = "opencode"
    variables: ClassVar = {
        "XDG_CONFIG_HOME": "config",
        "XDG_DATA_HOME": "data",
        "XDG_STATE_HOME": "state",
        "XDG_CACHE_HOME": "cache",
    }
    login = "data/opencode/auth.json"
    host_directory = ".config/opencode"
    host_login = ".local/share/opencode/auth.json"
    leaks: ClassVar = {
        "OPENCODE_AUTH_CONTENT": '{{"groq":{{"type":"api","key":"fake-from-parent"}}}}',
        "OPENROUTER_API_KEY": "fake-from-parent",
    }
    # More configuration, which can hold a key; another database.
    unseen_leaks = (
        "ANTHROPIC_API_KEY",
        "OPENAI_API_KEY",
        "OPENCODE_API_KEY",
        "OPENCODE_CONFIG",
        "OPENCODE_CONFIG_CONTENT",
        "OPENCODE_CONFIG_DIR",
        "OPENCODE_DB",
        "OPENCODE_TEST_HOME",
        "OPENCODE_TEST_MANAGED_CONFIG_DIR",
    )

    closed_by_strict: ClassVar = (
        Leak(
            "skills of ~/.claude",
            lambda run, home: "of-claude" in run("debug", "skill").out,
            on_host=lambda home: write_skill(home / ".claude/skills", "of-claude"),
        ),
        Leak(
            "skills of ~/.agents",
            lambda run, home: "of-agents" in run("debug", "skill").out,
            on_host=lambda home: write_skill(home / ".agents/skills", "of-agents"),
        ),
        Leak(
            "MCP servers of ~/.opencode",
            lambda run, home: "/bin/echo stray" in COLOURS.sub("", run("mcp", "list").out),
            on_host=lambda home: write_json(
                home / ".opencode/opencode.json",
                {"mcp": {"stray": {"type": "local", "command": ["/bin/echo", "stray"]}}},
            ),
        ),
        Leak(
            "a key by a variable",
            lambda run, home: "POE_API_KEY" in run("auth", "list").out,
            inherited={"POE_API_KEY": "fake-from-parent"},
        ),
    )

    def login_text(self, account: str) -> str:
        return json.dumps({PROVIDERS[account]: {"type": "api", "key": f"fake-{account}"}})

    def write_servers(self, home: Path, name: str) -> None:
        server = {"type": "local", "command": ["/bin/echo", name]}
        write_json(home / ".config/opencode/opencode.json", {"mcp": {name: server}})

    def account(self, run: Run, directory: Path) -> str | None:
        result = run("auth", "list")
        assert result.code == 0, result
        said = COLOURS.sub("", result.out + result.err)
        assert "Credentials" in said, result
        accounts = {theirs: ours for ours, theirs in PROVIDERS.items()}
        # `Anthropic api`, and for a variable `OpenRouter OPENROUTER_API_KEY`.
        found = [name.lower() for name in re.findall(r"^●  (\S+) ", said, re.MULTILINE)]
        return "+".join(accounts.get(name, name) for name in found) or None

    def add_server(self, run: Run, name: str) -> None:
        result = run("mcp", "add", name, "--", "/bin/echo", name)
        assert result.code == 0, result

    def servers(self, run: Run, names: Sequence[str]) -> list[str]:
        result = run("mcp", "list")
        said = COLOURS.sub("", result.out + result.err)
        assert "MCP Servers" in said, result
        return [name for name in names if re.search(rf"^│ +/bin/echo {name}$", said, re.MULTILINE)]
