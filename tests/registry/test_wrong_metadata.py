"""Promise attacked: one damaged environment answers with the reason, and disturbs no other.

Each wrong shape stands once in an environment of ours, which is committed, and once in one of the
peer's, which may be in the middle of being written and is therefore waited for.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import environments
import ours
from conftest import Count
from environments import SPEC, assert_list_and_attach_agree, assert_repaired, assert_whole
from ours import LibraryError, failure
from peer import Peer
from shapes import EVERY, WRONG_VALUES, Json, Shapes, encoded, twice, with_field, with_text, without
from trees import contents, identities, untouched

UNREADABLE: Shapes = {
    **EVERY,
    "name missing": without("name"),
    "adapter_id missing": without("adapter_id"),
    "name twice": twice("name"),
    "adapter_id twice": twice("adapter_id"),
    "a variable twice": with_text('1,"env_overrides":{"A":"1","A":"2"}'),
    **{
        f"{field} {what}": with_field(field, value)
        for field in ("name", "adapter_id")
        for what, value in WRONG_VALUES.items()
        if what != "a string"
    },
}
"""Nobody can say what the environment is."""

DOUBTFUL: Shapes = {
    f"{field} {what}": with_field(field, value)
    for field in (
        "created_at",
        "credentials_loaded",
        "credentials_loaded_at",
        "writer",
        "instance",
        "env_overrides",
        "env_overrides_template",
        "adapter",
        "options",
    )
    for what, value in WRONG_VALUES.items()
}
"""An answer may be had or not, but must be the same from every call."""

BAD_VARIABLES: Shapes = {
    what: (
        lambda good, pair=pair: encoded(
            {**good, "env_overrides": dict([pair]), "env_overrides_template": dict([pair])}
        )
    )
    for what, pair in {
        "a variable without a name": ("", "value"),
        "a variable with = in its name": ("A=B", "value"),
        "a variable with NUL in its name": ("A\0B", "value"),
        "a variable with NUL in its value": ("A", "val\0ue"),
    }.items()
}
"""Variables that no spec may have, and no process can be started with."""

NAMES = {"kept", "theirs", "other"}


@pytest.fixture(scope="module")
def template(peer: Peer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("template") / "registry"
    for name in ("kept", "other"):
        ours.create_or_attach(name, SPEC, root)
    peer.create(root, "theirs", SPEC)
    return root


@pytest.fixture(scope="module")
def beside(template: Path) -> Path:
    """The very same registry, that no call has any business with."""
    return shutil.copytree(template, template.with_name("beside"))


@pytest.fixture
def outside(beside: Path) -> Iterator[Path]:
    with untouched(beside):
        yield beside


def place(root: Path, name: str) -> Path:
    return root / "envs" / environments.slug(name) / "metadata.json"


def feed(template: Path, root: Path, name: str, shape: Callable[[Json], bytes]) -> bytes:
    """A registry of its own with that shape in it."""
    shutil.copytree(template, root)
    content = shape(json.loads(place(root, name).read_text()))
    place(root, name).write_bytes(content)
    return content


def assert_answers_unreadable(root: Path, name: str) -> None:
    """What each call answers, and that nothing is changed by those that fail, nor by repair."""
    before = identities(root, (".lock", ".agent-venv"))
    for call in (
        lambda: ours.attach(name, root),
        lambda: ours.create_or_attach(name, SPEC, root),
    ):
        error = failure(call, "RegistryUnavailable")
        assert error.path == str(place(root, name))
        assert error.reason
    assert set(ours.names(root)) == NAMES, "the name is taken, and destroy is the way out"
    assert identities(root, (".lock", ".agent-venv")) == before
    repaired = ours.repair(root)
    assert repaired == ours.repair(root)
    assert repaired["unreadable"] == [str(place(root, name).parent)]
    assert not any(value for what, value in repaired.items() if what not in ("root", "unreadable"))
    assert identities(root, (".lock", ".agent-venv")) == before
    assert ours.attach("other", root).path.is_dir()


def assert_unreadable(root: Path, name: str) -> None:
    """Besides, another may be created, and this one destroyed."""
    assert_answers_unreadable(root, name)
    new = ours.create_or_attach("new", SPEC, root)
    assert_whole(new, root, "new")
    ours.destroy(name, root)
    assert not place(root, name).parent.exists()
    failure(lambda: ours.attach(name, root), "EnvironmentNotFound")
    made = ours.create_or_attach(name, SPEC, root)
    assert made.created
    assert_whole(made, root, name)


def assert_consistent(root: Path, name: str) -> None:
    """Attached to or not: create and list say the same, and destroy removes it."""
    answers = set()
    for call in (
        lambda: ours.attach(name, root),
        lambda: ours.create_or_attach(name, SPEC, root),
    ):
        try:
            environment = call()
        except LibraryError as error:
            failed = error
            answers.add("unfinished" if "unfinished" in error.reason else error.kind)
        else:
            answers.add("attached")
            assert environment.path == place(root, name).parent / "profile"
            assert all(isinstance(each, str) for each in environment.env_overrides.values())
    if "attached" not in answers:
        assert failed.kind == "RegistryUnavailable"
        assert Path(failed.path).is_relative_to(place(root, name).parent)
    assert len(answers) == 1 or answers == {"unfinished", "attached"}
    assert set(ours.names(root)) == NAMES
    assert_repaired(root, NAMES)
    ours.destroy(name, root)
    assert set(ours.names(root)) == NAMES - {name}
    assert_whole(ours.create_or_attach(name, SPEC, root), root, name)


@pytest.mark.parametrize("shape", UNREADABLE)
def test_wrong_shape_in_an_environment_of_ours(
    template: Path, root: Path, outside: Path, shape: str, count: Count
) -> None:
    feed(template, root, "kept", UNREADABLE[shape])
    assert_unreadable(root, "kept")
    count("wrong shapes of metadata.json, in ours and in the peer's")


@pytest.mark.parametrize("shape", DOUBTFUL)
def test_wrong_field_in_an_environment_of_ours(
    template: Path, root: Path, outside: Path, shape: str, count: Count
) -> None:
    feed(template, root, "kept", DOUBTFUL[shape])
    assert_consistent(root, "kept")
    count("wrong shapes of metadata.json, in ours and in the peer's")


def all_at_once(cases: Iterable[tuple[str, Callable[[Path], None]]], tmp_path: Path) -> None:
    """Most of the time passes in waiting for a peer that does not come."""

    def check(numbered: tuple[int, tuple[str, Callable[[Path], None]]]) -> None:
        number, (what, case) = numbered
        root = tmp_path / f"case-{number}"
        try:
            case(root)
        except BaseException as error:
            error.add_note(f"in the case {what!r}")
            raise
        shutil.rmtree(root)

    with ThreadPoolExecutor(48) as pool:
        list(pool.map(check, enumerate(cases)))


def test_wrong_shapes_in_an_environment_of_the_peer_s(
    template: Path, tmp_path: Path, outside: Path, count: Count
) -> None:
    def case(shape: str, judge: Callable[[Path, str], None]) -> Callable[[Path], None]:
        def check(root: Path) -> None:
            feed(template, root, "theirs", (UNREADABLE | DOUBTFUL)[shape])
            judge(root, "theirs")

        return check

    cases = [(shape, case(shape, assert_unreadable)) for shape in UNREADABLE]
    cases += [(shape, case(shape, assert_consistent)) for shape in DOUBTFUL]
    all_at_once(cases, tmp_path)
    count("wrong shapes of metadata.json, in ours and in the peer's", len(cases))


@pytest.mark.parametrize("shape", BAD_VARIABLES)
def test_variables_that_no_process_can_have_are_not_handed_back(
    template: Path, root: Path, outside: Path, shape: str, count: Count
) -> None:
    feed(template, root, "kept", BAD_VARIABLES[shape])
    assert failure(lambda: ours.attach("kept", root), "RegistryUnavailable").path
    assert_consistent(root, "kept")
    count("wrong shapes of metadata.json, in ours and in the peer's")


def test_truncated_at_each_byte_in_an_environment_of_ours(
    template: Path, root: Path, outside: Path, count: Count
) -> None:
    shutil.copytree(template, root)
    whole = place(root, "kept").read_bytes()
    for length in range(len(whole)):
        place(root, "kept").write_bytes(whole[:length])
        assert_answers_unreadable(root, "kept")
    place(root, "kept").write_bytes(whole)
    assert_whole(ours.attach("kept", root), root, "kept")
    count("lengths that metadata.json was cut off at", len(whole))


def test_truncated_in_an_environment_of_the_peer_s(
    template: Path, tmp_path: Path, outside: Path, count: Count
) -> None:
    """At every tenth byte and at the last, for each is waited for."""
    whole = place(template, "theirs").read_bytes()
    lengths = [*range(0, len(whole) - 1, 10), len(whole) - 1]

    def case(length: int) -> Callable[[Path], None]:
        def check(root: Path) -> None:
            feed(template, root, "theirs", lambda _: whole[:length])
            assert_unreadable(root, "theirs")

        return check

    all_at_once(((f"cut off at {length}", case(length)) for length in lengths), tmp_path)
    count("lengths that metadata.json was cut off at", len(lengths))


NO_FILES: dict[str, Callable[[Path, Path], object]] = {
    "a directory": lambda path, _: path.mkdir(),
    "a FIFO": lambda path, _: os.mkfifo(path),
    "a device": lambda path, _: os.mknod(path, 0o020600, os.makedev(1, 5)),
    "a link to right metadata": lambda path, outside: path.symlink_to(
        outside / path.relative_to(path.parents[2])
    ),
    "a link to nothing": lambda path, outside: path.symlink_to(outside / "nothing"),
    "a link to itself": lambda path, _: path.symlink_to(path),
    "a link within the registry": lambda path, _: path.symlink_to("../../index.json"),
}


@pytest.mark.parametrize("name", ["kept", "theirs"])
def test_no_regular_file(
    template: Path, tmp_path: Path, outside: Path, name: str, count: Count
) -> None:
    def case(kind: str) -> Callable[[Path], None]:
        def check(root: Path) -> None:
            shutil.copytree(template, root)
            place(root, name).unlink()
            NO_FILES[kind](place(root, name), outside)
            assert_unreadable(root, name)

        return check

    all_at_once(((kind, case(kind)) for kind in NO_FILES), tmp_path)
    count("wrong shapes of metadata.json, in ours and in the peer's", len(NO_FILES))


@pytest.mark.parametrize("name", ["kept", "theirs"])
def test_directory_whose_metadata_names_another_is_nobody_s(
    template: Path, root: Path, outside: Path, name: str, count: Count
) -> None:
    feed(template, root, name, with_field("name", "stranger"))
    for absent in (name, "stranger"):
        failure(lambda absent=absent: ours.attach(absent, root), "EnvironmentNotFound")
        failure(lambda absent=absent: ours.destroy(absent, root), "EnvironmentNotFound")
    assert set(ours.names(root)) == NAMES - {name}
    assert_list_and_attach_agree(root, {*NAMES, "stranger"})
    made = ours.create_or_attach(name, SPEC, root)
    assert made.created
    assert_whole(made, root, name)
    count("wrong shapes of metadata.json, in ours and in the peer's")


@pytest.mark.parametrize("name", ["kept", "theirs"])
def test_two_names_with_one_directory_are_one_environment(
    peer: Peer, template: Path, root: Path, outside: Path, name: str, count: Count
) -> None:
    """It is the one's that its metadata names; the other gets a directory of its own."""
    shutil.copytree(template, root)
    index = json.loads((root / "index.json").read_text())
    index["entries"]["second"] = index["entries"][name]
    (root / "index.json").write_text(json.dumps(index))
    assert set(ours.names(root)) == NAMES
    failure(lambda: ours.attach("second", root), "EnvironmentNotFound")
    failure(lambda: ours.destroy("second", root), "EnvironmentNotFound")
    before = contents(place(root, name).parent)
    made = ours.create_or_attach("second", SPEC, root)
    assert made.created
    assert_whole(made, root, "second")
    assert contents(place(root, name).parent) == before
    ours.attach(name, root)
    ours.destroy("second", root)
    assert contents(place(root, name).parent) == before
    assert set(peer.names(root)) == NAMES
    count("wrong shapes of metadata.json, in ours and in the peer's")


def test_repair_without_an_index_names_what_it_can_t_read(
    template: Path, root: Path, outside: Path
) -> None:
    shutil.copytree(template, root)
    (root / "index.json").write_text("torn")
    place(root, "kept").write_text("{")
    place(root, "theirs").unlink()
    (root / "envs/file").write_text("content")
    (root / "envs/link").symlink_to(outside)
    (root / "envs/empty").mkdir()
    Path(os.fsdecode(os.fsencode(root / "envs") + b"/\xff")).mkdir()
    mark = f"{environments.slug('kept')}/.committed"
    before = contents(root / "envs", (mark,))
    report = assert_repaired(root, NAMES)
    assert report["restored"] == ["other"]
    named = [place(root, "kept").parent, place(root, "theirs").parent]
    named += [root / "envs" / name for name in ("empty", "file", "link", "\ufffd")]
    assert sorted(report["unreadable"]) == sorted(map(str, named))
    # The mark may go, since the index that is written now has no entry for it.
    assert contents(root / "envs", (mark,)) == before
    assert ours.names(root) == ["other"]
    # What could not be read holds nobody up.
    for name in ("kept", "theirs"):
        assert_whole(ours.create_or_attach(name, SPEC, root), root, name)
