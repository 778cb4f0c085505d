"""Promise attacked: the root is the one that was meant, and one that others control is refused."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import environments
import ours
from conftest import Count
from environments import SPEC, assert_whole
from ours import LibraryError, failure
from peer import Peer
from processes import ORDINARY, OTHER, as_user
from trees import contents

ROOT = 0


def each_call(root: Path | None) -> list[Callable[[], object]]:
    """All that needs a root; those that change something come last."""
    return [
        lambda: ours.names(root),
        lambda: ours.attach("n", root),
        lambda: ours.create_or_attach("n", SPEC, root),
        lambda: ours.create_or_attach("new", SPEC, root),
        lambda: ours.destroy("n", root),
        lambda: ours.repair(root),
        lambda: ours.reap(root),
    ]


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory that every user may enter; pytest's own are root's alone."""
    assert os.geteuid() == 0, "these tests take on other users, so they must be run by root"
    made = Path(tempfile.mkdtemp(prefix="avenv-registry-"))
    made.chmod(0o755)
    monkeypatch.setenv("AGENT_VENV_EPHEMERAL_ROOT", str(made / "ephemeral"))
    yield made
    shutil.rmtree(made)


# Who tries, whom the root belongs to, its mode.
REFUSED = [
    (ROOT, ORDINARY, 0o700),
    (ROOT, ORDINARY, 0o1777),
    (ORDINARY, OTHER, 0o755),
    (ORDINARY, OTHER, 0o1777),
    (ROOT, ROOT, 0o777),
    (ORDINARY, ORDINARY, 0o777),
    (ORDINARY, ORDINARY, 0o702),
    (ORDINARY, ROOT, 0o777),
]
USED = [
    (ROOT, ROOT, 0o700),
    (ROOT, ROOT, 0o755),
    (ROOT, ROOT, 0o1777),
    (ORDINARY, ORDINARY, 0o700),
    (ORDINARY, ORDINARY, 0o1777),
    (ORDINARY, ROOT, 0o1777),
]


def made(root: Path, owner: int, mode: int) -> Path:
    root.mkdir()
    root.chmod(mode)
    os.chown(root, owner, owner)
    return root


@pytest.mark.parametrize(("user", "owner", "mode"), REFUSED)
@pytest.mark.parametrize("full", [False, True], ids=["empty", "full"])
def test_root_that_others_control_is_refused(
    shared: Path, user: int, owner: int, mode: int, full: bool, count: Count
) -> None:
    root = shared / "registry"
    if full:
        ours.create_or_attach("n", SPEC, root)
        for path in [root, *root.rglob("*")]:
            os.chown(path, owner, owner)
        root.chmod(mode)
    else:
        made(root, owner, mode)
    before = contents(root)

    def refused() -> None:
        for call in each_call(root):
            error = failure(call, "RegistryUnavailable")
            assert error.path == str(root)
            assert "AGENT_VENV_REGISTRY_ROOT" in error.message, "the message says what to do"

    as_user(user, refused)
    assert contents(root) == before
    count("roots that were refused, or used, by what they are")


@pytest.mark.parametrize(("user", "owner", "mode"), USED)
def test_root_that_only_its_user_controls_is_used(
    shared: Path, user: int, owner: int, mode: int, count: Count
) -> None:
    root = made(shared / "registry", owner, mode)

    def used() -> None:
        assert_whole(ours.create_or_attach("n", SPEC, root), root, "n")
        ours.destroy("n", root)

    as_user(user, used)
    assert root.stat().st_mode & 0o7777 == mode
    count("roots that were refused, or used, by what they are")


@pytest.mark.parametrize("mask", [0, 0o022, 0o077, 0o777], ids=oct)
def test_what_is_made_is_private_at_any_umask(shared: Path, mask: int) -> None:
    made(shared / "home", ORDINARY, 0o755)
    root = shared / "home/a/b/registry"

    def make() -> None:
        os.umask(mask)
        assert_whole(ours.create_or_attach("n", SPEC, root), root, "n")
        ours.destroy("n", root)
        ours.create_or_attach("n", SPEC, root)

    as_user(ORDINARY, make)
    for path in [root.parents[1], root.parent, root, *root.rglob("*")]:
        assert path.stat().st_mode & 0o7777 == (0o700 if path.is_dir() else 0o600), path


