"""Run by the peer's own Python: does with the peer's package what it is told.

It imports nothing of ours. Each line of JSON is {"op": ..., arguments}; the answer is
{"answer": ...}, or {"error": ...} with the kind of failure.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import FrameType, SimpleNamespace
from typing import Any

import agent_venv
from agent_venv import Environment, errors
from agent_venv.registry import Registry, default_registry_root
from agent_venv.spec import EnvironmentSpec

PACKAGE = str(Path(agent_venv.__file__).parent)
WRITING = {"write_text", "write_bytes", "mkdir"}


def describe(environment: Environment) -> dict[str, Any]:
    return {
        "path": str(environment.path),
        "env_overrides": environment.env_overrides,
        "adapter_id": environment.adapter_id,
    }


def create(root: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    made = EnvironmentSpec.from_dict(spec)
    return describe(Environment.create_or_attach(name, made, registry_root=Path(root)))


def attach(root: str, name: str, adapter: str | None = None) -> dict[str, Any]:
    named = SimpleNamespace(id=adapter) if adapter else None
    return describe(Environment.attach(name, adapter=named, registry_root=Path(root)))


def names(root: str) -> list[str]:
    return Environment.list(registry_root=Path(root))


def destroy(root: str, name: str) -> bool:
    return Environment.destroy_by_name(name, registry_root=Path(root))


def default_root() -> str:
    return str(default_registry_root())


def create_many(root: str, names: list[str], spec: dict[str, Any]) -> dict[str, str]:
    """Paths by name."""
    return {name: patiently(lambda name=name: create(root, name, spec)["path"]) for name in names}


def churn(root: str, rounds: int, spec: dict[str, Any]) -> int:
    """Makes a name, attaches to it and destroys it, again and again."""
    for number in range(rounds):
        name = f"churn-{number}"
        patiently(lambda name=name: create(root, name, spec))
        attach(root, name)
        patiently(lambda name=name: destroy(root, name))
    return rounds


def patiently(call: Callable[[], Any]) -> Any:
    """Waits for the lock for longer than the peer does of itself."""
    while True:
        try:
            return call()
        except errors.RegistryUnavailableError as error:
            if "could not acquire registry lock" not in error.message:
                raise


def each_line(then: Callable[[], None]) -> Callable[..., Any]:
    """A trace that acts before each line of the package, and of what it writes and removes by."""

    def trace(frame: FrameType, event: str, _: object) -> Callable[..., Any] | None:
        code = frame.f_code
        followed = code.co_filename.startswith(PACKAGE) or code.co_filename == shutil.__file__
        if not followed and code.co_name not in WRITING:
            return None
        if event == "line":
            then()
        return trace

    return trace


def lines_with_news(call: dict[str, Any]) -> list[int]:
    """Does it; answers the numbers of the lines before which something new stands on the disk."""
    news: list[int] = []
    last: object = None
    line = 0

    def look() -> None:
        nonlocal last, line
        seen = [
            (
                directory,
                directories,
                [(file, Path(directory, file).stat().st_size) for file in files],
            )
            for directory, directories, files in os.walk(call["root"])
        ]
        if seen != last:
            last = seen
            news.append(line)
        line += 1

    sys.settrace(each_line(look))
    do(call)
    sys.settrace(None)
    return news


def in_child(work: Callable[[], object]) -> int:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return child


def was_killed(child: int) -> bool:
    status = os.waitpid(child, 0)[1]
    assert status == 0 or os.WIFSIGNALED(status), f"the child ended with {status:#x}"
    return os.WIFSIGNALED(status)


def killed_at_line(line: int, call: dict[str, Any]) -> bool:
    """Does it in a child that dies before that line; false where it came to the end first."""
    left = line

    def count() -> None:
        nonlocal left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1

    def work() -> None:
        sys.settrace(each_line(count))
        do(call)
        sys.settrace(None)

    return was_killed(in_child(work))


def killed_after(seconds: float, call: dict[str, Any]) -> bool:
    """Does it in a child that is killed after that time; false where it came to the end first."""
    reader, writer = os.pipe()

    def work() -> None:
        os.write(writer, b"!")
        do(call)

    child = in_child(work)
    os.read(reader, 1)
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass
    os.kill(child, signal.SIGKILL)
    os.close(reader)
    os.close(writer)
    return was_killed(child)


def list_by_name(reverse: bool) -> None:
    """From now on directories are listed, and so removed, in this order, not the file system's."""
    unsorted = os.scandir

    class ByName(ExitStack):
        def __init__(self, where: Any) -> None:
            super().__init__()
            with unsorted(where) as entries:
                self._all = iter(sorted(entries, key=lambda entry: entry.name, reverse=reverse))

        def __iter__(self) -> Any:
            return self

        def __next__(self) -> Any:
            return next(self._all)

    os.scandir = ByName  # type: ignore[assignment,misc]


def duration(call: dict[str, Any]) -> float:
    start = time.perf_counter()
    do(call)
    return time.perf_counter() - start


def held(stage: str, call: dict[str, Any]) -> Any:
    """Does it, and at that stage says so and waits for a line."""

    def hold() -> None:
        print(json.dumps({"answer": stage}), flush=True)
        sys.stdin.readline()

    read_index, reserve = Registry._read_index, Registry.reserve_or_get

    def reads_index(self: Registry) -> dict[str, str]:
        hold()
        return read_index(self)

    def reserves(self: Registry, *arguments: str) -> Any:
        reserved = reserve(self, *arguments)
        hold()
        return reserved

    stages = {"locked": ("_read_index", reads_index), "registered": ("reserve_or_get", reserves)}
    method, instead = stages[stage]
    before = getattr(Registry, method)
    setattr(Registry, method, instead)
    try:
        return do(call)
    finally:
        setattr(Registry, method, before)


OPERATIONS: dict[str, Callable[..., Any]] = {
    operation.__name__: operation
    for operation in (
        create,
        attach,
        names,
        destroy,
        default_root,
        create_many,
        churn,
        lines_with_news,
        killed_at_line,
        killed_after,
        list_by_name,
        duration,
        held,
    )
}


def do(call: dict[str, Any]) -> Any:
    arguments = dict(call)
    return OPERATIONS[arguments.pop("op")](**arguments)


def main() -> None:
    while line := sys.stdin.readline():
        try:
            answer = {"answer": do(json.loads(line))}
        except errors.AgentVenvError as error:
            answer = {"error": error.kind, "message": error.message}
        except Exception as error:  # what the peer lets through, such as a KeyError
            answer = {"error": type(error).__name__, "message": str(error)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
