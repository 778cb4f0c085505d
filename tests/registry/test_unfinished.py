"""Promise attacked: an entry that the peer has not finished is never taken for a whole one.

The peer registers a stub, gives the lock up, writes the files, then writes its metadata anew in
place. Each stage is reached with the peer's own code, held there, or with a file as that code
leaves it.
"""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import environments
import ours
from environments import FILES, SPEC, assert_list_and_attach_agree, assert_repaired, assert_whole
from ours import failure
from peer import Peer, peer_failure

Start = Callable[[], Peer]


def register(start_peer: Start, root: Path, name: str = "n") -> Peer:
    """A peer that has registered the name, and waits before it writes anything into the profile."""
    peer = start_peer()
    call = {"op": "create", "root": str(root), "name": name, "spec": SPEC}
    assert peer.ask("held", stage="registered", call=call) == "registered"
    return peer


def unfinished(call: Callable[[], object], root: Path) -> None:
    error = failure(call, "RegistryUnavailable")
    assert "unfinished" in error.reason
    assert error.path == str(environments.directory(root.resolve(), "n"))


@pytest.mark.parametrize("end", ["killed", "alive"])
def test_unfinished_entry_is_listed_not_attached_to_and_completed_by_create(
    peer: Peer, start_peer: Start, root: Path, end: str
) -> None:
    maker = register(start_peer, root)
    if end == "killed":
        maker.kill()
    unfinished(lambda: ours.attach("n", root), root)
    assert ours.names(root) == ["n"]
    there = environments.profile(root, "n") / "settings.json"
    there.write_text("of somebody else")
    made = ours.create_or_attach("n", SPEC, root)
    assert there.read_text() == "of somebody else", "a file that is there stays as it is"
    there.write_text(FILES["settings.json"])
    assert_whole(made, root, "n")
    assert peer.attach(root, "n")["env_overrides"] == made.env_overrides
    assert (root / "index.json").exists()
    if end == "alive":
        maker.go_on()
        assert maker.answer()["path"] == str(made.path)
        assert_whole(ours.attach("n", root), root, "n")


@pytest.mark.parametrize("missing", [*FILES, "skills", "."])
def test_only_what_an_unfinished_entry_lacks_is_written(
    start_peer: Start, root: Path, missing: str
) -> None:
    register(start_peer, root).kill()
    profile = environments.profile(root, "n")
    kept = {}
    for file in FILES:
        if missing not in (file, ".") and not file.startswith(f"{missing}/"):
            path = profile / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"of somebody else: {file}")
            kept[file] = path.stat().st_ino, path.stat().st_mtime_ns, path.read_text()
    if missing == ".":
        profile.rmdir()
    ours.create_or_attach("n", SPEC, root)
    for file, content in FILES.items():
        path = profile / file
        if file in kept:
            found = path.stat().st_ino, path.stat().st_mtime_ns, path.read_text()
            assert found == kept[file]
        else:
            assert path.read_text() == content
            assert path.stat().st_mode & 0o777 == 0o600


def test_unknown_fields_and_the_time_of_an_unfinished_entry_are_kept(
    start_peer: Start, root: Path
) -> None:
    register(start_peer, root).kill()
    path = environments.directory(root, "n") / "metadata.json"
    stub = {**json.loads(path.read_text()), "note": {"of": ["others"]}}
    path.write_text(json.dumps(stub))
    ours.create_or_attach("n", SPEC, root)
    found = environments.metadata(root, "n")
    assert (found["note"], found["created_at"]) == (stub["note"], stub["created_at"])
    assert found["credentials_loaded"] is True


def test_another_adapter_does_not_complete_an_unfinished_entry(
    start_peer: Start, root: Path
) -> None:
    register(start_peer, root).kill()
    other = {**SPEC, "adapter_id": "other"}
    failure(lambda: ours.create_or_attach("n", other, root), "AdapterMismatch")
    assert environments.state(root, "n") == "unfinished"
    assert list(environments.profile(root, "n").iterdir()) == []


