"""Plays all cases with all programs and prints who does as it should.

`python3 run.py` takes lines on standard input as `programs` prints them: language, tab, command.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pairs
from case import Case, load
from judge import PEER, Answer, comparable, complaint
from program import PROJECT, Broken, Program
from results import LEFT_OUT, Outcome, Results
from stage import Stage

Programs = dict[str, str]
"""The command of each language."""

PEERS_VERSION = "0.1.0"
VERSION = re.findall(r'^version = "(.*)"', (PROJECT / "Cargo.toml").read_text(), re.MULTILINE)[0]


class Player:
    """One language's program, started again where it broke."""

    def __init__(self, language: str, command: str, scratch: Path) -> None:
        self.language = language
        self._command = command
        self._scratch = scratch
        self._starts = 0
        self._program: Program | None = None

    @property
    def program(self) -> Program:
        if self._program is None:
            self._starts += 1
            folder = self._scratch / self.language / str(self._starts)
            self._program = Program(self.language, self._command, folder)
        return self._program

    def attempt(self, work: Callable[[], Outcome]) -> Outcome:
        """What is wrong with some work, which may break the program."""
        try:
            return work()
        except (Broken, LookupError, TypeError, OSError) as reason:
            # It ended, said what no answer can be read from, or did not make what a step needs.
            if self._program is not None:
                self._program.kill()
            self._program = None
            return f"{type(reason).__name__}: {reason}"

    def greet(self) -> Outcome:
        wanted = {
            "protocol": "agent-venv.conformance",
            "version": 2,
            "language": "python" if self.language == PEER else self.language,
            "package_version": PEERS_VERSION if self.language == PEER else VERSION,
            "spec_version": "0.1",
        }
        banner = self.program.banner
        return None if banner == wanted else f"its banner is {banner}"

    def end(self) -> Outcome:
        program, self._program = self.program, None
        program.end()
        return None


def play(case: Case, player: Player, folder: Path, answers: list[Answer]) -> Outcome:
    """Plays one case; answers what is wrong, and puts the answers, comparable, into a list."""
    stage = Stage(player.program, folder)
    try:
        wrong = next(filter(None, (_step(step, stage, answers) for step in case.steps)), None)
    finally:
        left = stage.clear()
    return wrong or (None if player.language == PEER else left)


def _step(step: Answer, stage: Stage, answers: list[Answer]) -> str | None:
    if "say" in step:
        answer = stage.program.tell(bytes(step["say"], "latin-1"))
    elif "ask" in step:
        request = {"registry_root": "<registry>", **step["ask"]}
        if isinstance(request.get("name"), str):
            stage.name(request["name"])
        case_id = request.setdefault("case_id", f"case {len(answers)}")
        answer = stage.program.ask(stage.real(request))
        if answer.get("case_id") != case_id:
            return f"the answer is to {answer.get('case_id')!r}, not {case_id!r}"
    else:
        return stage.do(step)
    answer = stage.named(answer)
    wrong = complaint(stage.program.language, step["answer"], answer)
    if wrong is None and stage.program.language != PEER:
        answers.append(comparable(answer))
    return wrong and f"{step.get('ask', step)}: {wrong}"


def differences(by_language: dict[str, list[Answer]]) -> Iterator[tuple[str, str]]:
    """Languages whose answers, each as it should be, are not those of the first in every detail."""
    (first, reference), *others = by_language.items() or [("", [])]
    for language, given in others:
        for one, other in zip(reference, given, strict=True):
            if one != other:
                yield language, f"answers {other}, and {first} answers {one}"
                break


def run(programs: Programs, cases: list[Case], scratch: Path) -> Results:
    results = Results(programs)
    players = [Player(language, command, scratch) for language, command in programs.items()]
    for player in players:
        results.note("banner", player.language, player.attempt(player.greet))
    for number, case in enumerate(cases):
        _play_with_all(case, players, scratch / "cases" / str(number), results)
    for one in players:
        for other in players:
            folder = scratch / "pairs" / f"{one.language}-{other.language}"
            results.note(f"created in {one.language}", other.language, _pair(one, other, folder))
    for player in players:
        results.note("end of input", player.language, player.attempt(player.end))
    return results


def _play_with_all(case: Case, players: list[Player], folder: Path, results: Results) -> None:
    answers: dict[str, list[Answer]] = {}
    for player in players:
        mine = folder / player.language
        if player.language in case.left_out:
            results.note(str(case), player.language, _without(player, case, mine))
            continue
        given: list[Answer] = []
        wrong = player.attempt(partial(play, case, player, mine, given))
        results.note(str(case), player.language, wrong)
        if wrong is None and player.language != PEER:
            answers[player.language] = given
    for language, difference in differences(answers):
        results.note(str(case), language, difference)


def _without(player: Player, case: Case, folder: Path) -> Outcome:
    """Leaves a program out, unless the reason is none: the peer must really differ."""
    silent = any("say" in step for step in case.steps)  # it may wait for more, and we for it
    if player.language != PEER or silent:
        return LEFT_OUT
    wrong = player.attempt(partial(play, case, player, folder, []))
    return LEFT_OUT if wrong else f"it does take part, though {case.left_out[PEER]!r}"


def _pair(one: Player, other: Player, folder: Path) -> Outcome:
    if one.language == other.language == PEER:
        return LEFT_OUT
    work = partial(pairs.play, one, other, folder)
    return one.attempt(partial(other.attempt, work))


def main() -> int:
    programs = dict(line.rstrip("\n").split("\t", 1) for line in sys.stdin)
    if not programs:
        sys.exit("no programs: tests/conformance/programs prints them")
    cases = load()
    with tempfile.TemporaryDirectory(prefix="agent-venv-conformance-") as scratch:
        results = run(programs, cases, Path(scratch).resolve())
    results.show(cases)
    return 1 if any(results.complaints()) else 0


if __name__ == "__main__":
    sys.exit(main())
