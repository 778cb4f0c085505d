"""Nothing that Python shows holds a secret: no repr, no error, no traceback."""

from __future__ import annotations

import asyncio
import importlib
import pickle
import sys
import traceback
from pathlib import Path
from typing import Any

import pytest

from host import Host

PACKAGE = Path(__file__).resolve().parents[2] / "bindings/python/src"
MARKER = "zq7Xv9Kp2LmW4tRb8NcY"
PARTS = [MARKER[i : i + 6] for i in range(len(MARKER) - 5)]
LOGIN = f'{{"key": "{MARKER}"}}'
FIELDS: dict[str, Any] = {
    "env_overrides": {"TOKEN": MARKER},
    "seed_files": {"settings.json": MARKER, "raw": MARKER.encode()},
    "credentials": {"auth.json": MARKER, "raw.key": MARKER.encode()},
}


@pytest.fixture
def agent_venv(here: Host, library: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("AGENT_VENV_LIBRARY", str(library))
    if str(PACKAGE) not in sys.path:
        monkeypatch.syspath_prepend(PACKAGE)
    return importlib.import_module("agent_venv")


def shown(each: object) -> str:
    return f"{each!r} {each} {each:}"


def assert_secret(*shown: str) -> None:
    told = [text for text in shown if any(part in text for part in PARTS)]
    assert told == []
    assert all(shown)


def test_no_environment_shows_a_secret(agent_venv: Any, here: Host) -> None:
    here.login(LOGIN)
    events: list[object] = []
    kinds = [
        agent_venv.EnvironmentSpec(**FIELDS),
        agent_venv.Codex(extra_argv=[MARKER]).build_spec(),
    ]
    for spec in kinds:
        env = agent_venv.Environment.ephemeral(spec, on_event=events.append)
        env.refresh_credentials()
        before = shown(env), shown(spec)
        env.destroy()
        assert_secret(*before, shown(env), shown(env.events()), shown(events))
        with pytest.raises(TypeError) as refused:
            pickle.dumps(env)
        assert_secret(shown(refused.value))
    assert len(events) == 9


def test_no_async_environment_shows_a_secret(agent_venv: Any) -> None:
    async def live() -> tuple[str, str]:
        spec = agent_venv.EnvironmentSpec(**FIELDS)
        async with await agent_venv.AsyncEnvironment.ephemeral(spec) as env:
            return shown(env), shown(env.events())

    assert_secret(*asyncio.run(live()))


def test_no_adapter_shows_a_secret(agent_venv: Any, here: Host) -> None:
    here.login(LOGIN)

    class Own(agent_venv.Codex):  # type: ignore[misc]
        def build_spec(self, *, load_credentials: bool | None = None) -> Any:
            return agent_venv.EnvironmentSpec(**FIELDS)

    for adapter in (agent_venv.Codex(), Own()):
        with agent_venv.Environment.ephemeral(adapter=adapter) as env:
            env.refresh_credentials()
            assert_secret(shown(adapter), shown(env), shown(env.events()))


MALFORMED: list[dict[str, Any]] = [
    {"credentials": MARKER},
    {"credentials": [MARKER]},
    {"credentials": {"a": [MARKER]}},
    {"credentials": {"a": {"b": MARKER}}},
    {"credentials": {"a": MARKER + "\ud800"}},
    {"credentials": {"../a": MARKER}},
    {"credentials": {"../a": MARKER.encode()}},
    {"credentials": {"a": MARKER, "a/b": MARKER}},
    {"credentials": {"a": MARKER}, "seed_files": {"a": MARKER}},
    {"credentials": {"a": MARKER}, "file_modes": {"a": MARKER}},
    {"credentials": {"a": MARKER}, "file_modes": {"a": float("nan")}},
    {"credentials": {"a": MARKER}, "unknown": MARKER},
    {"credentials": {"a": {MARKER}}},
    {"seed_files": {"a": object}, "credentials": {"a": MARKER}},
    {"env_overrides": {"A": MARKER + "\0"}},
    {"env_overrides": {"A": MARKER.encode()}},
    {"env_overrides": {"A=": MARKER}},
    {"adapter": "codex", "options": {"load_credentials": MARKER}},
    {"adapter": {"id": "x", "program": "x", "env": {"A": [MARKER]}}},
]


def everything_of(error: BaseException) -> str:
    """All that a program, or its log, could show of an error."""
    told = [shown(error), str(error.args), str(vars(error)), str(getattr(error, "payload", ""))]
    told += [str(error.to_dict())] if hasattr(error, "to_dict") else []
    chain = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return " ".join([*told, everything_of(chain) if chain else ""])


@pytest.mark.parametrize("fields", MALFORMED, ids=range(len(MALFORMED)))
def test_no_refusal_shows_what_was_in_the_spec(agent_venv: Any, fields: dict[str, Any]) -> None:
    with pytest.raises(agent_venv.errors.InvalidEnvironmentSpecError) as refused:
        agent_venv.Environment.ephemeral(agent_venv.EnvironmentSpec.from_dict(fields))
    # A traceback quotes source lines, and these hold no secret of a caller's.
    assert_secret(everything_of(refused.value), "".join(traceback.format_exception(refused.value)))


def test_no_failure_shows_what_was_to_be_written(agent_venv: Any, here: Host) -> None:
    here.login(LOGIN[:-1])
    with pytest.raises(agent_venv.errors.CredentialsMissingError) as missing:
        agent_venv.Environment.ephemeral(adapter=agent_venv.Codex())
    with agent_venv.Environment.ephemeral(agent_venv.EnvironmentSpec(**FIELDS)) as env:
        (env.path / "auth.json").unlink()
        (env.path / "auth.json").mkdir()
        with pytest.raises(agent_venv.errors.ProfileSetupFailedError) as failed:
            env.refresh_credentials()
    with pytest.raises(agent_venv.errors.InternalInvariantViolationError) as misused:
        env.refresh_credentials()
    assert_secret(*(everything_of(each.value) for each in (missing, failed, misused)))
