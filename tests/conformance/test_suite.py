"""The suite itself: it asks for everything, nobody can lie to it, and no program cheats."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from case import Case, load
from liar import LIES
from program import PROJECT
from run import run

HERE = Path(__file__).resolve().parent
CASES = load()

# Enough for every lie to be noticed, and no more: each lie plays them all.
FEW = {
    "an ephemeral life",
    "a name that is not there",
    "names are listed in order",
    "files are told in the order of their bytes",
    "created, then attached to",
    "events of a persistent life, whole",
    "operations that nobody knows",
}


def asked(case: Case) -> list[str]:
    return [step["ask"]["op"] for step in case.steps if "ask" in step]


def test_every_operation_of_the_protocol_is_asked_for() -> None:
    documented = re.findall(r"^\| `(\w+_\w+)` \| `", (HERE / "README.md").read_text(), re.MULTILINE)
    known = [case for case in CASES if case.group != "operations that nobody knows"]
    assert {op for case in known for op in asked(case)} == set(documented)
    assert len(documented) == 7 + 9


def test_every_kind_of_error_is_provoked_with_its_whole_payload() -> None:
    table = (PROJECT / "docs/errors-and-events.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| \d+ \| (.*?) \| (.*?) \|$", table, re.MULTILINE)
    documented = {
        kind: set(re.findall(r"`(\w+)`", payload))
        for kind, when, payload in rows
        if when != "reserved"
    }
    errors = [
        step["answer"]["error"]
        for case in CASES
        for step in case.steps
        if "error" in step.get("answer", {}) and step["answer"].get("ok", True)
    ]
    assert all(set(error) == {"kind", "payload"} for error in errors)
    provoked = {error["kind"]: set(error["payload"]) for error in errors}
    assert provoked == documented


def liars_command(lie: str) -> str:
    library = os.environ.get("AGENT_VENV_LIBRARY") or next(
        path for path in PROJECT.glob("target/release/libagent_venv.*") if path.suffix in LIBRARIES
    )
    variables = [f"AGENT_VENV_LIBRARY={library}", f"PYTHONPATH={PROJECT / 'bindings/python/src'}"]
    return shlex.join(["env", *variables, sys.executable, "-B", str(HERE / "liar.py"), lie])


LIBRARIES = (".so", ".dylib")


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_noticed(lie: str, tmp_path: Path) -> None:
    cases = [case for case in CASES if case.group in FEW]
    assert {case.group for case in cases} == FEW
    results = run({"python": liars_command(lie)}, cases, tmp_path)
    assert list(results.complaints())


def test_two_that_differ_where_no_case_looks_are_told_apart(tmp_path: Path) -> None:
    # The case says nothing of the events; the second program's are wrong.
    ask = {"op": "persistent_create_attach_idempotent", "name": "n"}
    case = Case("silent", "", [{"ask": ask, "answer": {}}], {})
    truth = run({"python": liars_command("fail_at_the_end")}, [case], tmp_path / "one")
    assert [wrong for wrong in truth.complaints() if wrong.startswith("silent")] == []
    programs = {
        "python": liars_command("fail_at_the_end"),
        "rust": liars_command("change_an_event"),
    }
    results = run(programs, [case], tmp_path / "two")
    assert [wrong for wrong in results.complaints() if wrong.startswith("silent, rust: answers")]


# Programs use their language's package as a user would.

BARE = {
    "bindings/rust/conformance.rs": r"\bffi\b|extern|avenv_\w|unsafe",
    "bindings/c/conformance.c": r'#include\s+"|dlopen|dlsym',
    "bindings/cpp/conformance.cpp": r'avenv_\w|agent_venv\.h\b|#include\s+"|dlopen|extern',
    "bindings/python/src/agent_venv/conformance.py": r"ctypes|\bagent_venv\._|from \.|avenv_\w",
    "bindings/node/conformance.mjs": r"koffi|ffi|avenv_\w|from \"\.|import\(|require",
    "bindings/go/conformance/*.go": r'import "C"|\bC\.|unsafe|avenv_\w|plugin|purego',
}


@pytest.mark.parametrize("pattern", BARE)
def test_a_program_uses_no_more_than_its_languages_package(pattern: str) -> None:
    files = sorted(PROJECT.glob(pattern))
    assert files, f"there is no {pattern}"
    for file in files:
        # The name of the environment's own module is no function of the library's.
        code = file.read_text().replace("agent_venv_native", "")
        found = re.search(BARE[pattern], code)
        assert found is None, f"{file.name} has {found and found[0]!r}"


# Building the programs.


def build(*languages: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "CI": "", **variables}
    command = [str(HERE / "programs"), *languages]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def test_what_cannot_be_built_is_left_out_and_said() -> None:
    done = build("c", "python", CC="no-such-compiler")
    assert done.returncode == 0
    assert [line.split("\t")[0] for line in done.stdout.splitlines()] == ["python"]
    assert done.stderr == "c is left out: no-such-compiler is not on PATH\n"


def test_on_ci_leaving_out_is_a_failure() -> None:
    done = build("c", "python", CC="no-such-compiler", CI="true")
    assert done.returncode == 1
    assert "c is left out" in done.stderr


def test_a_language_that_nobody_speaks_is_refused() -> None:
    done = build("cobol")
    assert (done.returncode, done.stdout) == (2, "")
