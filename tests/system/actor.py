"""The other end of programs/actor.c: a process that uses the library as it is told."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

# Nothing here takes a second; what takes a minute hangs.
PATIENCE = 60


class LibraryError(Exception):
    """What the library answered instead."""

    def __init__(self, kind: str, message: str, payload: str, events: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind
        self.message = message
        self.payload: dict[str, Any] = json.loads(payload)
        self.events: list[dict[str, Any]] = json.loads(events)


class Actor:
    def __init__(self, command: list[str], **how: Any) -> None:
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **how
        )
        self._children: list[int] = []

    def fileno(self) -> int:
        """Where its answers come."""
        assert self._process.stdout is not None
        return self._process.stdout.fileno()

    @property
    def pid(self) -> int:
        return self._process.pid

    def ready(self) -> None:
        """Returns when all that the actor is run within has come to the actor itself."""
        self._call("ready")

    def create(self, spec: dict[str, Any] | None = None, /, **fields: Any) -> Path:
        """An environment of this spec; answers its profile directory."""
        given = spec if spec is not None else fields
        return Path(self._call("create", json.dumps(given) if given else ""))

    def create_or_attach(self, name: str, spec: dict[str, Any]) -> Path:
        return Path(self._call("create-or-attach", f"{name} {json.dumps(spec)}"))

    def attach(self, name: str) -> Path:
        return Path(self._call("attach", name))

    def destroy_named(self, name: str) -> None:
        self._call("destroy-named", name)

    def names(self) -> list[str]:
        names: list[str] = json.loads(self._call("names"))
        return names

    def repair(self) -> dict[str, Any]:
        report: dict[str, Any] = json.loads(self._call("repair"))
        return report

    def refresh(self, **fields: Any) -> None:
        self._call("refresh", json.dumps(fields) if fields else "")

    def destroy(self) -> None:
        self._call("destroy")

    def free(self) -> None:
        self._call("free")

    def events(self) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = json.loads(self._call("events"))
        return events

    def reap(self, what: str = "ephemeral") -> dict[str, Any]:
        report: dict[str, Any] = json.loads(self._call("reap"))[what]
        return report

    def wait_for_the_lock(self, milliseconds: int) -> None:
        self._call("patience", str(milliseconds))

    def use_root(self, path: Path) -> None:
        self._call("root", str(path))

    def allow_descriptors(self, most: int) -> None:
        self._call("descriptors", str(most))

    def fork(self) -> int:
        """A forked child that only lives."""
        self._children.append(int(self._call("fork")))
        return self._children[-1]

    def tell(self, command: str, argument: str = "") -> None:
        """Sends a command, and does not wait for the answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command} {argument}".strip().encode() + b"\n")
        self._process.stdin.flush()

    def answer(self) -> str:
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], PATIENCE)
        assert ready, f"no answer in {PATIENCE} seconds"
        line = str(self._process.stdout.readline(), "utf-8").rstrip("\n")
        assert line, f"the actor ended with {self._process.wait()}"
        word, _, text = line.partition(" ")
        if word == "error":
            kind, message, payload, events = text.split("\t")
            raise LibraryError(kind, message, payload, events)
        return text

    def _call(self, command: str, argument: str = "") -> str:
        self.tell(command, argument)
        return self.answer()

    def end(self) -> None:
        """No more commands: it ends by itself."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait(PATIENCE) == 0

    def wait(self) -> int:
        """How it ended by itself."""
        return self._process.wait(PATIENCE)

    def kill(self) -> None:
        """SIGKILL: no goodbye."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        self.kill()
        for child in self._children:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        for stream in (self._process.stdin, self._process.stdout):
            with suppress(BrokenPipeError):
                assert stream is not None
                stream.close()


def attempt(call: Callable[[], object]) -> LibraryError | None:
    """What the library answered instead of doing it; None where it did it."""
    try:
        call()
    except LibraryError as error:
        return error
    return None


def failure(call: Callable[[], object], kind: str) -> LibraryError:
    """What a call answers that must fail with this kind."""
    error = attempt(call)
    assert error is not None, f"the call succeeded, and should have answered {kind}"
    assert error.kind == kind, f"{error} is no {kind}"
    assert error.events[-1]["kind"] == "error"
    assert error.events[-1]["error_kind"] == kind
    assert error.message
    return error
