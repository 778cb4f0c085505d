"""The sources are typed and tidy, and a caller's type checker sees it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import BINDING, HOST


@pytest.mark.parametrize(
    "command",
    [
        ["mypy", "--strict", "--cache-dir", "CACHE"],
        ["ruff", "check", "--no-cache", "."],
        ["ruff", "format", "--no-cache", "--check", "."],
    ],
    ids=" ".join,
)
def test_clean(command: list[str], tmp_path: Path) -> None:
    command = [str(tmp_path) if part == "CACHE" else part for part in command]
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=BINDING, env=HOST, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
