"""pi: `--list-models` names the providers that it has a login for, so each account is one.

It knows no MCP servers. What a user adds to it are packages: they stand in for them here.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from .base import Agent, Leak, Run, write_json

PROVIDERS = {"first": "anthropic", "later": "openai", "decoy": "groq"}


class Pi(Agent):
    id = "pi"
    variables: ClassVar = {"PI_CODING_AGENT_DIR": ""}
    login = "auth.json"
    host_directory = ".pi/agent"
    host_login = ".pi/agent/auth.json"
    given: ClassVar = {"PI_OFFLINE": "1"}
    leaks: ClassVar = {
        "OPENAI_API_KEY": "fake-from-parent",
        "OPENROUTER_API_KEY": "fake-from-parent",
    }
    # The file's login wins over these two, which are for the same provider.
    unseen_leaks = ("ANTHROPIC_API_KEY", "ANTHROPIC_OAUTH_TOKEN", "PI_CODING_AGENT_SESSION_DIR")

    closed_by_strict: ClassVar = (
        Leak(
            "a provider by a variable",
            lambda run, home: "huggingface" in run("--list-models").err,
            inherited={"HF_TOKEN": "fake-from-parent"},
        ),
    )

    def login_text(self, account: str) -> str:
        return json.dumps({PROVIDERS[account]: {"type": "api_key", "key": f"fake-{account}"}})

    def write_servers(self, home: Path, name: str) -> None:
        write_json(home / ".pi/agent/settings.json", {"packages": [f"/nowhere/{name}"]})

    def account(self, run: Run, directory: Path) -> str | None:
        result = run("--list-models")
        assert result.code == 0, result
        if result.err.startswith("No models available"):
            return None
        header, *rows = [line.split() for line in result.err.splitlines()]
        assert header[0] == "provider", result
        accounts = {theirs: ours for ours, theirs in PROVIDERS.items()}
        return "+".join(sorted({accounts.get(row[0], row[0]) for row in rows}))

    def add_server(self, run: Run, name: str) -> None:
        # It must be there: the checks have a directory of each name in the working directory.
        result = run("install", f"./{name}")
        assert result.code == 0, result

    def servers(self, run: Run, names: Sequence[str]) -> list[str]:
        result = run("list")
        assert result.code == 0, result
        assert "ackages" in result.out, result
        found = {line.rpartition("/")[2] for line in result.out.splitlines()}
        return [name for name in names if name in found]
