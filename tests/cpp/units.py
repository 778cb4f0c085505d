"""The header compiles without a warning as any program may include it.

That is alone, twice, and in two units of one program, each with exceptions or without.
"""

import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
OUT = ROOT / "target/cpp"

COMPILERS = [
    *(("g++", standard) for standard in ("c++17", "c++20", "c++23")),
    *(("clang++", standard) for standard in ("c++17", "c++20", "c++2b")),
]
WARNINGS = ["-pedantic", "-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Werror"]
EXCEPTIONS: dict[str, list[str]] = {"with": [], "without": ["-fno-exceptions", "-fno-rtti"]}
LINK = [f"-L{OUT}", "-lagent_venv", f"-Wl,-rpath,{OUT}"]


def check() -> dict[str, str]:
    """The complaint for each compiler, standard and pair of units; empty where there is none."""
    complaints = {}
    with ThreadPoolExecutor(2) as pool:
        for checked in pool.map(lambda compiler: check_compiler(*compiler), COMPILERS):
            complaints.update(checked)
    return complaints


def check_compiler(compiler: str, standard: str) -> dict[str, str]:
    complaints = {}
    name = f"{compiler}-{standard}"
    for unit in ("one", "two"):
        for exceptions, flags in EXCEPTIONS.items():
            built = f"{unit}-{exceptions}-{name}"
            command = [compiler, f"-std={standard}", *WARNINGS, *flags, f"-I{ROOT}/include"]
            source = str(HERE / f"units/{unit}.cpp")
            complaints[built] = complaint([*command, "-c", source, "-o", f"{OUT}/{built}.o"])
    if not any(complaints.values()):
        # The units of one program need not agree about exceptions.
        for one in EXCEPTIONS:
            for two in EXCEPTIONS:
                objects = [f"{OUT}/one-{one}-{name}.o", f"{OUT}/two-{two}-{name}.o"]
                complaints[f"{one}-{two}-{name}"] = complaint_of_program(
                    compiler, objects, f"{OUT}/units-{name}"
                )
    return complaints


def complaint_of_program(compiler: str, objects: list[str], program: str) -> str:
    with tempfile.TemporaryDirectory() as scratch:
        return complaint([compiler, *objects, "-o", program, *LINK]) or complaint(
            [program, f"{scratch}/root"]
        )


def complaint(command: list[str]) -> str:
    ran = subprocess.run(command, capture_output=True, text=True)
    return f"{ran.stderr}exit status {ran.returncode}" if ran.returncode else ""
