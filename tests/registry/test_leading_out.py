"""Promise attacked: nothing in a registry leads the library out of it, by a path or by a link.

Outside stands a right registry, so that whoever follows a path or a link there finds what it looks
for. The kernel tells whether anything outside was opened.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import environments
import ours
from conftest import Count
from environments import SPEC, assert_list_and_attach_agree, assert_repaired, assert_whole
from ours import failure
from peer import Peer
from trees import contents, untouched

SHAPES_FED = "entries and links that lead out of the registry"


@pytest.fixture(scope="module")
def template(peer: Peer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("template") / "registry"
    ours.create_or_attach("n", SPEC, root)
    ours.create_or_attach("other", SPEC, root)
    peer.create(root, "theirs", SPEC)
    return root


@pytest.fixture
def registry(template: Path, root: Path) -> Path:
    shutil.copytree(template, root)
    return root


@pytest.fixture
def outside(tmp_path: Path, template: Path) -> Iterator[Path]:
    """The very same registry, beside."""
    made = tmp_path / "outside"
    shutil.copytree(template, made)
    (made / "file").write_text("content")
    with untouched(made):
        yield made


def point(root: Path, name: str, value: str) -> None:
    index = json.loads((root / "index.json").read_text())
    index["entries"][name] = value
    (root / "index.json").write_text(json.dumps(index))


N = environments.slug("n")
OUT: list[str] = [
    "",
    ".",
    "..",
    "/",
    "envs",
    "envs/",
    "envs//",
    "envs/.",
    "envs/..",
    "envs/../",
    "envs/./",
    "../outside",
    f"../outside/envs/{N}",
    f"envs/../../outside/envs/{N}",
    f"envs/../envs/{N}",
    f"./envs/{N}",
    f"/envs/{N}",
    f"envs//{N}",
    f"envs/{N}//",
    f"envs/{N}/.",
    f"envs/{N}/..",
    f"envs/{N}/profile",
    f"envs/{N}/../{N}",
    f"envs/{N}\0",
    f"envs/{N}\0/../../outside",
    f"envs\\{N}",
    f" envs/{N}",
    f"Envs/{N}",
    f"profile/{N}",
    N,
    ".agent-venv",
    ".agent-venv/x",
    ".lock",
    "index.json",
    "~/outside",
    "$HOME/outside",
    "file:///etc",
    "{outside}",
    "{outside}/envs/" + N,
]


@pytest.mark.parametrize("value", OUT, ids=ascii)
def test_entry_that_leads_out_is_no_entry(
    peer: Peer, registry: Path, outside: Path, value: str, count: Count
) -> None:
    """It stands for a name that has no directory, so nobody could take a way round it."""
    value = value.replace("{outside}", str(outside))
    point(registry, "hostile", value)
    before = contents(registry)
    assert ours.names(registry) == ["n", "other", "theirs"]
    failure(lambda: ours.attach("hostile", registry), "EnvironmentNotFound")
    failure(lambda: ours.destroy("hostile", registry), "EnvironmentNotFound")
    ours.reap(registry)
    assert contents(registry) == before
    report = assert_repaired(registry, {"hostile", "n", "other", "theirs"})
    assert report["hostile"] == ["hostile"]
    assert contents(registry) == before
    # Another name's change keeps the entry; the name itself may be had.
    assert_whole(ours.create_or_attach("new", SPEC, registry), registry, "new")
    assert environments.entries(registry)["hostile"] == value
    made = ours.create_or_attach("hostile", SPEC, registry)
    assert made.created
    assert_whole(made, registry, "hostile")
    assert environments.entries(registry)["hostile"] == f"envs/{environments.slug('hostile')}"
    ours.destroy("hostile", registry)
    assert peer.names(registry) == ours.names(registry) == ["n", "new", "other", "theirs"]
    count(SHAPES_FED)


@pytest.mark.parametrize(
    "value",
    ["envs/" + "x" * 300, "envs/nowhere", "envs/\U0001f600", "envs/file", "envs/a\nb"],
    ids=["too long", "nothing", "not ASCII", "a file", "a line break"],
)
def test_entry_that_leads_nowhere_is_absent_and_disturbs_no_other(
    registry: Path, outside: Path, value: str, count: Count
) -> None:
    (registry / "envs/file").write_text("content")
    point(registry, "nowhere", value)
    assert ours.names(registry) == ["n", "other", "theirs"]
    failure(lambda: ours.attach("nowhere", registry), "EnvironmentNotFound")
    failure(lambda: ours.destroy("nowhere", registry), "EnvironmentNotFound")
    report = assert_repaired(registry, {"nowhere"})
    assert report["dropped"] == ["nowhere"]
    assert_whole(ours.create_or_attach("nowhere", SPEC, registry), registry, "nowhere")
    count(SHAPES_FED)


def replace_by_link(path: Path, target: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    path.symlink_to(target)


@pytest.mark.parametrize("name", ["n", "theirs"])
@pytest.mark.parametrize("to", ["its like", "a directory within", "nothing", "itself", "a file"])
def test_environment_that_is_a_link_is_absent(
    peer: Peer, registry: Path, outside: Path, name: str, to: str, count: Count
) -> None:
    path = registry / "envs" / environments.slug(name)
    targets = {
        "its like": outside / "envs" / path.name,
        "a directory within": registry / "envs" / environments.slug("other"),
        "nothing": outside / "nothing",
        "itself": path,
        "a file": outside / "file",
    }
    replace_by_link(path, targets[to])
    other = contents(registry / "envs" / environments.slug("other"))
    failure(lambda: ours.attach(name, registry), "EnvironmentNotFound")
    failure(lambda: ours.destroy(name, registry), "EnvironmentNotFound")
    assert name not in ours.names(registry)
    assert_list_and_attach_agree(registry, {"n", "other", "theirs"})
    ours.reap(registry)
    assert path.is_symlink()
    copy = registry.with_name("repaired")
    shutil.copytree(registry, copy, symlinks=True)
    assert assert_repaired(copy, {name})["dropped"] == [name]
    made = ours.create_or_attach(name, SPEC, registry)
    assert made.created
    assert_whole(made, registry, name)
    assert not path.is_symlink()
    assert contents(registry / "envs" / environments.slug("other")) == other
    assert len(peer.names(registry)) == 3
    count(SHAPES_FED)


@pytest.mark.parametrize("name", ["n", "theirs"])
@pytest.mark.parametrize("to", ["its like", "nothing", "itself", "a file"])
def test_profile_that_is_a_link_is_unavailable_and_can_be_destroyed(
    registry: Path, outside: Path, name: str, to: str, count: Count
) -> None:
    handle = ours.attach(name, registry)
    profile = environments.profile(registry, name)
    targets = {
        "its like": outside / profile.relative_to(registry),
        "nothing": outside / "nothing",
        "itself": profile,
        "a file": outside / "file",
    }
    replace_by_link(profile, targets[to])
    for call in (
        lambda: ours.attach(name, registry),
        lambda: ours.create_or_attach(name, SPEC, registry),
        lambda: handle.refresh(SPEC),
    ):
        assert failure(call, "RegistryUnavailable").path == str(profile)
    assert_repaired(registry, {"n", "other", "theirs"})
    assert ours.names(registry) == ["n", "other", "theirs"]
    assert profile.is_symlink()
    handle.destroy()
    assert ours.names(registry) == sorted({"n", "other", "theirs"} - {name})
    assert_whole(ours.create_or_attach(name, SPEC, registry), registry, name)
    count(SHAPES_FED)


def test_links_in_a_profile_are_replaced_at_refresh_and_removed_at_destroy(
    registry: Path, outside: Path, count: Count
) -> None:
    handle = ours.attach("n", registry)
    (handle.path / "login.json").unlink()
    (handle.path / "login.json").symlink_to(outside / "file")
    shutil.rmtree(handle.path / "skills")
    (handle.path / "skills").symlink_to(outside / "envs")
    (handle.path / "up").symlink_to(outside)
    handle.refresh({"credentials": {"login.json": "new", "skills/login": "new"}})
    assert (handle.path / "login.json").read_text() == "new"
    assert not (handle.path / "skills").is_symlink()
    handle.destroy()
    ours.reap(registry)
    count(SHAPES_FED, 3)


def test_envs_that_is_a_link_leads_nowhere(registry: Path, outside: Path, count: Count) -> None:
    replace_by_link(registry / "envs", outside / "envs")
    for call in (
        lambda: ours.create_or_attach("n", SPEC, registry),
        lambda: ours.create_or_attach("new", SPEC, registry),
        lambda: ours.repair(registry),
    ):
        assert failure(call, "RegistryUnavailable").path == str(registry / "envs")
    for name in ("n", "other", "theirs", "new"):
        # Absent or unavailable: the contract leaves it open. The same for both, in any case.
        kinds = set()
        for call in (
            lambda name=name: ours.attach(name, registry),
            lambda name=name: ours.destroy(name, registry),
        ):
            with pytest.raises(ours.LibraryError) as raised:
                call()
            kinds.add(raised.value.kind)
        assert kinds in ({"EnvironmentNotFound"}, {"RegistryUnavailable"})
    if kinds == {"EnvironmentNotFound"}:
        assert ours.names(registry) == []
    else:
        failure(lambda: ours.names(registry), "RegistryUnavailable")
    assert (registry / "envs").is_symlink()
    assert len(environments.entries(registry)) == 3
    count(SHAPES_FED)


def fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("to", ["file", "nothing", "envs", "itself"])
def test_lock_that_is_a_link_is_not_opened(
    registry: Path, outside: Path, to: str, count: Count
) -> None:
    target = registry / ".lock" if to == "itself" else outside / to
    replace_by_link(registry / ".lock", target)
    before = contents(registry)
    for call in (
        lambda: ours.create_or_attach("new", SPEC, registry),
        lambda: ours.destroy("n", registry),
        lambda: ours.repair(registry),
        lambda: ours.attach("n", registry).refresh(SPEC),
    ):
        assert failure(call, "RegistryUnavailable").path == str(registry / ".lock")
    assert ours.names(registry) == ["n", "other", "theirs"]
    assert not ours.create_or_attach("n", SPEC, registry).created
    assert_whole(ours.attach("n", registry), registry, "n")
    assert contents(registry, (".agent-venv",)) == {
        where: found for where, found in before.items() if where != ".agent-venv"
    }
    assert not (outside / "nothing").exists()
    count(SHAPES_FED)


def test_lock_that_is_a_directory_is_unavailable(registry: Path) -> None:
    (registry / ".lock").unlink()
    (registry / ".lock").mkdir()
    for call in (
        lambda: ours.create_or_attach("new", SPEC, registry),
        lambda: ours.destroy("n", registry),
    ):
        assert failure(call, "RegistryUnavailable").path == str(registry / ".lock")
    assert_whole(ours.attach("n", registry), registry, "n")


@pytest.mark.parametrize("to", ["envs", "nothing", "file", "itself"])
def test_our_own_corner_that_is_a_link_is_not_entered(
    registry: Path, outside: Path, to: str, count: Count
) -> None:
    target = registry / ".agent-venv" if to == "itself" else outside / to
    replace_by_link(registry / ".agent-venv", target)
    for call in (
        lambda: ours.create_or_attach("new", SPEC, registry),
        lambda: ours.attach("n", registry).refresh(SPEC),
        lambda: ours.destroy("n", registry),
        lambda: ours.repair(registry),
        lambda: ours.reap(registry),
    ):
        assert failure(call, "RegistryUnavailable").path == str(registry / ".agent-venv")
    assert ours.names(registry) == ["n", "other", "theirs"]
    # What failed to be destroyed is as it was.
    assert_whole(ours.attach("n", registry), registry, "n")
    assert not ours.create_or_attach("n", SPEC, registry).created
    count(SHAPES_FED)


def test_links_planted_in_our_own_corner_are_removed_or_left_never_followed(
    registry: Path, outside: Path, count: Count
) -> None:
    ours_dir = registry / ".agent-venv"
    (ours_dir / "new").symlink_to(outside / "file")
    (ours_dir / "0123abcd-aaaaaaaa").symlink_to(outside / "envs")
    (ours_dir / "0123abcd-bbbbbbbb").mkdir()
    (ours_dir / "0123abcd-bbbbbbbb/up").symlink_to(outside)
    (ours_dir / "0123abcd-bbbbbbbb/.lock").symlink_to(outside / "file")
    (ours_dir / "0123abcd-cccccccc").mkdir()
    (ours_dir / "0123abcd-cccccccc/profile").symlink_to(outside / "envs")
    assert_whole(ours.create_or_attach("new", SPEC, registry), registry, "new")
    ours.attach("n", registry).refresh(SPEC)
    ours.destroy("n", registry)
    ours.reap(registry)
    assert_repaired(registry, {"n"})
    assert not (ours_dir / "new").exists()
    assert not (ours_dir / "0123abcd-cccccccc").exists()
    count(SHAPES_FED, 5)


@pytest.mark.parametrize("name", ["n", "theirs"])
def test_mark_that_is_a_link_or_a_directory_keeps_nothing_from_being_destroyed(
    registry: Path, outside: Path, name: str, count: Count
) -> None:
    mark = environments.directory(registry, name) / ".committed"
    replace_by_link(mark, outside / "file")
    ours.attach(name, registry)
    assert_list_and_attach_agree(registry, {name})
    ours.destroy(name, registry)
    assert_whole(ours.create_or_attach(name, SPEC, registry), registry, name)
    mark.unlink()
    mark.mkdir()
    (mark / "file").write_text("content")
    ours.destroy(name, registry)
    assert name not in ours.names(registry)
    count(SHAPES_FED)


def test_temporary_file_that_is_a_directory_jams_nothing(registry: Path, outside: Path) -> None:
    (registry / ".agent-venv/new/below").mkdir(parents=True)
    (registry / ".agent-venv/new/up").symlink_to(outside)
    ours.reap(registry)
    assert_whole(ours.create_or_attach("new", SPEC, registry), registry, "new")
    ours.destroy("n", registry)
