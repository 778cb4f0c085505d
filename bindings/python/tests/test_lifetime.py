"""An environment that nobody destroyed goes all the same, and only by the hand of its owner."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import run_python

from agent_venv import Environment, EnvironmentSpec, reap

Profiles = Callable[[], list[Path]]

PARENT = """
import gc, os
from agent_venv import Environment, EnvironmentSpec
from agent_venv.errors import AgentVenvError

env = Environment.ephemeral(EnvironmentSpec(seed_files={"a": "it stands"}))
child = os.fork()
if child == 0:
    %s
_, status = os.waitpid(child, 0)
print(os.waitstatus_to_exitcode(status), (env.path / "a").read_text())
"""

# What a forked child may do to an environment of its parent's, and how it ends.
ATTACKS = {
    "exits": ("raise SystemExit(0)", 0),
    "falls out of a with block": ("\n    with env: pass\n    raise SystemExit(0)", 0),
    "exits through a with block": ("\n    with env: raise SystemExit(3)", 3),
    "collects garbage": ("del env; gc.collect(); raise SystemExit(0)", 0),
    "creates, and exits": ("own = Environment.ephemeral(); raise SystemExit(0)", 0),
    "creates, and destroys its own": ("Environment.ephemeral().destroy(); raise SystemExit(0)", 0),
    "dies without a word": ("os._exit(4)", 4),
    "dies of an exception": ("raise SystemExit('')", 1),
    "forks in turn": ("os.fork(); raise SystemExit(0)", 0),
}


def test_a_forgotten_environment_goes_when_it_is_collected(profiles: Profiles) -> None:
    env = Environment.ephemeral(EnvironmentSpec(seed_files={"a": "b"}))
    assert profiles() == [env.path]
    del env
    gc.collect()
    assert profiles() == []


def test_an_environment_in_a_cycle_goes_when_it_is_collected(profiles: Profiles) -> None:
    env = Environment.ephemeral()
    env.itself = env  # type: ignore[attr-defined]
    del env
    gc.collect()
    assert profiles() == []


@pytest.mark.parametrize("ending", ["", "raise SystemExit(0)", "import sys; sys.exit()"])
def test_at_exit_nothing_is_left_and_no_directory_of_the_process(ending: str, root: Path) -> None:
    program = (
        "from agent_venv import Environment\nenvs = [Environment.ephemeral() for _ in '123']\n"
    )
    run_python(program + "print(envs[0].path)\n" + ending)
    assert list(root.iterdir()) == []


def test_an_unhandled_exception_leaves_nothing(root: Path) -> None:
    program = "from agent_venv import Environment\nenv = Environment.ephemeral()\n1/0"
    assert run_python(program, check=False).returncode == 1
    assert list(root.iterdir()) == []


def test_at_exit_each_root_that_was_used_is_cleared(tmp_path: Path, root: Path) -> None:
    other = tmp_path / "other"
    run_python(f"""
from agent_venv import Environment
a, b = Environment.ephemeral(), Environment.ephemeral(ephemeral_root={str(other)!r})
import os
os.environ["AGENT_VENV_EPHEMERAL_ROOT"] = "/nonexistent/elsewhere"
""")
    assert list(root.iterdir()) == []
    assert list(other.iterdir()) == []


def test_an_exit_handler_may_still_use_an_environment(root: Path) -> None:
    done = run_python("""
import atexit
from agent_venv import Environment
env = Environment.ephemeral()
atexit.register(lambda: print(env.path.is_dir(), env.destroy()))
""")
    assert done.stdout == "True True\n"
    assert list(root.iterdir()) == []


def test_daemon_threads_inside_calls_at_exit_do_not_crash_it() -> None:
    for _ in range(5):
        run_python("""
import threading
from agent_venv import Environment, EnvironmentSpec
env = Environment.ephemeral(EnvironmentSpec(credentials={"k": "s"}))
started = threading.Barrier(5)
def refresh():
    started.wait()
    while True:
        try: env.refresh_credentials()
        except Exception: pass
def create():
    started.wait()
    while True:
        try: Environment.ephemeral()
        except Exception: pass
for work in (refresh, refresh, create, create):
    threading.Thread(target=work, daemon=True).start()
started.wait()
""")


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_parents_environment_stands_whatever_a_forked_child_does(
    attack: str, root: Path
) -> None:
    code, status = ATTACKS[attack]
    done = run_python(PARENT % code, check=False)
    assert done.stdout.splitlines()[-1:] == [f"{status} it stands"], done.stderr
    assert done.returncode == 0
    assert list(root.iterdir()) == []


def test_destroy_in_a_forked_child_is_refused_and_removes_nothing() -> None:
    done = run_python(
        PARENT
        % """
    try: env.destroy()
    except AgentVenvError as error: print(error.kind, flush=True)
    os._exit(0)"""
    )
    assert done.stdout == "InternalInvariantViolation\n0 it stands\n"


def test_a_forked_child_may_read_its_parents_environment() -> None:
    done = run_python(
        PARENT
        % """
    print(env.path.is_dir(), env.kind, [e.kind for e in env.events()][:1], flush=True)
    os._exit(0)"""
    )
    assert done.stdout == "True ephemeral ['env.created']\n0 it stands\n"


HOLDER = """
import sys
from agent_venv import Environment, EnvironmentSpec
env = Environment.ephemeral(EnvironmentSpec(credentials={"k": "s"}))
print(env.path, flush=True)
sys.stdin.read()
"""


def test_a_killed_owners_profile_is_reaped_and_a_living_ones_kept(root: Path) -> None:
    owners = [
        subprocess.Popen(
            [sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    with owners[0] as living, owners[1] as killed:
        assert living.stdout is not None
        assert killed.stdout is not None
        kept = Path(living.stdout.readline().strip())
        orphan = Path(killed.stdout.readline().strip())
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait()
        assert orphan.is_dir()
        report = reap()
        assert report["ephemeral"] == {
            "root": str(root),
            "removed": [str(orphan.parent)],
            "kept": 1,
            "failed": [],
        }
        assert not orphan.exists()
        assert kept.is_dir()
        living.communicate("")
    assert list(root.iterdir()) == []


def test_reap_of_a_root_that_is_not_there_finds_nothing(tmp_path: Path) -> None:
    report = reap(ephemeral_root=tmp_path / "none", force=True)["ephemeral"]
    assert (report["removed"], report["kept"], report["failed"]) == ([], 0, [])
    assert not (tmp_path / "none").exists()
