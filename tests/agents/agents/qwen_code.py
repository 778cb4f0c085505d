"""Qwen Code: the key that it sends with a prompt names the account."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from .base import SERVER, Agent, Run, shown, stdio_server, write_json


class QwenCode(Agent):
    id = "qwen-code"
    variables: ClassVar = {"QWEN_HOME": ""}
    login = ".env"
    host_directory = ".qwen"
    host_login = ".qwen/.env"
    leaks: ClassVar = {"OPENAI_API_KEY": "fake-key-from-parent"}
    # Other providers, other servers, other settings.
    unseen_leaks = (
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_BASE_URL",
        "GEMINI_API_KEY",
        "GOOGLE_API_KEY",
        "OPENAI_BASE_URL",
        "QWEN_CODE_SYSTEM_DEFAULTS_PATH",
        "QWEN_CODE_SYSTEM_SETTINGS_PATH",
        "QWEN_CODE_TRUSTED_FOLDERS_PATH",
        "QWEN_RUNTIME_DIR",
    )

    def login_text(self, account: str) -> str:
        key = f"OPENAI_API_KEY=fake-key-{account}\n"
        return f"{key}OPENAI_BASE_URL={SERVER}/v1\nOPENAI_MODEL=none\n"

    def write_servers(self, home: Path, name: str) -> None:
        write_json(home / ".qwen/settings.json", {"mcpServers": {name: stdio_server(name)}})

    def account(self, run: Run, directory: Path) -> str | None:
        result = run("hi")
        if (account := shown(result, "Bearer fake-key-")) is None:
            assert "No auth type is selected" in result.err, result
        return account

    def add_server(self, run: Run, name: str) -> None:
        result = run("mcp", "add", "--scope", "user", name, "/bin/echo", name)
        assert result.code == 0, result

    def servers(self, run: Run, names: Sequence[str]) -> list[str]:
        result = run("mcp", "list")
        assert result.code == 0, result
        assert "MCP servers" in result.out, result
        return [name for name in names if f"{name}: /bin/echo {name} (stdio)" in result.out]
