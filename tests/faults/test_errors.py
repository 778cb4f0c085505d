"""Each system call fails once: the answer is one of the contract's, and nothing is worse for it afterwards."""

from __future__ import annotations

import os
from errno import EACCES, EINTR, EIO, EMFILE, ENOSPC, EROFS, errorcode

import pytest

from operations import CASES, FOREIGNERS, FULL, QUICK, Operation
from programs import CREATING, Answer, ended_well
from scene import TARGET, Scene
from sweep import Sweep
from test_kill import check_finished_or_not

OPEN = (EACCES, EMFILE, EINTR, EIO)
CHANGE = (EACCES, EIO, ENOSPC, EROFS)
REMOVE = (EACCES, EIO, EROFS)
LOOK = (EACCES, EIO)
FAILURES: dict[str, tuple[int, ...]] = {
    "close": (EINTR, EIO, ENOSPC),
    "fchmod": REMOVE,
    "fcntl": (EMFILE,),
    "flock": (EINTR, EIO),
    "fstat": (EIO,),
    "fstatfs": (EIO,),
    "fsync": (EINTR, EIO, ENOSPC),
    "getdents64": (EIO,),
    "getrandom": (EINTR,),
    "linkat": CHANGE,
    "lseek": (EIO,),
    "lstat": LOOK,
    "mkdir": CHANGE,
    "mkdirat": CHANGE,
    "newfstatat": LOOK,
    "openat": OPEN,
    f"openat{CREATING}": (*OPEN, ENOSPC, EROFS),
    "openat2": OPEN,
    "read": (EINTR, EIO),
    "readlink": LOOK,
    "readlinkat": LOOK,
    "renameat": CHANGE,
    "rmdir": REMOVE,
    "stat": LOOK,
    "statx": LOOK,
    "symlinkat": CHANGE,
    "unlinkat": REMOVE,
    "utimensat": REMOVE,
    "write": (EINTR, EIO, ENOSPC),
    # Of memory and of the process itself: nothing to go on with, or nothing that fails.
    **dict.fromkeys(("brk", "madvise", "mmap", "mremap", "munmap", "getpid", "geteuid", "clock_nanosleep"), ()),
}
"""What each call may fail with. A call that is not here fails the test: it needs a decision."""

PASSING = (EMFILE, EINTR, EIO)
"""Failures that say nothing about the file."""


def unreadable(answer: Answer) -> list[str]:
    """The directories that repair could not read."""
    report = answer.get("report")
    return report.get("unreadable", []) if isinstance(report, dict) else []


def check_failure(scene: Scene, operation: Operation, answer: Answer, error: int) -> None:
    kind, payload = answer["kind"], answer["payload"]
    assert kind in operation.kinds, f"{kind} {payload}"
    if kind == "CredentialsMissing":
        assert payload["looked_at"]
    else:
        assert payload["path"].startswith("/"), f"where? {kind} {payload}"
        cause = payload["os_error"] if kind == "CleanupFailed" else payload["reason"]
        assert os.strerror(error) in cause, f"why? {kind} {payload}"
    if operation.damaged:
        return
    if operation.unfinished:
        check_finished_or_not(scene)
        return
    names = scene.names(ages=operation.ages)
    assert (TARGET in names) in operation.may_exist
    assert kind != "CleanupFailed" or TARGET not in names, "the name is not free"
    if operation.step.startswith(("create", "ephemeral")):
        more = scene.unnamed(scene.now()) - scene.unnamed(scene.start)
        assert more <= 0, f"a failed create left {more} directories: {kind} {payload}"


# What waits for another implementation at each point takes minutes.
ATTACKED = [*CASES, *FOREIGNERS] if FULL else QUICK


@pytest.mark.parametrize(("operation", "durable"), ATTACKED, ids=str)
def test_any_system_call_that_fails_once_is_told_or_overcome(
    scene: Scene, operation: Operation, durable: bool, sweep: Sweep
) -> None:
    scene.prepare(operation.begin, operation.login)
    again = ("tell", operation.step, "tell")
    untouched = scene.meddle(0, "trace", *operation.steps(durable))
    for nth, call in enumerate(untouched.calls, start=1):
        assert call in FAILURES, f"what may {call} fail with?"
        errors = FAILURES[call]
        # In the short form each call meets one of the failures.
        for error in errors if FULL else errors[nth % len(errors or "1") :][:1]:
            scene.put_up()
            process = scene.begin(nth, error, *operation.steps(durable), *again)
            *_, first = [process.told() for _ in (*operation.before, operation.step)]
            problems = []
            try:
                if first["status"] == 0:
                    operation.done(scene, first)
                    assert error not in PASSING or not unreadable(first), f"told as lasting: {first}"
                else:
                    check_failure(scene, operation, first, error)
            except AssertionError as problem:
                problems.append(str(problem))
            process.go_on()
            second = process.told()
            try:
                if second["status"] == 0:
                    operation.done(scene, second)
                else:
                    assert second["kind"] in operation.again, f"and again: {second}"
            except AssertionError as problem:
                problems.append(f"again: {problem}")
            process.go_on()
            run = process.end()
            with sweep.point(run, errorcode[error]):
                assert not problems, problems[0]
                assert ended_well(run.status), "it did not end well"
                if not unreadable(first):
                    scene.names("timeout:0", "reap")
                    scene.check_others_untouched()
                    scene.check_nothing_left()
        sweep.next += 1
    sweep.end("Each system call fails once", untouched, operation=operation, durable=durable)
