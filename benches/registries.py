"""Registries of any size, quickly: one environment that the library made, multiplied on disk, and then judged by `repair`."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from agent_venv import Environment, EnvironmentSpec, repair


def name(number: int) -> str:
    return f"env-{number:06}"


def slug(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:16]


def generate(root: Path, size: int) -> None:
    """Makes a registry of `size` environments, `env-000000` and so on."""
    spec = EnvironmentSpec(
        env_overrides={"CLAUDE_CONFIG_DIR": "$EPHEMERAL_HOME"},
        seed_files={"settings.json": "{}"},
        credentials={".credentials.json": "{}"},
    )
    first = Environment.create_or_attach(name(0), spec, registry_root=root).path.parent
    metadata = (first / "metadata.json").read_text()
    instance = json.loads(metadata)["instance"]
    for number in range(1, size):
        environment = root / "envs" / slug(name(number))
        os.makedirs(environment / "profile", 0o700)
        own = metadata.replace(name(0), name(number)).replace(first.name, environment.name)
        own = own.replace(instance, hashlib.md5(environment.name.encode()).hexdigest())
        _write(environment / "metadata.json", own, first)
        _write(environment / ".committed", "", first)
    entries = {name(number): f"envs/{slug(name(number))}" for number in range(size)}
    index = json.dumps({"schema_version": 1, "entries": entries}, separators=(",", ":"))
    _write(root / "index.new", index, first)
    os.rename(root / "index.new", root / "index.json")
    report = repair(registry_root=root)
    found = [what for what in ("restored", "dropped", "removed", "unreadable") if report[what]]
    assert not found, f"the generated registry has something {found}"
    assert len(Environment.list(registry_root=root)) == size


def bare(root: Path, index: bytes) -> None:
    """A registry for the floor, which wants no more than this."""
    (root / "envs").mkdir(parents=True, mode=0o700)
    (root / "index.json").write_bytes(index)


def _write(path: Path, content: str, signed: Path) -> None:
    """By its time the library knows that it wrote a file itself: the same time as that of a file of its own."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    os.write(file, content.encode())
    time = (signed / ".committed").stat().st_mtime_ns
    os.utime(file, ns=(time, time))
    os.close(file)
