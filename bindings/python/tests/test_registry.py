"""Environments that are kept by name: found again by every process, and whole or absent."""

from __future__ import annotations

import copy
import gc
import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import CODEX_LOGIN, kinds, run_python

from agent_venv import (
    AgentAdapter,
    Codex,
    Environment,
    EnvironmentSpec,
    Event,
    reap,
)
from agent_venv.errors import (
    EnvironmentNotFoundError,
    InvalidEnvironmentSpecError,
)

SPEC = EnvironmentSpec(
    "mine",
    env_overrides={"MINE": "$EPHEMERAL_HOME/x"},
    seed_files={"a/b": "seed"},
    credentials={"login": "secret"},
)


pytestmark = pytest.mark.usefixtures("registry")


class Rotating(AgentAdapter):
    """An adapter of a caller's own, whose login is another each time."""

    id, cli_bin, config_env_var = "rotating", "rotating", "ROTATING_HOME"
    count = 0

    def build_spec(self, *, load_credentials: bool | None = None) -> EnvironmentSpec:
        self.count += 1
        return EnvironmentSpec(self.id, credentials={"login": f"login {self.count}"})


# lives


def test_it_outlives_its_block_its_handle_and_its_process() -> None:
    with Environment.create_or_attach("n", SPEC) as env:
        path = env.path
    assert (path / "a/b").read_text() == "seed"
    del env
    gc.collect()
    assert (path / "a/b").is_file()
    program = "from agent_venv import Environment\nwith Environment.attach('n') as e: print(e.path)"
    assert run_python(program).stdout == f"{path}\n"
    assert (path / "a/b").is_file()


def test_a_block_that_fails_leaves_it() -> None:
    with pytest.raises(ZeroDivisionError), Environment.create_or_attach("n"):
        raise ZeroDivisionError
    assert Environment.list() == ["n"]


def test_attaching_changes_nothing_and_tells_what_was_recorded() -> None:
    made = Environment.create_or_attach("n", SPEC)
    (made.path / "a/b").write_text("changed")
    for env in (
        Environment.create_or_attach("n", EnvironmentSpec("mine", seed_files={"other": ""})),
        Environment.attach("n"),
        Environment.attach("n", adapter="mine"),
    ):
        assert (env.name, env.kind, env.is_persistent) == ("n", "persistent", True)
        assert (env.path, env.adapter_id) == (made.path, "mine")
        assert env.env_overrides == made.env_overrides == {"MINE": f"{made.path}/x"}
        assert kinds(env.events()) == ["env.attached", "registry.read"]
        assert (env.path / "a/b").read_text() == "changed"
        assert not (env.path / "other").exists()


def test_events_are_heard_in_order() -> None:
    heard: list[Event] = []
    env = Environment.create_or_attach("n", SPEC, on_event=heard.append)
    env.refresh_credentials()
    env.destroy()
    assert kinds(heard) == [
        "env.created",
        "profile.materialized",
        "credentials.copied",
        "registry.written",
        "credentials.refreshed",
        "registry.written",
        "env.destroyed",
    ]
    assert heard == env.events()


def test_a_failure_is_heard_too() -> None:
    heard: list[Event] = []
    with pytest.raises(EnvironmentNotFoundError) as caught:
        Environment.attach("n", on_event=heard.append)
    assert kinds(heard) == ["error"]
    assert heard == caught.value.events


def test_a_stale_handle_harms_nobody() -> None:
    stale = Environment.create_or_attach("n", SPEC)
    assert Environment.destroy_by_name("n") is True
    new = Environment.create_or_attach("n", SPEC)
    with pytest.raises(EnvironmentNotFoundError):
        stale.refresh_credentials()
    assert stale.destroy() is True
    assert (new.path / "login").is_file()
    assert Environment.list() == ["n"]


def test_a_registry_that_is_not_there_is_empty_and_is_not_made(registry: Path) -> None:
    assert Environment.list() == []
    with pytest.raises(EnvironmentNotFoundError):
        Environment.attach("n")
    assert not registry.exists()


@pytest.mark.parametrize(
    "name", ["a b", "\u00e9\U0001f600", "'\"`$", "a\nb\t", "__proto__", "..", "/", "x" * 1024]
)
def test_any_name_is_kept_as_it_is(name: str) -> None:
    env = Environment.create_or_attach(name)
    assert env.name == name
    assert Environment.list() == [name]
    assert Environment.attach(name).path == env.path
    assert repr(name) in repr(env)
    assert Environment.destroy_by_name(name) is True
    assert Environment.list() == []


def test_the_root_can_be_chosen_for_one_call(tmp_path: Path, registry: Path) -> None:
    other = tmp_path / "other"
    env = Environment.create_or_attach("n", registry_root=str(other), durable=True)
    assert env.path.is_relative_to(other)
    assert Environment.attach("n", registry_root=other).path == env.path
    assert Environment.list(registry_root=other) == ["n"]
    env.refresh_credentials(SPEC)
    assert Environment.destroy_by_name("n", registry_root=other, durable=True) is True
    assert not registry.exists()


