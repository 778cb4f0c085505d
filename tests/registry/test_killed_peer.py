"""Promise attacked: wherever the peer dies in a change, our calls answer as they should.

The peer is killed at every line of its code before which something new stands on the disk, and at
random moments besides. What it leaves is judged by the two files that decide; then every call of
ours is tried on it, repair and destroy each on a copy.
"""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import environments
import ours
from conftest import Count
from environments import SPEC, assert_list_and_attach_agree, assert_repaired, assert_whole
from ours import failure
from peer import Peer
from trees import contents

MOMENTS = 50
# Our calls wait a quarter of a second for a peer that may still be alive.
AT_ONCE = 32

CHANGES = ["create", "destroy of its own", "destroy of ours"]
# Only the file system knows in which order a directory is removed: metadata.json before our
# mark, or after it.
SWEEPS = [
    ("create", False),
    *((change, reverse) for change in CHANGES[1:] for reverse in (False, True)),
]


class Change:
    """A change of the peer's: what comes before it, and the call."""

    def __init__(self, peer: Peer, what: str) -> None:
        self._peer = peer
        self._what = what

    def prepare(self, root: Path) -> dict[str, Any]:
        """Makes the registry; answers the call."""
        ours.create_or_attach("other", SPEC, root)
        self._peer.create(root, "third", SPEC)
        call = {"op": "destroy", "root": str(root), "name": "n"}
        match self._what:
            case "create":
                call |= {"op": "create", "spec": SPEC}  # type: ignore[dict-item]
            case "destroy of its own":
                self._peer.create(root, "n", SPEC)
            case "destroy of ours":
                ours.create_or_attach("n", SPEC, root)
        return call


def left_by(root: Path) -> str:
    """What a peer left, but for times, places and random numbers, which always differ."""
    text = repr(contents(root)).replace(str(root), "")
    return re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+(\+00:00|Z)|[0-9a-f]{32}", "", text)


@pytest.mark.parametrize(("what", "reverse"), SWEEPS)
def test_killed_at_every_line(
    start_peer: Callable[[], Peer], tmp_path: Path, what: str, reverse: bool, count: Count
) -> None:
    peer = start_peer()
    change = Change(peer, what)
    peer.ask("list_by_name", reverse=reverse)
    lines = peer.ask("lines_with_news", call=change.prepare(tmp_path / "untouched"))
    assert len(lines) >= 7, "the peer goes through more states than these"
    killed = []
    for line in lines:
        root = tmp_path / f"line-{line}"
        assert peer.ask("killed_at_line", line=line, call=change.prepare(root))
        killed.append(root)
    beyond = tmp_path / "beyond"
    assert not peer.ask("killed_at_line", line=5000, call=change.prepare(beyond))
    judge_all(peer, [*killed, beyond])
    count(f"lines of the peer's {what} that it was killed before", len(killed))


@pytest.mark.parametrize("what", CHANGES)
def test_killed_at_random_moments(
    peer: Peer, tmp_path: Path, what: str, count: Count, times: int
) -> None:
    change = Change(peer, what)
    took = [
        peer.ask("duration", call=change.prepare(tmp_path / f"untouched-{trial}"))
        for trial in range(5)
    ]
    longest = 2 * sorted(took)[2]
    killed = 0
    distinct: dict[str, Path] = {}
    for moment in range(20 * MOMENTS * times):
        root = tmp_path / f"moment-{moment}"
        after = random.uniform(0, longest)
        killed += peer.ask("killed_after", seconds=after, call=change.prepare(root))
        if distinct.setdefault(left_by(root), root) is not root:
            shutil.rmtree(root)
        if killed == MOMENTS * times:
            break
    assert killed == MOMENTS * times, "the peer is too quick to be killed"
    judge_all(peer, distinct.values())
    count(f"random moments in the peer's {what} that it was killed at", killed)


def judge_all(peer: Peer, roots: Collection[Path]) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(judge, roots))
    for root in roots:
        for registry in (root, copy_of(root, "repaired"), copy_of(root, "destroyed")):
            assert peer.names(registry) == ours.names(registry)


def judge(root: Path) -> None:
    """Every call of ours on what the peer left."""
    found = environments.state(root, "n")
    try:
        listed = ["n", "other", "third"] if found != "absent" else ["other", "third"]
        assert ours.names(root) == listed
        ATTACH[found](lambda: ours.attach("n", root), root)
        for name in ("other", "third"):
            assert_whole(ours.attach(name, root), root, name)
        judge_repair(shutil.copytree(root, copy_of(root, "repaired"), symlinks=True), listed)
        judge_destroy(shutil.copytree(root, copy_of(root, "destroyed"), symlinks=True), found)
        CREATE[found](lambda: ours.create_or_attach("n", SPEC, root), root)
        assert_list_and_attach_agree(root, {"n"})
    except Exception as error:
        error.add_note(f"in {root}, where it is {found}")
        raise


def copy_of(root: Path, what: str) -> Path:
    return root.with_name(f"{root.name}-{what}")


def judge_repair(root: Path, listed: list[str]) -> None:
    dangling = sorted(environments.entries(root).keys() - set(listed))
    report = assert_repaired(root, {"n"})
    assert report["dropped"] == dangling
    assert ours.names(root) == sorted(environments.entries(root)) == listed


def judge_destroy(root: Path, found: str) -> None:
    if found == "absent":
        failure(lambda: ours.destroy("n", root), "EnvironmentNotFound")
    else:
        ours.destroy("n", root)
    assert ours.names(root) == ["other", "third"]
    failure(lambda: ours.attach("n", root), "EnvironmentNotFound")
    made = ours.create_or_attach("n", SPEC, root)
    assert made.created
    assert_whole(made, root, "n")


Call = Callable[[], ours.Environment]


def absent(call: Call, root: Path) -> None:
    failure(call, "EnvironmentNotFound")


def unavailable(call: Call, root: Path) -> None:
    where = environments.directory(root.resolve(), "n")
    assert failure(call, "RegistryUnavailable").path == str(where / "metadata.json")


def unfinished(call: Call, root: Path) -> None:
    error = failure(call, "RegistryUnavailable")
    assert "unfinished" in error.reason
    assert error.path == str(environments.directory(root.resolve(), "n"))


def half_removed(call: Call, root: Path) -> None:
    """Not to be told from a whole one, but that its profile may be gone."""
    profile = environments.profile(root, "n")
    if profile.is_dir():
        assert call().path == profile.resolve()
    else:
        assert failure(call, "RegistryUnavailable").path == str(profile)


def created(call: Call, root: Path) -> None:
    made = call()
    assert made.created
    assert_whole(made, root, "n")


def completed(call: Call, root: Path) -> None:
    assert_whole(call(), root, "n", files_of_the_dead=True)


ATTACH = {"absent": absent, "torn": unavailable, "unfinished": unfinished, "whole": half_removed}
CREATE = {"absent": created, "torn": unavailable, "unfinished": completed, "whole": half_removed}
