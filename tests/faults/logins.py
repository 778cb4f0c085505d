"""How the login of the attacked environments lives: copied, whole or by members, shared, or a token."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from snapshot import Node

Files = dict[str, Node]


def api_key(age: str) -> str:
    return json.dumps({"OPENAI_API_KEY": f"sk-fake-{age}"})


def token(age: str) -> str:
    return f"sk-fake-{age}"


def beside_settings(age: str) -> str:
    return f'// written by the agent\n{{"lastLoggedInUser": {json.dumps(age)}, "mcp": "the host\'s"}}'


def pretty(value: object) -> str:
    return json.dumps(value, indent=2)


def no_files(home: Path, age: str) -> Files:
    return {}


@dataclass(frozen=True)
class Login:
    name: str
    host: str
    """The file below HOME that holds the login, or the token."""
    content: Callable[[str], str]
    adapter: str = "codex"
    variable: str = "CODEX_HOME"
    options: Callable[[Path], dict[str, Any]] = lambda home: {}
    seeds: dict[str, str] = field(default_factory=dict)
    """What the adapter seeds by these options."""
    files: Callable[[Path, str], Files] = no_files
    """What of the login is in the profile, by HOME and age."""
    handed: Callable[[Path, str], dict[str, str]] = lambda home, age: {}
    """What of it is among the variables."""
    status: str = "same"

    def __str__(self) -> str:
        return self.name


COPY = Login(
    "copy",
    ".codex/auth.json",
    api_key,
    files=lambda home, age: {"auth.json": Node(0o600, api_key(age).encode())},
)

TRUSTED = {"trusted_directories": ["/src"]}
CODEX_TRUSTS = '[projects."/src"]\ntrust_level = "trusted"\n'
CLAUDE_TRUSTS = pretty({"hasCompletedOnboarding": True, "projects": {"/src": {"hasTrustDialogAccepted": True}}})

OTHERS = [
    Login(
        "members",
        ".copilot/config.json",
        beside_settings,
        adapter="copilot-cli",
        variable="COPILOT_HOME",
        files=lambda home, age: {"config.json": Node(0o600, pretty({"lastLoggedInUser": age}).encode())},
    ),
    Login(
        "shared by a link",
        ".codex/auth.json",
        api_key,
        options=lambda home: {"login": "share", **TRUSTED},
        seeds={"config.toml": CODEX_TRUSTS},
        files=lambda home, age: {"auth.json": Node(0o777, f"{home}/.codex/auth.json".encode(), link=True)},
        status="shared",
    ),
    Login(
        "shared by a variable",
        ".claude/.credentials.json",
        api_key,
        adapter="claude-code",
        variable="CLAUDE_CONFIG_DIR",
        options=lambda home: {"login": "share", **TRUSTED},
        seeds={".claude.json": CLAUDE_TRUSTS},
        handed=lambda home, age: {"CLAUDE_SECURESTORAGE_CONFIG_DIR": ""},  # its own default: ~/.claude
        status="shared",
    ),
    Login(
        "token",
        "token",
        token,
        options=lambda home: {"login": "token", "token_file": f"{home}/token", "isolation": "strict"},
        handed=lambda home, age: {"CODEX_API_KEY": token(age)},
        status="token",
    ),
]
