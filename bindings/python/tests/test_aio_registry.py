"""asyncio and the registry: a wait for its lock holds up nobody, and cancelling detaches."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent_venv import AsyncEnvironment, Environment, EnvironmentSpec, Event
from agent_venv.errors import AdapterMismatchError, EnvironmentNotFoundError

SPEC = EnvironmentSpec("mine", seed_files={"a": "b"}, credentials={"k": "s"})
HOLDER = """
import fcntl, sys
with open(sys.argv[1]) as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    print(flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def first(registry: Path) -> None:
    """An environment that stands, so that there is a lock file to hold."""
    Environment.create_or_attach("first")


@contextmanager
def locked(registry: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process holds the registry's lock, until its input ends."""
    command = [sys.executable, "-c", HOLDER, str(registry / ".lock")]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        yield holder
        holder.communicate()


def let_go(holder: subprocess.Popen[str]) -> None:
    assert holder.stdin is not None
    holder.stdin.close()
    holder.wait()
    holder.stdin = None


async def until_staged(registry: Path, task: asyncio.Task[AsyncEnvironment]) -> int:
    """Wait until the create has built its directory: what is left to do, it does under the lock."""
    ticks = 0
    while not list((registry / ".agent-venv").glob("*/metadata.json")):
        await asyncio.sleep(0)
        ticks += 1
        assert not task.done()
    return ticks


def test_a_heartbeat_ticks_while_a_create_waits_for_the_lock(registry: Path) -> None:
    async def main(holder: subprocess.Popen[str]) -> Path:
        creating = asyncio.create_task(
            AsyncEnvironment.create_or_attach("n", SPEC, lock_timeout_ms=600_000)
        )
        await until_staged(registry, creating)
        for _ in range(1_000):
            await asyncio.sleep(0)
        assert not creating.done()
        assert await AsyncEnvironment.list() == ["first"], "reading waits for no lock"
        let_go(holder)
        return (await creating).path

    with locked(registry) as holder:
        path = asyncio.run(main(holder))
    assert (path / "a").read_text() == "b"
    assert Environment.list() == ["first", "n"]


def test_a_create_that_is_cancelled_while_it_waits_only_detaches(registry: Path) -> None:
    heard: list[Event] = []

    async def main(holder: subprocess.Popen[str]) -> None:
        creating = asyncio.create_task(
            AsyncEnvironment.create_or_attach(
                "n", SPEC, on_event=heard.append, lock_timeout_ms=600_000
            )
        )
        await until_staged(registry, creating)
        creating.cancel()
        with pytest.raises(asyncio.CancelledError):
            await creating
        let_go(holder)

    with locked(registry) as holder:
        asyncio.run(main(holder))
    # The thread went on: the environment is whole, and nobody destroyed it.
    assert heard == []
    assert Environment.list() == ["first", "n"]
    assert (Environment.attach("n", adapter="mine").path / "k").read_text() == "s"
    assert list((registry / ".agent-venv").iterdir()) == []


def test_a_cancelled_attach_detaches() -> None:
    async def main() -> None:
        for _ in range(50):
            attaching = asyncio.create_task(AsyncEnvironment.attach("first"))
            await asyncio.sleep(0)
            attaching.cancel()
            with pytest.raises(asyncio.CancelledError):
                await attaching

    asyncio.run(main())
    assert Environment.attach("first").path.is_dir()


def test_the_end_of_a_block_detaches_and_destroy_removes() -> None:
    async def main() -> None:
        async with await AsyncEnvironment.create_or_attach("n", SPEC) as env:
            assert env.is_persistent
        async with await AsyncEnvironment.attach("n", adapter="mine") as again:
            assert again.path == env.path
            await again.refresh_credentials(EnvironmentSpec(credentials={"k": "new"}))
            assert (env.path / "k").read_text() == "new"
        assert await AsyncEnvironment.list() == ["first", "n"]
        assert await again.destroy() is True
        assert await env.destroy() is True
        assert await AsyncEnvironment.destroy_by_name("first") is True
        assert await AsyncEnvironment.list() == []

    asyncio.run(main())


def test_failures_are_raised_and_heard(tmp_path: Path) -> None:
    heard: list[Event] = []

    async def main() -> None:
        with pytest.raises(AdapterMismatchError):
            await AsyncEnvironment.create_or_attach("first", SPEC, on_event=heard.append)
        with pytest.raises(EnvironmentNotFoundError):
            await AsyncEnvironment.attach("n", on_event=heard.append)
        with pytest.raises(EnvironmentNotFoundError):
            await AsyncEnvironment.destroy_by_name("first", registry_root=tmp_path / "other")

    asyncio.run(main())
    shown = [(event.kind, event.data["error_kind"]) for event in heard]
    assert shown == [("error", "AdapterMismatch"), ("error", "EnvironmentNotFound")]


def test_many_create_one_name_at_once_and_one_of_them_does() -> None:
    async def main() -> list[AsyncEnvironment]:
        return await asyncio.gather(
            *(AsyncEnvironment.create_or_attach("n", SPEC) for _ in range(100))
        )

    made = asyncio.run(main())
    assert len({env.path for env in made}) == 1
    first = [env.events()[0].kind for env in made]
    assert sorted(first) == ["env.attached"] * 99 + ["env.created"]
