"""The measured programs: built, started, and asked."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
HERE = TOP / "benches"
BUILT = TOP / "target/bench"
LIBRARY = TOP / "target/release" / ("libagent_venv.dylib" if sys.platform == "darwin" else "libagent_venv.so")
CACHE = Path(os.environ.get("AGENT_VENV_TEST_CACHE") or Path.home() / ".cache/agent-venv-tests")
LANGUAGES = ("c", "python", "go", "node")
PEERS = ("pypi", "crate")


def run(*command: str | Path, **options: object) -> str:
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **options)  # type: ignore[call-overload]
    return str(done.stdout)


def build() -> None:
    BUILT.mkdir(parents=True, exist_ok=True)
    cc = [os.environ.get("CC", "cc"), "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror"]
    run(*cc, "-o", BUILT / "floor", HERE / "floor.c")
    run(*cc, "-o", BUILT / "first", HERE / "first.c", "-ldl")
    link = [f"-L{LIBRARY.parent}", "-lagent_venv", f"-Wl,-rpath,{LIBRARY.parent}"]
    run(*cc, "-I", TOP / "include", "-o", BUILT / "c", HERE / "driver.c", *link)
    run(TOP / "bindings/go/with-library", "sh", "-c", f"cd {HERE}/go && go build -o {BUILT}/go .")
    node = TOP / "bindings/node"
    if not (node / "node_modules/.package-lock.json").exists():
        run("npm", "ci", "--silent", cwd=node)
    run("npm", "run", "--silent", "build", cwd=node)
    cargo = [os.environ.get("CARGO", "cargo"), "build", "--release", "--locked", "--quiet"]
    crate = {**os.environ, "CARGO_TARGET_DIR": str(CACHE / "peer-crate")}
    run(*cargo, "--manifest-path", HERE / "peer/Cargo.toml", env=crate)


def command(program: str, work: Path) -> list[str | Path]:
    match program:
        case "floor":
            return [BUILT / "floor", work]
        case "c" | "go":
            return [BUILT / program]
        case "python":
            return [sys.executable, "-B", HERE / "driver.py"]
        case "node":
            return ["node", HERE / "driver.mjs", TOP / "bindings/node/dist/index.js"]
        case "pypi":
            return [run(sys.executable, TOP / "tests/registry/peer.py").strip(), "-B", HERE / "driver.py"]
        case "crate":
            return [CACHE / "peer-crate/release/peer"]
    raise ValueError(program)


class Program:
    """A process that measures what it is told, in a directory of its own for what it makes."""

    def __init__(self, program: str, work: Path) -> None:
        self.work = work / program
        self.work.mkdir(exist_ok=True)
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        ours = {"AGENT_VENV_LIBRARY": str(LIBRARY), "AGENT_VENV_EPHEMERAL_ROOT": str(self.work)}
        if program == "python":
            ours["PYTHONPATH"] = str(TOP / "bindings/python/src")
        self._process = subprocess.Popen(
            command(program, self.work),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**kept, **ours, "TMPDIR": str(self.work)},
        )

    def tell(self, *what: object) -> None:
        assert self._process.stdin
        self._process.stdin.write(" ".join(map(str, what)) + "\n")
        self._process.stdin.flush()

    def answer(self) -> list[float]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, f"{self.work.name} ended with {self._process.wait()}"
        samples: list[float] = json.loads(line)
        return samples

    def ask(self, *what: object) -> list[float]:
        self.tell(*what)
        return self.answer()

    def end(self) -> None:
        self._process.communicate()


def instructions(work: Path, *what: object) -> int | None:
    """Instructions that the C program needs for one more of `what`; the kernel's are not among them."""
    if shutil.which("valgrind") is None:
        return None
    counted = []
    for count in (10, 110):
        log = work / "callgrind"
        valgrind = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", f"--log-file={log}"]
        told = " ".join(map(str, (*what, count))) + "\n"
        if what[0] == "new":
            told += " ".join(map(str, ("destroy", *what[1:], count))) + "\n"
        environment = {**os.environ, "AGENT_VENV_EPHEMERAL_ROOT": str(work)}
        run(*valgrind, BUILT / "c", input=told, env=environment)
        counted.append(next(int(line.split()[-1]) for line in log.read_text().splitlines() if "Collected" in line))
    return (counted[1] - counted[0]) // 100
