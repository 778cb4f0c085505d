"""What the registry refuses or can't do: each kind of failure, with its whole payload."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from conftest import kinds

from agent_venv import Codex, Environment, EnvironmentSpec, Event, reap, repair
from agent_venv.errors import (
    AdapterMismatchError,
    AgentVenvError,
    CleanupFailedError,
    CredentialsMissingError,
    EnvironmentNotFoundError,
    InternalInvariantViolationError,
    InvalidEnvironmentSpecError,
    ProfileSetupFailedError,
    RegistryUnavailableError,
)

SPEC = EnvironmentSpec("mine", seed_files={"a": "seed"}, credentials={"login": "secret"})

pytestmark = pytest.mark.usefixtures("registry")


def assert_fails(
    error: type[AgentVenvError], call: Callable[[], object], payload: dict[str, Any]
) -> None:
    with pytest.raises(error) as caught:
        call()
    assert type(caught.value) is error
    assert caught.value.payload == payload
    assert caught.value.to_dict() == {
        "kind": error.kind,
        "message": caught.value.message,
        **payload,
    }
    assert kinds(caught.value.events)[-1] == "error"


def test_an_unknown_name(registry: Path) -> None:
    payload = {"name": "n", "registry_root": str(registry)}
    assert_fails(EnvironmentNotFoundError, lambda: Environment.attach("n"), payload)
    assert_fails(EnvironmentNotFoundError, lambda: Environment.destroy_by_name("n"), payload)


def test_another_adapter(logins: Path) -> None:
    Environment.create_or_attach("n", SPEC)
    payload = {"name": "n", "expected_adapter_id": "mine", "actual_adapter_id": "codex"}
    for call in (
        lambda: Environment.attach("n", adapter=Codex()),
        lambda: Environment.attach("n", adapter="codex"),
        lambda: Environment.create_or_attach("n", adapter=Codex()),
        lambda: Environment.create_or_attach("n", EnvironmentSpec("codex")),
    ):
        assert_fails(AdapterMismatchError, call, payload)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "is empty"),
        ("x" * 1025, "is longer than 1,024 bytes"),
        ("a\0b", "holds NUL"),
        ("\ud800", "holds a lone surrogate, so it is not UTF-8"),
        (7, "must be a string, not int"),
        (None, "must be a string, not NoneType"),
        (b"n", "must be a string, not bytes"),
    ],
)
def test_a_name_that_is_none(name: Any, reason: str, registry: Path) -> None:
    payload = {"field": "name", "reason": reason}
    calls: tuple[Callable[[Any], object], ...] = (
        Environment.attach,
        Environment.create_or_attach,
        Environment.destroy_by_name,
    )
    for call in calls:
        assert_fails(InvalidEnvironmentSpecError, partial(call, name), payload)
    assert not registry.exists()


def test_a_lock_that_is_held_for_too_long(registry: Path) -> None:
    env = Environment.create_or_attach("n", SPEC, lock_timeout_ms=0)
    reason = (
        "another process has held the lock for 0 ms: try again, or find out which (fuser, lslocks)"
    )
    payload = {"reason": reason, "path": str(registry / ".lock")}
    with (registry / ".lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for call in (
            lambda: Environment.create_or_attach("other", SPEC, lock_timeout_ms=0),
            lambda: Environment.destroy_by_name("n", lock_timeout_ms=0),
            lambda: repair(lock_timeout_ms=0),
            env.destroy,
            env.refresh_credentials,
        ):
            assert_fails(RegistryUnavailableError, call, payload)
        assert Environment.attach("n").path == env.path
        assert Environment.list() == ["n"]
        assert reap()["registry"]["failed"] == []
    assert env.destroy() is True


def test_an_index_that_is_damaged_and_its_repair(registry: Path) -> None:
    env = Environment.create_or_attach("n", SPEC)
    (registry / "index.json").write_text("[]")
    reason = (
        "it must be an object, not a list; nothing was changed; "
        "`repair` keeps this file beside it and builds it anew from what is there"
    )
    payload = {"reason": reason, "path": str(registry / "index.json")}
    for call in (
        Environment.list,
        lambda: Environment.attach("m"),
        lambda: Environment.create_or_attach("m"),
        lambda: Environment.destroy_by_name("n"),
        env.destroy,
    ):
        assert_fails(RegistryUnavailableError, call, payload)
    report = repair()
    kept = Path(report.pop("kept_index"))
    assert kept.read_text() == "[]"
    nothing: dict[str, list[str]] = {
        "unverified": [],
        "dropped": [],
        "hostile": [],
        "removed": [],
        "unreadable": [],
    }
    assert report == {"root": str(registry), "restored": ["n"], **nothing}
    assert Environment.list() == ["n"]
    again = repair(registry_root=registry, durable=True)
    assert again == {"root": str(registry), "kept_index": None, "restored": [], **nothing}


def test_a_directory_where_a_credential_belongs() -> None:
    env = Environment.create_or_attach("n", SPEC)
    (env.path / "login").unlink()
    (env.path / "login").mkdir()
    reason = "a directory stands where a file belongs; remove it"
    payload = {"reason": reason, "path": str(env.path / "login")}
    assert_fails(ProfileSetupFailedError, env.refresh_credentials, payload)


def test_a_login_that_is_missing_leaves_no_name(home: Path) -> None:
    payload = {"adapter_id": "codex", "looked_at": [str(home / ".codex/auth.json")]}
    assert_fails(
        CredentialsMissingError, lambda: Environment.create_or_attach("n", adapter=Codex()), payload
    )
    assert Environment.list() == []


def test_a_malformed_spec_makes_no_registry(registry: Path) -> None:
    payload = {
        "field": 'seed_files["../x"]',
        "reason": "has the component `..`: it would lead out of the profile",
    }
    assert_fails(
        InvalidEnvironmentSpecError,
        lambda: Environment.create_or_attach("n", EnvironmentSpec(seed_files={"../x": ""})),
        payload,
    )
    assert not registry.exists()


def test_spec_and_adapter_together() -> None:
    payload = {"field": "spec", "reason": "spec= and adapter= were both given: give one"}
    assert_fails(
        InvalidEnvironmentSpecError,
        lambda: Environment.create_or_attach("n", SPEC, adapter=Codex()),
        payload,
    )


def test_a_handle_that_was_destroyed() -> None:
    env = Environment.create_or_attach("n", SPEC)
    before = (env.path, env.name, env.kind, env.adapter_id, env.env_overrides)
    assert env.destroy() is True
    assert env.destroy() is True
    message = f'the environment at "{env.path}" was destroyed: create another'
    assert_fails(InternalInvariantViolationError, env.refresh_credentials, {"message": message})
    assert (env.path, env.name, env.kind, env.adapter_id, env.env_overrides) == before


@pytest.mark.parametrize(
    ("timeout", "reason"),
    [
        ("5", "must be an integer, not str"),
        (2**63, "is out of range"),
        (-(2**63) - 1, "is out of range"),
        (-2, "must be -1, for the default, or more"),
    ],
)
def test_a_timeout_that_is_none(timeout: Any, reason: str, registry: Path) -> None:
    payload = {"field": "lock_timeout_ms", "reason": reason}
    assert_fails(
        InvalidEnvironmentSpecError,
        lambda: Environment.create_or_attach("n", lock_timeout_ms=timeout),
        payload,
    )
    assert not registry.exists()


def test_a_removal_that_failed_frees_the_name_and_can_be_tried_again(tmp_path: Path) -> None:
    heard: list[Event] = []
    env = Environment.create_or_attach("n", on_event=heard.append)
    (env.path / "mount").mkdir()
    (tmp_path / "outside").mkdir()
    mounted = os.system(f"mount --bind '{tmp_path}/outside' '{env.path}/mount'")
    assert mounted == 0, "this test mounts, so it runs as root"
    with pytest.raises(CleanupFailedError) as caught:
        env.destroy()
    left = caught.value.payload["path"]
    assert set(caught.value.payload) == {"path", "os_error"}
    assert kinds(heard)[-3:] == ["registry.written", "env.destroyed", "error"]
    assert Environment.list() == []
    assert os.system(f"umount '{left}'") == 0
    assert env.destroy() is True
    assert not env.path.parent.exists()
    assert reap()["registry"]["removed"] == []
