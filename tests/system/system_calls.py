"""The system calls that an actor makes for a command, and ways to let one of them fail."""

from __future__ import annotations

import os
import re
import select
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from actor import PATIENCE, Actor
from host import Host

Command = tuple[str, str]

MEMORY = {"brk", "mmap", "munmap", "mremap", "madvise"}
"""What an allocator does as it likes."""


@dataclass(frozen=True)
class Call:
    """A system call, and which one of its name it is in the life of its process."""

    name: str
    number: int
    text: str

    def __str__(self) -> str:
        return f"{self.name}-{self.number}"


def obeying(command: Command) -> Callable[[Actor], object]:
    def obey(actor: Actor) -> object:
        actor.tell(*command)
        return actor.answer()

    return obey


def calls(host: Host, *commands: Callable[[Actor], object]) -> list[list[Call]]:
    """What each of these commands calls, all given to one actor."""
    log = host.directory / "trace"
    actor = host.actor("strace", "-o", str(log))
    for command in commands:
        command(actor)
    actor.end()
    made: list[list[Call]] = [[]]
    numbers: Counter[str] = Counter()
    for line in log.read_text(errors="replace").splitlines():
        name = re.match(r"(\w+)\(", line)
        if name is None:
            continue
        numbers[name[1]] += 1
        if line.startswith("read(0,"):
            made.append([])
        elif not line.startswith("write(1,") and name[1] not in MEMORY:
            made[-1].append(Call(name[1], numbers[name[1]], line))
    # Before the first command the actor starts, and after the last it ends.
    return made[1:-1]


def injecting(call: Call, what: str) -> tuple[str, ...]:
    """What an actor is run within, so that this call fails, or kills it."""
    return ("strace", "-o", "/dev/null", "-e", f"inject={call.name}:{what}:when={call.number}")


class Stopped:
    """An actor that stops right after a system call, obeys `commands` until then, and can go on."""

    def __init__(self, host: Host, call: Call, *commands: Command) -> None:
        told = host.directory / "stopped"
        told.unlink(missing_ok=True)
        os.mkfifo(told)
        # Opened both ways, so that opening waits for nobody.
        self._told = os.open(told, os.O_RDWR)
        stop = f"inject={call.name}:signal=SIGSTOP:when={call.number}"
        self._actor = host.actor("strace", "-D", "-o", str(told), "-e", stop)
        self._commands = list(commands)
        self._answers: list[str] = []
        while not self._stops():
            self._answers.append(self._actor.answer())

    def _stops(self) -> bool:
        """Gives the next command; whether the actor stops in it, or answers."""
        self._actor.tell(*self._commands.pop(0))
        said = b""
        while b"stopped by SIGSTOP" not in said:
            ready, _, _ = select.select([self._told, self._actor.fileno()], [], [], PATIENCE)
            assert ready, "it neither stops nor answers"
            if self._told not in ready:
                return False
            said = said[-100:] + os.read(self._told, 1 << 16)
        return True

    def go_on(self) -> list[str]:
        """Obeys the other commands too; what all were answered."""
        os.kill(self._actor.pid, signal.SIGCONT)
        self._answers.append(self._actor.answer())
        for command in self._commands:
            self._actor.tell(*command)
            self._answers.append(self._actor.answer())
        os.close(self._told)
        return self._answers
