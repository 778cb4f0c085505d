"""SECURITY.md names tests that there are."""

from __future__ import annotations

import re
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]


def test_each_promise_names_tests_that_there_are() -> None:
    sources = [path for kind in ("*.py", "*.rs", "*.c") for path in (TREE / "tests").rglob(kind)]
    declared = re.compile(r"^(?:    )?(?:async )?(?:def|fn|TEST)[ (](\w+)", re.MULTILINE)
    tests = {name for path in sources for name in declared.findall(path.read_text(errors="replace"))}
    lines = [line for line in (TREE / "SECURITY.md").read_text().splitlines() if line.startswith("| ")]
    promises = [re.findall(r"`(\w+)`", line.split("|")[-2]) for line in lines if "| shown by |" not in line]
    assert len(promises) > 10
    assert all(promises), "a promise that nothing shows"
    assert {name for names in promises for name in names} <= tests
