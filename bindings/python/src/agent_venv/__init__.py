"""Profiles for coding-agent CLIs: one directory for each run, with the host's login in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import adapters, errors
from ._calls import read_json
from ._version import __version__
from .adapters import AgentAdapter, ClaudeCode, Codex, DataAdapter
from .environment import Environment
from .events import Event, EventSink
from .login import LoginFile, LoginStatus
from .registry import default_registry_root, reap, repair
from .spec import EnvironmentSpec

if TYPE_CHECKING:
    from .aio import AsyncEnvironment


def capabilities() -> dict[str, Any]:
    """What this package can do, and where."""
    return {**read_json("avenv_capabilities_json"), "language": "python"}


def __getattr__(name: str) -> Any:
    # asyncio takes longer to import than all the rest, and most programs don't want it.
    if name == "AsyncEnvironment":
        from .aio import AsyncEnvironment

        return AsyncEnvironment
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "AgentAdapter",
    "AsyncEnvironment",
    "ClaudeCode",
    "Codex",
    "DataAdapter",
    "Environment",
    "EnvironmentSpec",
    "Event",
    "EventSink",
    "LoginFile",
    "LoginStatus",
    "__version__",
    "adapters",
    "capabilities",
    "default_registry_root",
    "errors",
    "reap",
    "repair",
]
