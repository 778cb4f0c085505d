"""What the shared library tells the loader, and what it is to a program compiled last year."""

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

import header

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
LIBRARY = ROOT / "target/release/libagent_venv.so"
OUT = ROOT / "target/abi"
KEPT_ABI = HERE / "abi.xml"


def check() -> dict[str, str]:
    """The complaint for each promise; empty where it holds."""
    dynamic = run("readelf", "--dynamic", "--wide", str(LIBRARY))
    sonames = re.findall(r"\(SONAME\).*\[(.*)\]", dynamic)
    flags = re.findall(r"\(FLAGS_1\)\s+Flags: (.*)", dynamic)
    symbols = run("nm", "-D", "--defined-only", "--format=posix", str(LIBRARY))
    exported = re.findall(r"^(\S+)", symbols, re.MULTILINE)

    functions = header.functions()
    fallible = [name for name, parameters in functions.items() if "avenv_error **" in parameters]
    tests = "".join(path.read_text() for path in HERE.glob("*.[ch]"))
    called = re.findall(r"\b(avenv_\w+)\(", tests)
    reviewed = (HERE / "exports.txt").read_text().split()
    ruled = re.findall(r'"(avenv_\w+)"', (HERE / "calls.h").read_text())
    return {
        "the soname ends in the ABI's number": missing(["libagent_venv.so.0"], sonames),
        "the library is never unloaded": missing(["NODELETE"], " ".join(flags).split()),
        "every function of the source passes the guard": missing(functions, guarded()),
        "every guarded function is in the header": missing(guarded(), functions),
        "the header's functions are the reviewed ones": missing(reviewed, functions)
        + missing(functions, reviewed),
        "every function of the header is exported": missing(functions, exported),
        "nothing else is exported": missing(exported, functions),
        "every function of the header is called in a test": missing(functions, called),
        "every function that can fail is held to the rules for errors": missing(fallible, ruled),
        "types and signatures are the ones that are kept": abi_change(),
    }


GUARDED = re.compile(
    r'extern "C" fn (avenv_\w+)\([^{]*\{\s*guard!\((?:[^\n]*|\n.*?\n    )\)\n\}', re.DOTALL
)


def guarded() -> list[str]:
    """The exports whose body is the guard, and nothing else."""
    sources = sorted((ROOT / "src/ffi").rglob("*.rs"))
    return [name for path in sources for name in GUARDED.findall(path.read_text())]


def missing(wanted: Iterable[str], there: Iterable[str]) -> str:
    return ", ".join(sorted(set(wanted) - set(there)))


def run(*command: str) -> str:
    return subprocess.run(command, cwd=OUT, capture_output=True, text=True, check=True).stdout


def describe_abi(path: Path) -> None:
    """The interface as a C program sees it: a pointer to each function, in debug information."""
    pointers = [f"__typeof__(&{name}) pointer_to_{name} = {name};" for name in header.functions()]
    (OUT / "abi.c").write_text("\n".join(['#include "agent_venv.h"', *pointers, ""]))
    debug = ["-g", "-fno-eliminate-unused-debug-types"]
    run("gcc", "-std=gnu99", *debug, f"-I{header.HEADER.parent}", "-c", "abi.c")
    no_places = ["--no-show-locs", "--no-corpus-path", "--no-comp-dir-path"]
    run("abidw", *no_places, "--out-file", str(path), "abi.o")


def abi_change() -> str:
    now = OUT / "abi.xml"
    describe_abi(now)
    command = ["abidiff", "--harmless", str(KEPT_ABI), str(now)]
    compared = subprocess.run(command, capture_output=True, text=True)
    if compared.returncode == 0:
        return ""
    remedy = "If this is an addition, accept it: tests/abi/run --accept"
    return f"{compared.stdout}{compared.stderr}{remedy}"


def accept_abi() -> None:
    describe_abi(KEPT_ABI)
