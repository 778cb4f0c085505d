"""Drives the library from another program, one in C and one in Python, which speak the same lines.

A line is fields between tabs: an operation, what it needs, and back `ok` or `error` with what
there is to say. The program starts the agents itself, as a user's would.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from agents import Result
from host import Host

HERE = Path(__file__).parent
ROOT = HERE.parent.parent


class Driver:
    """One such program, running."""

    def __init__(self, host: Host, environment: Mapping[str, str], *argv: str | Path) -> None:
        self._host = host
        self._process = subprocess.Popen(
            host.command(environment, *argv),
            cwd=host.work,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def create(self, adapter: str, **options: object) -> Profile:
        slot, path, unset = self.ask("create", adapter, json.dumps(options))
        return Profile(self, slot, Path(path), json.loads(unset))

    def run(self, slot: str, *argv: str | Path) -> Result:
        out, err = (self._host.elsewhere / name for name in ("out", "err"))
        [code] = self.ask("run", slot, out, err, *argv)
        return Result(int(code), out.read_text(), err.read_text(), self._host.shown_keys())

    def ask(self, *fields: str | Path) -> list[str]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\t".join(map(str, fields)) + "\n")
        self._process.stdin.flush()
        outcome, *answer = self._process.stdout.readline().rstrip("\n").split("\t")
        assert outcome == "ok", f"{fields[0]}: {outcome} {answer}"
        return answer

    def end(self) -> None:
        """End it: it must not have failed in any way."""
        self._process.communicate()
        assert self._process.returncode == 0


@dataclass(frozen=True)
class Profile:
    """An ephemeral environment that a driver holds."""

    driver: Driver
    slot: str
    path: Path
    unset: list[str]

    def run(self, *argv: str | Path) -> Result:
        """Run a program with the variables that the library answers for this environment."""
        return self.driver.run(self.slot, *argv)

    def variables(self) -> dict[str, str]:
        """All that a child of it has."""
        entries = self.run("/usr/bin/env", "-0").out.rstrip("\0").split("\0")
        return dict(entry.split("=", 1) for entry in entries)

    def refresh_credentials(self) -> None:
        self.driver.ask("refresh", self.slot)

    def login_status(self) -> str:
        """How its login stands to the host's."""
        [told] = self.driver.ask("status", self.slot)
        return str(json.loads(told)["status"])

    def destroy(self) -> None:
        self.driver.ask("destroy", self.slot)


def build_c(into: Path, compiler: str, library: Path) -> Path:
    """Compile the C program against the header and the shared library."""
    # The program asks for the library by its soname, which a build directory doesn't have.
    (into / "libagent_venv.so.0").symlink_to(library)
    program = into / "profiles"
    warnings = ["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror"]
    search = [f"-I{ROOT / 'include'}", f"-Wl,-rpath,{into}"]
    source = HERE / "profiles.c"
    linked = into / "libagent_venv.so.0"
    subprocess.run([compiler, *warnings, *search, source, linked, "-o", program], check=True)
    return program


def python_environment(library: Path) -> dict[str, str]:
    return {
        "AGENT_VENV_LIBRARY": str(library),
        "PYTHONPATH": str(ROOT / "bindings/python/src"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


PYTHON = (sys.executable, HERE / "profiles.py")
