"""Killed at every system call, each operation leaves a name absent or whole, and nobody waiting."""

from __future__ import annotations

import os

import pytest

from operations import CASES, FOREIGNERS, FULL, Operation
from scene import FOREIGN, NEW, OTHER, TARGET, Scene
from sweep import Sweep


def check_after_death(scene: Scene, operation: Operation) -> None:
    """Of what stands there, all that is promised, found out by processes that know nothing of it."""
    left = scene.now()
    if operation.reads_only:
        assert left == scene.start, "reading changed something"
    if operation.damaged and not readable(scene):
        [answer, *attached] = scene.ask("list", f"attach:{TARGET}", "repair")
        assert answer["kind"] == "RegistryUnavailable"
        assert attached[0]["status"] == 0, "a committed environment needs no index"
    if operation.unfinished:
        check_finished_or_not(scene)
        names = [FOREIGN, OTHER, TARGET]
    else:
        names = scene.names(ages=operation.ages)
        assert (TARGET in names) in operation.may_exist, "what was there is gone, or the reverse"
    scene.check_others_untouched()

    [answer, after, reaped] = scene.ask("timeout:0", f"create:{TARGET}", "list", "reap")
    scene.check_whole(answer, operation.ages if TARGET in names else NEW)
    kind = "env.attached" if TARGET in names else "env.created"
    assert answer["events"][0]["kind"] == kind
    assert set(after["report"]) == {*names, TARGET} - {"gone"}
    assert reaped["status"] == 0
    scene.check_nothing_left()

    if operation.damaged or operation.unfinished:
        return
    scene.put_up(left)
    assert scene.names("timeout:0", "reap", ages=operation.ages) == names
    scene.check_nothing_left()
    scene.check_others_untouched()


def check_finished_or_not(scene: Scene) -> None:
    """Another implementation's environment is there all the time, and no attach takes it for whole before it is."""
    [listed, attached] = scene.ask("list", f"attach:{TARGET}")
    assert listed["report"] == [FOREIGN, OTHER, TARGET]
    if attached["status"] == 0:
        scene.check_whole(attached, NEW)
    else:
        assert attached["kind"] == "RegistryUnavailable"
        assert attached["payload"]["reason"].startswith("unfinished")


def readable(scene: Scene) -> bool:
    [answer] = scene.ask("list")
    return bool(answer["status"] == 0)


# What waits for another implementation at each point takes minutes.
ATTACKED = [*CASES, *FOREIGNERS] if FULL else CASES


@pytest.mark.parametrize(("operation", "durable"), ATTACKED, ids=str)
def test_killed_at_any_system_call_it_leaves_a_name_absent_or_whole(
    scene: Scene, operation: Operation, durable: bool, sweep: Sweep
) -> None:
    scene.prepare(operation.begin, operation.login)
    while True:
        scene.put_up()
        run = scene.meddle(sweep.next, "kill", *operation.steps(durable))
        if run.hit is None:
            break
        assert os.WIFSIGNALED(run.status)
        with sweep.point(run):
            check_after_death(scene, operation)
        sweep.next += 1
    assert run.answers[-1]["status"] == 0, "it was not hit, and did not succeed"
    sweep.end("Killed at every system call", run, operation=operation, durable=durable)
