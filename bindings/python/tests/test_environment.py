"""The handle: what it tells, what it hands to a child, what it does when called."""

from __future__ import annotations

import copy
import os
import pickle
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import CODEX_LOGIN

import agent_venv
from agent_venv import AgentAdapter, ClaudeCode, Codex, Environment, EnvironmentSpec, Event
from agent_venv.errors import (
    CleanupFailedError,
    CredentialsMissingError,
    InternalInvariantViolationError,
    InvalidEnvironmentSpecError,
    ProfileSetupFailedError,
)

Profiles = Callable[[], list[Path]]
SECRET = "sk-very-secret"
MINE = {
    "id": "mine",
    "program": "mine",
    "env": {"MINE_HOME": "$EPHEMERAL_HOME"},
    "env_unset": ["MINE_KEY", "MINE_TOKEN"],
}


class Rotating(AgentAdapter):
    """An adapter of a caller's own, whose login changes each time it is read."""

    id, cli_bin, config_env_var = "rotating", "rotating", "ROTATING_HOME"
    count = 0

    def build_spec(self, *, load_credentials: bool | None = None) -> EnvironmentSpec:
        self.count += 1
        return EnvironmentSpec(self.id, credentials={"login": f"{SECRET}-{self.count}"})


def test_merged_applies_what_to_unset_and_what_to_set() -> None:
    base = {"KEEP": "1", "MINE_HOME": "/host", "MINE_KEY": "host", "MINE_TOKEN": "host"}
    with Environment.ephemeral(EnvironmentSpec(adapter=MINE)) as env:
        assert env.env_unset == ["MINE_KEY", "MINE_TOKEN"]
        assert env.merged(base) == {"KEEP": "1", "MINE_HOME": str(env.path)}
    assert base["MINE_KEY"] == "host"


def test_merged_takes_the_process_environment_and_leaves_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MINE_KEY", "host")
    before = dict(os.environ)
    with Environment.ephemeral(EnvironmentSpec(adapter=MINE)) as env:
        expected = {**before, "MINE_HOME": str(env.path)}
        del expected["MINE_KEY"]
        assert env.merged(os.environ) == expected
    assert dict(os.environ) == before


def test_a_variable_that_the_caller_sets_is_not_unset() -> None:
    spec = EnvironmentSpec(adapter=MINE, env_overrides={"MINE_KEY": "own"})
    with Environment.ephemeral(spec) as env:
        assert env.merged({"MINE_KEY": "host"})["MINE_KEY"] == "own"


def test_it_is_a_path() -> None:
    with Environment.ephemeral(EnvironmentSpec(seed_files={"a": "b"})) as env:
        assert os.listdir(env) == ["a"]  # noqa: PTH208
        assert Path(env) == env.path
        assert env.path.is_absolute()


def test_handed_out_collections_are_copies() -> None:
    with Environment.ephemeral(EnvironmentSpec(env_overrides={"A": "1"})) as env:
        env.env_overrides["A"] = "2"
        env.env_unset.append("A")
        env.events().clear()
        assert env.env_overrides == {"A": "1"}
        assert env.env_unset == []
        assert len(env.events()) == 1


def test_everything_still_reads_after_destroy() -> None:
    spec = EnvironmentSpec("mine", env_overrides={"A": "$EPHEMERAL_HOME"})
    env = Environment.ephemeral(spec)
    before = (env.path, env.name, env.kind, env.adapter_id, env.env_overrides)
    env.destroy()
    assert (env.path, env.name, env.kind, env.adapter_id, env.env_overrides) == before
    assert [event.kind for event in env.events()] == ["env.created", "env.destroyed"]


def test_destroy_is_idempotent_and_silent_the_second_time(profiles: Profiles) -> None:
    heard: list[Event] = []
    env = Environment.ephemeral(on_event=heard.append)
    assert env.destroy() is True
    assert env.destroy() is True
    assert [event.kind for event in heard] == ["env.created", "env.destroyed"]
    assert profiles() == []


def test_refresh_after_destroy_is_misuse() -> None:
    env = Environment.ephemeral(EnvironmentSpec(credentials={"k": "s"}))
    env.destroy()
    with pytest.raises(InternalInvariantViolationError) as caught:
        env.refresh_credentials()
    assert caught.value.payload == {"message": caught.value.message}


def test_a_block_that_fails_still_removes_its_environment(profiles: Profiles) -> None:
    with pytest.raises(ZeroDivisionError), Environment.ephemeral():
        raise ZeroDivisionError
    assert profiles() == []


