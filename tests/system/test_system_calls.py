"""How many system calls an operation makes, so that none is added unnoticed.

Memory's are the allocator's own affair, and readlink is called once for each directory above.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from system_calls import MEMORY

TOP = Path(__file__).resolve().parents[2]
FEW, MORE = 4, 24

AT_MOST = {
    "ephemeral": 27,
    "attach": 20,
    "list": 17,
    "new": 98,
    "destroy": 91,
}


@pytest.fixture(scope="module")
def driver(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    driver = tmp_path_factory.mktemp("driver") / "driver"
    release = library.parent
    link = [f"-L{release}", "-lagent_venv", f"-Wl,-rpath,{release}"]
    source = TOP / "benches/driver.c"
    subprocess.run(
        [os.environ.get("CC", "cc"), "-I", TOP / "include", "-o", driver, source, *link], check=True
    )
    return driver


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "registry"


def made(driver: Path, root: Path, lines: list[str]) -> int:
    """All system calls of the program that is told these lines."""
    log = root.parent / "calls"
    environment = {
        "AGENT_VENV_EPHEMERAL_ROOT": str(root.parent / "ephemeral"),
        "PATH": os.environ["PATH"],
    }
    others = ",".join(sorted({*MEMORY, "readlink"}))
    strace = ["strace", "-o", log, "-e", f"trace=!{others}", driver]
    subprocess.run(
        strace,
        input="".join(lines),
        text=True,
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return sum("(" in line for line in log.read_text(errors="replace").splitlines())


@pytest.mark.parametrize("operation", AT_MOST)
def test_system_calls_of_an_operation(driver: Path, root: Path, operation: str) -> None:
    prepared = [f"new {root} env 1\n"]

    def told(count: int, run: str) -> list[str]:
        match operation:
            case "ephemeral":
                return [f"ephemeral {count}\n"]
            case "list":
                return [f"list {root} {count}\n"]
            case "attach":
                return [f"attach {root} 1 {count}\n"]
            case "new":
                return [f"new {root} {run} {count}\n"]
        return [f"new {root} {run} {MORE}\n", f"destroy {root} {run} {count}\n"]

    made(driver, root, prepared)
    few = made(driver, root, told(FEW, "few"))
    more = made(driver, root, told(MORE, "more"))
    calls = (more - few) / (MORE - FEW)
    print(f"{operation}: {calls} system calls")
    assert calls <= AT_MOST[operation]
