"""The header compiles without a warning wherever a C or C++ program may include it."""

import re
import subprocess
from pathlib import Path

HEADER = Path(__file__).resolve().parent.parent.parent / "include/agent_venv.h"

COMPILERS = {
    "c": ("gcc", "clang"),
    "c++": ("g++", "clang++"),
}
STANDARDS = {
    "c": ("c99", "c11", "c17"),
    "c++": ("c++11", "c++17", "c++20"),
}
FLAGS = ["-pedantic", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]

# Alone, for nothing comes before it, and twice.
PROGRAM = '#include "agent_venv.h"\n#include "agent_venv.h"\n'


def check() -> dict[str, str]:
    """The complaint for each compiler and standard; empty where there is none."""
    return {
        f"{compiler} {standard}": complaint([compiler, f"-std={standard}", "-x", language])
        for language, compilers in COMPILERS.items()
        for compiler in compilers
        for standard in STANDARDS[language]
    }


def complaint(compiler: list[str]) -> str:
    command = [*compiler, *FLAGS, f"-I{HEADER.parent}", "-"]
    compiled = subprocess.run(command, input=PROGRAM, capture_output=True, text=True)
    return compiled.stderr if compiled.returncode else ""


def functions() -> dict[str, str]:
    """The functions that the header declares, by a compiler's reading of it: name to parameters."""
    command = ["gcc", "-E", "-P", "-std=c99", str(HEADER)]
    source = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return dict(re.findall(r"\b(avenv_\w+)\s*\(([^()]*)\)\s*;", source))
