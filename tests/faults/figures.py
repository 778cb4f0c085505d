"""Tables that are printed at the end: how much was tried, and how much held."""

from __future__ import annotations

from collections.abc import Callable

import pytest

FIGURES = "figures"


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Notes one line of a table that is printed at the end."""

    def note(table: str, **columns: object) -> None:
        plain = {head: cell if isinstance(cell, int) else str(cell) for head, cell in columns.items()}
        request.node.user_properties.append((FIGURES, (table, plain)))

    return note


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    tables: dict[str, list[dict[str, object]]] = {}
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        if report.when != "call":
            continue
        for key, value in report.user_properties:
            if key == FIGURES:
                table, columns = value
                tables.setdefault(table, []).append(columns)
    for table, lines in tables.items():
        heads = list(lines[0])
        terminalreporter.write_line(f"\n### {table}\n\n| {' | '.join(heads)} |")
        terminalreporter.write_line(f"|{'---|' * len(heads)}")
        for line in lines:
            terminalreporter.write_line(f"| {' | '.join(cell(line[head]) for head in heads)} |")


def cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)
