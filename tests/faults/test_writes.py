"""Writes and reads that do a part of what was asked, and deaths in the middle of a write."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from operations import CASES, EPHEMERAL, REGISTRY, Operation
from peer import Peer
from programs import Programs
from scene import Scene
from sweep import Sweep
from test_kill import check_after_death


@pytest.mark.parametrize(("operation", "durable"), CASES, ids=str)
def test_a_death_within_a_write_leaves_a_name_absent_or_whole(
    scene: Scene, operation: Operation, durable: bool, sweep: Sweep
) -> None:
    scene.prepare(operation.begin, operation.login)
    untouched = scene.meddle(0, "trace", *operation.steps(durable))
    for nth, call in enumerate(untouched.calls, start=1):
        if call == "write":
            scene.put_up()
            run = scene.meddle(nth, "torn", *operation.steps(durable))
            with sweep.point(run):
                assert os.WIFSIGNALED(run.status)
                check_after_death(scene, operation)
        sweep.next += 1
    sweep.end("Killed within a write", untouched, operation=operation, durable=durable)


@pytest.mark.parametrize(("operation", "durable"), CASES, ids=str)
def test_short_reads_and_writes_are_gone_on_with(
    scene: Scene, operation: Operation, durable: bool, sweep: Sweep
) -> None:
    scene.prepare(operation.begin, operation.login)
    untouched = scene.meddle(0, "trace", *operation.steps(durable))
    for nth, call in enumerate(untouched.calls, start=1):
        if call in ("read", "write"):
            scene.put_up()
            process = scene.begin(nth, "short", *operation.steps(durable), "tell")
            *_, answer = [process.told() for _ in (*operation.before, operation.step)]
            problem = None
            try:
                assert answer["status"] == 0, answer
                operation.done(scene, answer)
            except AssertionError as error:
                problem = error
            run = process.end()
            with sweep.point(run):
                if problem:
                    raise problem
        sweep.next += 1
    sweep.end("Reads and writes cut short", untouched, operation=operation, durable=durable)


MEGABYTE = 1 << 20
CREATING = [
    operation for operation in (*REGISTRY, *EPHEMERAL) if "create" in operation.name and not operation.reads_only
]


@pytest.mark.parametrize("durable", [False, True])
@pytest.mark.parametrize("operation", CREATING, ids=str)
def test_a_death_within_the_write_of_a_megabyte_leaves_a_name_absent_or_whole(
    directory: Path, programs: Programs, peer: Peer, operation: Operation, durable: bool, sweep: Sweep
) -> None:
    scene = Scene(directory, programs, peer, large="0123456789abcdef" * (MEGABYTE // 16))
    scene.prepare(operation.begin, operation.login)
    untouched = scene.meddle(0, "trace", *operation.steps(durable))
    parts = [0, 1, 4096, MEGABYTE // 2 + 1, MEGABYTE - 1]
    left = set()
    for nth, call in enumerate(untouched.calls, start=1):
        for part in parts if call == "write" else ():
            scene.put_up()
            run = scene.meddle(nth, f"torn:{part}", *operation.steps(durable))
            left |= {len(node.content or b"") for snapshot in scene.now().values() for node in snapshot.values()}
            with sweep.point(run, f"{part} bytes"):
                assert os.WIFSIGNALED(run.status)
                check_after_death(scene, operation)
        sweep.next += 1
    assert left >= set(parts), "the large write was not cut short"
    sweep.end("Killed within the write of a megabyte", untouched, operation=operation, durable=durable)
