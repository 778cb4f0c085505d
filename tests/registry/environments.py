"""Environments of ours and of the peer's, and what the contract says of whatever stands on disk."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import ours
from ours import LibraryError

SPEC: dict[str, Any] = {
    "adapter_id": "mine",
    "env_overrides": {"MINE": "$EPHEMERAL_HOME/x", "PLAIN": "value"},
    "seed_files": {"settings.json": '{"a": 1}', "skills/one/SKILL.md": "one"},
    "credentials": {"login.json": '{"token": "fake"}'},
}
FILES: dict[str, str] = {**SPEC["seed_files"], **SPEC["credentials"]}


def slug(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:16]


def directory(root: Path, name: str) -> Path:
    """Where the index says that it is; where it would be made, where the index has none."""
    return root / entries(root).get(name, f"envs/{slug(name)}")


def profile(root: Path, name: str) -> Path:
    return directory(root, name) / "profile"


def entries(root: Path) -> dict[str, str]:
    index = root / "index.json"
    found: dict[str, str] = json.loads(index.read_bytes())["entries"] if index.exists() else {}
    return found


def metadata(root: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((directory(root, name) / "metadata.json").read_bytes())
    return found


def state(root: Path, name: str) -> str:
    """What a name is by the two files that decide: absent, torn, unfinished, or whole."""
    if name not in entries(root):
        return "absent"
    try:
        text = (directory(root, name) / "metadata.json").read_bytes()
    except FileNotFoundError:
        return "absent"
    try:
        found = json.loads(text)
    except ValueError:
        return "torn"
    assert found["name"] == name
    is_ours = found.get("writer") == "agent-venv-native"
    if not is_ours and not found["env_overrides"] and found["adapter_id"] != "generic":
        return "unfinished"
    return "whole"


def assert_whole(
    environment: ours.Environment, root: Path, name: str, files_of_the_dead: bool = False
) -> None:
    """It is there with all that SPEC asks for, and is found by its name.

    A file that a dead peer left half written is a file that is there: it stays.
    """
    path = root.resolve() / directory(root, name).relative_to(root) / "profile"
    assert environment.path == path
    assert environment.adapter_id == "mine"
    assert environment.env_overrides == {"MINE": f"{path}/x", "PLAIN": "value"}
    found = {each: (path / each).read_text() for each in FILES}
    if files_of_the_dead:
        assert all(FILES[each].startswith(found[each]) for each in FILES), found
    else:
        assert found == FILES
    assert ours.attach(name, root).path == path
    assert name in ours.names(root)


def assert_list_and_attach_agree(root: Path, names: set[str]) -> list[str]:
    """A name is listed if and only if attaching to it is anything but EnvironmentNotFound."""
    listed = ours.names(root)
    for name in names | set(listed):
        try:
            ours.attach(name, root)
            attached = True
        except LibraryError as error:
            attached = error.kind != "EnvironmentNotFound"
        assert attached == (name in listed), (
            f"{name!r}: listed {name in listed}, attached {attached}"
        )
    return listed


def assert_repaired(root: Path, names: set[str]) -> dict[str, Any]:
    """Repair, twice: the second time there is nothing to do. Answers the first report."""
    report = ours.repair(root)
    assert report["root"] == str(root.resolve())
    index = json.loads((root / "index.json").read_bytes()) if (root / "index.json").exists() else {}
    again = ours.repair(root)
    done = {"kept_index", "restored", "unverified", "dropped", "removed"}
    assert not any(again[each] for each in done), f"{report} then {again}"
    left = {"hostile", "unreadable"}
    assert {each: again[each] for each in left} == {each: report[each] for each in left}
    if index:
        assert json.loads((root / "index.json").read_bytes()) == index
    assert_list_and_attach_agree(root, names)
    return report
