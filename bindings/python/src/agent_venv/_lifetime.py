"""What becomes of an environment that nobody destroyed: at collection, and at exit.

A handle is ended by whoever takes it out of `_live`, and in the process that made it only. The
library tells owner from forked child by itself; a finalizer in a child should not even ask.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import weakref

from ._calls import Handle, call, read
from ._library import library
from .errors import AgentVenvError

_live: dict[Handle, int] = {}  # each handle, and the process that made it


def watch(environment: object, handle: Handle) -> int:
    """Free the handle when `environment` is collected. Answers the owner's process id."""
    owner = os.getpid()
    _live[handle] = owner
    weakref.finalize(environment, _collected, handle, owner).atexit = False
    return owner


def _collected(handle: Handle, owner: int) -> None:
    if owner == os.getpid() and _live.pop(handle, None) is not None:
        library.avenv_environment_free(handle)


@atexit.register
def _at_exit() -> None:
    """Remove what is left. Nothing is freed: a daemon thread may still be inside a call."""
    process = os.getpid()
    for handle in list(_live):  # not what daemon threads add meanwhile: that could go on for ever
        owner = _live.pop(handle, None)
        if owner == process and read("avenv_environment_kind", handle) == "ephemeral":
            with contextlib.suppress(AgentVenvError):
                call("avenv_environment_destroy", handle, None)
    library.avenv_give_back()
