"""What a reader would copy runs, and does what it says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import BINDING, run_python


def run_example() -> list[str]:
    done = subprocess.run(
        [sys.executable, BINDING / "examples" / "profiles.py"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_it_goes_on_without_a_login(home: Path, root: Path) -> None:
    lines = run_example()
    assert lines[0] == (
        f"claude-code: going on without a login: none in ['{home / '.claude/.credentials.json'}']"
    )
    assert lines[1].endswith(" holds .claude.json, CLAUDE.md")
    profile = lines[1].split()[1]
    assert lines[2] == f"  the child sees CLAUDE_CONFIG_DIR = {profile}"
    assert lines[3] == "  afterwards it is gone"
    assert len(lines) == 8
    assert list(root.iterdir()) == []


def test_it_copies_the_hosts_login_where_there_is_one(logins: Path, root: Path) -> None:
    lines = run_example()
    assert [line.split(" holds ")[1] for line in lines if " holds " in line] == [
        ".claude.json, .credentials.json, CLAUDE.md",
        "AGENTS.md, auth.json",
    ]
    assert len(lines) == 6
    assert list(root.iterdir()) == []
    assert sorted(os.listdir(logins)) == [".claude", ".codex"]  # noqa: PTH208


def test_the_readmes_programs_run(
    logins: Path, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = tmp_path / "bin" / "claude"
    agent.parent.mkdir()
    agent.write_text("#!/bin/sh\necho $CLAUDE_CONFIG_DIR $2\n")
    agent.chmod(0o755)
    monkeypatch.setenv("PATH", str(agent.parent))
    readme = (BINDING / "README.md").read_text()
    blocks = [block.split("```")[0] for block in readme.split("```python\n")[1:]]
    assert len(blocks) == 6
    done = run_python(f"""
import ast, asyncio
code = compile({"".join(blocks)!r}, "README.md", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
asyncio.run(eval(code))
""")
    profile, prompt, login, ends = done.stdout.split()
    assert Path(profile).parent.parent == root
    assert (prompt, login, ends) == ("hello", "shared", "None")
    assert list(root.iterdir()) == []
