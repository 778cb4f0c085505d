"""Secrets go to the files that they are for, and nowhere else."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from abi import Abi
from host import Host

MARKER = "zq7Xv9Kp2LmW4tRb8NcY"
PARTS = [MARKER[i : i + 6] for i in range(len(MARKER) - 5)]
HANDED_BACK = {"avenv_environment_env_overrides_json", "avenv_environment_envp"}
"""What hands the caller's own variables back to it."""

WHOLE: dict[str, Any] = {
    "env_overrides": {"TOKEN": MARKER},
    "seed_files": {"settings.json": MARKER, "a/b": f'{{"key": "{MARKER}"}}'},
    "credentials": {"auth.json": MARKER, "oauth/token": f'{{"key": "{MARKER}"}}'},
    "file_modes": {"a/b": 384},
    "adapter": {
        "id": "own",
        "program": "own",
        "env": {"OTHER_TOKEN": MARKER},
        "seed_files": {"other": MARKER},
        "login": [{"profile": "login.json", "host": [{"file": "~/.codex/auth.json"}]}],
    },
    "options": {"load_credentials": False},
}

# Each with the secret beside what is wrong, or as what is wrong.
MALFORMED = [
    MARKER,
    f'"{MARKER}"',
    f'["{MARKER}"]',
    f'{{"credentials": "{MARKER}"}}',
    f'{{"credentials": ["{MARKER}"]}}',
    f'{{"credentials": {{"a": ["{MARKER}"]}}}}',
    f'{{"credentials": {{"a": {{"b": "{MARKER}"}}}}}}',
    f'{{"credentials": {{"a": "{MARKER}", "a": "{MARKER}"}}}}',
    f'{{"credentials": {{"a": "{MARKER}"}}, "credentials": {{"a": "{MARKER}"}}}}',
    f'{{"credentials": {{"../a": "{MARKER}"}}}}',
    f'{{"credentials": {{"a": "{MARKER}", "a/b": "{MARKER}"}}}}',
    f'{{"credentials": {{"a": "{MARKER}"}}, "seed_files": {{"a": "{MARKER}"}}}}',
    f'{{"credentials": {{"a": "{MARKER}"}}, "unknown": "{MARKER}"}}',
    f'{{"credentials": {{"a": "{MARKER}"}}, "file_modes": {{"a": "{MARKER}"}}}}',
    f'{{"credentials": {{"a": "{MARKER}"}}, "file_modes": {{"b": 384}}}}',
    f'{{"credentials": {{"a": "{MARKER}\\ud800"}}}}',
    f'{{"credentials": {{"a": "{MARKER}\t"}}}}',
    f'{{"seed_files": "{MARKER}"}}',
    f'{{"seed_files": {{"a": [{json.dumps(MARKER)}]}}}}',
    f'{{"env_overrides": "{MARKER}"}}',
    f'{{"env_overrides": {{"A": ["{MARKER}"]}}}}',
    f'{{"env_overrides": {{"A": "{MARKER}\\u0000"}}}}',
    f'{{"env_overrides": {{"A=B": "{MARKER}"}}}}',
    f'{{"env_overrides": {{"": "{MARKER}"}}}}',
    f'{{"file_modes": "{MARKER}"}}',
    f'{{"adapter_id": ["{MARKER}"]}}',
    f'{{"prefix": ["{MARKER}"]}}',
    f'{{"options": "{MARKER}"}}',
    f'{{"adapter": "codex", "options": "{MARKER}"}}',
    f'{{"adapter": "codex", "options": {{"load_credentials": "{MARKER}"}}}}',
    f'{{"adapter": "codex", "options": {{"extra_argv": "{MARKER}"}}}}',
    f'{{"adapter": "codex", "options": {{"unknown": "{MARKER}"}}}}',
    f'{{"adapter": ["{MARKER}"]}}',
    f'{{"adapter": {{"id": "x", "env": {{"A": "{MARKER}"}}}}}}',
    f'{{"adapter": {{"id": "x", "program": "x", "env": {{"A": ["{MARKER}"]}}}}}}',
    f'{{"adapter": {{"id": "x", "program": "x", "env": {{"A": "{MARKER}\\u0000"}}}}}}',
    f'{{"adapter": {{"id": "x", "program": "x", "seed_files": {{"a": ["{MARKER}"]}}}}}}',
    f'{{"adapter": {{"id": "x", "program": "x", "seed_files": {{"../a": "{MARKER}"}}}}}}',
    f'{{"adapter": {{"id": "x", "program": "x", "unknown": "{MARKER}"}}}}',
]


@pytest.fixture
def abi(here: Host, library: Path) -> Abi:
    return Abi(library)


