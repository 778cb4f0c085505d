"""docs/performance.md and its plot, from what was measured."""

from __future__ import annotations

import os
import platform
from datetime import date
from pathlib import Path

import plot
from figures import Figures, time
from programs import PEERS, TOP

WHY = TOP / "benches/why.md"
PAGE = TOP / "docs/performance.md"
PLOT = TOP / "docs/performance.svg"
SIZES = (10, 1000, 10_000, 100_000)
OF = {"c": "ours, C", "pypi": "PyPI, Python", "crate": "the crate, Rust"}

Row = tuple[str, str, str, bool]


def write(figures: Figures, file_system: str) -> None:
    PLOT.write_text(plot.draw(series(figures)))
    head = HEAD.format(**machine(), file_system=file_system)
    parts = [head, goals(figures), kernel(figures), medians(figures), counted(figures), WHY.read_text()]
    PAGE.write_text("\n".join(parts))


def machine() -> dict[str, str]:
    cpu = [line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    return {
        "cpu": cpu[0] if cpu else platform.processor(),
        "cores": str(os.cpu_count()),
        "kernel": f"{platform.system()} {platform.release().split('-')[0]}",
        "date": date.today().isoformat(),
        "load": f"{os.getloadavg()[2]:.1f}",
    }


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).exists() else []


HEAD = """# Performance

Written by `make bench`: {cpu}, {cores} cores, {kernel}, {file_system}, {date}; mean load in the last quarter of an hour
{load}, of which the bench itself is about 1. All took turns in each of nine rounds; times are medians, and a ratio is the median of the rounds'
ratios, with the lowest and the highest round. Only ratios within one run mean anything: times drift by two to three between days.

*The floor* is a C program (`benches/floor.c`) of nothing but the system calls that an ephemeral profile with one seed file and one credential needs: `mkdtemp`,
two files created 0600 and written, unlinked, `rmdir`; and of those that a new name or its destruction needs in the format that all implementations share: two directories, three
files, the lock, and the index read and replaced as a whole. *The peers* are the public packages `agent-venv` 0.1.0 on PyPI and as a crate.
"""


def goals(figures: Figures) -> str:
    lines = ["## Goals", "", "| what | measured | goal | |", "|---|---|---|---|"]
    for what, measured, goal, met in rows(figures):
        lines.append(f"| {what} | {measured} | {goal} | {'met' if met else '**missed**'} |")
    return "\n".join([*lines, ""])


def rows(figures: Figures) -> list[Row]:
    made = []

    def add(what: str, measured: object, goal: str, met: bool) -> None:
        made.append((what, str(measured), goal, met))

    for name, who, most in (
        ("C", "c", 1.15),
        ("Python", "python", 1.4),
        ("Go", "go", 1.3),
        ("Node, awaited", "node", 2),
    ):
        ratio = figures.ratio("ephemeral", who, "ephemeral", "floor")
        add(f"ephemeral create and destroy, {name}, to the floor", ratio, f"at most {most} x", ratio.middle <= most)
    for size in (1000, 100_000):
        ratio = figures.ratio(f"attach at {size}", "c", "attach at 10", "c")
        add(f"attach at {size:,} entries, to that at 10", ratio, "at most 1.2 x", ratio.middle <= 1.2)
    ratio = figures.ratio("attach at 100000", "c", "ephemeral", "floor")
    add("attach at 100,000 entries, to the floor", ratio, "under 0.2 x", ratio.middle < 0.2)
    for what, said in (("new", "create_or_attach of a new name"), ("destroy", "destroy of one name")):
        ratio = figures.ratio(f"{what} at 10000", "c", f"{what} at 10", "c")
        add(f"{said} at 10,000, to that at 10", ratio, "at most 5 x", ratio.middle <= 5)
        beside_peers(figures, add, f"{what} at 10000", f"{said} at 10,000", 8)
    beside_peers(figures, add, "list at 10000", "list at 10,000", 3)
    beside_peers(figures, add, "race", "4 processes, 250 new names each", 5)
    memory, descriptors = figures.values("handles", "c")
    add("a live ephemeral handle among 10,000", f"{memory:.0f} bytes", "under 1 KiB", memory < 1024)
    add("descriptors for them all", f"{descriptors:.0f}", "one", descriptors <= 1)
    size = figures.values("size", "c")[0] / 1000
    add("the library, stripped", f"{size:.0f} KB", "under 600 KB", size < 600)
    ratio = figures.ratio("first", "c", "ephemeral", "floor")
    add("`dlopen` to the first profile, to the floor", ratio, "under 30 x", ratio.middle < 30)
    ratio = figures.ratio("import", "agent_venv", "import", "ctypes, json, pathlib")
    add("`import agent_venv`, to importing ctypes, json and pathlib", ratio, "at most 1.5 x", ratio.middle <= 1.5)
    return made