def test_it_cannot_be_duplicated_and_says_why() -> None:
    env = Environment.create_or_attach("n")
    duplicates: list[Callable[[Any], Any]] = [pickle.dumps, copy.copy, copy.deepcopy]
    for duplicate in duplicates:
        with pytest.raises(TypeError, match="attach by the name instead"):
            duplicate(env)


# logins


def test_a_login_is_refreshed_in_another_process(logins: Path) -> None:
    env = Environment.create_or_attach("n", adapter=Codex())
    assert (env.path / "auth.json").read_text() == CODEX_LOGIN
    (logins / ".codex/auth.json").write_text('{"new":1}')
    run_python("from agent_venv import Environment; Environment.attach('n').refresh_credentials()")
    assert (env.path / "auth.json").read_text() == '{"new":1}'


def test_a_callers_adapter_is_asked_when_another_process_refreshes() -> None:
    env = Environment.create_or_attach("n", adapter=Rotating())
    assert (env.path / "login").read_text() == "login 1"
    env.refresh_credentials()
    assert (env.path / "login").read_text() == "login 2"
    run_python("""
from agent_venv import AgentAdapter, Environment, EnvironmentSpec
class Rotating(AgentAdapter):
    id, cli_bin, config_env_var = "rotating", "rotating", "ROTATING_HOME"
    def build_spec(self, *, load_credentials=None):
        return EnvironmentSpec(self.id, credentials={"login": "of another process"})
Environment.attach("n", adapter=Rotating()).refresh_credentials()
""")
    assert (env.path / "login").read_text() == "of another process"


def test_attaching_does_not_ask_the_adapter_for_a_spec() -> None:
    Environment.create_or_attach("n", adapter=Rotating())
    adapter = Rotating()
    Environment.attach("n", adapter=adapter)
    assert adapter.count == 0


def test_an_entry_of_another_program_is_refreshed_by_the_adapter_that_is_given(
    registry: Path, logins: Path
) -> None:
    env = Environment.create_or_attach("n", adapter=Codex())
    metadata = env.path.parent / "metadata.json"
    shared = json.loads(metadata.read_text())
    for ours in ("writer", "instance", "env_overrides_template", "adapter", "options"):
        del shared[ours]
    metadata.write_text(json.dumps(shared))
    (env.path.parent / ".committed").unlink()
    login = logins / ".codex/auth.json"
    login.write_text('{"new":1}')
    os.utime(login, (9e9, 9e9))  # nobody wrote down what was copied, so that the newer file counts
    with pytest.raises(InvalidEnvironmentSpecError) as caught:
        Environment.attach("n").refresh_credentials()
    assert caught.value.payload["field"] == "spec"
    Environment.attach("n", adapter=Codex()).refresh_credentials()
    assert (env.path / "auth.json").read_text() == '{"new":1}'


def test_refresh_with_a_spec_writes_that_specs_credentials() -> None:
    env = Environment.create_or_attach("n", SPEC)
    Environment.attach("n").refresh_credentials(EnvironmentSpec(credentials={"login": b"new"}))
    assert (env.path / "login").read_bytes() == b"new"


# forks


def test_a_forked_child_detaches_whatever_it_does() -> None:
    done = run_python("""
import gc, os
from agent_venv import Environment, EnvironmentSpec
env = Environment.create_or_attach("n", EnvironmentSpec(seed_files={"a": "it stands"}))
for work in ("with env: pass", "del env; gc.collect()", "print(Environment.attach('n').name)", ""):
    child = os.fork()
    if child == 0:
        exec(work)
        raise SystemExit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(status, (env.path / "a").read_text(), flush=True)
print(Environment.list())
""")
    assert done.stdout == "0 it stands\n0 it stands\nn\n0 it stands\n0 it stands\n['n']\n"


def test_a_forked_child_may_refresh_and_destroy_what_its_parent_made() -> None:
    # A persistent environment belongs to nobody: any process may, by its name or by a handle.
    done = run_python("""
import os
from agent_venv import Environment, EnvironmentSpec
env = Environment.create_or_attach("n", EnvironmentSpec(credentials={"k": "one"}))
child = os.fork()
if child == 0:
    env.refresh_credentials(EnvironmentSpec(credentials={"k": "two"}))
    print((env.path / "k").read_text(), env.destroy(), flush=True)
    raise SystemExit(0)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), env.path.exists(), env.destroy())
""")
    assert done.stdout == "two True\n0 False True\n"


# what the dead left


def test_reap_takes_what_a_killed_creator_left(registry: Path) -> None:
    env = Environment.create_or_attach("n")
    staging = registry / ".agent-venv" / "00000000-deadbeef"
    staging.mkdir()
    (staging / "login").write_text("secret")
    report = reap(registry_root=registry)["registry"]
    assert report == {"root": str(registry), "removed": [str(staging)], "kept": 0, "failed": []}
    assert not staging.exists()
    assert env.path.is_dir()
