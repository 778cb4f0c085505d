"""The example that readers copy does what it says, under Valgrind, with and without logins."""

import os
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
OUT = ROOT / "target/abi"
SOURCE = ROOT / "bindings/c/examples/profiles.c"
PROGRAM = OUT / "profiles"
FLAGS = ["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", f"-I{ROOT}/include"]
LINK = [f"-L{OUT}", "-lagent_venv", f"-Wl,-rpath,{OUT}"]
VALGRIND = ["valgrind", "--quiet", "--error-exitcode=99", "--leak-check=full"]


class Host:
    """A home without logins, a directory for temporary files, and the example's runs in them."""

    def __init__(self, directory: str) -> None:
        self.home = Path(directory, "home")
        self.temporary = Path(directory, "tmp")
        self.home.mkdir()
        self.temporary.mkdir()

    def log_in(self) -> None:
        for login in (".claude/.credentials.json", ".codex/auth.json"):
            path = self.home / login
            path.parent.mkdir()
            path.write_text("{}")

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        path = os.environ["PATH"]
        variables = {"PATH": path, "HOME": str(self.home), "TMPDIR": str(self.temporary)}
        command = [*VALGRIND, str(PROGRAM), *arguments]
        return subprocess.run(command, env=variables, capture_output=True, text=True)

    def left(self) -> list[Path]:
        return list(self.temporary.glob("agent-venv-*/*"))


def check() -> dict[str, str]:
    """The complaint for each promise; empty where it holds."""
    command = ["gcc", *FLAGS, str(SOURCE), "-o", str(PROGRAM), *LINK]
    built = subprocess.run(command, capture_output=True, text=True)
    if built.returncode != 0:
        return {"the example compiles": built.stderr}
    checks = (without_logins, with_logins, after_a_kill)
    complaints = {}
    for promise in checks:
        with tempfile.TemporaryDirectory() as directory:
            complaints[promise.__name__] = promise(Host(directory))
    return complaints


def without_logins(host: Host) -> str:
    ran = host.run()
    holds = (
        ran.returncode == 0
        and ran.stdout.count("no login on this host") == 2
        and f"CLAUDE_CONFIG_DIR={host.temporary}/" in ran.stdout
        and f"CODEX_HOME={host.temporary}/" in ran.stdout
        and not host.left()
    )
    return "" if holds else f"{ran}"


def with_logins(host: Host) -> str:
    host.log_in()
    ran = host.run("ls -A $CLAUDE_CONFIG_DIR $CODEX_HOME")
    files = {".credentials.json", ".claude.json", "CLAUDE.md", "auth.json", "AGENTS.md"}
    holds = (
        ran.returncode == 0
        and "no login" not in ran.stdout
        and files <= set(ran.stdout.split())
        and not host.left()
    )
    return "" if holds else f"{ran}"


def after_a_kill(host: Host) -> str:
    killed = host.run("kill -KILL $PPID")
    orphans = host.left()
    ran = host.run()
    holds = killed.returncode < 0 and len(orphans) == 1 and ran.returncode == 0 and not host.left()
    return "" if holds else f"{killed} left {orphans}, then {ran}"
