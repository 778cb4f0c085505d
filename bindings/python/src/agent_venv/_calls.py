"""Calls into the library: encode what goes in, decode what comes out, raise what failed."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable
from ctypes import byref, c_void_p, string_at
from typing import Any

from . import errors, events
from ._library import library

Handle = int
"""The address of an object of the library."""


def call(function: str, *arguments: object) -> None:
    """Make a call that answers a status; raise the error that it reports."""
    error = c_void_p()
    if getattr(library, function)(*arguments, byref(error)) != 0:
        raise _exception(error)


def call_for_handle(function: str, *arguments: object) -> Handle:
    out = c_void_p()
    call(function, *arguments, byref(out))
    assert out.value is not None, f"{function} succeeded without an answer"
    return out.value


def call_for_text(function: str, *arguments: object) -> str:
    text = call_for_handle(function, *arguments)
    try:
        return string_at(text).decode()
    finally:
        library.avenv_string_free(text)


def call_for_json(function: str, *arguments: object) -> Any:
    return json.loads(call_for_text(function, *arguments))


def read(getter: str, *arguments: object) -> str | None:
    """Copy a string that the library lends."""
    text = getattr(library, getter)(*arguments)
    return None if text is None else text.decode()


def read_text(getter: str, *arguments: object) -> str:
    text = read(getter, *arguments)
    assert text is not None, f"{getter} has no answer"
    return text


def read_json(getter: str, *arguments: object) -> Any:
    return json.loads(read_text(getter, *arguments))


def _exception(error: c_void_p) -> errors.AgentVenvError:
    try:
        kind = read_text("avenv_error_kind", error)
        exception = errors.for_kind(kind)(
            read_text("avenv_error_message", error),
            **read_json("avenv_error_payload_json", error),
        )
        exception.kind = kind
        exception.events = events.to_events(read_json("avenv_error_events_json", error))
        return exception
    finally:
        library.avenv_error_free(error)


def invalid(field: str, reason: str) -> errors.InvalidEnvironmentSpecError:
    """The refusal of what could not even be handed to the library."""
    message = f"{field}: {reason}"
    exception = errors.InvalidEnvironmentSpecError(message, field=field, reason=reason)
    exception.events = [
        events.Event(0, "error", {"error_kind": exception.kind, "message": message})
    ]
    return exception


def encode(value: object, field: str) -> bytes:
    """UTF-8 of a string that crosses as such: NUL would end it early, so it is refused."""
    text = _utf8(value, field)
    if b"\0" in text:
        raise invalid(field, "holds NUL")
    return text


def encode_path(value: object, field: str) -> bytes:
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    return encode(os.fsdecode(value) if isinstance(value, bytes) else value, field)


def encode_json(value: object, field: str = "") -> bytes:
    """JSON of `value`. What JSON cannot say is refused here; the library judges the rest."""
    try:
        if not _is_sayable(value):
            _refuse_unsayable(value, field)
        return _as_json(value).encode()
    except RecursionError:
        raise invalid(field or "spec", "nests too deep") from None
    except errors.InvalidEnvironmentSpecError:
        raise
    except ValueError as reason:
        raise invalid(field or "spec", f"is not JSON: {reason}") from None


_as_json = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


def _is_sayable(value: object) -> bool:
    """Whether there is nothing to refuse, which is seen sooner than what."""
    if isinstance(value, str):
        return value.isascii()
    if isinstance(value, dict):
        return all(
            isinstance(key, str) and key.isascii() and _is_sayable(item)
            for key, item in value.items()
        )
    return value is None or value is True or value is False


def _refuse_unsayable(value: object, field: str) -> None:
    if isinstance(value, str):
        _utf8(value, field or "spec")
    elif isinstance(value, dict):
        for key, item in value.items():
            within = f"{field}[{json.dumps(str(key), ensure_ascii=False)}]" if field else str(key)
            _utf8(key, within)
            _refuse_unsayable(item, within)
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            _refuse_unsayable(item, f"{field}[{index}]")
    elif value is not None and not isinstance(value, (int, float)):
        raise invalid(field or "spec", f"cannot be {type(value).__name__}")


def _utf8(value: object, field: str) -> bytes:
    if not isinstance(value, str):
        raise invalid(field, f"must be a string, not {type(value).__name__}")
    try:
        return value.encode()
    except UnicodeEncodeError:
        # The field may be that very string: what is raised must itself be printable.
        printable = field.encode(errors="backslashreplace").decode()
        raise invalid(printable, "holds a lone surrogate, so it is not UTF-8") from None


@dataclasses.dataclass(slots=True, eq=False)
class How:
    """Where and how; what is None is left to the library's default."""

    ephemeral_root: str | os.PathLike[str] | None = None
    registry_root: str | os.PathLike[str] | None = None
    expected_adapter: str | None = None
    lock_timeout_ms: int | None = None
    durable: bool = False
    force: bool = False

    def says_nothing(self) -> bool:
        return (
            self.ephemeral_root is None
            and self.registry_root is None
            and self.expected_adapter is None
            and self.lock_timeout_ms is None
            and self.durable is False
            and self.force is False
        )


class Lent:
    """An object of the library's, for the length of a `with` block."""

    __slots__ = ("_free", "_handle")

    def __init__(self, handle: Handle | None, free: Callable[[Handle], object]) -> None:
        self._handle = handle
        self._free = free

    def free(self) -> None:
        if self._handle is not None:
            self._free(self._handle)

    def __enter__(self) -> Handle | None:
        return self._handle

    def __exit__(self, *_: object) -> None:
        self.free()


NOTHING = Lent(None, library.avenv_options_free)
"""For a call that takes NULL as well."""


def options(how: How) -> Lent:
    """The library's own copy, for the length of one call."""
    if how.says_nothing():
        return NOTHING
    handle = library.avenv_options_new()
    lent = Lent(handle, library.avenv_options_free)
    try:
        for field in ("ephemeral_root", "registry_root"):
            if (root := getattr(how, field)) is not None:
                call(f"avenv_options_set_{field}", handle, encode_path(root, field))
        if how.expected_adapter is not None:
            expected = encode(how.expected_adapter, "adapter")
            call("avenv_options_set_expected_adapter", handle, expected)
        if how.lock_timeout_ms is not None:
            timeout = _integer(how.lock_timeout_ms, "lock_timeout_ms")
            call("avenv_options_set_lock_timeout_ms", handle, timeout)
        call("avenv_options_set_durable", handle, how.durable)
        call("avenv_options_set_force", handle, how.force)
    except BaseException:
        lent.free()
        raise
    return lent


def _integer(value: object, field: str) -> int:
    """ctypes would cut off what is too large."""
    if not isinstance(value, int):
        raise invalid(field, f"must be an integer, not {type(value).__name__}")
    if not -(2**63) <= value < 2**63:
        raise invalid(field, "is out of range")
    return value
