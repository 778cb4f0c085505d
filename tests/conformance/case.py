"""Cases: what is asked, and what the answers must hold. README.md describes their files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CASES = Path(__file__).resolve().parent / "cases"

Step = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One case, with the values of one of its rows filled in."""

    group: str
    row: str
    steps: list[Step]
    left_out: dict[str, str]
    """Languages that cannot take part, and why."""

    def __str__(self) -> str:
        return f"{self.group} [{self.row}]" if self.row else self.group


def load() -> list[Case]:
    return [case for file in sorted(CASES.glob("*.json")) for case in _in_file(file)]


def _in_file(file: Path) -> Iterator[Case]:
    content = json.loads(file.read_text())
    for given in content["cases"]:
        left_out = {**content.get("left_out", {}), **given.get("left_out", {})}
        columns, *rows = given.get("rows", [[], []])
        for row in rows:
            values = dict(zip(columns, row, strict=True))
            steps = filled_in(given["steps"], values)
            label = json.dumps(row[0], ensure_ascii=False)[:60] if row else ""
            reasons = _of_peer(steps) | left_out | values.get("left_out", {})
            yield Case(given["case"], label, steps, reasons)


def _of_peer(steps: list[Step]) -> dict[str, str]:
    needed = [
        step["ask"]["op"] for step in steps if step.get("answer", {}).get("ok", "ask" in step)
    ]
    ours = [op for op in needed if op.startswith("x_")]
    return {"pypi": f"it does not know {ours[0]}"} if ours else {}


def filled_in(value: Any, values: dict[str, Any]) -> Any:
    """`value` with every `<column>` replaced: by the value itself where it is the whole string."""
    if isinstance(value, dict):
        return {filled_in(key, values): filled_in(each, values) for key, each in value.items()}
    if isinstance(value, list):
        return [filled_in(each, values) for each in value]
    if not isinstance(value, str):
        return value
    whole = re.fullmatch(r"<(\w+)>", value)
    if whole and whole[1] in values:
        return filled_in(values[whole[1]], {})
    for column, replacement in values.items():
        if isinstance(replacement, str):
            value = value.replace(f"<{column}>", replacement)
    return re.sub(r"<(\d+) times (.+?)>", lambda found: found[2] * int(found[1]), value)
