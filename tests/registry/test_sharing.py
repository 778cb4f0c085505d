"""Promise attacked: what either implementation made, the other attaches to, lists, and destroys."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

import environments
import ours
from conftest import Count
from environments import FILES, SPEC, assert_whole
from ours import failure
from peer import Peer, peer_failure

# What slugs, JSON escapes and terminals find hard.
NAMES = ["app", "a/b", "..", "a\nb", "\u00fc", "\U0001f600", "\u2028", "__proto__", "x" * 1024, " "]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_what_the_peer_made_is_attached_to_listed_and_destroyed(
    peer: Peer, root: Path, name: str, count: Count
) -> None:
    theirs = peer.create(root, name, SPEC)
    made = ours.attach(name, root)
    assert str(made.path) == theirs["path"]
    assert made.env_overrides == theirs["env_overrides"]
    assert made.events == ["env.attached", "registry.read"]
    again = ours.create_or_attach(name, SPEC, root)
    assert not again.created
    assert_whole(again, root, name)
    ours.destroy(name, root)
    assert peer.names(root) == []
    peer_failure(lambda: peer.attach(root, name), "EnvironmentNotFound")
    assert not made.path.exists()
    count("names that one implementation made and the other used and destroyed")


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_what_we_made_is_attached_to_listed_and_destroyed_by_the_peer(
    peer: Peer, root: Path, name: str, count: Count
) -> None:
    made = ours.create_or_attach(name, SPEC, root)
    theirs = peer.attach(root, name)
    assert theirs == {
        "path": str(made.path),
        "env_overrides": made.env_overrides,
        "adapter_id": "mine",
    }
    assert peer.create(root, name, SPEC)["path"] == str(made.path)
    assert peer.names(root) == [name]
    peer.destroy(root, name)
    assert ours.names(root) == []
    failure(lambda: ours.attach(name, root), "EnvironmentNotFound")
    failure(lambda: ours.destroy(name, root), "EnvironmentNotFound")
    made.destroy()
    assert_whole(ours.create_or_attach(name, SPEC, root), root, name)
    count("names that one implementation made and the other used and destroyed")


def test_another_adapter_is_a_mismatch_whoever_made_it(peer: Peer, root: Path) -> None:
    other = {**SPEC, "adapter_id": "other"}
    peer.create(root, "theirs", SPEC)
    ours.create_or_attach("ours", SPEC, root)
    for name in ("theirs", "ours"):
        for call in (
            lambda name=name: ours.create_or_attach(name, other, root),
            lambda name=name: ours.attach(name, root, adapter="other"),
        ):
            assert failure(call, "AdapterMismatch").payload == {
                "name": name,
                "expected_adapter_id": "mine",
                "actual_adapter_id": "other",
            }
        peer_failure(lambda name=name: peer.create(root, name, other), "AdapterMismatch")
        peer_failure(lambda name=name: peer.attach(root, name, "other"), "AdapterMismatch")
        assert_whole(ours.attach(name, root, adapter="mine"), root, name)
        peer.attach(root, name, "mine")


def test_a_generic_environment_without_variables_is_whole(peer: Peer, root: Path) -> None:
    theirs = peer.create(root, "n", {})
    assert str(ours.attach("n", root).path) == theirs["path"]
    assert not ours.create_or_attach("n", None, root).created


def test_unknown_fields_of_others_outlive_our_rewrites(peer: Peer, root: Path) -> None:
    peer.create(root, "theirs", SPEC)
    extra = {"note": "kept", "number": 2**63, "float": 1.5, "deep": [{"a": [None, True, "\u00fc"]}]}
    paths = [root / "index.json", environments.directory(root, "theirs") / "metadata.json"]
    for path in paths:
        path.write_text(json.dumps({**json.loads(path.read_text()), **extra}))
    index_before = json.loads(paths[0].read_text())
    metadata_before = json.loads(paths[1].read_text())
    ours.create_or_attach("ours", SPEC, root)
    ours.destroy("ours", root)
    assert json.loads(paths[0].read_text()) == index_before
    ours.attach("theirs", root).refresh({"credentials": {"login.json": "new"}})
    after = json.loads(paths[1].read_text())
    loaded_at = after.pop("credentials_loaded_at")
    assert isinstance(loaded_at, str)
    assert loaded_at.endswith("Z")
    metadata_before.pop("credentials_loaded_at")
    assert after == metadata_before
    assert (environments.profile(root, "theirs") / "login.json").read_text() == "new"
    assert peer.attach(root, "theirs")["env_overrides"] == after["env_overrides"]


def test_names_that_we_refuse_stay_in_the_index_and_out_of_the_list(peer: Peer, root: Path) -> None:
    ours.create_or_attach("ours", SPEC, root)
    refused = ["", "x" * 1025, "a\0b", "\u00fc" * 513]
    index = json.loads((root / "index.json").read_text())
    index["entries"].update({name: f"envs/{environments.slug(name)}" for name in refused})
    (root / "index.json").write_text(json.dumps(index))
    for name in refused:
        where = environments.directory(root, name)
        (where / "profile").mkdir(parents=True)
        found = {**environments.metadata(root, "ours"), "name": name}
        (where / "metadata.json").write_text(json.dumps(found))
    assert ours.names(root) == ["ours"]
    for name in ("", "x" * 1025):
        invalid = failure(lambda name=name: ours.attach(name, root), "InvalidEnvironmentSpec")
        assert invalid.payload["field"] == "name"
    ours.create_or_attach("more", SPEC, root)
    ours.destroy("ours", root)
    ours.repair(root)
    assert set(environments.entries(root)) == {*refused, "more"}
    assert peer.names(root) == sorted([*refused, "more"])
    assert ours.names(root) == ["more"]


def test_index_values_with_a_slash_at_the_end_are_read(peer: Peer, root: Path) -> None:
    peer.create(root, "theirs", SPEC)
    ours.create_or_attach("ours", SPEC, root)
    index = json.loads((root / "index.json").read_text())
    index["entries"] = {name: f"{value}/" for name, value in index["entries"].items()}
    (root / "index.json").write_text(json.dumps(index))
    for name in ("theirs", "ours"):
        ours.attach(name, root)
        assert not ours.create_or_attach(name, SPEC, root).created
    assert ours.names(root) == ["ours", "theirs"]
    ours.destroy("theirs", root)
    assert peer.names(root) == ["ours"]


def test_times_as_others_write_them_are_read(peer: Peer, root: Path) -> None:
    peer.create(root, "n", SPEC)
    path = environments.directory(root, "n") / "metadata.json"
    found = json.loads(path.read_text())
    for time in (
        "2026-05-10T12:00:00Z",
        "2026-05-10T12:00:00.123456+00:00",
        "2026-05-10T14:00:00+02:00",
    ):
        path.write_text(json.dumps({**found, "created_at": time, "credentials_loaded_at": time}))
        assert_whole(ours.attach("n", root), root, "n")


Remake = Callable[[Peer, Path], None]


@pytest.mark.parametrize("maker", ["peer", "us"])
@pytest.mark.parametrize("destroyer", ["peer", "us"])
def test_a_stale_handle_on_the_peer_s_environment_harms_nobody(
    peer: Peer, root: Path, maker: str, destroyer: str
) -> None:
    peer.create(root, "n", SPEC)
    stale = ours.attach("n", root)
    if destroyer == "peer":
        peer.destroy(root, "n")
    else:
        ours.destroy("n", root)
    if maker == "peer":
        peer.create(root, "n", SPEC)
    else:
        ours.create_or_attach("n", SPEC, root)
    new = {"credentials": {"login.json": "stale"}}
    error = failure(lambda: stale.refresh(new), "EnvironmentNotFound")
    assert error.payload == {"name": "n", "registry_root": str(root.resolve())}
    stale.destroy()
    assert_whole(ours.attach("n", root), root, "n")


def test_a_handle_that_is_not_stale_refreshes_and_destroys_the_peer_s_environment(
    peer: Peer, root: Path
) -> None:
    peer.create(root, "n", SPEC)
    handle, other = ours.attach("n", root), ours.attach("n", root)
    for content in ("first", "second"):
        handle.refresh({"credentials": {"login.json": content}})
        assert (handle.path / "login.json").read_text() == content
        assert (handle.path / "settings.json").read_text() == FILES["settings.json"]
    other.destroy()
    assert peer.names(root) == []
    assert not os.path.lexists(handle.path)
    handle.destroy()


def test_a_slug_that_another_name_holds_is_not_taken(peer: Peer, root: Path) -> None:
    """Names whose slugs are equal are unheard of, so an index stands in for them."""
    peer.create(root, "other", SPEC)
    held = root / f"envs/{environments.slug('n')}"
    environments.directory(root, "other").rename(held)
    index = {"schema_version": 1, "entries": {"other": f"envs/{held.name}"}}
    (root / "index.json").write_text(json.dumps(index))
    made = ours.create_or_attach("n", SPEC, root)
    assert made.path.parent.name == f"{held.name}-1"
    assert_whole(made, root, "n")
    assert peer.attach(root, "n")["path"] == str(made.path)
    assert str(ours.attach("other", root).path) == peer.attach(root, "other")["path"]
    ours.destroy("n", root)
    assert ours.names(root) == peer.names(root) == ["other"]
    assert (held / "profile/login.json").exists()
