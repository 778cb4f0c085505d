"""What a spec says is what the profile holds, and what it hides stays hidden."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from agent_venv import ClaudeCode, Codex, Environment, EnvironmentSpec
from agent_venv.errors import CredentialsMissingError

SECRET = "sk-very-secret"
NOT_TEXT = b"\x00\xff\xfe end"


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_contents_may_be_text_or_bytes() -> None:
    spec = EnvironmentSpec(
        seed_files={"a/b": "text\0 \u00e9", "bin": NOT_TEXT, "none": b""},
        credentials={"c/key": NOT_TEXT, "token": "t"},
    )
    with Environment.ephemeral(spec) as env:
        assert (env.path / "a/b").read_bytes() == "text\0 \u00e9".encode()
        assert (env.path / "bin").read_bytes() == NOT_TEXT
        assert (env.path / "none").read_bytes() == b""
        assert (env.path / "c/key").read_bytes() == NOT_TEXT
        assert {mode(file) for file in env.path.rglob("*") if file.is_file()} == {0o600}


def test_a_mode_holds_for_text_and_for_bytes() -> None:
    spec = EnvironmentSpec(
        seed_files={"hook": "#!/bin/sh\n", "tool": NOT_TEXT},
        credentials={"key": "k", "raw": NOT_TEXT},
        file_modes={"hook": 0o700, "tool": 0o500, "key": 0o640, "raw": 0o400},
    )
    with Environment.ephemeral(spec) as env:
        found = {path: mode(env.path / path) for path in spec.file_modes}
    assert found == spec.file_modes


def test_a_spec_with_bytes_goes_through_a_dict_and_back() -> None:
    spec = EnvironmentSpec(seed_files={"bin": NOT_TEXT}, credentials={"key": NOT_TEXT})
    assert EnvironmentSpec.from_dict(spec.to_dict()) == spec


def test_a_dict_of_a_spec_is_a_copy() -> None:
    spec = EnvironmentSpec(seed_files={"a": "b"})
    spec.to_dict()["seed_files"]["x"] = "y"
    data = {"seed_files": {"a": "b"}}
    EnvironmentSpec.from_dict(data).seed_files["x"] = "y"
    assert spec.seed_files == {"a": "b"}
    assert data == {"seed_files": {"a": "b"}}


def test_an_adapters_own_id_and_prefix_stand_unless_others_are_set() -> None:
    options = {"load_credentials": False}
    spec = EnvironmentSpec(adapter="codex", options=options)
    assert spec.to_dict() == {
        "env_overrides": {},
        "seed_files": {},
        "file_modes": {},
        "credentials": {},
        "adapter": "codex",
        "options": options,
    }
    with Environment.ephemeral(spec) as env:
        assert env.adapter_id == "codex"
        assert env.path.name.startswith("agent-venv-codex-")
    with Environment.ephemeral(dataclasses.replace(spec, adapter_id="mine", prefix="p-")) as env:
        assert env.adapter_id == "mine"
        assert env.path.name.startswith("p-")


def test_own_files_and_variables_are_laid_over_the_adapters(logins: Path) -> None:
    spec = ClaudeCode().build_spec()
    spec.seed_files[".claude.json"] = "{}"
    spec.credentials[".credentials.json"] = "mine"
    spec.env_overrides["EXTRA"] = "1"
    with Environment.ephemeral(spec) as env:
        assert (env.path / ".claude.json").read_text() == "{}"
        assert (env.path / ".credentials.json").read_text() == "mine"
        assert env.env_overrides == {"CLAUDE_CONFIG_DIR": str(env.path), "EXTRA": "1"}


def test_an_adapter_may_be_a_definition_of_ones_own(home: Path) -> None:
    definition = {
        "id": "mine",
        "program": "mine",
        "env": {"MINE": "$EPHEMERAL_HOME"},
        "login": [{"profile": "auth", "host": [{"file": "~/.mine"}]}],
    }
    with pytest.raises(CredentialsMissingError) as caught:
        Environment.ephemeral(EnvironmentSpec(adapter=definition))
    assert caught.value.payload == {"adapter_id": "mine", "looked_at": [str(home / ".mine")]}
    (home / ".mine").write_text("login")
    with Environment.ephemeral(EnvironmentSpec(adapter=definition)) as env:
        assert (env.path / "auth").read_text() == "login"
        assert env.env_overrides == {"MINE": str(env.path)}


@pytest.mark.parametrize("adapter", [ClaudeCode(), Codex()])
def test_a_built_in_adapters_spec_names_it_and_holds_no_login(
    adapter: ClaudeCode | Codex, logins: Path
) -> None:
    spec = adapter.build_spec()
    assert spec.adapter == spec.adapter_id == adapter.id
    assert spec.credentials == {}
    assert "fake" not in str(spec.to_dict())


def test_repr_shows_names_and_no_values() -> None:
    spec = EnvironmentSpec(
        "mine",
        env_overrides={"TOKEN": SECRET},
        seed_files={"config": SECRET},
        credentials={"auth.json": SECRET.encode()},
        adapter={"id": "mine", "seed_files": {"x": SECRET}},
        options={"extra_argv": [SECRET]},
    )
    shown = repr(spec)
    assert SECRET not in shown
    for name in ("mine", "TOKEN", "config", "auth.json"):
        assert name in shown


def test_repr_shows_nothing_of_a_spec_of_wrong_types() -> None:
    spec = EnvironmentSpec(seed_files=[SECRET], credentials=SECRET)  # type: ignore[arg-type]
    assert SECRET not in repr(spec)
