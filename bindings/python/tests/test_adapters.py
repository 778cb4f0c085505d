"""Adapters: thin, and what they know comes from the library."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent_venv import AgentAdapter, ClaudeCode, Codex, Environment, EnvironmentSpec
from agent_venv.errors import AdapterUnavailableError


class Mine(AgentAdapter):
    id, cli_bin, config_env_var = "mine", "my-agent", "MY_AGENT_HOME"

    def build_spec(self, *, load_credentials: bool | None = None) -> EnvironmentSpec:
        return EnvironmentSpec(self.id)


def test_the_built_in_adapters_are_described_by_the_library() -> None:
    described = [(each.id, each.cli_bin, each.config_env_var) for each in (ClaudeCode, Codex)]
    assert described == [
        ("claude-code", "claude", "CLAUDE_CONFIG_DIR"),
        ("codex", "codex", "CODEX_HOME"),
    ]


def test_options_reach_the_command_line() -> None:
    argv = ClaudeCode(model="m", reasoning_effort="low", extra_argv=["--x", "é"]).build_argv("p")
    assert argv[argv.index("--model") + 1] == "m"
    assert argv[argv.index("--effort") + 1] == "low"
    assert argv[-2:] == ["--x", "é"]
    assert "p" not in argv


def test_options_reach_the_spec(logins: Path) -> None:
    adapter = Codex(model="m", load_credentials=False)
    assert adapter.build_spec().options == {"load_credentials": False, "model": "m"}
    assert adapter.build_spec(load_credentials=True).options["load_credentials"] is True
    with Environment.ephemeral(adapter.build_spec(load_credentials=True)) as env:
        assert (env.path / "auth.json").is_file()


def test_an_adapter_does_not_share_its_extra_argv_with_its_caller() -> None:
    extra = ["-a"]
    adapter = Codex(extra_argv=extra)
    extra.append("-b")
    adapter.build_spec().options["extra_argv"].append("-c")
    assert adapter.build_spec().options["extra_argv"] == ["-a"]


def test_a_subclass_of_a_built_in_adapter_may_have_an_id_of_its_own() -> None:
    class Renamed(Codex):
        id = "my-codex"

    with Environment.ephemeral(adapter=Renamed(load_credentials=False)) as env:
        assert env.adapter_id == "my-codex"
        assert env.env_overrides == {"CODEX_HOME": str(env.path)}
    assert Codex.id == "codex"


@pytest.mark.parametrize("adapter", [ClaudeCode(), Mine()])
def test_availability_is_whether_path_has_the_program(
    adapter: AgentAdapter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AdapterUnavailableError) as caught:
        adapter.ensure_available()
    assert caught.value.payload == {"adapter_id": adapter.id, "cli_bin": adapter.cli_bin}
    program = tmp_path / adapter.cli_bin
    program.write_text("")
    with pytest.raises(AdapterUnavailableError):
        adapter.ensure_available()
    program.chmod(0o755)
    adapter.ensure_available()


def test_an_adapter_of_ones_own_must_say_what_it_needs() -> None:
    with pytest.raises(TypeError, match="build_spec"):
        type("Empty", (AgentAdapter,), {})()
    with pytest.raises(NotImplementedError, match="Mine has no command line"):
        Mine().build_argv("p")