def test_unfinished_entry_is_destroyed_and_created_anew(
    peer: Peer, start_peer: Start, root: Path
) -> None:
    register(start_peer, root).kill()
    ours.destroy("n", root)
    assert ours.names(root) == peer.names(root) == []
    made = ours.create_or_attach("n", SPEC, root)
    assert made.created
    assert_whole(made, root, "n")


def test_repair_leaves_an_unfinished_entry_to_its_maker(start_peer: Start, root: Path) -> None:
    maker = register(start_peer, root)
    report = assert_repaired(root, {"n"})
    assert not any(report[each] for each in ("dropped", "removed", "restored", "unverified"))
    ours.reap(root)
    maker.go_on()
    maker.answer()
    assert_whole(ours.attach("n", root), root, "n")


def test_destroyed_under_its_maker_it_is_not_brought_back(
    peer: Peer, start_peer: Start, root: Path
) -> None:
    maker = register(start_peer, root)
    ours.destroy("n", root)
    maker.go_on()
    maker.answer()
    # The peer has made its files anew, where nobody looks for them.
    assert ours.names(root) == peer.names(root) == []
    failure(lambda: ours.attach("n", root), "EnvironmentNotFound")
    made = ours.create_or_attach("n", SPEC, root)
    assert made.created
    assert_whole(made, root, "n")


def test_handle_on_a_completed_entry_destroys_it_though_its_maker_came_back(
    start_peer: Start, root: Path
) -> None:
    maker = register(start_peer, root)
    made = ours.create_or_attach("n", SPEC, root)
    maker.go_on()
    maker.answer()
    made.refresh(SPEC)
    made.destroy()
    assert ours.names(root) == []
    failure(lambda: ours.attach("n", root), "EnvironmentNotFound")


def test_peer_that_finishes_while_we_wait_is_attached_to(peer: Peer, root: Path) -> None:
    """The entry becomes whole while attach looks. A slow machine gets further tries."""
    peer.create(root, "n", SPEC)
    path = environments.directory(root, "n") / "metadata.json"
    whole = path.read_text()
    for stub in (json.dumps({**json.loads(whole), "env_overrides": {}}), whole[:40], ""):
        for _ in range(20):
            path.write_text(stub)
            looked = threading.Event()
            done: list[object] = []

            def attach(looked: threading.Event = looked, done: list[object] = done) -> None:
                looked.set()
                try:
                    done.append(ours.attach("n", root).path)
                except ours.LibraryError as error:
                    done.append(error.kind)

            thread = threading.Thread(target=attach)
            thread.start()
            looked.wait()
            path.write_text(whole)
            thread.join()
            if done != ["RegistryUnavailable"]:
                break
        assert done == [environments.profile(root.resolve(), "n")]


