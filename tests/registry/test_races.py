"""Promise attacked: both implementations create at once, and no name is lost or doubled."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import environments
import ours
from conftest import Count
from environments import FILES, SPEC, assert_whole
from peer import Peer
from processes import Child

PROCESSES = 4
NAMES = 150
SHARED = 60


def create_many(root: Path, names: list[str]) -> dict[str, str]:
    return {
        name: str(ours.create_or_attach(name, SPEC, root, timeout_ms=60_000).path) for name in names
    }


def test_names_of_both_implementations_are_all_there_and_none_twice(
    start_peer: Callable[[], Peer], peer: Peer, root: Path, count: Count, times: int
) -> None:
    names = {
        f"{who}-{process}": [f"{who}-{process}-{number}" for number in range(NAMES * times)]
        for who in ("peer", "ours")
        for process in range(PROCESSES)
    }
    peers = {who: start_peer() for who in names if who.startswith("peer")}
    for each in peers.values():
        each.ask("duration", call={"op": "names", "root": str(root)})  # it is up
    children = {
        who: Child(lambda who=who: create_many(root, names[who]))
        for who in names
        if who.startswith("ours")
    }
    for who, each in peers.items():
        each.tell("create_many", root=str(root), names=names[who], spec=SPEC)
    for child in children.values():
        child.go()
    paths: dict[str, str] = {}
    for child in children.values():
        paths |= child.answer()  # type: ignore[arg-type]
    for each in peers.values():
        paths |= each.answer()

    everybody = sorted(name for some in names.values() for name in some)
    assert ours.names(root) == peer.names(root) == everybody
    assert sorted(paths) == everybody
    index = json.loads((root / "index.json").read_text())["entries"]
    assert len(set(index.values())) == len(everybody) == len(set(paths.values()))
    assert {entry.name for entry in (root / "envs").iterdir()} == {
        value.removeprefix("envs/") for value in index.values()
    }
    for name in everybody:
        environment = ours.attach(name, root)
        assert str(environment.path) == paths[name]
        assert {each: (environment.path / each).read_text() for each in FILES} == FILES
        assert peer.attach(root, name) == {
            "path": paths[name],
            "env_overrides": environment.env_overrides,
            "adapter_id": "mine",
        }
    report = ours.repair(root)
    assert not any(report[what] for what in report.keys() - {"root"}), report
    count("names created at once by 4 processes of the peer's and 4 of ours", len(everybody))


def test_same_names_at_once_are_one_environment_each(
    start_peer: Callable[[], Peer], root: Path, count: Count, times: int
) -> None:
    """One process of the peer's: two of them trip over each other's metadata."""
    names = [f"shared-{number}" for number in range(SHARED * times)]
    peer = start_peer()
    peer.ask("names", root=str(root))
    children = [Child(lambda: create_many(root, names)) for _ in range(PROCESSES)]
    peer.tell("create_many", root=str(root), names=names, spec=SPEC)
    for child in children:
        child.go()
    answers = [child.answer() for child in children]
    paths = peer.answer()
    assert all(answer == paths for answer in answers)
    assert ours.names(root) == sorted(names) == sorted(environments.entries(root))
    for name in names:
        assert_whole(ours.attach(name, root), root, name)
    assert len(list((root / "envs").iterdir())) == len(names)
    count("names that all of 4 processes of ours and 1 of the peer's created at once", len(names))


def test_created_and_destroyed_by_both_at_once_nothing_of_either_is_harmed(
    start_peer: Callable[[], Peer], peer: Peer, root: Path, count: Count, times: int
) -> None:
    """Each makes and removes names of its own, beside a few that stay."""
    rounds = 100 * times
    ours.create_or_attach("kept", SPEC, root)
    peer.create(root, "theirs", SPEC)

    def work(who: int) -> int:
        for number in range(rounds):
            made = ours.create_or_attach(f"ours-{who}-{number}", SPEC, root, timeout_ms=60_000)
            assert made.created
            assert_whole(made, root, f"ours-{who}-{number}")
            ours.destroy(f"ours-{who}-{number}", root, timeout_ms=60_000)
        return rounds

    children = [Child(lambda who=who: work(who)) for who in range(2)]
    other = start_peer()
    other.tell("churn", root=str(root), rounds=rounds, spec=SPEC)
    for child in children:
        child.go()
    assert [child.answer() for child in children] == [rounds, rounds]
    assert other.answer() == rounds
    assert ours.names(root) == peer.names(root) == ["kept", "theirs"]
    assert_whole(ours.attach("kept", root), root, "kept")
    assert_whole(ours.attach("theirs", root), root, "theirs")
    assert len(list((root / "envs").iterdir())) == 2
    ours.reap(root)
    assert list((root / ".agent-venv").iterdir()) == []
    count("names created and destroyed while the other implementation does the same", 3 * rounds)