def test_read_only_root_is_read_and_not_changed(peer: Peer, shared: Path) -> None:
    """As an ordinary user, in a registry that root gave all a look at."""
    root = shared / "registry"
    ours.create_or_attach("n", SPEC, root)
    peer.create(root, "theirs", SPEC)
    for path in [root, *root.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    before = contents(root)

    def read() -> None:
        assert ours.names(root) == ["n", "theirs"]
        for name in ("n", "theirs"):
            assert_whole(ours.attach(name, root), root, name)
            assert not ours.create_or_attach(name, SPEC, root).created
        failure(lambda: ours.attach("new", root), "EnvironmentNotFound")
        for call in (
            lambda: ours.create_or_attach("new", SPEC, root),
            lambda: ours.destroy("n", root),
            lambda: ours.repair(root),
            lambda: ours.attach("n", root).refresh(SPEC),
            lambda: ours.attach("n", root).destroy(),
        ):
            assert Path(failure(call, "RegistryUnavailable").path).is_relative_to(root)

    as_user(ORDINARY, read)
    assert contents(root) == before


def test_one_unreadable_environment_is_named_and_disturbs_no_other(shared: Path) -> None:
    root = made(shared / "registry", ORDINARY, 0o700)

    def attack() -> None:
        for name in ("n", "other"):
            ours.create_or_attach(name, SPEC, root)
        for path in (
            environments.directory(root, "n"),
            environments.directory(root, "n") / "metadata.json",
        ):
            mode = path.stat().st_mode
            path.chmod(0)
            assert failure(lambda: ours.attach("n", root), "RegistryUnavailable").path.startswith(
                str(environments.directory(root, "n"))
            )
            assert_whole(ours.attach("other", root), root, "other")
            assert_whole(ours.create_or_attach("new", SPEC, root), root, "new")
            assert ours.names(root) == ["n", "new", "other"]
            assert ours.repair(root)["unreadable"] == [str(environments.directory(root, "n"))]
            ours.destroy("new", root)
            path.chmod(mode)
        assert_whole(ours.attach("n", root), root, "n")

    as_user(ORDINARY, attack)


def test_unreadable_index_is_unavailable_and_kept(shared: Path) -> None:
    """The file may be in order, so nothing is done to it."""
    root = made(shared / "registry", ORDINARY, 0o700)

    def attack() -> None:
        ours.create_or_attach("n", SPEC, root)
        before = (root / "index.json").read_text()
        (root / "index.json").chmod(0)
        for call in (
            lambda: ours.names(root),
            lambda: ours.create_or_attach("new", SPEC, root),
            lambda: ours.destroy("n", root),
        ):
            assert failure(call, "RegistryUnavailable").path == str(root / "index.json")
        assert ours.attach("n", root).path.is_dir()
        (root / "index.json").chmod(0o600)
        assert (root / "index.json").read_text() == before

    as_user(ORDINARY, attack)


def test_root_that_does_not_exist_is_empty_and_not_made(root: Path, tmp_path: Path) -> None:
    for missing in (root, root / "a/b/c"):
        assert ours.names(missing) == []
        not_found = failure(
            lambda missing=missing: ours.attach("n", missing), "EnvironmentNotFound"
        )
        assert not_found.payload == {"name": "n", "registry_root": str(missing)}
        failure(lambda missing=missing: ours.destroy("n", missing), "EnvironmentNotFound")
        ours.repair(missing)
        ours.reap(missing)
        assert not root.exists()
    # But for our home.
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_root_that_is_no_directory_is_unavailable(root: Path, tmp_path: Path) -> None:
    root.write_text("content")
    for no_directory in (root, root / "below"):
        for call in each_call(no_directory)[1:5]:
            with pytest.raises(LibraryError) as raised:
                call()
            assert raised.value.kind in ("RegistryUnavailable", "EnvironmentNotFound")
        failure(lambda it=no_directory: ours.create_or_attach("n", SPEC, it), "RegistryUnavailable")
    assert root.read_text() == "content"
    hanging = tmp_path / "hanging"
    hanging.symlink_to(tmp_path / "nowhere")
    for call in each_call(hanging)[1:4]:
        with pytest.raises(LibraryError):
            call()
    assert not (tmp_path / "nowhere").exists()


VARIABLES = ["AGENT_VENV_REGISTRY_ROOT", "XDG_DATA_HOME", "HOME"]


@pytest.mark.parametrize("unset", ["", None], ids=["empty", "unset"])
@pytest.mark.parametrize("first", range(len(VARIABLES)), ids=VARIABLES)
def test_variables_in_their_order_and_empty_ones_count_as_unset(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, first: int, unset: str | None
) -> None:
    below = ["", "agent-venv/envs", ".local/share/agent-venv/envs"]
    for number, variable in enumerate(VARIABLES):
        if number >= first:
            monkeypatch.setenv(variable, str(tmp_path / f"by-{variable}"))
        elif unset is None:
            monkeypatch.delenv(variable, raising=False)
        else:
            monkeypatch.setenv(variable, unset)
    expected = tmp_path / f"by-{VARIABLES[first]}" / below[first]
    assert Path(ours.registry_root()) == expected
    assert not expected.exists()
    assert_whole(ours.create_or_attach("n", SPEC), expected, "n")
    # The call's own comes before all of them, and variables are read at each call.
    own = tmp_path / "own"
    assert ours.registry_root(own) == str(own)
    assert ours.names(own) == []
    monkeypatch.setenv(VARIABLES[first], str(tmp_path / "elsewhere"))
    assert ours.names() == []


def test_default_root_is_where_the_peer_has_it(
    start_peer: Callable[[], Peer], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for variable in VARIABLES[::-1]:
        monkeypatch.setenv(variable, str(tmp_path / f"by-{variable}"))
        ours.create_or_attach(f"by {variable}", SPEC)
        root = Path(ours.registry_root())
        assert start_peer().ask("default_root") == str(root)


@pytest.mark.parametrize("variable", VARIABLES)
def test_root_that_is_not_utf_8_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str
) -> None:
    for below in VARIABLES[: VARIABLES.index(variable)]:
        monkeypatch.delenv(below, raising=False)
    for exists in (False, True):
        bad = tmp_path / os.fsdecode(b"\xff\xfe")
        if exists:
            (bad / "agent-venv/envs").mkdir(parents=True)
            (bad / ".local/share/agent-venv/envs").mkdir(parents=True)
        monkeypatch.setenv(variable, str(bad))
        for call in (*each_call(None), lambda: ours.registry_root()):
            assert "UTF-8" in failure(call, "RegistryUnavailable").reason
        left = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert left == []


def test_root_behind_a_link_to_what_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    bad = tmp_path / os.fsdecode(b"\xff")
    bad.mkdir()
    link = tmp_path / "link"
    link.symlink_to(bad)
    for call in each_call(link):
        assert "UTF-8" in failure(call, "RegistryUnavailable").reason
    assert not any(bad.iterdir())


def test_empty_root_of_a_call_s_own_is_refused() -> None:
    assert (
        failure(lambda: ours.names(""), "InvalidEnvironmentSpec").payload["field"]
        == "registry_root"
    )


def test_root_through_links_is_answered_without_them(peer: Peer, tmp_path: Path) -> None:
    real = tmp_path / "real"
    (real / "below").mkdir(parents=True)
    (tmp_path / "link").symlink_to(real)
    for given, canonical in (
        (tmp_path / "link", real),
        (tmp_path / "link/below", real / "below"),
        (tmp_path / "link/new", real / "new"),
        (tmp_path / "link/../real/./dots//x/", real / "dots/x"),
    ):
        made = ours.create_or_attach("n", SPEC, given)
        assert made.path == canonical / "envs" / environments.slug("n") / "profile"
        assert made.env_overrides["MINE"] == f"{made.path}/x"
        assert ours.attach("n", given).path == made.path
        assert ours.registry_root(given) == str(canonical)
        assert peer.attach(given, "n")["path"] == str(made.path)
        missing = failure(lambda given=given: ours.attach("no", given), "EnvironmentNotFound")
        assert missing.payload["registry_root"] == str(canonical)


def test_relative_root_is_made_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    handle = ours.create_or_attach("n", SPEC, "some/registry")
    assert handle.path.is_relative_to(tmp_path / "some/registry")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    handle.refresh(SPEC)
    handle.destroy()
    assert ours.names(tmp_path / "some/registry") == []
    assert not (tmp_path / "elsewhere/some").exists()


def test_moved_registry_leads_no_agent_to_where_it_was(
    peer: Peer, root: Path, tmp_path: Path
) -> None:
    old = ours.create_or_attach("n", SPEC, root)
    peer.create(root, "theirs", SPEC)
    moved = tmp_path / "moved"
    root.rename(moved)
    assert_whole(ours.attach("n", moved), moved, "n")
    assert_whole(ours.create_or_attach("n", SPEC, moved), moved, "n")
    assert ours.attach("theirs", moved).path == environments.profile(moved, "theirs")
    assert ours.names(moved) == ["n", "theirs"]
    ours.attach("n", moved).refresh({"credentials": {"login.json": "new"}})
    assert (environments.profile(moved, "n") / "login.json").read_text() == "new"
    # A handle of before finds nothing where it was, and does no harm.
    failure(lambda: old.refresh(SPEC), "EnvironmentNotFound")
    old.destroy()
    assert not root.exists()
    ours.destroy("n", moved)
    assert ours.names(moved) == ["theirs"]
