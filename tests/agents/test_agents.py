"""The promises of a profile, kept with the agents' own programs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import fetch
from agents import Agent, Run
from conftest import StartDriver
from driver import Driver, Profile
from host import Host

Within = Callable[[Profile], Run]
WithoutProfile = Callable[[dict[str, str]], Run]


def test_the_program_is_the_pinned_version(agent: Agent, profiles: Driver, within: Within) -> None:
    profile = profiles.create(agent.id)
    result = within(profile)("--version")
    version = fetch.PINS[agent.id]["version"].removesuffix("-linux-x64")
    assert version in [word.rstrip(".") for word in (result.out + result.err).split()]


def test_logged_in_from_the_profile_not_from_the_host(
    agent: Agent, host: Host, profiles: Driver, within: Within
) -> None:
    profile = profiles.create(agent.id)
    assert agent.account(within(profile), profile.path) == "first"
    host.log_in(agent, "later")
    assert agent.account(within(profile), profile.path) == "first"


def test_refresh_brings_the_new_login_of_the_host(
    agent: Agent, host: Host, profiles: Driver, within: Within
) -> None:
    profile = profiles.create(agent.id)
    host.log_in(agent, "later")
    profile.refresh_credentials()
    assert agent.account(within(profile), profile.path) == "later"


def test_without_credentials_it_is_logged_out_though_the_host_is_logged_in(
    agent: Agent, host: Host, profiles: Driver, within: Within, without_profile: WithoutProfile
) -> None:
    profile = profiles.create(agent.id, load_credentials=False)
    assert agent.account(within(profile), profile.path) is None

    home = host.copy_of_home()
    on_the_host = without_profile({**host.environment(), "HOME": str(home)})
    assert agent.account(on_the_host, home / agent.host_directory) == "first"


def test_profiles_and_host_do_not_see_each_others_mcp_servers(
    agent: Agent, host: Host, profiles: Driver, within: Within, without_profile: WithoutProfile
) -> None:
    first, second = within(profiles.create(agent.id)), within(profiles.create(agent.id))
    agent.add_server(first, "alpha")
    agent.add_server(second, "beta")
    every = ("alpha", "beta", "hostserver")
    assert agent.servers(first, every) == ["alpha"]
    assert agent.servers(second, every) == ["beta"]

    on_the_host = without_profile({**host.environment(), "HOME": str(host.copy_of_home())})
    assert agent.servers(on_the_host, every) == ["hostserver"]


def test_a_leaking_variable_of_the_parent_is_scrubbed(
    agent: Agent,
    host: Host,
    start_driver: StartDriver,
    within: Within,
    without_profile: WithoutProfile,
) -> None:
    decoy = host.decoy(agent)
    leaks = {name: value.format(decoy=decoy) for name, value in agent.leaks.items()}
    unseen = dict.fromkeys(agent.unseen_leaks, "fake-from-parent")
    profile = start_driver().create(agent.id)

    # Each one, inherited beside the profile's own variable, takes the agent elsewhere.
    moved = {**host.environment(), **agent.environment(profile.path)}
    assert agent.account(without_profile(moved), profile.path) == "first"
    for name, value in leaks.items():
        leaking = without_profile({**moved, name: value})
        assert agent.account(leaking, profile.path) != "first", f"{name} no longer leaks"

    # The library lets none of them through, and all that is not the agent's.
    profile = start_driver(**unseen, **leaks, **agent.environment(decoy)).create(agent.id)
    child = profile.variables()
    inherited = sorted(child.keys() & (leaks.keys() | unseen.keys()))
    assert not inherited, f"not scrubbed: {inherited}"
    assert child.items() >= agent.environment(profile.path).items()
    assert child["OF_THE_PARENT"] == "kept"
    # Its login is the one that these variables led the library to on the host.
    moved = {**host.environment(), **agent.environment(profile.path)}
    nothing_inherited = agent.account(without_profile(moved), profile.path)
    assert nothing_inherited == agent.account(within(profile), profile.path) == "decoy"


def test_home_is_byte_for_byte_what_it_was_after_a_whole_life(
    agent: Agent, host: Host, profiles: Driver, within: Within
) -> None:
    profile = profiles.create(agent.id)
    run = within(profile)
    agent.account(run, profile.path)
    agent.add_server(run, "alpha")
    assert agent.servers(run, ["alpha"]) == ["alpha"]
    profile.refresh_credentials()
    agent.account(run, profile.path)
    profile.destroy()
    host.assert_home_is_untouched()


def test_destroy_removes_all_that_the_agent_wrote(
    agent: Agent, host: Host, profiles: Driver, within: Within
) -> None:
    profile = profiles.create(agent.id)
    made = _files(profile.path)
    agent.add_server(within(profile), "alpha")
    assert _files(profile.path) != made
    profile.destroy()
    assert not profile.path.exists()


def _files(directory: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}
