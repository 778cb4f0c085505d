"""The same environment for asyncio: calls run in a worker thread, events come on the loop's."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import os
from collections.abc import Callable
from typing import TypeVar

from . import registry
from ._calls import How
from ._handle import BaseEnvironment
from .adapters.base import AgentAdapter
from .environment import Names
from .errors import AgentVenvError
from .events import Delivery, EventSink
from .login import LoginStatus
from .spec import EnvironmentSpec

T = TypeVar("T")
E = TypeVar("E", bound=BaseEnvironment)


class AsyncEnvironment(BaseEnvironment):
    """`Environment` for asyncio: `async with await AsyncEnvironment.ephemeral(...) as env:`.

    A call that is cancelled still runs to its end in its thread. An ephemeral environment that it
    makes is then destroyed; a persistent one stays, for who asks for its name.
    """

    @classmethod
    async def ephemeral(
        cls,
        spec: EnvironmentSpec | None = None,
        *,
        adapter: AgentAdapter | None = None,
        on_event: EventSink | None = None,
        ephemeral_root: str | os.PathLike[str] | None = None,
        durable: bool = False,
    ) -> AsyncEnvironment:
        """As `Environment.ephemeral`."""
        how = How(ephemeral_root=ephemeral_root, durable=durable)
        return await _opened(on_event, lambda to: cls._create_ephemeral(spec, adapter, to, how))

    @classmethod
    async def create_or_attach(
        cls,
        name: str,
        spec: EnvironmentSpec | None = None,
        *,
        adapter: AgentAdapter | None = None,
        registry_root: str | os.PathLike[str] | None = None,
        on_event: EventSink | None = None,
        lock_timeout_ms: int | None = None,
        durable: bool = False,
    ) -> AsyncEnvironment:
        """As `Environment.create_or_attach`."""
        how = How(registry_root=registry_root, lock_timeout_ms=lock_timeout_ms, durable=durable)
        return await _opened(
            on_event, lambda to: cls._create_or_attach(name, spec, adapter, to, how)
        )

    @classmethod
    async def attach(
        cls,
        name: str,
        *,
        adapter: AgentAdapter | str | None = None,
        registry_root: str | os.PathLike[str] | None = None,
        on_event: EventSink | None = None,
        lock_timeout_ms: int | None = None,
        durable: bool = False,
    ) -> AsyncEnvironment:
        """As `Environment.attach`."""
        how = How(registry_root=registry_root, lock_timeout_ms=lock_timeout_ms, durable=durable)
        return await _opened(on_event, lambda to: cls._attach(name, adapter, to, how))

    @classmethod
    async def list(cls, *, registry_root: str | os.PathLike[str] | None = None) -> Names:
        """As `Environment.list`."""
        return await _in_thread(lambda: registry.list_names(registry_root=registry_root))

    @classmethod
    async def destroy_by_name(
        cls,
        name: str,
        *,
        registry_root: str | os.PathLike[str] | None = None,
        lock_timeout_ms: int | None = None,
        durable: bool = False,
    ) -> bool:
        """As `Environment.destroy_by_name`."""
        how = How(registry_root=registry_root, lock_timeout_ms=lock_timeout_ms, durable=durable)
        return await _in_thread(lambda: registry.destroy(name, how))

    async def login_status(self) -> LoginStatus:
        """As `Environment.login_status`."""
        try:
            return await _in_thread(self._login_status)
        finally:
            self._deliver()

    async def refresh_credentials(
        self, spec: EnvironmentSpec | None = None, *, force: bool = False
    ) -> None:
        """As `Environment.refresh_credentials`."""
        try:
            await _in_thread(lambda: self._refresh(spec, force))
        finally:
            self._deliver()

    async def destroy(self) -> bool:
        """As `Environment.destroy`."""
        try:
            await _in_thread(self._destroy)
        finally:
            self._deliver()
        return True

    async def __aenter__(self) -> AsyncEnvironment:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._ends_with_block():
            await self.destroy()


async def _opened(on_event: EventSink | None, make: Callable[[Delivery], E]) -> E:
    """What `make` makes in its thread; the sink hears of it, or of its failure."""
    delivery = Delivery(on_event)
    making = _in_thread(lambda: make(delivery))
    try:
        made = await asyncio.shield(making)
    except asyncio.CancelledError:
        making.add_done_callback(_discard)
        raise
    except AgentVenvError as error:
        delivery.hand_over(error.events)
        raise
    made._deliver()
    return made


def _in_thread(work: Callable[[], T]) -> asyncio.Future[T]:
    # Not asyncio.to_thread: its task is cancelled when the loop winds up, and what the thread
    # then answers is lost to the discarding below.
    run = contextvars.copy_context().run
    return asyncio.get_running_loop().run_in_executor(None, run, work)


def _discard(making: asyncio.Future[E]) -> None:
    """Nobody waits for this environment any more. One with a name stays for who asks for it."""
    if not making.cancelled() and making.exception() is None:
        made = making.result()
        if not made.is_persistent:
            with contextlib.suppress(AgentVenvError):
                made._destroy()
