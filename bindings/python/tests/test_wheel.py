"""The wheel holds the library, and works outside the tree; what can't work is not built."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
from conftest import BINDING, HOST, SUFFIX

# As a user's machine: no path into the tree, no library named.
CLEAN = {
    name: value for name, value in HOST.items() if name not in ("PYTHONPATH", "AGENT_VENV_LIBRARY")
}

PROGRAM = """
from agent_venv import Codex, Environment, __file__
with Environment.ephemeral(adapter=Codex(load_credentials=False)) as env:
    print(env.path.is_dir(), sorted(env.env_overrides))
print(env.path.exists(), __file__)
"""


def run(*command: str | Path, cwd: Path, env: dict[str, str] = CLEAN) -> str:
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--no-deps"]
    run(*pip, "--no-build-isolation", "--wheel-dir", folder, BINDING, cwd=folder)
    (built,) = folder.iterdir()
    return built


def test_it_is_tagged_for_its_platform(wheel: Path) -> None:
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    assert wheel.name == f"agent_venv_native-0.1.0-py3-none-{platform}.whl"


def test_it_holds_the_library_the_types_and_the_license(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        metadata = archive.read("agent_venv_native-0.1.0.dist-info/METADATA").decode()
    assert f"agent_venv/libagent_venv.{SUFFIX}" in names
    assert "agent_venv/py.typed" in names
    assert "agent_venv_native-0.1.0.dist-info/licenses/LICENSE" in names
    assert not [name for name in names if "test" in name]
    assert "Requires-Dist" not in metadata


def test_it_works_in_a_fresh_environment_outside_the_tree(wheel: Path, tmp_path: Path) -> None:
    run(sys.executable, "-m", "venv", tmp_path / "venv", cwd=tmp_path)
    python = tmp_path / "venv" / "bin" / "python"
    run(python, "-m", "pip", "install", "--no-index", "--no-deps", wheel, cwd=tmp_path)
    shown = run(python, "-c", PROGRAM, cwd=tmp_path).splitlines()
    assert shown[0] == "True ['CODEX_HOME']"
    assert shown[1].startswith(f"False {tmp_path / 'venv'}")


def test_an_editable_install_works_too(tmp_path: Path) -> None:
    run(sys.executable, "-m", "venv", tmp_path / "venv", cwd=tmp_path)
    python = tmp_path / "venv" / "bin" / "python"
    install = ["-m", "pip", "install", "--no-index", "--no-deps", "--no-build-isolation"]
    with_build_backend = {**CLEAN, "PYTHONPATH": sysconfig.get_path("purelib")}
    beside = BINDING / "src" / "agent_venv" / f"libagent_venv.{SUFFIX}"
    was_there = beside.exists()
    try:
        run(python, *install, "--editable", BINDING, cwd=tmp_path, env=with_build_backend)
        shown = run(python, "-c", PROGRAM, cwd=tmp_path).splitlines()
    finally:
        if not was_there:
            beside.unlink(missing_ok=True)
    assert shown[0] == "True ['CODEX_HOME']"
    assert shown[1].startswith(f"False {BINDING / 'src'}")


def test_a_source_distribution_is_refused_with_the_reason(tmp_path: Path) -> None:
    build = f"from hatchling.build import build_sdist; build_sdist({str(tmp_path)!r})"
    done = subprocess.run(
        [sys.executable, "-c", build], cwd=BINDING, env=CLEAN, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "is built as a wheel only" in done.stderr
    assert list(tmp_path.glob("*.tar.gz")) == []
