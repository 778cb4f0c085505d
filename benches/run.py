"""`make bench`: measures ours, the floor and the public packages side by side, and writes docs/performance.md.

All take turns in each round, so that what the machine does meanwhile meets all alike; only ratios of one run mean
anything.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import page
from figures import Figures
from place import place
from programs import BUILT, LANGUAGES, LIBRARY, PEERS, TOP, Program, build, instructions, run
from registries import bare, generate

ROUNDS = 9
SIZES = (10, 1000, 10_000, 100_000)
TO_CHANGE = (10, 1000, 10_000)
PROCESSES, NAMES, RACES = 4, 250, 3
HANDLES = 10_000
MODULES = "ctypes, json, pathlib"


def main() -> None:
    build()
    with place() as (where, file_system):
        page.write(measure(where), file_system)


def measure(where: Path) -> Figures:
    figures = Figures()
    roots = registries(where)
    work = where / "work"
    work.mkdir()
    programs = {name: Program(name, work) for name in ("floor", *LANGUAGES, *PEERS)}
    for turn in range(ROUNDS + 1):
        print(f"round {turn} of {ROUNDS}", file=sys.stderr)
        # The first one is for caches to fill.
        measured = figures if turn else Figures()
        one_round(measured, programs, roots, f"round-{turn}")
    figures.note("handles", "c", programs["c"].ask("handles", HANDLES))
    for program in programs.values():
        program.end()
    for turn in range(RACES):
        for name in ("floor", "c", *PEERS):
            figures.add("race", name, [race(name, where / f"race-{name}-{turn}", work)])
    starts(figures, work)
    count_instructions(figures, work, roots)
    return figures


def registries(where: Path) -> dict[tuple[str, int], Path]:
    """Of each size one for each implementation that changes it; the largest is only read by the others."""
    roots = {}
    for size in SIZES:
        for name in ("c", *PEERS):
            root = where / f"registry-{name}-{size}"
            if name == "c" or size in TO_CHANGE:
                print(f"a registry of {size:,} for {name}", file=sys.stderr)
                generate(root, size)
                if name == "crate":
                    # That one's lock is a file that must not be there.
                    (root / ".lock").unlink()
                roots[name, size] = root
            else:
                roots[name, size] = roots["c", size]
    for size in TO_CHANGE:
        roots["floor", size] = where / f"registry-floor-{size}"
        bare(roots["floor", size], (roots["c", size] / "index.json").read_bytes())
    return roots


def one_round(figures: Figures, programs: dict[str, Program], roots: dict[tuple[str, int], Path], tag: str) -> None:
    who = ("floor", *LANGUAGES, *PEERS)
    for turn in range(2 * len(who)):
        # Each comes after each: what ran before warms, or cools, what runs next.
        for name in (*who[turn % len(who) :], *who[: turn % len(who)]):
            figures.add("ephemeral", name, programs[name].ask("ephemeral", 50))
    for size in SIZES:
        for name in ("c", *PEERS):
            ask, root = programs[name].ask, roots[name, size]
            few = 2 if size > 10_000 else 10
            figures.add(f"attach at {size}", name, ask("attach", root, size, 200 if name == "c" else few))
            figures.add(f"list at {size}", name, ask("list", root, few))
            if name == "c" or size in TO_CHANGE:
                figures.add(f"new at {size}", name, ask("new", root, tag, few))
                figures.add(f"destroy at {size}", name, ask("destroy", root, tag, few))
        if size in TO_CHANGE:
            ask, root = programs["floor"].ask, roots["floor", size]
            figures.add(f"new at {size}", "floor", ask("new", root, tag, few))
            figures.add(f"destroy at {size}", "floor", ask("destroy", root, tag, few))


def race(name: str, root: Path, work: Path) -> float:
    """Microseconds until all of some processes have created their names in one new registry."""
    if name == "floor":
        bare(root, b"")
    racers = [Program(name, work) for _ in range(PROCESSES)]
    for racer in racers:
        racer.ask("ephemeral", 1)  # it has started
    start = time.perf_counter()
    for number, racer in enumerate(racers):
        racer.tell("new", root, f"racer-{number}", NAMES)
    for racer in racers:
        racer.answer()
    took = time.perf_counter() - start
    for racer in racers:
        racer.end()
    return took * 1e6


def starts(figures: Figures, work: Path) -> None:
    timed = "import time; start = time.perf_counter(); import {}; print((time.perf_counter() - start) * 1e6)"
    ours = {"AGENT_VENV_LIBRARY": str(LIBRARY), "PYTHONPATH": str(TOP / "bindings/python/src")}
    for _ in range(25):
        for modules in (MODULES, "agent_venv"):
            took = run(sys.executable, "-c", timed.format(modules), env=ours)
            figures.add("import", modules, [float(took)])
        # Not alone: what an earlier process left is looked at once in a process's life.
        took = run(BUILT / "first", LIBRARY, env={"AGENT_VENV_EPHEMERAL_ROOT": str(work / "first")})
        figures.add("first", "c", [float(took.strip("[]\n"))])
    stripped = work / "stripped"
    subprocess.run(["strip", "-o", stripped, LIBRARY], check=True)
    figures.note("size", "c", [float(stripped.stat().st_size)])


def count_instructions(figures: Figures, work: Path, roots: dict[tuple[str, int], Path]) -> None:
    root = roots["c", 1000]
    for what in (
        ("ephemeral",),
        ("attach", root, 1000),
        ("list", root),
        ("new", root, "counted"),
    ):
        counted = instructions(work, *what)
        if counted is not None:
            print(f"instructions of {what[0]}: {counted:,}", file=sys.stderr)
            figures.note("instructions", what[0], [float(counted)])


if __name__ == "__main__":
    main()
