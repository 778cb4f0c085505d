"""What `Environment` and `AsyncEnvironment` share: all but how their calls are waited for."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import NoReturn, TypeVar

from . import _lifetime
from ._calls import (
    Handle,
    How,
    call,
    call_for_handle,
    call_for_json,
    encode,
    invalid,
    options,
    read,
    read_json,
    read_text,
)
from .adapters.base import AgentAdapter
from .events import Delivery, Event, to_events
from .login import LoginStatus
from .spec import EnvironmentSpec, handed_over

E = TypeVar("E", bound="BaseEnvironment")


class BaseEnvironment:
    """The handle and its getters, and each call as it goes to the library."""

    def __init__(
        self, handle: Handle, adapter: AgentAdapter | None, delivery: Delivery, how: How
    ) -> None:
        self._handle = handle
        self._owner = _lifetime.watch(self, handle)
        self._adapter = adapter
        self._delivery = delivery
        self._how = how

    # These never change, and still read after destroy(): each is read when it is first wanted.

    @cached_property
    def _path(self) -> Path:
        return Path(read_text("avenv_environment_path", self._handle))

    @cached_property
    def _name(self) -> str | None:
        return read("avenv_environment_name", self._handle)

    @cached_property
    def _kind(self) -> str:
        return read_text("avenv_environment_kind", self._handle)

    @cached_property
    def _adapter_id(self) -> str:
        return read_text("avenv_environment_adapter_id", self._handle)

    @cached_property
    def _overrides(self) -> dict[str, str]:
        overrides: dict[str, str] = read_json("avenv_environment_env_overrides_json", self._handle)
        return overrides

    @cached_property
    def _unset(self) -> list[str]:
        unset: list[str] = read_json("avenv_environment_env_unset_json", self._handle)
        return unset

    @property
    def path(self) -> Path:
        """The profile directory: absolute."""
        return self._path

    @property
    def name(self) -> str | None:
        """The name of a persistent environment."""
        return self._name

    @property
    def kind(self) -> str:
        """`ephemeral` or `persistent`."""
        return self._kind

    @property
    def is_persistent(self) -> bool:
        return self._kind == "persistent"

    @property
    def adapter_id(self) -> str:
        return self._adapter_id

    @property
    def env_overrides(self) -> dict[str, str]:
        """The variables to set for the agent."""
        return dict(self._overrides)

    @property
    def env_unset(self) -> list[str]:
        """The variables that the agent must not inherit."""
        return list(self._unset)

    def merged(self, base: Mapping[str, str]) -> dict[str, str]:
        """`base` as the agent shall see it: less `env_unset`, plus `env_overrides`."""
        kept = {name: value for name, value in base.items() if name not in self._unset}
        return {**kept, **self._overrides}

    def events(self) -> list[Event]:
        """What was done to this environment through this object, oldest first."""
        return to_events(call_for_json("avenv_environment_events_json", self._handle))

    def __fspath__(self) -> str:
        return str(self._path)

    def __repr__(self) -> str:
        named = "" if self._name is None else f" {self._name!r}"
        where = str(self._path)
        return f"<{type(self).__name__} {self._kind}{named} adapter={self._adapter_id!r} {where!r}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"{type(self).__name__} cannot be pickled or copied: {_OWNS[self._kind]} "
            "Pass on path and env_overrides."
        )

    @classmethod
    def _create_ephemeral(
        cls: type[E],
        spec: EnvironmentSpec | None,
        adapter: AgentAdapter | None,
        delivery: Delivery,
        how: How,
    ) -> E:
        with handed_over(_chosen(spec, adapter)) as what, options(how) as where:
            handle = call_for_handle("avenv_environment_create_ephemeral", what, where)
        return cls(handle, adapter, delivery, how)

    @classmethod
    def _create_or_attach(
        cls: type[E],
        name: str,
        spec: EnvironmentSpec | None,
        adapter: AgentAdapter | None,
        delivery: Delivery,
        how: How,
    ) -> E:
        with handed_over(_chosen(spec, adapter)) as what, options(how) as where:
            arguments = (encode(name, "name"), what, where)
            handle = call_for_handle("avenv_environment_create_or_attach", *arguments)
        return cls(handle, adapter, delivery, how)

    @classmethod
    def _attach(
        cls: type[E], name: str, adapter: AgentAdapter | str | None, delivery: Delivery, how: How
    ) -> E:
        to_ask = adapter if isinstance(adapter, AgentAdapter) else None
        expected = adapter.id if isinstance(adapter, AgentAdapter) else adapter
        with options(replace(how, expected_adapter=expected)) as where:
            handle = call_for_handle("avenv_environment_attach", encode(name, "name"), where)
        return cls(handle, to_ask, delivery, how)

    def _login_status(self) -> LoginStatus:
        told = call_for_json("avenv_environment_login_status_json", self._handle)
        return LoginStatus.from_dict(told)

    def _refresh(self, spec: EnvironmentSpec | None, force: bool) -> None:
        if spec is None and self._adapter is not None:
            spec = self._adapter.build_spec()
        with handed_over(spec) as what, options(replace(self._how, force=force)) as where:
            call("avenv_environment_refresh_credentials", self._handle, what, where)

    def _destroy(self) -> None:
        with options(self._how) as where:
            call("avenv_environment_destroy", self._handle, where)

    def _ends_with_block(self) -> bool:
        """Whether `with` destroys. A forked child that leaves the block must not, nor fail."""
        return not self.is_persistent and self._owner == os.getpid()

    def _deliver(self) -> None:
        if self._delivery.sink is not None:
            self._delivery.hand_over(self.events())


_OWNS = {
    "ephemeral": (
        "it owns its profile directory, and two owners would remove it under each other."
    ),
    "persistent": "it is this process's own handle; attach by the name instead.",
}


def _chosen(spec: EnvironmentSpec | None, adapter: AgentAdapter | None) -> EnvironmentSpec | None:
    if adapter is None:
        return spec
    if spec is not None:
        raise invalid("spec", "spec= and adapter= were both given: give one")
    return adapter.build_spec()
