"""Promise attacked: an index that can't be read is never overwritten, and repair brings it back.

Every wrong shape is fed to every call. What is committed is attached to without the index, so that
keeps working.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import environments
import ours
from conftest import Count
from environments import SPEC, assert_repaired, assert_whole
from ours import failure
from peer import Peer
from shapes import EVERY, WRONG_VALUES, Json, Shapes, encoded, twice, with_field, without
from trees import contents, identities, untouched

GOOD: Json = {
    "schema_version": 1,
    "entries": {name: f"envs/{environments.slug(name)}" for name in ("kept", "theirs")},
}


def with_entries(value: str) -> Callable[[Json], bytes]:
    """Entries as text, so that they may be what no object can be."""
    return lambda good: encoded({**good, "entries": "@"}).replace(b'"@"', value.encode())


SHAPES: Shapes = {
    **EVERY,
    "entries missing": without("entries"),
    "entries under another name": lambda good: encoded(
        {"schema_version": 1, "environments": good["entries"]}
    ),
    "entries twice": twice("entries"),
    "a name twice": with_entries('{"kept":"envs/a","kept":"envs/a"}'),
    "a name twice, once escaped": with_entries(r'{"kept":"envs/a","\u006bept":"envs/b"}'),
    "a lone surrogate as a name": with_entries(r'{"\ud800":"envs/a"}'),
    "a lone surrogate as a directory": with_entries(r'{"kept":"envs/\udfff"}'),
    **{
        f"entries {what}": with_field("entries", value)
        for what, value in WRONG_VALUES.items()
        if what != "an object"
    },
    **{
        f"a directory {what}": (
            lambda good, value=value: encoded(
                {**good, "entries": {**good["entries"], "kept": value}}
            )
        )
        for what, value in WRONG_VALUES.items()
        if what != "a string"
    },
}


@pytest.fixture(scope="module")
def template(peer: Peer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment of ours and one of the peer's, and an index as small as can be."""
    root = tmp_path_factory.mktemp("template") / "registry"
    ours.create_or_attach("kept", SPEC, root)
    peer.create(root, "theirs", SPEC)
    (root / "index.json").write_text(json.dumps(GOOD))
    assert ours.names(root) == ["kept", "theirs"]
    return root


@pytest.fixture
def registry(template: Path, root: Path) -> Path:
    shutil.copytree(template, root)
    return root


@pytest.fixture(scope="module")
def beside(template: Path) -> Path:
    """The very same registry, that no call has any business with."""
    return shutil.copytree(template, template.with_name("beside"))


@pytest.fixture
def outside(beside: Path) -> Iterator[Path]:
    with untouched(beside):
        yield beside


def assert_unavailable(root: Path) -> None:
    """What each call answers, and that the index and all else are as they were."""
    before = identities(root, (".lock", ".agent-venv"))
    for call in (
        lambda: ours.names(root),
        lambda: ours.attach("theirs", root),
        lambda: ours.attach("nobody", root),
        lambda: ours.create_or_attach("theirs", SPEC, root),
        lambda: ours.create_or_attach("new", SPEC, root),
        lambda: ours.destroy("kept", root),
        lambda: ours.destroy("theirs", root),
        lambda: ours.destroy("nobody", root),
    ):
        error = failure(call, "RegistryUnavailable")
        assert error.path == str(root / "index.json")
        assert "repair" in error.reason
        assert "\n" not in error.message
    handle = ours.attach("kept", root)
    assert handle.path == root / GOOD["entries"]["kept"] / "profile"
    ours.reap(root)
    assert identities(root, (".lock", ".agent-venv")) == before
    assert not any((root / ".agent-venv").iterdir())


def assert_repair_helps(peer: Peer, root: Path, content: bytes | None) -> None:
    """Repair, twice: the wrong file is kept beside, all names are back, and everything works."""
    before = contents(root / "envs")
    report = assert_repaired(root, {"kept", "theirs"})
    assert report["restored"] == ["kept"]
    assert report["unverified"] == ["theirs"]
    assert not any(report[what] for what in ("dropped", "hostile", "removed", "unreadable"))
    kept = Path(report["kept_index"])
    assert kept.parent == root
    assert kept.name != "index.json"
    if content is not None:
        assert kept.read_bytes() == content
        assert kept.stat().st_mode & 0o777 == 0o600
    assert contents(root / "envs") == before
    assert json.loads((root / "index.json").read_text()) == GOOD
    assert peer.names(root) == ours.names(root) == ["kept", "theirs"]
    assert_whole(ours.create_or_attach("new", SPEC, root), root, "new")
    for name in ("kept", "theirs", "new"):
        ours.attach(name, root)
        ours.destroy(name, root)
    assert ours.names(root) == peer.names(root) == []
    assert os.path.lexists(kept)


def write(path: Path, content: bytes) -> bytes:
    path.write_bytes(content)
    path.chmod(0o600)
    return content