def assert_secret(abi: Abi, calls: int, *, but: set[str] = HANDED_BACK) -> None:
    assert len(abi.said) >= calls
    told = [each for each in abi.said if any(part in each[1] for part in PARTS)]
    assert [each for each in told if each[0] not in but] == []


def test_no_getter_of_a_living_or_destroyed_environment_tells_a_secret(abi: Abi) -> None:
    environment = abi.environment(abi.spec(json.dumps(WHOLE)))
    assert environment is not None
    abi.call("avenv_environment_refresh_credentials", environment, None, None)
    abi.ask(environment)
    abi.end(environment)
    assert_secret(abi, calls=20)


def test_login_of_the_host_reaches_the_profile_and_nothing_else(abi: Abi, here: Host) -> None:
    here.login(f'{{"key": "{MARKER}"}}')
    environment = abi.environment(abi.spec('{"adapter": "codex"}'))
    assert environment is not None
    abi.call("avenv_environment_refresh_credentials", environment, None, None)
    assert MARKER in next(here.root.glob("*/*/auth.json")).read_text()
    abi.text("avenv_reap", None)
    abi.end(environment)
    assert_secret(abi, calls=20, but=set())


@pytest.mark.parametrize("json", MALFORMED)
def test_no_refusal_of_a_spec_tells_what_is_in_it(abi: Abi, json: str) -> None:
    assert abi.spec(json) is None
    if json[0] in "{[":
        # As an adapter's definition, and as an adapter's options, it is as wrong.
        abi.call("avenv_adapter_ensure_available", json.encode())
        abi.text("avenv_adapter_argv_json", b"codex", json.encode())
    assert_secret(abi, calls=4)


def test_no_refusal_of_a_torn_spec_tells_what_is_in_it(abi: Abi) -> None:
    whole = json.dumps(WHOLE)
    for end in range(len(whole)):
        assert abi.spec(whole[:end]) is None
    for place in range(len(whole)):
        for wrong in '"}]{,\\0':
            abi.call("avenv_spec_free", abi.spec(whole[:place] + wrong + whole[place + 1 :]))
    assert_secret(abi, calls=4 * len(whole))


def test_no_refusal_of_a_piece_tells_what_is_in_it(abi: Abi) -> None:
    secret = MARKER.encode()
    spec = abi.spec('{"seed_files": {"a": ""}}')
    for path in (b"", b"/a", b"../a", b"a/b", b"\xff", b"a/"):
        abi.call("avenv_spec_add_credential", spec, path, secret, len(secret))
        abi.call("avenv_spec_add_seed_file", spec, path, secret, len(secret), 0)
    for name in (b"", b"A=B", b"\xff"):
        abi.call("avenv_spec_set_env", spec, name, secret)
    abi.call("avenv_spec_set_env", spec, b"A", secret + b"\xff")
    assert_secret(abi, calls=4 * 16)


@pytest.mark.parametrize(
    "login", [MARKER, f'{{"key": "{MARKER}"', f'"{MARKER}\n"', MARKER * (1 << 20)], ids=range(4)
)
def test_no_complaint_about_a_login_tells_what_is_in_it(abi: Abi, here: Host, login: str) -> None:
    here.login(login)
    assert abi.environment(abi.spec('{"adapter": "codex"}')) is None
    assert_secret(abi, calls=4, but=set())


def test_no_failure_to_write_or_remove_tells_what_was_written(abi: Abi, here: Host) -> None:
    environment = abi.environment(abi.spec(json.dumps(WHOLE)))
    assert environment is not None
    profile = next(here.root.glob("*/*/"))
    (profile / "auth.json").unlink()
    (profile / "auth.json").mkdir()
    refresh = ("avenv_environment_refresh_credentials", environment, None, None)
    assert abi.call(*refresh) is None
    abi.end(environment)
    too_long = {**WHOLE, "credentials": {"x" * 256: MARKER}}
    assert abi.environment(abi.spec(json.dumps(too_long))) is None
    os.environ["TMPDIR"] = str(here.home / "nowhere")
    assert abi.environment(abi.spec(json.dumps(WHOLE))) is None
    assert_secret(abi, calls=30)


@pytest.mark.parametrize("way", ["literal", "json", "login", "members", "token", "refused"])
def test_secret_is_wiped_from_memory_when_it_is_let_go(root_host: Host, way: str) -> None:
    unused, held, after = map(int, root_host.run("memory", way))
    assert (unused, after) == (0, 0)
    # It would have been found: the handle keeps what it was given, and a token that it tells twice,
    # but no login of the host's.
    assert held == {"login": 0, "members": 0, "token": 32}.get(way, 16)
