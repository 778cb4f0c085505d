"""How a login lives: shared, by a token, told apart from the host's, kept; and adapters as data."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest
from conftest import kinds

from agent_venv import (
    AsyncEnvironment,
    ClaudeCode,
    Codex,
    DataAdapter,
    Environment,
    LoginFile,
    LoginStatus,
)
from agent_venv.errors import (
    CredentialsConflictError,
    CredentialsMissingError,
    InvalidEnvironmentSpecError,
)

TOKEN = "sk-ant-oat01-fake-token"
DOCUMENT: dict[str, Any] = {
    "id": "mine",
    "program": "my-agent",
    "env": {"MINE_HOME": "$EPHEMERAL_HOME"},
    "env_unset": ["MINE_TOKEN"],
    "login": [{"profile": "auth", "host": [{"file": "~/.mine"}]}],
    "argv": ["{program}", "--model", "{model}", "{extra_argv}"],
}


def login(mark: str, expires_at: int) -> str:
    return json.dumps({"claudeAiOauth": {"accessToken": f"fake-{mark}", "expiresAt": expires_at}})


def texts_below(folder: Path) -> str:
    files = (file for file in folder.rglob("*") if file.is_file())
    return "".join(file.read_text() for file in files)


def test_the_status_follows_host_and_profile_until_one_is_forced_on_the_other(logins: Path) -> None:
    on_host = logins / ".claude/.credentials.json"
    on_host.write_text(login("host", 4102444800000))
    with Environment.ephemeral(adapter=ClaudeCode()) as env:
        in_profile = env.path / ".credentials.json"
        ends = "2100-01-01T00:00:00Z"
        file = LoginFile(".credentials.json", "same", True, True, ends, ends)
        assert env.login_status() == LoginStatus("same", ends, (file,))

        on_host.write_text(login("host again", 4102444900000))
        assert env.login_status().status == "host_newer"
        assert env.login_status().files[0].host_expires_at == "2100-01-01T00:01:40Z"
        env.refresh_credentials()

        in_profile.write_text(login("agent", 4102445000000))
        assert env.login_status().status == "profile_newer"
        with pytest.raises(CredentialsConflictError) as caught:
            env.refresh_credentials(force=False)
        assert caught.value.payload["adapter_id"] == "claude-code"
        assert "fake-agent" in in_profile.read_text()
        env.refresh_credentials(force=True)
        assert "fake-host again" in in_profile.read_text()
        in_profile.unlink()
        none = LoginFile(".credentials.json", "none", False, True, None, "2100-01-01T00:01:40Z")
        assert env.login_status() == LoginStatus("none", None, (none,))


def test_the_same_is_awaited(logins: Path) -> None:
    async def main() -> None:
        events: list[Any] = []
        opened = AsyncEnvironment.ephemeral(adapter=Codex(), on_event=events.append)
        async with await opened as env:
            assert (await env.login_status()).status == "same"
            (env.path / "auth.json").write_text('{"OPENAI_API_KEY":"fake-agent"}')
            with pytest.raises(CredentialsConflictError):
                await env.refresh_credentials()
            await env.refresh_credentials(force=True)
            assert (await env.login_status()).status == "same"
        assert kinds(events)[-3:] == ["error", "credentials.refreshed", "env.destroyed"]

    asyncio.run(main())


def test_the_status_of_what_was_destroyed_is_refused_and_heard_of() -> None:
    events: list[Any] = []
    env = Environment.ephemeral(on_event=events.append)
    assert env.login_status() == LoginStatus("none", None, ())
    env.destroy()
    with pytest.raises(Exception, match="was destroyed"):
        env.login_status()
    assert kinds(events)[-2:] == ["env.destroyed", "error"]


def test_a_token_is_handed_to_the_child_and_kept_nowhere(
    logins: Path, registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_TOKEN", TOKEN)
    Environment.create_or_attach("n", adapter=ClaudeCode(login="token", token_env="MY_TOKEN"))
    env = Environment.attach("n")
    assert not (env.path / ".credentials.json").exists()
    assert env.login_status().status == "token"
    inherited = {"CLAUDE_CODE_OAUTH_TOKEN": "other", "ANTHROPIC_API_KEY": "other", "KEPT": "1"}
    assert env.merged(inherited) == {
        "CLAUDE_CONFIG_DIR": str(env.path),
        "CLAUDE_CODE_OAUTH_TOKEN": TOKEN,
        "KEPT": "1",
    }
    assert TOKEN not in texts_below(registry) + repr(env) + str(env.events())

    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    file.chmod(0o600)
    with Environment.ephemeral(adapter=Codex(login="token", token_file=file)) as env:
        assert env.env_overrides["CODEX_API_KEY"] == TOKEN
        assert TOKEN not in texts_below(env.path)


def test_a_login_is_shared(logins: Path) -> None:
    with Environment.ephemeral(adapter=Codex(login="share")) as env:
        assert (env.path / "auth.json").readlink() == logins / ".codex/auth.json"
        assert env.login_status().status == "shared"
    with Environment.ephemeral(adapter=ClaudeCode(login="share")) as env:
        assert env.merged({})["CLAUDE_SECURESTORAGE_CONFIG_DIR"] == ""
    assert (logins / ".codex/auth.json").is_file()


def test_strict_isolation_reaches_the_child() -> None:
    base = {"ANTHROPIC_BASE_URL": "x", "XDG_CACHE_HOME": "/host", "KEPT": "1"}
    with Environment.ephemeral(adapter=ClaudeCode(login="none")) as env:
        assert env.merged(base) == {**base, "CLAUDE_CONFIG_DIR": str(env.path)}
    with Environment.ephemeral(adapter=ClaudeCode(login="none", isolation="strict")) as env:
        merged = env.merged(base)
        assert "ANTHROPIC_BASE_URL" not in merged
        assert merged["XDG_CACHE_HOME"].startswith(str(env.path))
        assert merged["KEPT"] == "1"


def test_directories_are_trusted(tmp_path: Path) -> None:
    adapter = ClaudeCode(login="none", trusted_directories=[tmp_path, "/no/such"])
    with Environment.ephemeral(adapter=adapter) as env:
        projects = json.loads((env.path / ".claude.json").read_text())["projects"]
    assert projects == {
        os.path.realpath(tmp_path): {"hasTrustDialogAccepted": True},
        "/no/such": {"hasTrustDialogAccepted": True},
    }


def documented(home: Path, variable: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    config = home / ("config" if variable else ".config")
    if variable:
        monkeypatch.setenv("XDG_CONFIG_HOME", str(config))
    (config / "agent-venv/adapters").mkdir(parents=True)
    (config / "agent-venv/adapters/mine.json").write_text(json.dumps(DOCUMENT))


@pytest.mark.parametrize("by", ["definition", "id", "id in XDG_CONFIG_HOME"])
def test_an_adapter_of_ones_own_does_what_a_built_in_one_does(
    by: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if by != "definition":
        documented(home, by != "id", monkeypatch)
    adapter = DataAdapter(DOCUMENT if by == "definition" else "mine", model="m", extra_argv=["-v"])
    told = (adapter.id, adapter.cli_bin, adapter.config_env_var)
    assert told == ("mine", "my-agent", "MINE_HOME")
    assert adapter.build_argv("p") == ["my-agent", "--model", "m", "-v"]
    with pytest.raises(CredentialsMissingError):
        Environment.ephemeral(adapter=adapter)
    (home / ".mine").write_text("fake")
    with Environment.ephemeral(adapter=adapter) as env:
        assert (env.path / "auth").read_text() == "fake"
        assert env.merged({"MINE_TOKEN": "x"}) == {"MINE_HOME": str(env.path)}
        (home / ".mine").write_text("fake again")
        env.refresh_credentials()
        assert env.login_status().status == "same"


def test_a_built_in_adapter_is_known_by_its_id_too(logins: Path) -> None:
    told = DataAdapter("copilot-cli"), DataAdapter("opencode")
    assert [each.config_env_var for each in told] == ["COPILOT_HOME", ""]
    adapter = DataAdapter("codex", login="share")
    with Environment.ephemeral(adapter=adapter) as env:
        assert env.login_status().status == "shared"


@pytest.mark.parametrize(
    ("adapter", "field"),
    [("nobody", "adapter"), ({"id": "x"}, "adapter.program"), ({"id": b"x"}, 'adapter["id"]')],
)
def test_what_is_no_adapter_is_refused_at_once(adapter: Any, field: str) -> None:
    with pytest.raises(InvalidEnvironmentSpecError) as caught:
        DataAdapter(adapter)
    assert caught.value.payload["field"] == field


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"login": "steal"}, "options.login"),
        ({"login": "share"}, "options.login"),
        ({"isolation": "total"}, "options.isolation"),
        ({"token_file": "/t"}, "options.token_file"),
        ({"trusted_directories": ["relative"]}, "options.trusted_directories[0]"),
        ({"trusted_directories": "/a"}, "options.trusted_directories"),
    ],
)
def test_what_the_library_refuses_is_refused(options: Any, field: str) -> None:
    with pytest.raises(InvalidEnvironmentSpecError) as caught:
        Environment.ephemeral(adapter=DataAdapter(DOCUMENT, **options))
    assert caught.value.payload["field"] == field