@pytest.mark.parametrize("shape", SHAPES)
def test_wrong_shape(peer: Peer, registry: Path, outside: Path, shape: str, count: Count) -> None:
    content = write(registry / "index.json", SHAPES[shape](GOOD))
    assert_unavailable(registry)
    assert (registry / "index.json").read_bytes() == content
    assert_repair_helps(peer, registry, content)
    count("wrong shapes of index.json")


def test_truncated_at_each_byte(registry: Path, outside: Path, count: Count) -> None:
    whole = json.dumps(GOOD).encode()
    for length in range(len(whole)):
        content = write(registry / "index.json", whole[:length])
        assert_unavailable(registry)
        assert (registry / "index.json").read_bytes() == content
        kept = Path(ours.repair(registry)["kept_index"])
        assert kept.read_bytes() == content
        kept.unlink()
        assert ours.names(registry) == ["kept", "theirs"]
    count("lengths that index.json was cut off at", len(whole))


def directory(root: Path, outside: Path) -> None:
    (root / "index.json").mkdir()
    (root / "index.json/file").write_text("content")


def listening_socket(root: Path, outside: Path) -> None:
    """By a short path: that of a socket has little room."""
    with socket.socket(socket.AF_UNIX) as made:
        before = Path.cwd()
        os.chdir(root)
        try:
            made.bind("index.json")
        finally:
            os.chdir(before)


NO_FILES: dict[str, Callable[[Path, Path], object]] = {
    "a directory": directory,
    "a FIFO": lambda root, _: os.mkfifo(root / "index.json"),
    "a socket": listening_socket,
    "a device": lambda root, _: os.mknod(root / "index.json", 0o020600, os.makedev(1, 5)),
    "a link to a right index": lambda root, outside: (root / "index.json").symlink_to(
        outside / "index.json"
    ),
    "a link to nothing": lambda root, outside: (root / "index.json").symlink_to(
        outside / "nothing"
    ),
    "a link to itself": lambda root, _: (root / "index.json").symlink_to("index.json"),
    "a link to a directory": lambda root, outside: (root / "index.json").symlink_to(outside),
    "a link within the registry": lambda root, _: (root / "index.json").symlink_to("envs"),
}


@pytest.mark.parametrize("kind", NO_FILES)
def test_no_regular_file(
    peer: Peer, registry: Path, outside: Path, kind: str, count: Count
) -> None:
    (registry / "index.json").unlink()
    NO_FILES[kind](registry, outside)
    assert_unavailable(registry)
    assert_repair_helps(peer, registry, None)
    count("wrong shapes of index.json")


def test_hard_link_is_replaced_and_the_other_file_is_left(
    registry: Path, tmp_path: Path, count: Count
) -> None:
    other = tmp_path / "other.json"
    other.write_text(json.dumps(GOOD))
    (registry / "index.json").unlink()
    os.link(other, registry / "index.json")
    ours.create_or_attach("new", SPEC, registry)
    ours.destroy("kept", registry)
    assert json.loads(other.read_text()) == GOOD
    assert ours.names(registry) == ["new", "theirs"]
    count("wrong shapes of index.json")


def test_missing_index_is_unavailable_where_something_is_committed(
    peer: Peer, registry: Path, outside: Path
) -> None:
    (registry / "index.json").unlink()
    assert_unavailable(registry)
    report = assert_repaired(registry, {"kept", "theirs"})
    assert (report["restored"], report["unverified"], report["kept_index"]) == (
        ["kept"],
        ["theirs"],
        None,
    )
    assert peer.names(registry) == ours.names(registry) == ["kept", "theirs"]


def test_missing_index_is_empty_where_nothing_is_committed(peer: Peer, root: Path) -> None:
    peer.create(root, "theirs", SPEC)
    (root / "index.json").unlink()
    assert ours.names(root) == []
    failure(lambda: ours.attach("theirs", root), "EnvironmentNotFound")
    assert_whole(ours.create_or_attach("new", SPEC, root), root, "new")
    assert ours.names(root) == ["new"]


def test_each_unreadable_index_is_kept_under_a_name_of_its_own(registry: Path) -> None:
    kept = set()
    for number in range(5):
        content = write(registry / "index.json", f"wrong {number}".encode())
        path = Path(ours.repair(registry)["kept_index"])
        assert path.read_bytes() == content
        kept.add(path)
        assert ours.names(registry) == ["kept", "theirs"]
    assert len(kept) == 5
    assert all(path.exists() for path in kept)


def test_largest_index_that_is_read_is_still_written(registry: Path) -> None:
    """Below the limit an unknown field is kept, however large."""
    large = {**GOOD, "added": "x" * (8 << 20)}
    write(registry / "index.json", json.dumps(large).encode())
    assert_whole(ours.create_or_attach("new", SPEC, registry), registry, "new")
    assert json.loads((registry / "index.json").read_text())["added"] == large["added"]
    deep = json.loads("[" * 63 + "]" * 63)
    write(registry / "index.json", json.dumps({**GOOD, "added": deep}).encode())
    ours.create_or_attach("again", SPEC, registry)
    assert json.loads((registry / "index.json").read_text())["added"] == deep
