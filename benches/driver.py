"""Does through our Python package, or the public one that it stands beside, what each line says (see driver.c)."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from agent_venv import Environment, EnvironmentSpec, errors

SPEC = EnvironmentSpec(
    seed_files={"settings.json": '{"theme":"dark"}'},
    credentials={".credentials.json": '{"token":"no secret"}'},
)


def create(name: str, root: Path) -> None:
    while True:
        try:
            Environment.create_or_attach(name, SPEC, registry_root=root)
            return
        except errors.RegistryUnavailableError:
            # Where many want the lock, the public package can wait for it in vain.
            continue


def operation(op: str, *arguments: str) -> Callable[[int], object]:
    if op == "ephemeral":
        return lambda _: Environment.ephemeral(SPEC).destroy()
    root = Path(arguments[0])
    if op == "attach":
        size = int(arguments[1])
        return lambda _: Environment.attach(f"env-{random.randrange(size):06}", registry_root=root)
    if op == "list":
        return lambda _: Environment.list(registry_root=root)
    tag = arguments[1]
    if op == "new":
        return lambda i: create(f"{tag}-{i}", root)
    return lambda i: Environment.destroy_by_name(f"{tag}-{i}", registry_root=root)


for line in sys.stdin:
    *what, count = line.split()
    do = operation(*what)
    samples = []
    for i in range(int(count)):
        start = perf_counter()
        do(i)
        samples.append(round((perf_counter() - start) * 1e6, 2))
    print(json.dumps(samples), flush=True)