def kernel(figures: Figures) -> str:
    """How far the fastest peer is from nothing but the system calls: no implementation of the format can be further ahead."""
    lines = [
        "## What the kernel leaves",
        "",
        "| | ours to the floor | the fastest peer to the floor |",
        "|---|---|---|",
    ]
    for what, said in (
        ("new at 10", "a new name at 10"),
        ("new at 10000", "a new name at 10,000"),
        ("destroy at 10000", "destroy at 10,000"),
        ("race", "4 processes, 250 new names each"),
    ):
        ours = figures.ratio(what, "c", what, "floor")
        peers = figures.ratio(what, figures.fastest(what, PEERS), what, "floor")
        lines.append(f"| {said} | {ours} | {peers} |")
    return "\n".join([*lines, ""])


def beside_peers(figures: Figures, add, what: str, said: str, least: int) -> None:  # type: ignore[no-untyped-def]
    fastest = figures.fastest(what, PEERS)
    ratio = figures.ratio(what, fastest, what, "c")
    told = f"{ratio} ({OF[fastest]})"
    add(f"{said}, the fastest peer to ours", told, f"at least {least} x", ratio.middle >= least)


def medians(figures: Figures) -> str:
    lines = ["## Medians", "", "Lowest and highest round in brackets.", ""]
    lines += ["| ephemeral create and destroy | |", "|---|---|"]
    of = {"floor": "the floor", **OF, "python": "ours, Python", "go": "ours, Go", "node": "ours, Node, awaited"}
    lines += [f"| {said} | {_told(figures, 'ephemeral', who)} |" for who, said in of.items()]
    lines += ["", f"| | the floor | {' | '.join(OF.values())} |", "|---|---|---|---|---|"]
    for what in ("attach", "new", "destroy", "list"):
        for size in SIZES:
            lines.append(f"| {what} at {size:,} | {_each(figures, f'{what} at {size}')} |")
    lines.append(f"| 4 processes, 250 new names each | {_each(figures, 'race')} |")
    return "\n".join([*lines, "", "![Cost against the size of the registry](performance.svg)", ""])


def _each(figures: Figures, what: str) -> str:
    return " | ".join(_told(figures, what, who) for who in ("floor", *OF))


def _told(figures: Figures, what: str, who: str) -> str:
    if not figures.known(what, who):
        return "–" if who == "floor" else "not measured"
    least, most = figures.spread(what, who)
    return f"{time(figures.median(what, who))} ({time(least)} to {time(most)})"


def counted(figures: Figures) -> str:
    said = {
        "ephemeral": "ephemeral create and destroy",
        "attach": "attach at 1,000",
        "list": "list at 1,000",
        "new": "a new name at 1,000, and its destruction",
    }
    known = {what: words for what, words in said.items() if figures.known("instructions", what)}
    if not known:
        return "There was no Valgrind to count instructions with.\n"
    lines = ["| instructions outside the kernel (Callgrind), C | |", "|---|---|"]
    lines += [f"| {words} | {figures.values('instructions', what)[0]:,.0f} |" for what, words in known.items()]
    return "\n".join([*lines, ""])


def series(figures: Figures) -> list[plot.Panel]:
    panels = []
    for what, title in (("attach", "attach"), ("new", "create a new name"), ("list", "list")):
        lines = {}
        for who, said in OF.items():
            known = [size for size in SIZES if figures.known(f"{what} at {size}", who)]
            lines[said] = [(size, figures.median(f"{what} at {size}", who)) for size in known]
        panels.append(plot.Panel(title, lines))
    return panels
