"""The host's login, read as it is: whole, regular, not too large, and never waited for."""

from __future__ import annotations

import ctypes
import os
import select
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from actor import PATIENCE, LibraryError, failure
from host import Host

LOGIN = '{"key": "login"}'


def place(host: Host) -> Path:
    """Where the login belongs; its directory is there."""
    path = host.login(LOGIN)
    path.unlink()
    return path


def missing(host: Host) -> LibraryError:
    error = failure(lambda: host.actor().create(adapter="codex"), "CredentialsMissing")
    assert error.payload == {
        "adapter_id": "codex",
        "looked_at": [str(host.home / ".codex/auth.json")],
    }
    assert host.profiles() == []
    return error


def test_login_is_copied_byte_for_byte(host: Host) -> None:
    content = '{"key": "l\\u00f6gin ü",\n\n "a": [1, 2]}  \n'
    host.login(content)
    profile = host.actor().create(adapter="codex")
    assert (profile / "auth.json").read_text() == content


def test_host_s_login_stays_as_it_was(host: Host) -> None:
    path = host.login(LOGIN)
    before = path.lstat(), path.parent.lstat()
    actor = host.actor()
    actor.create(adapter="codex")
    actor.refresh()
    actor.destroy()
    for old, new in zip(before, (path.lstat(), path.parent.lstat()), strict=True):
        assert (old.st_ino, old.st_mode, old.st_mtime_ns, old.st_ctime_ns) == (
            new.st_ino,
            new.st_mode,
            new.st_mtime_ns,
            new.st_ctime_ns,
        )


def fifo(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def terminal(path: Path) -> None:
    path.symlink_to("/dev/ptmx")


def directory(path: Path) -> None:
    path.mkdir()


def dangling_link(path: Path) -> None:
    path.symlink_to("nowhere")


def link_to_itself(path: Path) -> None:
    path.symlink_to(path)


def too_large(path: Path) -> None:
    path.write_text('"' + "x" * (1 << 20) + '"')


def not_json(path: Path) -> None:
    path.write_text(LOGIN[:-1])


def empty(path: Path) -> None:
    path.touch()


def two_values(path: Path) -> None:
    path.write_text(LOGIN + LOGIN)


UNUSABLE: list[Callable[[Path], None]] = [
    fifo,
    device,
    terminal,
    directory,
    dangling_link,
    link_to_itself,
    too_large,
    not_json,
    empty,
    two_values,
]


@pytest.mark.parametrize("planted", UNUSABLE, ids=lambda what: what.__name__)
def test_what_is_no_login_is_refused_and_not_waited_for(
    host: Host, planted: Callable[[Path], None]
) -> None:
    path = place(host)
    host.plant(lambda: planted(path))
    error = missing(host)
    assert str(path) in error.message
    if planted is not dangling_link:
        # There is something, so that "log in" alone would not help.
        assert error.message.count(path.name) == 2


def test_login_that_can_not_be_read_is_refused(ordinary_host: Host) -> None:
    ordinary_host.login(LOGIN).chmod(0)
    assert "ermission" in missing(ordinary_host).message


def test_no_login_at_all(host: Host) -> None:
    assert "log in" in missing(host).message


@pytest.mark.parametrize("size", [(1 << 20) - 1, 1 << 20])
def test_largest_login_is_read(host: Host, size: int) -> None:
    host.login('"' + "x" * (size - 2) + '"')
    assert (host.actor().create(adapter="codex") / "auth.json").stat().st_size == size


def test_link_to_a_login_is_followed_and_a_file_is_made(host: Host) -> None:
    path = place(host)
    dotfiles = host.home / "dotfiles"

    def plant() -> None:
        dotfiles.mkdir()
        (dotfiles / "auth").write_text(LOGIN)
        (dotfiles / "link").symlink_to("auth")
        path.symlink_to(dotfiles / "link")

    host.plant(plant)
    profile = host.actor().create(adapter="codex")
    assert not (profile / "auth.json").is_symlink()
    assert (profile / "auth.json").read_text() == LOGIN


def test_login_that_is_written_in_place_is_read_again_until_it_is_whole(host: Host) -> None:
    path = host.login(LOGIN[:5])
    readings = Readings(path)
    actor = host.actor()
    actor.tell("create", '{"adapter": "codex"}')
    readings.wait_for_one()
    host.plant(lambda: path.write_text(LOGIN))
    assert (Path(actor.answer()) / "auth.json").read_text() == LOGIN


def test_refresh_keeps_the_profile_s_login_where_the_host_s_is_torn(host: Host) -> None:
    path = host.login(LOGIN)
    actor = host.actor()
    profile = actor.create(adapter="codex")
    host.plant(lambda: path.write_text(LOGIN[:-1]))
    failure(actor.refresh, "CredentialsMissing")
    assert (profile / "auth.json").read_text() == LOGIN
    host.plant(path.unlink)
    failure(actor.refresh, "CredentialsMissing")
    assert (profile / "auth.json").read_text() == LOGIN
    host.login('{"key": "new"}')
    actor.refresh()
    assert (profile / "auth.json").read_text() == '{"key": "new"}'


@pytest.mark.parametrize("home", [None, ""])
def test_without_home_the_user_s_own_directory_is_looked_up(
    ordinary_host: Host, home: str | None
) -> None:
    actor = ordinary_host.actor(variables={"HOME": home})
    error = failure(lambda: actor.create(adapter="codex"), "CredentialsMissing")
    assert [Path(path).name for path in error.payload["looked_at"]] == ["auth.json"]
    assert str(ordinary_host.home) not in error.message


class Readings:
    """Tells when somebody else has read a file."""

    CLOSED_UNWRITTEN = 0x10

    def __init__(self, path: Path) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._queue = libc.inotify_init1(os.O_CLOEXEC)
        assert libc.inotify_add_watch(self._queue, os.fsencode(path), self.CLOSED_UNWRITTEN) >= 0

    def wait_for_one(self) -> None:
        assert select.select([self._queue], [], [], PATIENCE)[0], "nobody read it"
        event = os.read(self._queue, struct.calcsize("iIII") + 256)
        assert struct.unpack_from("iI", event)[1] == self.CLOSED_UNWRITTEN
        os.close(self._queue)
