"""Gemini CLI: the key that it sends with a prompt names the account."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from .base import SERVER, Agent, Run, shown, stdio_server, write_json


class GeminiCli(Agent):
    id = "gemini-cli"
    variables: ClassVar = {"GEMINI_CLI_HOME": ""}
    login = host_login = ".gemini/.env"
    host_directory = ".gemini"
    given: ClassVar = {"GOOGLE_GEMINI_BASE_URL": SERVER, "GEMINI_CLI_TRUST_WORKSPACE": "true"}
    # With the server's address but without this choice it takes itself to be behind a gateway.
    work_files: ClassVar = {
        ".gemini/settings.json": '{"security": {"auth": {"selectedType": "gemini-api-key"}}}'
    }
    leaks: ClassVar = {
        "GEMINI_API_KEY": "fake-key-from-parent",
        "GEMINI_CLI_CUSTOM_HEADERS": "x-goog-api-key:fake-key-from-parent",
    }
    # Other ways to log in, other servers, other settings.
    unseen_leaks = (
        "CLOUD_SHELL",
        "CODE_ASSIST_ENDPOINT",
        "GEMINI_CLI_SYSTEM_DEFAULTS_PATH",
        "GEMINI_CLI_SYSTEM_SETTINGS_PATH",
        "GEMINI_CLI_TRUSTED_FOLDERS_PATH",
        "GEMINI_CLI_USE_COMPUTE_ADC",
        "GOOGLE_API_KEY",
        "GOOGLE_CLOUD_ACCESS_TOKEN",
        "GOOGLE_GEMINI_BASE_URL",
        "GOOGLE_GENAI_USE_GCA",
        "GOOGLE_GENAI_USE_VERTEXAI",
        "GOOGLE_VERTEX_BASE_URL",
    )

    def login_text(self, account: str) -> str:
        return f"GEMINI_API_KEY=fake-key-{account}\n"

    def write_servers(self, home: Path, name: str) -> None:
        write_json(home / ".gemini/settings.json", {"mcpServers": {name: stdio_server(name)}})

    def account(self, run: Run, directory: Path) -> str | None:
        result = run("--prompt", "hi")
        if (account := shown(result, "fake-key-")) is None:
            assert "you must specify the GEMINI_API_KEY environment variable" in result.err, result
        return account

    def add_server(self, run: Run, name: str) -> None:
        result = run("mcp", "add", "--scope", "user", name, "/bin/echo", name)
        assert result.code == 0, result

    def servers(self, run: Run, names: Sequence[str]) -> list[str]:
        result = run("mcp", "list")
        assert result.code == 0, result
        said = result.out + result.err
        assert "Configured MCP servers:" in said or "No MCP servers configured." in said, result
        return [name for name in names if f"{name}: /bin/echo {name} (stdio)" in said]
