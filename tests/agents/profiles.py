"""Makes profiles on request, and starts programs with them: the Python half of driver.py."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

from agent_venv import Environment, EnvironmentSpec
from agent_venv.errors import AgentVenvError

environments: list[Environment] = []


def create(adapter: str, options: str) -> tuple[object, ...]:
    named = json.loads(adapter) if adapter.startswith("{") else adapter
    env = Environment.ephemeral(EnvironmentSpec(adapter=named, options=json.loads(options)))
    environments.append(env)
    return len(environments) - 1, env.path, json.dumps(env.env_unset)


def run(slot: str, out: str, err: str, *argv: str) -> tuple[object, ...]:
    variables = environments[int(slot)].merged(os.environ)
    with Path(out).open("wb") as stdout, Path(err).open("wb") as stderr:
        done = subprocess.run(
            argv, env=variables, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr
        )
    return (done.returncode,)


def refresh(slot: str) -> tuple[object, ...]:
    environments[int(slot)].refresh_credentials()
    return ()


def status(slot: str) -> tuple[object, ...]:
    return (json.dumps(dataclasses.asdict(environments[int(slot)].login_status())),)


def destroy(slot: str) -> tuple[object, ...]:
    environments[int(slot)].destroy()
    return ()


OPERATIONS = {each.__name__: each for each in (create, run, refresh, status, destroy)}

for line in sys.stdin:
    operation, *fields = line.rstrip("\n").split("\t")
    try:
        answer = ("ok", *OPERATIONS[operation](*fields))
    except AgentVenvError as error:
        answer = ("error", error.kind, error.message)
    print(*answer, sep="\t", flush=True)
