"""The registry as a whole, and what killed processes left behind."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ._calls import How, call, call_for_json, call_for_text, encode, options


def default_registry_root() -> Path:
    """Where persistent environments are kept unless a call says otherwise. It need not exist."""
    return Path(call_for_text("avenv_registry_root", None))


def list_names(*, registry_root: str | os.PathLike[str] | None) -> list[str]:
    with options(How(registry_root=registry_root)) as where:
        names: list[str] = call_for_json("avenv_registry_list_json", where)
        return names


def destroy(name: str, how: How) -> bool:
    with options(how) as where:
        call("avenv_registry_destroy", encode(name, "name"), where)
    return True


def repair(
    *,
    registry_root: str | os.PathLike[str] | None = None,
    lock_timeout_ms: int | None = None,
    durable: bool = False,
) -> dict[str, Any]:
    """Make the registry's index agree with what is there, and report what was done.

    For a registry that somebody damaged. An unreadable index is kept beside it. Safe at any time.
    """
    how = How(registry_root=registry_root, lock_timeout_ms=lock_timeout_ms, durable=durable)
    with options(how) as where:
        report: dict[str, Any] = call_for_json("avenv_registry_repair", where)
        return report


def reap(
    *,
    ephemeral_root: str | os.PathLike[str] | None = None,
    registry_root: str | os.PathLike[str] | None = None,
    force: bool = False,
) -> dict[str, Any]:
    """Remove what killed processes left behind, and report it.

    Ephemeral environments, and what unfinished changes left in the registry; whatever has a living
    owner is kept. `force` also takes what another machine may still use, where a root is on a
    network file system: say so only if none does.
    """
    how = How(ephemeral_root=ephemeral_root, registry_root=registry_root, force=force)
    with options(how) as where:
        report: dict[str, Any] = call_for_json("avenv_reap", where)
        return report
