"""A host made up for one check: fake logins in a HOME of its own, no network, no real variable."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Collection, Mapping
from pathlib import Path

import fetch
from agents import AGENTS, Agent, Result

HERE = Path(__file__).parent

# An ordinary user may leave the network too, as itself in a user namespace of its own.
# There each keeps the right to bring up its loopback.
ORDINARY_USER = [] if os.geteuid() == 0 else ["--map-current-user", "--keep-caps"]
NO_NETWORK = ["unshare", *ORDINARY_USER, "--net"]

Snapshot = dict[str, tuple[object, ...]]


class Host:
    """HOME, a temporary directory, and one to work in, which is not below HOME."""

    def __init__(self, root: Path) -> None:
        self.home = root / "home"
        self.temporary = root / "tmp"
        self.work = root / "work"
        self.elsewhere = root / "elsewhere"
        for each in (self.home, self.temporary, self.work, self.elsewhere):
            each.mkdir(mode=0o700)
        # What pi installs.
        for name in ("alpha", "beta"):
            (self.work / name).mkdir()
        for agent in AGENTS:
            self._furnish(agent)
        (self.home / "link").symlink_to(".claude/CLAUDE.md")
        self._expected = _snapshot(self.home)

    def _furnish(self, agent: Agent) -> None:
        directory = self.home / agent.host_directory
        directory.mkdir(parents=True)
        agent.log_in(self.home / agent.host_login, "first")
        agent.write_servers(self.home, "hostserver")
        for name in ("CLAUDE.md", "AGENTS.md"):
            (directory / name).write_text("The host's own memory.\n")
        for name, text in agent.work_files.items():
            file = self.work / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        skill = directory / "skills/hostskill/SKILL.md"
        skill.parent.mkdir(parents=True)
        skill.write_text("---\nname: hostskill\ndescription: the host's own\n---\n")

    def log_in(self, agent: Agent, account: str) -> None:
        """What the user does by hand: it is no change that a check would complain about."""
        agent.log_in(self.home / agent.host_login, account)
        self._expected = _snapshot(self.home)

    def decoy(self, agent: Agent) -> Path:
        """A directory with a login in it that a variable of the parent's may point at."""
        directory = self.elsewhere / f"{agent.id}-decoy"
        directory.mkdir()
        agent.log_in(directory / agent.login, "decoy")
        return directory

    def environment(self) -> dict[str, str]:
        return {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self.home),
            "TMPDIR": str(self.temporary),
            "TERM": "dumb",
            "OF_THE_PARENT": "kept",
        }

    def command(
        self, environment: Mapping[str, str], *argv: str | Path, leaves_others: bool = False
    ) -> list[str]:
        """The command line that runs `argv` with these variables only, without a network.

        What `leaves_others` behind runs among processes that all end with it.
        """
        apart = ["--pid", "--fork", "--kill-child", "--mount-proc"] if leaves_others else []
        assignments = [f"{name}={value}" for name, value in environment.items()]
        return [*NO_NETWORK, *apart, "--", "env", "-i", *assignments, *map(str, argv)]

    def run(self, environment: Mapping[str, str], *argv: str | Path) -> Result:
        """Run a program without the library."""
        done = subprocess.run(
            self.command(environment, *argv),
            cwd=self.work,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        return Result(done.returncode, done.stdout, done.stderr, self.shown_keys())

    def beside_the_server(self) -> list[str | Path]:
        """Put before a program, runs it beside a server that notes the keys it is shown."""
        return [sys.executable, HERE / "serve.py", self.elsewhere / "keys.json"]

    def shown_keys(self) -> tuple[str, ...]:
        """The keys that the server was shown in the last run beside it."""
        file = self.elsewhere / "keys.json"
        keys = json.loads(file.read_text()) if file.exists() else []
        file.unlink(missing_ok=True)
        return tuple(keys)

    def given(self, agent: Agent, but: Collection[str] = ()) -> list[str]:
        """Put before a program, gives it what the checks give this agent."""
        places = {"elsewhere": self.elsewhere, "cache": fetch.cache()}
        given = (
            f"{name}={value.format(**places)}"
            for name, value in agent.given.items()
            if name not in but
        )
        return ["/usr/bin/env", *given]

    def copy_of_home(self, name: str = "home-copy") -> Path:
        """For an agent that is to run without a profile: it writes to its HOME."""
        copy = self.home.with_name(name)
        shutil.copytree(self.home, copy, symlinks=True)
        return copy

    def assert_home_is_untouched(self) -> None:
        found = _snapshot(self.home)
        changed = {
            path: (self._expected.get(path), found.get(path))
            for path in self._expected.keys() | found.keys()
            if self._expected.get(path) != found.get(path)
        }
        assert not changed, f"HOME was changed: {changed}"


def _snapshot(root: Path) -> Snapshot:
    """Every path below (and the root), with all that a change of it would change."""
    return {str(path.relative_to(root)): _entry(path) for path in (root, *root.rglob("*"))}


def _entry(path: Path) -> tuple[object, ...]:
    status = path.lstat()
    content = ""
    if stat.S_ISLNK(status.st_mode):
        content = str(path.readlink())
    elif stat.S_ISREG(status.st_mode):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
    owner = (status.st_uid, status.st_gid)
    return (stat.filemode(status.st_mode), owner, status.st_nlink, status.st_mtime_ns, content)
