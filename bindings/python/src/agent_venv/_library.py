"""Find the shared library, load it, and declare the functions that are called."""

from __future__ import annotations

import os
import sys
from ctypes import CDLL, POINTER, c_bool, c_char_p, c_int32, c_int64, c_size_t, c_uint32, c_void_p
from pathlib import Path
from typing import Any

ABI_VERSION = 0

_STATUS = c_int32
_TEXT = c_char_p  # borrowed from its object, or ours during a call
_OBJECT = c_void_p  # an opaque type, or memory that is ours to free
_OUT = POINTER(c_void_p)

# name -> (result, parameters), in the header's order
PROTOTYPES: dict[str, tuple[Any, list[Any]]] = {
    "avenv_version": (_TEXT, []),
    "avenv_abi_version": (c_uint32, []),
    "avenv_capabilities_json": (_TEXT, []),
    "avenv_string_free": (None, [_OBJECT]),
    "avenv_error_kind": (_TEXT, [_OBJECT]),
    "avenv_error_message": (_TEXT, [_OBJECT]),
    "avenv_error_payload_json": (_TEXT, [_OBJECT]),
    "avenv_error_events_json": (_TEXT, [_OBJECT]),
    "avenv_error_free": (None, [_OBJECT]),
    "avenv_spec_parse": (_STATUS, [_TEXT, _OUT, _OUT]),
    "avenv_spec_add_seed_file": (_STATUS, [_OBJECT, _TEXT, _TEXT, c_size_t, c_uint32, _OUT]),
    "avenv_spec_add_credential": (_STATUS, [_OBJECT, _TEXT, _TEXT, c_size_t, _OUT]),
    "avenv_spec_free": (None, [_OBJECT]),
    "avenv_options_new": (_OBJECT, []),
    "avenv_options_set_registry_root": (_STATUS, [_OBJECT, _TEXT, _OUT]),
    "avenv_options_set_ephemeral_root": (_STATUS, [_OBJECT, _TEXT, _OUT]),
    "avenv_options_set_expected_adapter": (_STATUS, [_OBJECT, _TEXT, _OUT]),
    "avenv_options_set_lock_timeout_ms": (_STATUS, [_OBJECT, c_int64, _OUT]),
    "avenv_options_set_durable": (_STATUS, [_OBJECT, c_bool, _OUT]),
    "avenv_options_set_force": (_STATUS, [_OBJECT, c_bool, _OUT]),
    "avenv_options_free": (None, [_OBJECT]),
    "avenv_environment_create_ephemeral": (_STATUS, [_OBJECT, _OBJECT, _OUT, _OUT]),
    "avenv_environment_create_or_attach": (_STATUS, [_TEXT, _OBJECT, _OBJECT, _OUT, _OUT]),
    "avenv_environment_attach": (_STATUS, [_TEXT, _OBJECT, _OUT, _OUT]),
    "avenv_environment_path": (_TEXT, [_OBJECT]),
    "avenv_environment_name": (_TEXT, [_OBJECT]),
    "avenv_environment_kind": (_TEXT, [_OBJECT]),
    "avenv_environment_adapter_id": (_TEXT, [_OBJECT]),
    "avenv_environment_env_overrides_json": (_TEXT, [_OBJECT]),
    "avenv_environment_env_unset_json": (_TEXT, [_OBJECT]),
    "avenv_environment_events_json": (_STATUS, [_OBJECT, _OUT, _OUT]),
    "avenv_environment_login_status_json": (_STATUS, [_OBJECT, _OUT, _OUT]),
    "avenv_environment_refresh_credentials": (_STATUS, [_OBJECT, _OBJECT, _OBJECT, _OUT]),
    "avenv_environment_destroy": (_STATUS, [_OBJECT, _OBJECT, _OUT]),
    "avenv_environment_free": (None, [_OBJECT]),
    "avenv_registry_root": (_STATUS, [_OBJECT, _OUT, _OUT]),
    "avenv_registry_list_json": (_STATUS, [_OBJECT, _OUT, _OUT]),
    "avenv_registry_destroy": (_STATUS, [_TEXT, _OBJECT, _OUT]),
    "avenv_registry_repair": (_STATUS, [_OBJECT, _OUT, _OUT]),
    "avenv_give_back": (None, []),
    "avenv_reap": (_STATUS, [_OBJECT, _OUT, _OUT]),
    "avenv_adapter_definition_json": (_STATUS, [_TEXT, _OUT, _OUT]),
    "avenv_adapter_argv_json": (_STATUS, [_TEXT, _TEXT, _OUT, _OUT]),
    "avenv_adapter_ensure_available": (_STATUS, [_TEXT, _OUT]),
}


def _place() -> Path:
    named = os.environ.get("AGENT_VENV_LIBRARY")
    if named:
        return Path(named)
    suffix = "dylib" if sys.platform == "darwin" else "so"
    return Path(__file__).with_name(f"libagent_venv.{suffix}")


def load() -> CDLL:
    """Load the library, or raise an ImportError that says what to do."""
    place = _place()
    remedy = (
        "Install the wheel of agent-venv-native for this platform, or build the library with "
        "`cargo build --release` and name it in the variable AGENT_VENV_LIBRARY."
    )
    if not place.is_file():
        raise ImportError(f"The agent-venv library is not at {place}. {remedy}")
    try:
        library = CDLL(str(place))
        library.avenv_abi_version.restype = c_uint32
        found = library.avenv_abi_version()
        if found != ABI_VERSION:
            raise ImportError(
                f"The agent-venv library at {place} has ABI version {found}, and this package "
                f"needs {ABI_VERSION}. {remedy}"
            )
        for name, (result, parameters) in PROTOTYPES.items():
            function = getattr(library, name)
            function.restype = result
            function.argtypes = parameters
    except (OSError, AttributeError) as reason:
        raise ImportError(
            f"The agent-venv library at {place} cannot be used: {reason}. {remedy}"
        ) from reason
    return library


library = load()
