"""The same environment for asyncio: calls run in a worker thread, events come on the loop's."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import os
from collections.abc import Callable
from typing import TypeVar

from .adapters.base import AgentAdapter
from .environment import BaseEnvironment
from .errors import AgentVenvError
from .events import Delivery, EventSink
from .spec import EnvironmentSpec

T = TypeVar("T")


class AsyncEnvironment(BaseEnvironment):
    """`Environment` for asyncio: `async with await AsyncEnvironment.ephemeral(...) as env:`.

    A call that is cancelled still runs to its end in its thread; an environment that it makes is
    then destroyed.
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
        delivery = Delivery(on_event)

        def create() -> AsyncEnvironment:
            return cls._create_ephemeral(spec, adapter, delivery, ephemeral_root, durable)

        creating = _in_thread(create)
        try:
            made = await asyncio.shield(creating)
        except asyncio.CancelledError:
            creating.add_done_callback(_discard)
            raise
        except AgentVenvError as error:
            delivery.hand_over(error.events)
            raise
        made._deliver()
        return made

    async def refresh_credentials(self, spec: EnvironmentSpec | None = None) -> None:
        """As `Environment.refresh_credentials`."""
        try:
            await _in_thread(lambda: self._refresh(spec))
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


def _in_thread(work: Callable[[], T]) -> asyncio.Future[T]:
    # Not asyncio.to_thread: its task is cancelled when the loop winds up, and what the thread
    # then answers is lost to the discarding below.
    run = contextvars.copy_context().run
    return asyncio.get_running_loop().run_in_executor(None, run, work)


def _discard(creating: asyncio.Future[AsyncEnvironment]) -> None:
    """Nobody waits for this environment any more."""
    if not creating.cancelled() and creating.exception() is None:
        with contextlib.suppress(AgentVenvError):
            creating.result()._destroy()
