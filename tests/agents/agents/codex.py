"""Codex: `login status` shows a key's first eight letters and its last five."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from .base import SERVER, Agent, Leak, Run


class Codex(Agent):
    id = "codex"
    variables: ClassVar = {"CODEX_HOME": ""}
    login = "auth.json"
    host_directory = ".codex"
    host_login = ".codex/auth.json"
    leaks: ClassVar = {"CODEX_ACCESS_TOKEN": "fake-from-parent"}
    # `codex exec` sends the key of the first, and keeps its state in the second.
    unseen_leaks = ("CODEX_API_KEY", "CODEX_SQLITE_HOME")

    closed_by_strict: ClassVar = (
        Leak(
            "an organization by a variable",
            lambda run, home: "org-of-the-parent" in exec_keys(run),
            inherited={"OPENAI_ORGANIZATION": "org-of-the-parent"},
        ),
    )

    trust_question = "Trustthisfolder?"
    greeting = "of-the-project"
    trusted_files: ClassVar = {".codex/config.toml": 'model = "of-the-project"\n'}
    log_out = ("logout",)

    def uses_token(self, run: Run, token: str) -> bool:
        return exec_keys(run) == (f"Bearer {token}",)

    def login_text(self, account: str) -> str:
        return json.dumps({"OPENAI_API_KEY": f"sk-fake-0123456789{account}"})

    def write_servers(self, home: Path, name: str) -> None:
        server = f'[mcp_servers.{name}]\ncommand = "/bin/echo"\nargs = ["{name}"]\n'
        (home / self.host_directory / "config.toml").write_text(server)

    def account(self, run: Run, directory: Path) -> str | None:
        result = run("login", "status")
        if result.code == 0:
            [account] = re.findall(
                r"^API key configured - sk-fake-\*\*\*(\S+)$", result.err, re.MULTILINE
            )
            return str(account)
        if "Not logged in" in result.err:
            return None
        [reason] = re.findall(r"^Error checking login status: (.*)$", result.err, re.MULTILINE)
        return f"unusable: {reason}"

    def add_server(self, run: Run, name: str) -> None:
        result = run("mcp", "add", name, "--", "/bin/echo", name)
        assert result.code == 0, result

    def servers(self, run: Run, names: Sequence[str]) -> list[str]:
        return [name for name in names if self._has(run, name)]

    def _has(self, run: Run, name: str) -> bool:
        result = run("mcp", "get", name)
        if result.code == 0:
            assert result.out.startswith(f"{name}\n"), result
            return True
        assert f"No MCP server named '{name}' found" in result.err, result
        return False


def exec_keys(run: Run) -> Sequence[str]:
    """What a prompt shows to the server."""
    result = run("exec", "--skip-git-repo-check", "-c", f'openai_base_url="{SERVER}/v1"', "hi")
    assert result.keys, result
    return result.keys
