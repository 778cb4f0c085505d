"""What came of it, and the table that shows it: cases by languages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from case import Case

LEFT_OUT = "-"

Outcome = str | None
"""What was wrong; None where nothing was, LEFT_OUT where nothing was asked."""


class Results:
    """The outcome of each case with each language."""

    def __init__(self, languages: Iterable[str]) -> None:
        self._languages = list(languages)
        self._outcomes: dict[str, dict[str, Outcome]] = {}

    def note(self, what: str, language: str, outcome: Outcome) -> None:
        self._outcomes.setdefault(what, {})[language] = outcome

    def complaints(self) -> Iterator[str]:
        for what, row in self._outcomes.items():
            for language, outcome in row.items():
                if outcome not in (None, LEFT_OUT):
                    yield f"{what}, {language}: {outcome}"

    def show(self, cases: list[Case]) -> None:
        groups: dict[str, list[dict[str, Outcome]]] = {}
        for what, row in self._outcomes.items():
            groups.setdefault(what.split(" [")[0], []).append(row)
        width = max(map(len, groups)) + 2
        print(" " * width + "".join(f"{language:>9}" for language in self._languages))
        for group, rows in groups.items():
            cells = (_cell([row[each] for row in rows if each in row]) for each in self._languages)
            print(f"{group:<{width}}" + "".join(f"{cell:>9}" for cell in cells))
        print()
        self._show_reasons(cases)
        for complaint in self.complaints():
            print(f"WRONG, {complaint}")
        outcomes = [outcome for row in self._outcomes.values() for outcome in row.values()]
        played = sum(outcome != LEFT_OUT for outcome in outcomes)
        wrong = sum(1 for _ in self.complaints())
        print(f"{played} times a case was played; {wrong} times it went wrong")

    def _show_reasons(self, cases: list[Case]) -> None:
        reasons: dict[str, dict[str, None]] = {}
        for case in cases:
            for language, reason in case.left_out.items():
                if language in self._languages:
                    reasons.setdefault(f"{language}: {reason}", {})[case.group] = None
        for reason, groups in reasons.items():
            print(f"left out, {reason} ({'; '.join(groups)})")


def _cell(outcomes: list[Outcome]) -> str:
    played = [outcome for outcome in outcomes if outcome != LEFT_OUT]
    right = played.count(None)
    if not played:
        return LEFT_OUT
    return f"{right}" if right == len(played) else f"{right} of {len(played)}!"
