"""An agent that the library has never heard of, added by a document alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import fetch
from conftest import GUARD, StartDriver
from driver import Profile
from host import Host

DOCUMENT = {
    "id": "auggie",
    "program": "auggie",
    # It has a directory below HOME, and no variable that moves it.
    "env": {"HOME": "$EPHEMERAL_HOME"},
    "env_unset": ["AUGMENT_API_TOKEN", "AUGMENT_API_URL", "AUGMENT_SESSION_AUTH"],
    "login": [
        {
            "profile": ".augment/session.json",
            "host": [{"file": "session.json", "directory": "~/.augment"}],
        },
    ],
    "argv": ["{program}", "--print", "--model", "{model}", "{extra_argv}"],
    "leaks": ["HOME of whatever the agent starts is the profile, too."],
}


def log_in(home: Path, account: str) -> None:
    file = home / ".augment/session.json"
    file.parent.mkdir(exist_ok=True)
    session = {
        "accessToken": f"fake-{account}",
        "tenantURL": "https://fake.invalid/",
        "scopes": ["email"],
    }
    file.write_text(json.dumps(session))


def account(profile: Profile) -> str | None:
    """Whom the program says it is logged in as."""
    result = profile.run(*GUARD, *fetch.command("auggie"), "token", "print")
    lines = [line for line in result.out.splitlines() if line.startswith("SESSION=")]
    if not lines:
        assert "login" in result.out + result.err, result
        return None
    token: str = json.loads(lines[0].removeprefix("SESSION="))["accessToken"]
    return token.removeprefix("fake-")


@pytest.mark.parametrize("agent", ["auggie"])
@pytest.mark.parametrize("how", ["inline", "a file of the user's"])
def test_a_further_agent_needs_a_document_and_nothing_else(
    agent: str, how: str, host: Host, start_driver: StartDriver
) -> None:
    home = host.copy_of_home()
    log_in(home, "first")
    leaking = {
        "AUGMENT_SESSION_AUTH": '{"accessToken":"fake-from-parent","tenantURL":"https://fake.invalid/","scopes":[]}'
    }
    configuration = host.elsewhere / "config"
    adapter = json.dumps(DOCUMENT)
    if how != "inline":
        file = configuration / "agent-venv/adapters/auggie.json"
        file.parent.mkdir(parents=True)
        file.write_text(adapter)
        adapter = agent
    driver = start_driver(HOME=str(home), XDG_CONFIG_HOME=str(configuration), **leaking)

    profile = driver.create(adapter)
    assert account(profile) == "first"
    log_in(home, "later")
    assert account(profile) == "first"
    assert profile.login_status() == "host_newer"
    profile.refresh_credentials()
    assert account(profile) == "later"
    assert account(driver.create(adapter, login="none")) is None
    profile.destroy()
    assert not profile.path.exists()
