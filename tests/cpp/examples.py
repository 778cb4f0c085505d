"""The examples that readers copy do what they say; the README shows these very programs."""

import os
import re
import subprocess
import tempfile
from pathlib import Path

import units

BINDING = units.ROOT / "bindings/cpp"
EXAMPLES = {"quickstart": "with", "without_exceptions": "without"}


def check() -> dict[str, str]:
    """The complaint for each promise; empty where it holds."""
    complaints = {"the README shows them": the_readme_shows_them()}
    for name, exceptions in EXAMPLES.items():
        program = units.OUT / f"example-{name}"
        source = str(BINDING / f"examples/{name}.cpp")
        compiler = [
            "g++",
            "-std=c++17",
            *units.WARNINGS,
            *units.EXCEPTIONS[exceptions],
            f"-I{units.ROOT}/include",
        ]
        complaints[f"{name} compiles"] = units.complaint(
            [*compiler, source, "-o", str(program), *units.LINK]
        )
        if not complaints[f"{name} compiles"]:
            complaints[f"{name} shows a profile and leaves nothing"] = (
                shows_a_profile_and_leaves_nothing(program)
            )
            complaints[f"{name} says what failed"] = says_what_failed(program)
    return complaints


def the_readme_shows_them() -> str:
    shown = re.findall(r"```cpp\n(.*?)```", (BINDING / "README.md").read_text(), re.DOTALL)
    written = [(BINDING / f"examples/{name}.cpp").read_text() for name in EXAMPLES]
    return "" if shown == written else f"{shown}\nnot\n{written}"


def shows_a_profile_and_leaves_nothing(program: Path) -> str:
    with tempfile.TemporaryDirectory() as temporary:
        ran = run(program, temporary)
        holds = (
            ran.returncode == 0
            and re.fullmatch(
                rf"profile: ({re.escape(temporary)}/\S+)\nset:     [A-Z_]+=\1\n", ran.stdout
            )
            and not list(Path(temporary).glob("agent-venv-*/*/*"))
        )
        return "" if holds else f"{ran}"


def says_what_failed(program: Path) -> str:
    ran = run(program, "/dev/null")
    return "" if ran.returncode == 1 and ran.stderr.startswith("ProfileSetupFailed: ") else f"{ran}"


def run(program: Path, temporary: str) -> "subprocess.CompletedProcess[str]":
    variables = {"PATH": os.environ["PATH"], "HOME": temporary, "TMPDIR": temporary}
    return subprocess.run([str(program)], env=variables, capture_output=True, text=True)
