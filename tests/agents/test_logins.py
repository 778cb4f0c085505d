"""How a login lives in a profile: its status, shared with the host, or a token."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from agents import AGENTS, Agent, Run
from conftest import StartDriver
from driver import Driver, Profile
from host import Host

Within = Callable[[Profile], Run]
WithoutProfile = Callable[[dict[str, str]], Run]

checked = pytest.mark.parametrize(
    "agent", [agent for agent in AGENTS if agent.log_out], ids=lambda agent: agent.id
)
codex = pytest.mark.parametrize(
    "agent", [agent for agent in AGENTS if agent.id == "codex"], ids=lambda agent: agent.id
)

KEY = "sk-fake-0123456789"


@checked
def test_the_status_follows_what_profile_and_host_do(
    agent: Agent, host: Host, profiles: Driver, within: Within
) -> None:
    profile = profiles.create(agent.id)
    run, login = within(profile), profile.path / agent.login
    assert profile.login_status() == "same"
    host.log_in(agent, "later")
    assert profile.login_status() == "host_newer"
    profile.refresh_credentials()
    assert profile.login_status() == "same"

    run(*agent.log_out)
    assert agent.account(run, profile.path) is None
    assert profile.login_status() == "none"
    profile.refresh_credentials()
    assert agent.account(run, profile.path) == "later"

    agent.log_in(login, "first")
    assert agent.account(run, profile.path) == "first"
    assert profile.login_status() == "profile_newer"
    with pytest.raises(AssertionError, match="CredentialsConflict"):
        profile.refresh_credentials()
    host.log_in(agent, "decoy")
    assert profile.login_status() == "diverged"
    assert agent.account(run, profile.path) == "first"


@checked
def test_a_shared_login_is_the_hosts_own(
    agent: Agent, host: Host, start_driver: StartDriver, within: Within
) -> None:
    home = host.copy_of_home()
    profile = start_driver(HOME=str(home)).create(agent.id, login="share")
    run = within(profile)
    assert agent.account(run, profile.path) == "first"
    assert profile.login_status() == "shared"
    agent.log_in(home / agent.host_login, "later")
    assert agent.account(run, profile.path) == "later"
    assert profile.login_status() == "shared"


@codex
def test_a_login_reaches_the_host_through_a_link_and_a_logout_does_not(
    agent: Agent, host: Host, start_driver: StartDriver, within: Within, program: list[str | Path]
) -> None:
    home = host.copy_of_home()
    host_login = home / agent.host_login
    profile = start_driver(HOME=str(home)).create(agent.id, login="share")
    run = within(profile)
    with_key = ("/bin/sh", "-c", 'key=$1; shift; echo "$key" | "$@"', "sh", f"{KEY}decoy")
    assert profile.run(*with_key, *program, "login", "--with-api-key").code == 0
    assert agent.account(run, profile.path) == "decoy"
    assert f"{KEY}decoy" in host_login.read_text()
    assert profile.login_status() == "shared"

    run(*agent.log_out)
    assert agent.account(run, profile.path) is None
    assert f"{KEY}decoy" in host_login.read_text()
    assert profile.login_status() == "none"
    profile.refresh_credentials()
    assert agent.account(run, profile.path) == "decoy"
    assert profile.login_status() == "shared"


@pytest.mark.parametrize(
    "agent", [agent for agent in AGENTS if agent.id == "claude-code"], ids=lambda agent: agent.id
)
def test_a_logout_reaches_the_host_where_a_variable_shares_its_login(
    agent: Agent,
    host: Host,
    start_driver: StartDriver,
    within: Within,
    without_profile: WithoutProfile,
) -> None:
    home = host.copy_of_home()
    profile = start_driver(HOME=str(home)).create(agent.id, login="share")
    on_the_host = without_profile({**host.environment(), "HOME": str(home)})
    assert agent.account(on_the_host, home / agent.host_directory) == "first"
    within(profile)(*agent.log_out)
    assert agent.account(on_the_host, home / agent.host_directory) is None
    assert agent.account(within(profile), profile.path) is None


@checked
def test_a_token_is_used_and_written_nowhere(
    agent: Agent, host: Host, start_driver: StartDriver, within: Within
) -> None:
    token = "sk-ant-oat01-fake-token"
    profile = start_driver(TOKEN_OF_MINE=token).create(
        agent.id, login="token", token_env="TOKEN_OF_MINE"
    )
    assert not (profile.path / agent.login).exists()
    assert profile.login_status() == "token"
    assert agent.uses_token(within(profile), token)
    holding = [
        path
        for path in profile.path.rglob("*")
        if path.is_file() and token.encode() in path.read_bytes()
    ]
    assert not holding
    # A login file that turns up is told, and loses.
    agent.log_in(profile.path / agent.login, "first")
    assert profile.login_status() == "token"
    assert agent.uses_token(within(profile), token)
