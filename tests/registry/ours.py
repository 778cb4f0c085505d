"""The library's registry, by its C ABI."""

from __future__ import annotations

import ctypes
import json
import os
from collections.abc import Callable
from ctypes import byref, c_char_p, c_int64, c_void_p
from pathlib import Path
from typing import Any

import pytest

TREE = Path(__file__).resolve().parents[2]
Json = dict[str, Any]


class LibraryError(Exception):
    """What the library answered instead."""

    def __init__(self, kind: str, message: str, payload: Json) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind
        self.message = message
        self.payload = payload

    @property
    def reason(self) -> str:
        return str(self.payload.get("reason", ""))

    @property
    def path(self) -> str:
        return str(self.payload.get("path", ""))


def _load() -> ctypes.CDLL:
    built = TREE / "target/release/libagent_venv.so"
    chosen = Path(os.environ.get("AGENT_VENV_LIBRARY") or built).resolve()
    assert chosen.is_file(), f"{chosen} is missing: build it with cargo build --release"
    library = ctypes.CDLL(str(chosen))
    library.avenv_options_new.restype = c_void_p
    return library


_LIBRARY = _load()


def _call(function: str, *arguments: object, output: bool = False) -> c_void_p:
    """One call that can fail; answers its output, where it has one."""
    out, error = c_void_p(), c_void_p()
    outputs = [byref(out)] if output else []
    status = getattr(_LIBRARY, f"avenv_{function}")(*arguments, *outputs, byref(error))
    if status == 0:
        return out
    kind, message, payload = (
        _lent(f"error_{w}", error) for w in ("kind", "message", "payload_json")
    )
    _LIBRARY.avenv_error_free(error)
    raise LibraryError(kind, message, json.loads(payload))


def _lent(getter: str, pointer: c_void_p) -> str:
    entry = getattr(_LIBRARY, f"avenv_{getter}")
    entry.restype = c_char_p
    text: bytes = entry(pointer)
    return text.decode()


def _text(pointer: c_void_p) -> str:
    text = ctypes.cast(pointer, c_char_p).value
    assert text is not None
    _LIBRARY.avenv_string_free(pointer)
    return text.decode()


class _Options:
    def __init__(self, root: Path | str | None, adapter: str | None, timeout_ms: int) -> None:
        self.pointer = c_void_p(_LIBRARY.avenv_options_new())
        if root is not None:
            _call("options_set_registry_root", self.pointer, str(root).encode())
        if adapter is not None:
            _call("options_set_expected_adapter", self.pointer, adapter.encode())
        _call("options_set_lock_timeout_ms", self.pointer, c_int64(timeout_ms))

    def __enter__(self) -> c_void_p:
        return self.pointer

    def __exit__(self, *_: object) -> None:
        _LIBRARY.avenv_options_free(self.pointer)


class _Spec:
    def __init__(self, spec: Json | None) -> None:
        self.pointer = c_void_p()
        if spec is not None:
            self.pointer = _call("spec_parse", json.dumps(spec).encode(), output=True)

    def __enter__(self) -> c_void_p:
        return self.pointer

    def __exit__(self, *_: object) -> None:
        _LIBRARY.avenv_spec_free(self.pointer)


class Environment:
    """A handle, which remembers the root that it came by."""

    def __init__(self, pointer: c_void_p) -> None:
        self._pointer = pointer
        self.path = Path(_lent("environment_path", pointer))
        self.adapter_id = _lent("environment_adapter_id", pointer)
        overrides = _lent("environment_env_overrides_json", pointer)
        self.env_overrides: dict[str, str] = json.loads(overrides)

    @property
    def events(self) -> list[str]:
        events = json.loads(_text(_call("environment_events_json", self._pointer, output=True)))
        return [event["kind"] for event in events]

    @property
    def created(self) -> bool:
        return "env.created" in self.events

    def refresh(self, spec: Json | None = None) -> None:
        with _Spec(spec) as parsed:
            _call("environment_refresh_credentials", self._pointer, parsed, None)

    def destroy(self) -> None:
        _call("environment_destroy", self._pointer, None)

    def __del__(self) -> None:
        _LIBRARY.avenv_environment_free(self._pointer)


def create_or_attach(
    name: str, spec: Json | None = None, root: Path | str | None = None, timeout_ms: int = -1
) -> Environment:
    with _Spec(spec) as parsed, _Options(root, None, timeout_ms) as options:
        encoded = name.encode()
        create = "environment_create_or_attach"
        return Environment(_call(create, encoded, parsed, options, output=True))


def attach(name: str, root: Path | str | None = None, adapter: str | None = None) -> Environment:
    with _Options(root, adapter, -1) as options:
        return Environment(_call("environment_attach", name.encode(), options, output=True))


def names(root: Path | str | None = None) -> list[str]:
    with _Options(root, None, -1) as options:
        listed: list[str] = json.loads(_text(_call("registry_list_json", options, output=True)))
        return listed


def destroy(name: str, root: Path | str | None = None, timeout_ms: int = -1) -> None:
    with _Options(root, None, timeout_ms) as options:
        _call("registry_destroy", name.encode(), options)


def repair(root: Path | str | None = None) -> Json:
    with _Options(root, None, -1) as options:
        report: Json = json.loads(_text(_call("registry_repair", options, output=True)))
        return report


def reap(root: Path | str | None = None) -> Json:
    with _Options(root, None, -1) as options:
        report: Json = json.loads(_text(_call("reap", options, output=True)))["registry"]
        return report


def registry_root(root: Path | str | None = None) -> str:
    with _Options(root, None, -1) as options:
        return _text(_call("registry_root", options, output=True))


def failure(call: Callable[[], object], kind: str) -> LibraryError:
    """What a call answers that must fail with this kind."""
    with pytest.raises(LibraryError) as raised:
        call()
    assert raised.value.kind == kind, f"{raised.value} is no {kind}"
    return raised.value
