"""asyncio: the loop goes on, and nothing that was cancelled leaks."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import CODEX_LOGIN

from agent_venv import AgentAdapter, AsyncEnvironment, Codex, EnvironmentSpec, Event
from agent_venv.errors import CredentialsMissingError, InvalidEnvironmentSpecError

Profiles = Callable[[], list[Path]]


class Gated(AgentAdapter):
    """Its spec is ready once somebody opens the gate."""

    id, cli_bin, config_env_var = "gated", "gated", "GATED_HOME"

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.gate = threading.Event()

    def build_spec(self, *, load_credentials: bool | None = None) -> EnvironmentSpec:
        self.asked.set()
        assert self.gate.wait(60), "the loop stood still"
        return EnvironmentSpec(self.id, seed_files={"a": "b"})

    async def until_asked(self) -> None:
        while not self.asked.is_set():
            await asyncio.sleep(0)


async def ticks_during(work: asyncio.Future[AsyncEnvironment]) -> int:
    ticks = 0
    while not work.done():
        await asyncio.sleep(0)
        ticks += 1
    return ticks


def test_a_heartbeat_ticks_while_the_library_waits_for_a_login(home: Path) -> None:
    # A login that does not parse is read again and again, inside the library.
    (home / ".codex").mkdir()
    (home / ".codex/auth.json").write_text('{"half')

    async def main() -> int:
        creating = asyncio.create_task(AsyncEnvironment.ephemeral(adapter=Codex()))
        await asyncio.sleep(0)
        ticks = await ticks_during(creating)
        with pytest.raises(CredentialsMissingError, match="not valid JSON"):
            await creating
        return ticks

    # Were the loop held, it would tick once or twice.
    assert asyncio.run(main()) > 10


def test_the_loop_sees_the_library_remove_a_large_profile() -> None:
    # It can only see a profile that is half gone if no call holds the interpreter's lock.
    count = 1_000

    async def main() -> set[int]:
        env = await AsyncEnvironment.ephemeral()
        for number in range(count):
            (env.path / str(number)).touch()
        destroying = asyncio.create_task(env.destroy())
        seen = set()
        while not destroying.done():
            await asyncio.sleep(0)
            with contextlib.suppress(FileNotFoundError):
                seen.add(len(os.listdir(env)))  # noqa: PTH208
        await destroying
        return seen

    assert asyncio.run(main()) - {0, count}


def test_a_heartbeat_ticks_while_a_callers_build_spec_waits(profiles: Profiles) -> None:
    adapter = Gated()

    async def main() -> None:
        creating = asyncio.create_task(AsyncEnvironment.ephemeral(adapter=adapter))
        await adapter.until_asked()
        for _ in range(100):
            await asyncio.sleep(0)
        adapter.gate.set()
        async with await creating as env:
            assert (env.path / "a").read_text() == "b"

    asyncio.run(main())
    assert profiles() == []


def test_a_create_that_is_cancelled_leaves_no_environment(root: Path, profiles: Profiles) -> None:
    adapter = Gated()
    heard: list[Event] = []

    async def main() -> None:
        creating = asyncio.create_task(
            AsyncEnvironment.ephemeral(adapter=adapter, on_event=heard.append)
        )
        await adapter.until_asked()
        creating.cancel()
        with pytest.raises(asyncio.CancelledError):
            await creating
        adapter.gate.set()

    asyncio.run(main())
    assert len(list(root.iterdir())) == 1, "it was never made, so nothing is shown"
    assert profiles() == []
    assert heard == []


def test_a_create_that_is_cancelled_once_done_leaves_no_environment(profiles: Profiles) -> None:
    async def main() -> None:
        for _ in range(50):
            creating = asyncio.create_task(AsyncEnvironment.ephemeral())
            await asyncio.sleep(0)
            while not profiles():
                await asyncio.sleep(0)
            creating.cancel()
            with pytest.raises(asyncio.CancelledError):
                await creating
            while profiles():
                await asyncio.sleep(0)

    asyncio.run(main())


def test_a_loop_that_ends_during_a_create_leaves_no_environment(profiles: Profiles) -> None:
    adapter = Gated()

    async def main() -> asyncio.Task[AsyncEnvironment]:
        creating = asyncio.create_task(AsyncEnvironment.ephemeral(adapter=adapter))
        await adapter.until_asked()
        asyncio.get_running_loop().call_soon(adapter.gate.set)
        return creating

    abandoned = asyncio.run(main())
    assert abandoned.cancelled()
    assert profiles() == []


def test_a_timeout_around_a_create_leaves_no_environment(profiles: Profiles) -> None:
    adapter = Gated()

    async def main() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(AsyncEnvironment.ephemeral(adapter=adapter), timeout=0)
        adapter.gate.set()

    asyncio.run(main())
    assert profiles() == []


def test_events_come_on_the_loops_thread(logins: Path) -> None:
    heard: list[tuple[str, int]] = []

    def sink(event: Event) -> None:
        asyncio.get_running_loop()
        heard.append((event.kind, threading.get_ident()))

    async def main() -> None:
        env = await AsyncEnvironment.ephemeral(adapter=Codex(), on_event=sink)
        assert [kind for kind, _ in heard] == ["env.created", "credentials.copied"]
        await env.refresh_credentials()
        assert await env.destroy() is True

    asyncio.run(main())
    here = threading.get_ident()
    assert heard == [
        ("env.created", here),
        ("credentials.copied", here),
        ("credentials.refreshed", here),
        ("env.destroyed", here),
    ]


def test_a_failing_create_delivers_its_error() -> None:
    heard: list[Event] = []

    async def main() -> None:
        with pytest.raises(InvalidEnvironmentSpecError):
            await AsyncEnvironment.ephemeral(
                EnvironmentSpec(seed_files={"/": ""}), on_event=heard.append
            )

    asyncio.run(main())
    assert [event.kind for event in heard] == ["error"]


def test_it_refreshes_and_destroys(logins: Path, profiles: Profiles) -> None:
    async def main() -> None:
        async with await AsyncEnvironment.ephemeral(adapter=Codex()) as env:
            assert (env.path / "auth.json").read_text() == CODEX_LOGIN
            (logins / ".codex/auth.json").write_text("{}")
            await env.refresh_credentials()
            assert (env.path / "auth.json").read_text() == "{}"
            await env.refresh_credentials(EnvironmentSpec(credentials={"auth.json": "[]"}))
            assert (env.path / "auth.json").read_text() == "[]"
        assert await env.destroy() is True

    asyncio.run(main())
    assert profiles() == []


def test_many_at_once(profiles: Profiles) -> None:
    async def one(number: int) -> None:
        spec = EnvironmentSpec(seed_files={"n": str(number)})
        async with await AsyncEnvironment.ephemeral(spec) as env:
            assert (env.path / "n").read_text() == str(number)

    async def main() -> None:
        await asyncio.gather(*(one(number) for number in range(200)))

    asyncio.run(main())
    assert profiles() == []


def test_it_cannot_be_pickled() -> None:
    async def main() -> None:
        async with await AsyncEnvironment.ephemeral() as env:
            with pytest.raises(TypeError, match="AsyncEnvironment cannot be pickled"):
                pickle.dumps(env)

    asyncio.run(main())
