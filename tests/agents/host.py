"""A host made up for one check: fake logins in a HOME of its own, no network, no real variable."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
from collections.abc import Mapping
from pathlib import Path

from agents import AGENTS, Agent, Result

# An ordinary user may leave the network too, as itself in a user namespace of its own.
NO_NETWORK = ["unshare", *([] if os.geteuid() == 0 else ["--map-current-user"]), "--net", "--"]

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
        for agent in AGENTS:
            self._furnish(agent)
        (self.home / "link").symlink_to(".claude/CLAUDE.md")
        self._expected = _snapshot(self.home)

    def _furnish(self, agent: Agent) -> None:
        directory = self.home / agent.host_directory
        directory.mkdir()
        agent.write_login(directory, "first")
        agent.write_servers(self.home, "hostserver")
        for name in ("CLAUDE.md", "AGENTS.md"):
            (directory / name).write_text("The host's own memory.\n")
        skill = directory / "skills/hostskill/SKILL.md"
        skill.parent.mkdir(parents=True)
        skill.write_text("---\nname: hostskill\ndescription: the host's own\n---\n")

    def log_in(self, agent: Agent, account: str) -> None:
        """What the user does by hand: it is no change that a check would complain about."""
        agent.write_login(self.home / agent.host_directory, account)
        self._expected = _snapshot(self.home)

    def decoy(self, agent: Agent) -> Path:
        """A directory with a login in it that a variable of the parent's may point at."""
        directory = self.elsewhere / agent.id
        directory.mkdir()
        agent.write_login(directory, "decoy")
        return directory

    def environment(self) -> dict[str, str]:
        return {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self.home),
            "TMPDIR": str(self.temporary),
            "TERM": "dumb",
            "OF_THE_PARENT": "kept",
        }

    def command(self, environment: Mapping[str, str], *argv: str | Path) -> list[str]:
        """The command line that runs `argv` with these variables only, without a network."""
        assignments = [f"{name}={value}" for name, value in environment.items()]
        return [*NO_NETWORK, "env", "-i", *assignments, *map(str, argv)]

    def run(self, environment: Mapping[str, str], *argv: str | Path) -> Result:
        """Run a program without the library."""
        done = subprocess.run(
            self.command(environment, *argv),
            cwd=self.work,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    def copy_of_home(self) -> Path:
        """For an agent that is to run without a profile: it writes to its HOME."""
        copy = self.home.with_name("home-copy")
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