@pytest.mark.parametrize("stage", ["empty", "half", "all but the last byte"])
def test_torn_metadata_of_the_peer_is_unavailable_and_destroyed(
    peer: Peer, root: Path, stage: str
) -> None:
    peer.create(root, "n", SPEC)
    peer.create(root, "other", SPEC)
    path = environments.directory(root, "n") / "metadata.json"
    text = path.read_text()
    path.write_text(text[: {"empty": 0, "half": len(text) // 2}.get(stage, -1)])
    for call in (
        lambda: ours.attach("n", root),
        lambda: ours.create_or_attach("n", SPEC, root),
    ):
        assert failure(call, "RegistryUnavailable").path == str(path.resolve())
    assert_list_and_attach_agree(root, {"n", "other"})
    assert ours.names(root) == ["n", "other"]
    report = assert_repaired(root, {"n", "other"})
    assert report["unreadable"] == [str(path.parent.resolve())]
    ours.destroy("n", root)
    assert_whole(ours.create_or_attach("n", SPEC, root), root, "n")
    assert_whole(ours.attach("other", root), root, "other")
    assert peer.names(root) == ["n", "other"]


@pytest.mark.parametrize("maker", ["peer", "us"])
def test_directory_without_entry_is_never_adopted(peer: Peer, root: Path, maker: str) -> None:
    """The peer leaves one where it dies before it writes the index, or fails to remove all."""
    ours.create_or_attach("other", SPEC, root)
    if maker == "peer":
        peer.create(root, "n", SPEC)
    else:
        ours.create_or_attach("n", SPEC, root)
    (environments.profile(root, "n") / "left").write_text("of the dead")
    index = json.loads((root / "index.json").read_text())
    del index["entries"]["n"]
    (root / "index.json").write_text(json.dumps(index))
    assert ours.names(root) == ["other"]
    failure(lambda: ours.attach("n", root), "EnvironmentNotFound")
    failure(lambda: ours.destroy("n", root), "EnvironmentNotFound")
    made = ours.create_or_attach("n", SPEC, root)
    assert made.created
    assert not (made.path / "left").exists()
    assert_whole(made, root, "n")


def test_what_the_peer_failed_to_remove_is_gone_for_list_and_attach(peer: Peer, root: Path) -> None:
    """Its destroy takes the name out of the index, whatever is left of the directory."""
    made = ours.create_or_attach("n", SPEC, root)
    mounted = made.path / "mounted"
    mounted.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "none", mounted], check=True)
    try:
        peer_failure(lambda: peer.destroy(root, "n"), "CleanupFailed")
        assert peer.names(root) == []
        assert_list_and_attach_agree(root, {"n"})
        assert ours.names(root) == []
    finally:
        subprocess.run(["umount", mounted], check=True)
    assert_repaired(root, {"n"})
    assert ours.names(root) == [], "what was destroyed comes back by no repair"
    assert_whole(ours.create_or_attach("n", SPEC, root), root, "n")


def test_entry_without_directory_is_absent_and_dropped(peer: Peer, root: Path) -> None:
    ours.create_or_attach("other", SPEC, root)
    peer.create(root, "n", SPEC)
    where = environments.directory(root, "n")
    where.rename(root.parent / "elsewhere")
    assert ours.names(root) == ["other"]
    failure(lambda: ours.attach("n", root), "EnvironmentNotFound")
    failure(lambda: ours.destroy("n", root), "EnvironmentNotFound")
    assert assert_repaired(root, {"n"})["dropped"] == ["n"]
    assert peer.names(root) == ["other"]
    made = ours.create_or_attach("n", SPEC, root)
    assert made.created
    assert_whole(made, root, "n")


def test_create_makes_an_entry_without_directory_whole(peer: Peer, root: Path) -> None:
    peer.create(root, "n", SPEC)
    environments.directory(root, "n").rename(root.parent / "elsewhere")
    peer_failure(lambda: peer.create(root, "n", SPEC), "FileNotFoundError")
    assert_whole(ours.create_or_attach("n", SPEC, root), root, "n")
    peer.create(root, "n", SPEC)


@pytest.mark.parametrize("end", ["killed", "alive"])
def test_peer_that_holds_the_lock_is_not_waited_for_beyond_the_limit(
    start_peer: Start, root: Path, end: str
) -> None:
    handle = ours.create_or_attach("other", SPEC, root)
    maker = start_peer()
    call = {"op": "create", "root": str(root), "name": "n", "spec": SPEC}
    assert maker.ask("held", stage="locked", call=call) == "locked"
    for change in (
        lambda: ours.create_or_attach("m", SPEC, root, timeout_ms=0),
        lambda: ours.create_or_attach("m", SPEC, root, timeout_ms=20),
        lambda: ours.destroy("other", root, timeout_ms=0),
    ):
        assert failure(change, "RegistryUnavailable").path == str(root.resolve() / ".lock")
    # Neither attaching nor listing waits for anybody.
    assert_whole(ours.attach("other", root), root, "other")
    assert ours.create_or_attach("other", SPEC, root, timeout_ms=0).path == handle.path
    assert ours.names(root) == ["other"]
    if end == "killed":
        maker.kill()
    else:
        maker.go_on()
        maker.answer()
    assert_whole(ours.create_or_attach("m", SPEC, root), root, "m")
    assert ours.names(root) == (["m", "other"] if end == "killed" else ["m", "n", "other"])
