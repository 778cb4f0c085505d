"""What is malformed is refused by name and reason, before anything is created."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agent_venv import ClaudeCode, Environment, EnvironmentSpec, Event
from agent_venv._calls import call_for_handle
from agent_venv.errors import InvalidEnvironmentSpecError

FIELDS = "adapter_id, env_overrides, seed_files, credentials, file_modes, prefix, adapter, options"
CLASH = "is both a seed file and a credential: keep it in credentials alone"
RANGE = "must be from 0 to 511 (octal 777)"

Refusal = tuple[dict[str, Any], str, str]


def nested(depth: int) -> dict[str, Any]:
    return {"a": nested(depth - 1)} if depth > 1 else {}


SPECS: list[Refusal] = [
    # wrong types
    ({"adapter_id": 1}, "adapter_id", "must be a string, not a number"),
    ({"env_overrides": []}, "env_overrides", "must be an object, not a list"),
    ({"env_overrides": {"A": 1}}, 'env_overrides["A"]', "must be a string, not a number"),
    ({"env_overrides": {"A": None}}, 'env_overrides["A"]', "must be a string, not null"),
    ({"seed_files": "x"}, "seed_files", "must be an object, not a string"),
    ({"seed_files": {"a": {}}}, 'seed_files["a"]', "must be a string, not an object"),
    ({"credentials": True}, "credentials", "must be an object, not true or false"),
    ({"credentials": {"a": ["x"]}}, 'credentials["a"]', "must be a string, not a list"),
    ({"file_modes": 384}, "file_modes", "must be an object, not a number"),
    (
        {"seed_files": {"a": ""}, "file_modes": {"a": "600"}},
        'file_modes["a"]',
        "must be an integer, not a string",
    ),
    (
        {"seed_files": {"a": ""}, "file_modes": {"a": True}},
        'file_modes["a"]',
        "must be an integer, not true or false",
    ),
    ({"prefix": ["x"]}, "prefix", "must be a string, not a list"),
    ({"adapter": 3}, "adapter", "must be an object, not a number"),
    ({"adapter": "codex", "options": [1]}, "options", "must be an object, not a list"),
    (
        {"adapter": "codex", "options": {"model": 1}},
        "options.model",
        "must be a string, not a number",
    ),
    # paths
    *(
        ({place: {path: ""}}, f"{place}[{shown}]", reason)
        for place in ("seed_files", "credentials")
        for path, shown, reason in (
            ("/etc/x", '"/etc/x"', "is absolute: paths are relative to the profile"),
            ("", '""', "is an empty path"),
            ("../x", '"../x"', "has the component `..`: it would lead out of the profile"),
            ("a/../b", '"a/../b"', "has the component `..`: it would lead out of the profile"),
            ("./a", '"./a"', "has the component `.`"),
            ("a//b", '"a//b"', "has an empty component"),
            ("a/", '"a/"', "ends in /: it must name a file"),
            ("a\0b", '"a\\u0000b"', "holds NUL"),
        )
    ),
    (
        {"seed_files": {"a": "", "a/b": ""}},
        'seed_files["a/b"]',
        'needs a directory where "a" is a file',
    ),
    (
        {"seed_files": {"a": ""}, "credentials": {"a/b": ""}},
        'credentials["a/b"]',
        'needs a directory where "a" is a file',
    ),
    ({"seed_files": {"a": ""}, "credentials": {"a": ""}}, 'seed_files["a"]', CLASH),
    # modes
    ({"file_modes": {"a": 0o600}}, 'file_modes["a"]', "is a mode for a path that nothing writes"),
    ({"seed_files": {"a": ""}, "file_modes": {"a": 0o1000}}, 'file_modes["a"]', RANGE),
    ({"seed_files": {"a": ""}, "file_modes": {"a": -1}}, 'file_modes["a"]', RANGE),
    # variables
    ({"env_overrides": {"": "x"}}, 'env_overrides[""]', "is an empty variable name"),
    (
        {"env_overrides": {"A=B": "x"}},
        'env_overrides["A=B"]',
        "has a variable name that holds = or NUL",
    ),
    (
        {"env_overrides": {"A\0": "x"}},
        'env_overrides["A\\u0000"]',
        "has a variable name that holds = or NUL",
    ),
    ({"env_overrides": {"A": "x\0y"}}, 'env_overrides["A"]', "has a value that holds NUL"),
    # the rest
    ({"adapter_id": "a\0b"}, "adapter_id", "holds NUL"),
    ({"prefix": "a/b"}, "prefix", "holds /"),
    ({"prefix": "a\0b"}, "prefix", "holds NUL"),
    ({"prefix": "x" * 65}, "prefix", "is longer than 64 bytes"),
    (
        {"adapter": "nope"},
        "adapter",
        "is the id of no built-in adapter (there are claude-code, codex, gemini-cli, opencode, "
        "copilot-cli, qwen-code, pi), and there is no "
        "agent-venv/adapters/nope.json in $XDG_CONFIG_HOME or ~/.config; "
        "give its definition instead",
    ),
    (
        {"adapter": "codex", "options": {"colour": "red"}},
        "options.colour",
        "is not known here; known are "
        "model, reasoning_effort, load_credentials, extra_argv, workspace, "
        "isolation, login, token_env, token_file, trusted_directories",
    ),
    ({"options": {"model": "m"}}, "options", "needs an adapter: name one in the field adapter"),
]

UNKNOWN_FIELDS: list[Refusal] = [
    ({"seeds": {}}, "seeds", f"is not known here; known are {FIELDS}"),
    ({"a b": {}}, '"a b"', f"is not known here; known are {FIELDS}"),
]

# What JSON could not say, or would bend, never reaches the library.
UNSAYABLE: list[Refusal] = [
    ({"env_overrides": {1: "x"}}, 'env_overrides["1"]', "must be a string, not int"),
    ({"env_overrides": {"A": b"x"}}, 'env_overrides["A"]', "cannot be bytes"),
    ({"env_overrides": {"A": Path("x")}}, 'env_overrides["A"]', "cannot be PosixPath"),
    ({"seed_files": {"a": bytearray()}}, 'seed_files["a"]', "cannot be bytearray"),
    (
        {"seed_files": {"a": "\ud800"}},
        'seed_files["a"]',
        "holds a lone surrogate, so it is not UTF-8",
    ),
    (
        {"seed_files": {"\udc80": ""}},
        'seed_files["\\udc80"]',
        "holds a lone surrogate, so it is not UTF-8",
    ),
    (
        {"adapter_id": "\ud800"},
        "adapter_id",
        "holds a lone surrogate, so it is not UTF-8",
    ),
]


def assert_refusal(raised: InvalidEnvironmentSpecError, field: str, reason: str) -> None:
    assert raised.kind == "InvalidEnvironmentSpec"
    assert raised.payload == {"field": field, "reason": reason}
    assert raised.message == f"{field}: {reason}"
    raised.message.encode()


@pytest.mark.parametrize(("data", "field", "reason"), SPECS + UNSAYABLE)
def test_a_malformed_spec_creates_nothing(
    data: dict[str, Any], field: str, reason: str, root: Path
) -> None:
    heard: list[Event] = []
    with pytest.raises(InvalidEnvironmentSpecError) as caught:
        Environment.ephemeral(EnvironmentSpec(**data), on_event=heard.append)
    assert_refusal(caught.value, field, reason)
    assert [event.kind for event in heard] == ["error"]
    assert heard == caught.value.events
    assert heard[0].data == {"error_kind": caught.value.kind, "message": caught.value.message}
    assert not root.exists()


@pytest.mark.parametrize(("data", "field", "reason"), SPECS + UNSAYABLE + UNKNOWN_FIELDS)
def test_from_dict_refuses_a_malformed_spec(data: dict[str, Any], field: str, reason: str) -> None:
    with pytest.raises(InvalidEnvironmentSpecError) as caught:
        EnvironmentSpec.from_dict(data)
    assert_refusal(caught.value, field, reason)


@pytest.mark.parametrize(
    ("text", "field", "reason"),
    [
        (b"{", "spec", "is not valid JSON (line 1, column 1)"),
        (b"{} {}", "spec", "is not valid JSON (line 1, column 4)"),
        (b"[]", "spec", "must be an object, not a list"),
        (b"null", "spec", "must be an object, not null"),
        (b'{"prefix":"a","prefix":"b"}', "prefix", "is there twice"),
        (b'{"seed_files":{"x":"1","x":"2"}}', 'seed_files["x"]', "is there twice"),
        (b'{"prefix":"' + b"x" * (64 << 20) + b'"}', "spec", "is larger than 64 MiB"),
        (b'{"prefix":"\xff"}', "json", "is not valid UTF-8"),
    ],
    ids=lambda value: value[:30] if isinstance(value, (bytes, str)) else None,
)
def test_json_that_no_dict_can_be_is_refused(text: bytes, field: str, reason: str) -> None:
    with pytest.raises(InvalidEnvironmentSpecError) as caught:
        call_for_handle("avenv_spec_parse", text)
    assert_refusal(caught.value, field, reason)


@pytest.mark.parametrize("depth", [65, 500, 100_000])
def test_deep_nesting_is_refused(depth: int) -> None:
    deep: dict[str, Any] = {}
    for _ in range(depth):
        deep = {"a": deep}
    with pytest.raises(InvalidEnvironmentSpecError, match=r"nests (deeper than 64|too deep)"):
        EnvironmentSpec.from_dict({"adapter": deep})


def test_a_spec_that_holds_itself_is_refused() -> None:
    loop: dict[str, Any] = {}
    loop["adapter"] = loop
    with pytest.raises(InvalidEnvironmentSpecError, match="nests too deep"):
        EnvironmentSpec.from_dict(loop)


@pytest.mark.parametrize(
    "number", [float("nan"), float("inf"), 10**5000], ids=["nan", "inf", "huge"]
)
def test_numbers_that_json_lacks_are_refused(number: float) -> None:
    with pytest.raises(InvalidEnvironmentSpecError):
        EnvironmentSpec.from_dict({"seed_files": {"a": ""}, "file_modes": {"a": number}})


@pytest.mark.parametrize("spec", [{}, "claude-code", ClaudeCode()])
def test_what_is_no_spec_is_refused(spec: Any, root: Path) -> None:
    with pytest.raises(InvalidEnvironmentSpecError) as caught:
        Environment.ephemeral(spec)
    reason = f"must be an EnvironmentSpec, not {type(spec).__name__}"
    assert_refusal(caught.value, "spec", reason)
    assert not root.exists()


def test_spec_and_adapter_together_are_refused(logins: Path, root: Path) -> None:
    with pytest.raises(InvalidEnvironmentSpecError) as caught:
        Environment.ephemeral(EnvironmentSpec(), adapter=ClaudeCode())
    assert_refusal(caught.value, "spec", "spec= and adapter= were both given: give one")
    assert not root.exists()


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("/tmp/a\0b", "holds NUL"),
        (b"/tmp/\xff", "holds a lone surrogate, so it is not UTF-8"),
        (7, "must be a string, not int"),
    ],
)
def test_a_root_that_no_c_string_can_hold_is_refused(bad: Any, reason: str) -> None:
    with pytest.raises(InvalidEnvironmentSpecError) as caught:
        Environment.ephemeral(ephemeral_root=bad)
    assert_refusal(caught.value, "ephemeral_root", reason)
