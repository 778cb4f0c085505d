"""The compiled programs, and how they are run: as a fresh process, or with one system call meddled with.

Those that hang end themselves by an alarm.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TREE = Path(__file__).resolve().parents[2]
FLAGS = ["-std=c99", "-D_GNU_SOURCE", "-pedantic", "-Wall", "-Wextra", "-Werror", "-O1", "-g", "-pthread"]
END = "the end"
"""Stands for the closing mark among system calls."""

CREATING = ", creating"
"""Follows the name of a call that may create a file."""

Answer = dict[str, Any]
"""What a step answered, as programs/operate.c prints it."""


def build(library: Path, directory: Path) -> None:
    """Compiles the programs into the directory, with the library beside them by its soname."""
    (directory / "libagent_venv.so.0").symlink_to(library)
    link = ["-I", TREE / "include", "-Wl,-rpath,$ORIGIN", library]
    compilers = [
        subprocess.Popen(["cc", *FLAGS, source, "-o", directory / source.stem, *link])
        for source in sorted(Path(__file__).with_name("programs").glob("*.c"))
    ]
    assert [each.wait() for each in compilers] == [0] * len(compilers)


def system_calls() -> dict[int, str]:
    """The names of all system calls, by their numbers."""
    headers = ["cc", "-E", "-dM", "-include", "sys/syscall.h", "-x", "c", "/dev/null"]
    macros = subprocess.run(headers, check=True, stdout=subprocess.PIPE, text=True).stdout
    names = {int(n): name for name, n in re.findall(r"#define __NR_(\w+) (\d+)$", macros, re.MULTILINE)}
    assert names, "no system call is known"
    mark = re.search(r"#define MARK (\d+)", (TREE / "tests/faults/programs/mark.h").read_text())
    assert mark is not None
    return {**names, int(mark[1]): END}


@dataclass
class Meddled:
    """A run with one system call meddled with."""

    hit: str | None
    """The call; None where the operation came to its end before."""
    calls: list[str]
    """All calls between the marks, up to that one."""
    status: int
    """As waitpid tells it."""
    answers: list[Answer]


class Programs:
    def __init__(self, library: Path, directory: Path) -> None:
        build(library, directory)
        self.directory = directory
        self.names = system_calls()

    def ask(self, environment: dict[str, str], *steps: str) -> list[Answer]:
        """Runs the steps in a fresh process."""
        done = subprocess.run(
            [self.directory / "operate", *steps],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )
        assert done.returncode == 0, f"{steps} ended with {done.returncode}"
        return [json.loads(line) for line in done.stdout.splitlines()]

    def begin(self, environment: dict[str, str], nth: int, what: str | int, *steps: str) -> MeddledProcess:
        """Runs the steps, and does `what` to the nth system call between their marks."""
        programs = [self.directory / "fault", str(nth), str(what), self.directory / "operate"]
        return MeddledProcess(
            self.names,
            subprocess.Popen(
                [*programs, *steps],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            ),
        )


class MeddledProcess:
    """Runs until it tells, is paused, or ends."""

    def __init__(self, names: dict[int, str], process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._names = names
        self._process = process
        self._stdin = process.stdin
        self._stdout = process.stdout

    def told(self) -> Answer:
        """The next line that it prints, while it lives."""
        line = self._stdout.readline()
        assert line, "the process ended instead of telling"
        answer: Answer = {"paused": True} if line == b"paused\n" else json.loads(line)
        return answer

    def go_on(self) -> None:
        self._stdin.write(b"\n")
        self._stdin.flush()

    def end(self) -> Meddled:
        """What came of it; where it waits to be told to go on, it ends there."""
        self._stdin.close()
        lines = [json.loads(line) for line in self._stdout if line != b"paused\n"]
        self._stdout.close()
        assert self._process.wait() == 0, "the tracer failed"
        report = lines.pop()
        calls = [self._names[abs(call)] + CREATING * (call < 0) for call in report["calls"]]
        return Meddled(
            hit=calls[-1] if report["hit"] else None,
            calls=calls,
            status=report["status"],
            answers=lines,
        )


def ended_well(status: int) -> bool:
    return os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0