def test_a_missing_login_names_where_it_was_looked_for(home: Path, profiles: Profiles) -> None:
    with pytest.raises(CredentialsMissingError) as caught:
        Environment.ephemeral(adapter=Codex())
    place = str(home / ".codex/auth.json")
    assert caught.value.payload == {"adapter_id": "codex", "looked_at": [place]}
    assert profiles() == []


def test_the_root_can_be_chosen_for_one_call(tmp_path: Path, root: Path) -> None:
    with Environment.ephemeral(ephemeral_root=tmp_path / "mine", durable=True) as env:
        assert env.path.is_relative_to(tmp_path / "mine")
    assert not root.exists()


def test_a_root_that_others_can_write_is_refused(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    with pytest.raises(ProfileSetupFailedError) as caught:
        Environment.ephemeral(ephemeral_root=tmp_path / "open")
    assert caught.value.payload["path"] == str(tmp_path / "open")
    assert "AGENT_VENV_EPHEMERAL_ROOT" in caught.value.payload["reason"]


# refresh


def test_refresh_reads_the_hosts_login_as_it_is_now(logins: Path) -> None:
    with Environment.ephemeral(adapter=Codex()) as env:
        assert (env.path / "auth.json").read_text() == CODEX_LOGIN
        (logins / ".codex/auth.json").write_text('{"OPENAI_API_KEY":"new"}')
        env.refresh_credentials()
        assert (env.path / "auth.json").read_text() == '{"OPENAI_API_KEY":"new"}'


def test_refresh_with_a_spec_writes_that_specs_credentials() -> None:
    with Environment.ephemeral(EnvironmentSpec(credentials={"k": "one"})) as env:
        env.refresh_credentials(EnvironmentSpec(credentials={"k": b"two"}))
        assert (env.path / "k").read_bytes() == b"two"


def test_refresh_of_a_callers_adapter_asks_it_again() -> None:
    with Environment.ephemeral(adapter=Rotating()) as env:
        assert (env.path / "login").read_text() == f"{SECRET}-1"
        env.refresh_credentials()
        assert (env.path / "login").read_text() == f"{SECRET}-2"
        env.refresh_credentials(EnvironmentSpec(credentials={"login": "given"}))
        assert (env.path / "login").read_text() == "given"


def test_refresh_of_an_extended_built_in_adapter_asks_it_again(logins: Path) -> None:
    class Extended(Codex):
        asked = 0

        def build_spec(self, *, load_credentials: bool | None = None) -> EnvironmentSpec:
            self.asked += 1
            return super().build_spec(load_credentials=load_credentials)

    adapter = Extended()
    with Environment.ephemeral(adapter=adapter) as env:
        (logins / ".codex/auth.json").write_text("{}")
        env.refresh_credentials()
        assert (env.path / "auth.json").read_text() == "{}"
    assert adapter.asked == 2


def test_refresh_without_a_login_to_read_is_refused() -> None:
    with Environment.ephemeral(adapter=Codex(load_credentials=False)) as env:
        with pytest.raises(InvalidEnvironmentSpecError) as caught:
            env.refresh_credentials()
        assert caught.value.payload["field"] == "spec"
        assert list(env.path.iterdir()) == []


# events


def test_events_come_once_and_in_order_on_the_callers_thread(logins: Path) -> None:
    heard: list[tuple[str, int]] = []

    def sink(event: Event) -> None:
        heard.append((event.kind, threading.get_ident()))

    env = Environment.ephemeral(adapter=ClaudeCode(), on_event=sink)
    env.refresh_credentials()
    env.destroy()
    here = threading.get_ident()
    assert heard == [
        ("env.created", here),
        ("profile.materialized", here),
        ("credentials.copied", here),
        ("credentials.refreshed", here),
        ("env.destroyed", here),
    ]
    assert [kind for kind, _ in heard] == [event.kind for event in env.events()]


def test_events_stay_in_order_where_the_sink_itself_calls() -> None:
    heard: list[str] = []
    made: list[Environment] = []

    def sink(event: Event) -> None:
        heard.append(event.kind)
        if made and event.kind == "credentials.refreshed":
            made[0].destroy()
        heard.append("end " + event.kind)

    env = Environment.ephemeral(EnvironmentSpec(credentials={"k": "s"}), on_event=sink)
    made.append(env)
    heard.clear()
    env.refresh_credentials()
    assert heard == [
        "credentials.refreshed",
        "env.destroyed",
        "end env.destroyed",
        "end credentials.refreshed",
    ]


def test_what_a_sink_raises_is_dropped(profiles: Profiles) -> None:
    def sink(event: Event) -> None:
        raise RuntimeError(event.kind)

    with Environment.ephemeral(on_event=sink) as env:
        assert env.path.is_dir()
    assert profiles() == []


def test_a_failing_call_delivers_its_error(logins: Path) -> None:
    heard: list[Event] = []
    env = Environment.ephemeral(adapter=Codex(), on_event=heard.append)
    (logins / ".codex/auth.json").unlink()
    with pytest.raises(CredentialsMissingError) as caught:
        env.refresh_credentials()
    assert [event.kind for event in heard[-1:]] == ["error"]
    assert heard[-1].data == {"error_kind": "CredentialsMissing", "message": str(caught.value)}
    assert heard == env.events()
    assert caught.value.events == heard[-1:]


def test_a_failing_create_delivers_its_error() -> None:
    heard: list[Event] = []
    with pytest.raises(CredentialsMissingError) as caught:
        Environment.ephemeral(adapter=Codex(), on_event=heard.append)
    assert [event.kind for event in heard] == ["error"]
    assert heard == caught.value.events


# secrets, copies, threads


def test_no_secret_in_repr_or_events() -> None:
    spec = EnvironmentSpec(env_overrides={"T": SECRET}, credentials={"k": SECRET})
    with Environment.ephemeral(spec) as env:
        env.refresh_credentials()
        assert SECRET not in repr(env)
        assert SECRET not in repr(env.events())
        assert str(env.path) in repr(env)


@pytest.mark.parametrize("duplicate", [pickle.dumps, copy.copy, copy.deepcopy])
def test_it_cannot_be_duplicated_and_says_why(duplicate: Callable[[Any], Any]) -> None:
    with (
        Environment.ephemeral() as env,
        pytest.raises(TypeError, match="it owns its profile directory"),
    ):
        duplicate(env)


def test_an_error_survives_pickling() -> None:
    with pytest.raises(CredentialsMissingError) as caught:
        Environment.ephemeral(adapter=Codex())
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.to_dict() == caught.value.to_dict()
    assert again.events == caught.value.events
    assert type(again) is CredentialsMissingError


def test_many_threads_may_use_one_environment(profiles: Profiles) -> None:
    heard: list[Event] = []
    spec = EnvironmentSpec(credentials={"k": "s"})
    env = Environment.ephemeral(spec, on_event=heard.append)
    failed: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(50):
                env.refresh_credentials()
                env.events()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    env.destroy()
    assert failed == []
    assert len(heard) == len(env.events()) == 2 + 8 * 50 + 1
    assert profiles() == []


def test_a_removal_that_failed_can_be_tried_again(
    root: Path, profiles: Profiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[Event] = []
    env = Environment.ephemeral(on_event=heard.append)
    (env.path / "mount").mkdir()
    mounted = os.system(f"mount --bind '{root.parent / 'home'}' '{env.path}/mount'")
    assert mounted == 0, "this test mounts, so it runs as root"
    try:
        with pytest.raises(CleanupFailedError) as caught:
            env.destroy()
        assert caught.value.payload["path"] == str(env.path / "mount")
        assert [event.kind for event in heard] == ["env.created", "env.destroyed", "error"]
        assert heard[1].data["ok"] is False
    finally:
        assert os.system(f"umount '{env.path}/mount'") == 0
    assert env.destroy() is True
    assert profiles() == []


def test_the_registrys_root_is_told_and_not_made(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert agent_venv.default_registry_root() == home / ".local/share/agent-venv/envs"
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert agent_venv.default_registry_root() == tmp_path / "data/agent-venv/envs"
    monkeypatch.setenv("AGENT_VENV_REGISTRY_ROOT", str(tmp_path / "own"))
    assert agent_venv.default_registry_root() == tmp_path / "own"
    assert not (tmp_path / "own").exists()


def test_capabilities_speak_of_this_package() -> None:
    capabilities = agent_venv.capabilities()
    assert capabilities["language"] == "python"
    assert capabilities["spec_version"] == "0.1"
    assert capabilities["package_version"] == agent_venv.__version__
    assert {"darwin", "linux"} == set(capabilities["platforms"])
