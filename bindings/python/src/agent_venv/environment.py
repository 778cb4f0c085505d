"""The environment: a profile directory, and the variables that point an agent at it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from . import _lifetime
from ._calls import (
    Handle,
    call,
    call_for_handle,
    call_for_json,
    call_for_text,
    invalid,
    options,
    read,
    read_json,
    read_text,
)
from .adapters.base import AgentAdapter, has_own_build_spec
from .errors import AgentVenvError
from .events import Delivery, Event, EventSink, to_events
from .spec import EnvironmentSpec, handed_over

E = TypeVar("E", bound="BaseEnvironment")


class BaseEnvironment:
    """What `Environment` and `AsyncEnvironment` share."""

    def __init__(self, handle: Handle, adapter: AgentAdapter | None, delivery: Delivery) -> None:
        self._handle = handle
        self._owner = _lifetime.watch(self, handle)
        self._adapter = adapter
        self._delivery = delivery
        # These never change, and still read after destroy().
        self._path = Path(read_text("avenv_environment_path", handle))
        self._name = read("avenv_environment_name", handle)
        self._kind = read_text("avenv_environment_kind", handle)
        self._adapter_id = read_text("avenv_environment_adapter_id", handle)
        self._overrides: dict[str, str] = read_json("avenv_environment_env_overrides_json", handle)
        self._unset: list[str] = read_json("avenv_environment_env_unset_json", handle)

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
            f"{type(self).__name__} cannot be pickled or copied: it owns its profile directory, "
            "and two owners would remove it under each other. Pass on path and env_overrides."
        )

    @classmethod
    def _create_ephemeral(
        cls: type[E],
        spec: EnvironmentSpec | None,
        adapter: AgentAdapter | None,
        delivery: Delivery,
        ephemeral_root: str | os.PathLike[str] | None,
        durable: bool,
    ) -> E:
        with (
            handed_over(_chosen(spec, adapter)) as what,
            options(ephemeral_root=ephemeral_root, durable=durable) as where,
        ):
            handle = call_for_handle("avenv_environment_create_ephemeral", what, where)
        environment = cls(handle, adapter, delivery)
        _lifetime.use_root(str(environment.path.parent.parent))
        return environment

    def _refresh(self, spec: EnvironmentSpec | None) -> None:
        if spec is None and self._adapter is not None and has_own_build_spec(self._adapter):
            spec = self._adapter.build_spec()
        with handed_over(spec) as what:
            call("avenv_environment_refresh_credentials", self._handle, what, None)

    def _destroy(self) -> None:
        call("avenv_environment_destroy", self._handle, None)

    def _ends_with_block(self) -> bool:
        """Whether `with` destroys. A forked child that leaves the block must not, nor fail."""
        return not self.is_persistent and self._owner == os.getpid()

    def _deliver(self) -> None:
        if self._delivery.sink is not None:
            self._delivery.hand_over(self.events())


class Environment(BaseEnvironment):
    """A profile of its own for an agent.

    `with Environment.ephemeral(adapter=ClaudeCode()) as env:` makes one and removes it at the
    end of the block. One that is never destroyed is removed when it is collected, at exit, or,
    where the process was killed, by a later run (`agent_venv.reap`).

    Any thread may use it. A forked child may read it, but not destroy it.
    """

    @classmethod
    def ephemeral(
        cls,
        spec: EnvironmentSpec | None = None,
        *,
        adapter: AgentAdapter | None = None,
        on_event: EventSink | None = None,
        ephemeral_root: str | os.PathLike[str] | None = None,
        durable: bool = False,
    ) -> Environment:
        """Make an environment that lives until it is destroyed.

        spec            what it shall hold; or
        adapter         the agent that it is for
        on_event        called with each event, on the thread that makes a call, after that call
        ephemeral_root  where to make it, instead of the default
        durable         sync files and directories to disk
        """
        delivery = Delivery(on_event)
        try:
            made = cls._create_ephemeral(spec, adapter, delivery, ephemeral_root, durable)
        except AgentVenvError as error:
            delivery.hand_over(error.events)
            raise
        made._deliver()
        return made

    def refresh_credentials(self, spec: EnvironmentSpec | None = None) -> None:
        """Read the host's login again and replace the profile's; touch nothing else.

        With `spec`, write that spec's credentials instead.
        """
        try:
            self._refresh(spec)
        finally:
            self._deliver()

    def destroy(self) -> bool:
        """Remove the environment; a second time, do nothing.

        After CleanupFailedError it may be called again, and tries again.
        """
        try:
            self._destroy()
        finally:
            self._deliver()
        return True

    def __enter__(self) -> Environment:
        return self

    def __exit__(self, *_: object) -> None:
        if self._ends_with_block():
            self.destroy()


def default_registry_root() -> Path:
    """Where persistent environments are kept unless a call says otherwise. It need not exist."""
    return Path(call_for_text("avenv_registry_root", None))


def reap(
    ephemeral_root: str | os.PathLike[str] | None = None, force: bool = False
) -> dict[str, Any]:
    """Remove what killed processes left behind, and report it.

    `force` also takes what another machine may still use, where the root is on a network file
    system: say so only if none does.
    """
    with options(ephemeral_root=ephemeral_root, force=force) as where:
        report: dict[str, Any] = call_for_json("avenv_reap", where)
        return report


def _chosen(spec: EnvironmentSpec | None, adapter: AgentAdapter | None) -> EnvironmentSpec | None:
    if adapter is None:
        return spec
    if spec is not None:
        raise invalid("spec", "spec= and adapter= were both given: give one")
    return adapter.build_spec()
