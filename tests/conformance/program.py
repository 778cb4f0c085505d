"""A conformance program that runs, and the requests that it is asked."""

from __future__ import annotations

import json
import os
import select
import shlex
import subprocess
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent.parent
PATIENCE = 60  # No answer takes ten seconds; what takes a minute hangs.

# What a program sees of the host, but for what stands in HOST below.
KEPT = ("PATH", "LANG", "LC_ALL")

# Mounts are made for one program alone, and go with it.
ALONE = ["unshare", "--mount", "--propagation", "private"] if os.geteuid() == 0 else []


class Broken(Exception):  # noqa: N818
    """A program does not even speak the protocol."""


class Program:
    """One process, on a host of its own: an empty home, and nothing in its temporary directory."""

    def __init__(
        self, language: str, command: str, scratch: Path, ephemeral: Path | None = None
    ) -> None:
        self.language = language
        self.scratch = scratch
        host = {
            "HOME": scratch / "home",
            "TMPDIR": scratch / "tmp",
            "AGENT_VENV_EPHEMERAL_ROOT": ephemeral or scratch / "ephemeral",
            "AGENT_VENV_REGISTRY_ROOT": scratch / "never-used",
        }
        for folder in ("home", "tmp"):
            (scratch / folder).mkdir(parents=True, mode=0o700)
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        self._process = subprocess.Popen(
            [*ALONE, *shlex.split(command)],
            cwd=PROJECT,
            env={**kept, **{name: str(place) for name, place in host.items()}},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        self._rest = b""
        self.banner = self._read()

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        return self.tell(json.dumps(request, ensure_ascii=False).encode())

    def tell(self, line: bytes) -> dict[str, Any]:
        """Sends any line, and answers what comes back."""
        self.send(line)
        return self._read()

    def send(self, line: bytes) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line + b"\n")
        except BrokenPipeError:
            raise self._ended() from None

    def kill_after(self, seconds: float) -> None:
        """Kills it in the midst of what it was sent, or where it waits for more."""
        select.select([], [], [], seconds)
        self.kill()

    def mount(self, place: str) -> None:
        """Mounts something empty where only the program sees it."""
        if not ALONE:
            raise Broken("this case mounts something, so the suite must run as root")
        self._inside("mount", "--types", "tmpfs", "none", place)

    def unmount_all(self, below: str) -> None:
        """Unmounts what was mounted, wherever it was moved to."""
        if ALONE and self._process.returncode is None:
            table = Path(f"/proc/{self._process.pid}/mountinfo").read_text()
            for place in (line.split()[4] for line in table.splitlines()):
                if place.startswith(f"{below}/"):
                    self._inside("umount", place)

    def _inside(self, *command: str) -> None:
        enter = ["nsenter", f"--mount=/proc/{self._process.pid}/ns/mnt"]
        subprocess.run([*enter, *command], check=True)

    def end(self) -> None:
        """Ends its input: it has to end as well, and in peace."""
        try:
            rest, _ = self._process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Broken("it does not end when its input does") from None
        rest = self._rest + rest
        if self._process.returncode != 0 or rest:
            raise Broken(f"it ended with {self._process.returncode}, after {rest[:200]!r}")

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _read(self) -> dict[str, Any]:
        line = self._line()
        try:
            answer = json.loads(line)
        except ValueError:
            raise Broken(f"it said {line[:200]!r}, and that is not JSON") from None
        if not isinstance(answer, dict):
            raise Broken(f"it said {line[:200]!r}, and that is no object")
        return answer

    def _line(self) -> bytes:
        assert self._process.stdout is not None
        while b"\n" not in self._rest:
            ready, _, _ = select.select([self._process.stdout], [], [], PATIENCE)
            if not ready:
                raise Broken(f"it gave no answer in {PATIENCE} seconds")
            piece = os.read(self._process.stdout.fileno(), 1 << 16)
            if not piece:
                raise self._ended()
            self._rest += piece
        line, self._rest = self._rest.split(b"\n", 1)
        return line

    def _ended(self) -> Broken:
        return Broken(f"it ended with {self._process.wait()}, in the middle of a case")
