"""Every test runs on a host of its own: an empty home, no login, no variable of an agent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from agent_venv import Event

BINDING = Path(__file__).resolve().parent.parent
CRATE = BINDING.parent.parent
SUFFIX = "dylib" if sys.platform == "darwin" else "so"

HOST = dict(os.environ)  # for tools that need the real home, such as cargo
LIBRARY = os.environ.get("AGENT_VENV_LIBRARY") or CRATE / f"target/release/libagent_venv.{SUFFIX}"
os.environ["AGENT_VENV_LIBRARY"] = str(Path(LIBRARY).resolve())

CLAUDE_LOGIN = json.dumps({"claudeAiOauth": {"accessToken": "sk-ant-oat01-fake"}})
CODEX_LOGIN = json.dumps({"OPENAI_API_KEY": "sk-fake-0123456789abcdef"})
KEPT = ("PATH", "LANG", "LC_ALL", "AGENT_VENV_LIBRARY", "PYTEST_CURRENT_TEST")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home directory, with nothing in it."""
    for name in os.environ:
        if name not in KEPT:
            monkeypatch.delenv(name)
    for variable, folder in (("HOME", "home"), ("TMPDIR", "tmp")):
        (tmp_path / folder).mkdir(mode=0o700)
        monkeypatch.setenv(variable, str(tmp_path / folder))
    monkeypatch.setenv("PYTHONPATH", str(BINDING / "src"))
    return tmp_path / "home"


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The ephemeral root."""
    monkeypatch.setenv("AGENT_VENV_EPHEMERAL_ROOT", str(tmp_path / "envs"))
    return tmp_path / "envs"


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The registry's root, which is not there yet."""
    monkeypatch.setenv("AGENT_VENV_REGISTRY_ROOT", str(tmp_path / "registry"))
    return tmp_path / "registry"


@pytest.fixture
def profiles(root: Path) -> Callable[[], list[Path]]:
    """Tells which profiles are there."""
    return lambda: sorted(root.glob("*/*"))


@pytest.fixture
def logins(home: Path) -> Path:
    """The home directory, with a fake login for each agent."""
    for file, content in (
        (".claude/.credentials.json", CLAUDE_LOGIN),
        (".codex/auth.json", CODEX_LOGIN),
    ):
        (home / file).parent.mkdir()
        (home / file).write_text(content)
    return home


def run_python(program: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a program in a process of its own."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    if check:
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
    return done


def kinds(events: list[Event]) -> list[str]:
    return [event.kind for event in events]
