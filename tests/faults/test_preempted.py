"""Stopped at every system call while another process does something else, and then gone on with.

Where each change has one moment at which it counts, no order of two operations can be told from one after the other.
"""

from __future__ import annotations

import pytest

from operations import EPHEMERAL, FULL, REGISTRY, Operation, attached, listed
from programs import Answer, ended_well
from scene import OLD_OR_NEW, TARGET, Scene
from sweep import Sweep

CREATE = f"create:{TARGET}"
DESTROY = f"destroy-name:{TARGET}"
ATTACH = f"attach:{TARGET}"
BESIDE = {
    "create": (CREATE,),
    "destroy": (DESTROY,),
    "destroy and create": (DESTROY, CREATE),
    "refresh": (ATTACH, "refresh"),
    "attach and list": (ATTACH, "list"),
    "reap": ("reap",),
    "repair": ("repair",),
}
"""What another process does meanwhile, without waiting for a lock."""
ABSENT = "EnvironmentNotFound"


def empty(scene: Scene) -> None:
    """A registry in which nothing was ever created."""
    scene.ask("create:gone", "reap", age="old")
    scene.ask("destroy-name:gone")
    (scene.registry / "index.json").unlink()


LOOKING = [
    Operation("attach in an empty registry", empty, ATTACH, attached, reads_only=True),
    Operation("list in an empty registry", empty, "list", listed, reads_only=True),
]


def locked(answer: Answer) -> bool:
    return answer["kind"] == "RegistryUnavailable" and answer["payload"]["path"].endswith(".lock")


def torn(answer: Answer) -> bool:
    return answer["kind"] == "RegistryUnavailable" and answer["payload"]["path"].endswith("index.json")


def check_beside(operation: Operation, answers: list[Answer]) -> None:
    """What the other process may be told."""
    attached = False
    for answer in answers:
        step = answer["step"]
        if answer["status"] == 0:
            attached |= step == "attach"
        elif step == "refresh" and not attached:
            assert answer["kind"] == "InvalidEnvironmentSpec"
        elif (
            step in ("attach", "refresh", "destroy-name")
            and answer["kind"] == ABSENT
            or operation.damaged
            and torn(answer)
        ):
            pass
        else:
            assert step not in ("attach", "list", "reap") and locked(answer), f"beside: {answer}"


def check_preempted(scene: Scene, answer: Answer, beside: list[Answer]) -> None:
    """What the operation may answer after another came in between, and what stands there then."""
    step = answer["step"]
    done = {each["step"] for each in beside if each["status"] == 0}
    if answer["status"] != 0:
        assert answer["kind"] == ABSENT, answer
        assert step in ("attach", "refresh", "destroy-name"), answer
    elif step in ("create", "attach") and "destroy-name" not in done:
        scene.check_whole(answer, OLD_OR_NEW)
    names = scene.names()
    if "create" in done and beside[-1]["events"][0]["kind"] == "env.created" and step in ("destroy", "refresh"):
        assert TARGET in names, "a handle removed what was created after its own environment"
        token = scene.registry / scene.index()[TARGET] / "profile/more/token"
        assert token.read_text() == "old token", "a handle wrote to what was created after its own"
    scene.check_others_untouched()
    again, *_ = scene.ask(CREATE, "reap")
    scene.check_whole(again, OLD_OR_NEW)
    scene.check_nothing_left()


@pytest.mark.parametrize("operation", [*REGISTRY, *LOOKING], ids=str)
def test_another_process_may_come_in_between_at_any_system_call(
    scene: Scene, operation: Operation, sweep: Sweep
) -> None:
    scene.prepare(operation.begin, operation.login)
    while True:
        # In the short form each point meets one of the others; what only reads takes few calls, and meets all.
        every = FULL or operation.reads_only
        names = list(BESIDE) if every else [list(BESIDE)[sweep.next % len(BESIDE)]]
        for name in names:
            scene.put_up()
            process = scene.begin(sweep.next, "pause", *operation.steps())
            paused = process.told().get("paused", False)
            if not paused:
                break
            beside = scene.ask("timeout:0", *BESIDE[name], age="old")
            process.go_on()
            run = process.end()
            with sweep.point(run, f"{name} at"):
                assert ended_well(run.status)
                check_beside(operation, beside)
                check_preempted(scene, run.answers[-1], beside)
        if not paused:
            break
        sweep.next += 1
    sweep.end("Another process in between", process.end(), operation=operation)


@pytest.mark.parametrize("operation", EPHEMERAL, ids=str)
def test_what_has_a_living_owner_is_never_reaped(scene: Scene, operation: Operation, sweep: Sweep) -> None:
    scene.prepare(operation.begin, operation.login)
    while True:
        scene.put_up()
        process = scene.begin(sweep.next, "pause", *operation.steps(), "tell")
        if not process.told().get("paused"):
            break
        [reaped] = scene.ask("reap")
        process.go_on()
        *_, answer = [process.told() for _ in (*operation.before, operation.step)]
        problem = None
        try:
            assert reaped["status"] == 0
            assert answer["status"] == 0, answer
            operation.done(scene, answer)
        except AssertionError as error:
            problem = error
        with sweep.point(process.end()):
            if problem:
                raise problem
            scene.ask("reap")
            scene.check_nothing_left()
        sweep.next += 1
    for _ in operation.before:
        process.told()
    sweep.end("A reaper in between", process.end(), operation=operation)
