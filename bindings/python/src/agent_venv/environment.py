"""The environment: a profile directory, and the variables that point an agent at it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeVar

from . import registry
from ._calls import How
from ._handle import BaseEnvironment
from .adapters.base import AgentAdapter
from .errors import AgentVenvError
from .events import Delivery, EventSink
from .login import LoginStatus
from .spec import EnvironmentSpec

Names = list[str]  # within the class, `list` is a method
E = TypeVar("E", bound=BaseEnvironment)


class Environment(BaseEnvironment):
    """A profile of its own for an agent.

    `with Environment.ephemeral(adapter=ClaudeCode()) as env:` makes one and removes it at the
    end of the block. One that is never destroyed is removed when it is collected, at exit, or,
    where the process was killed, by a later run (`agent_venv.reap`).

    `Environment.create_or_attach("name", adapter=ClaudeCode())` makes one that stays, or finds it
    again, until `destroy()`. The end of a `with` block, and of the process, only detach from it.

    Any thread may use it. A forked child may read an ephemeral one, but not destroy it.
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
        durable         sync files and directories to disk, now and in later calls
        """
        how = How(ephemeral_root=ephemeral_root, durable=durable)
        return _opened(on_event, lambda to: cls._create_ephemeral(spec, adapter, to, how))

    @classmethod
    def create_or_attach(
        cls,
        name: str,
        spec: EnvironmentSpec | None = None,
        *,
        adapter: AgentAdapter | None = None,
        registry_root: str | os.PathLike[str] | None = None,
        on_event: EventSink | None = None,
        lock_timeout_ms: int | None = None,
        durable: bool = False,
    ) -> Environment:
        """Attach to the environment of that name; make it where there is none.

        Nothing in one that exists is changed: of `spec` or `adapter` only the id counts then, and
        another than the recorded one is an AdapterMismatchError. Of all who make it at once,
        exactly one does, and all get the same.

        name             1 to 1,024 bytes of UTF-8
        spec             what a new one shall hold; or
        adapter          the agent that it is for
        registry_root    where it is kept, instead of `default_registry_root()`
        on_event         called with each event, on the thread that makes a call, after that call
        lock_timeout_ms  how long to wait for the registry's lock, now and in later calls (5,000)
        durable          sync files and directories to disk, now and in later calls
        """
        how = How(registry_root=registry_root, lock_timeout_ms=lock_timeout_ms, durable=durable)
        return _opened(on_event, lambda to: cls._create_or_attach(name, spec, adapter, to, how))

    @classmethod
    def attach(
        cls,
        name: str,
        *,
        adapter: AgentAdapter | str | None = None,
        registry_root: str | os.PathLike[str] | None = None,
        on_event: EventSink | None = None,
        lock_timeout_ms: int | None = None,
        durable: bool = False,
    ) -> Environment:
        """Attach to the environment of that name; EnvironmentNotFoundError where there is none.

        With `adapter` (or its id), one that was made for another is an AdapterMismatchError, and
        `refresh_credentials` asks that adapter's `build_spec`. `lock_timeout_ms` and `durable` are
        for later calls: attaching waits for no lock.
        """
        how = How(registry_root=registry_root, lock_timeout_ms=lock_timeout_ms, durable=durable)
        return _opened(on_event, lambda to: cls._attach(name, adapter, to, how))

    @classmethod
    def list(cls, *, registry_root: str | os.PathLike[str] | None = None) -> Names:
        """The names of all persistent environments, sorted."""
        return registry.list_names(registry_root=registry_root)

    @classmethod
    def destroy_by_name(
        cls,
        name: str,
        *,
        registry_root: str | os.PathLike[str] | None = None,
        lock_timeout_ms: int | None = None,
        durable: bool = False,
    ) -> bool:
        """Remove a persistent environment; EnvironmentNotFoundError where there is none."""
        how = How(registry_root=registry_root, lock_timeout_ms=lock_timeout_ms, durable=durable)
        return registry.destroy(name, how)

    def login_status(self) -> LoginStatus:
        """How the profile's login stands to the host's now, and when it ends. Changes nothing."""
        try:
            return self._login_status()
        finally:
            self._deliver()

    def refresh_credentials(
        self, spec: EnvironmentSpec | None = None, *, force: bool = False
    ) -> None:
        """Read the host's login again and replace the profile's; touch nothing else.

        With `spec`, write that spec's credentials instead. Where the agent's own login is newer
        than the host's, or may be, it is kept: CredentialsConflictError, unless `force`.
        """
        try:
            self._refresh(spec, force)
        finally:
            self._deliver()

    def destroy(self) -> bool:
        """Remove the environment; a second time, do nothing.

        A persistent one that somebody else destroyed counts as destroyed, and what has its name
        since is left alone. After CleanupFailedError it may be called again, and tries again.
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


def _opened(on_event: EventSink | None, make: Callable[[Delivery], E]) -> E:
    """What `make` makes; the sink hears of it, or of its failure."""
    delivery = Delivery(on_event)
    try:
        made = make(delivery)
    except AgentVenvError as error:
        delivery.hand_over(error.events)
        raise
    made._deliver()
    return made
