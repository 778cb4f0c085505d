"""Owners die at any moment; what they left is reclaimed, and what the living have is not."""

from __future__ import annotations

import os
import select
import signal
from pathlib import Path

from host import Host

SPEC = {"seed_files": {"a/b": "seed"}, "credentials": {"auth.json": "login"}}


def is_whole(profile: Path) -> bool:
    return (profile / "a/b").read_text() == "seed" and (profile / "auth.json").is_file()


def end(child: int) -> None:
    """Kills a process that is no child of ours, and waits until it is no more."""
    descriptor = os.pidfd_open(child)
    os.kill(child, signal.SIGKILL)
    select.select([descriptor], [], [])
    os.close(descriptor)


def test_reapers_race_a_thousand_creators_and_none_is_lost(memory_host: Host, times: int) -> None:
    whole, lost, reaps = map(int, memory_host.run("creators", 1000 * times, 8, 2))
    assert (whole, lost) == (1000 * times, 0)
    assert reaps > 100
    memory_host.actor().reap()
    assert list(memory_host.root.iterdir()) == []


def test_owners_killed_at_random_moments_leave_nothing_that_reap_does_not_find(
    memory_host: Host, times: int
) -> None:
    living = memory_host.actor()
    kept = living.create(SPEC)
    kills, created, destroyed = map(int, memory_host.run("killer", 200 * times, 20260511))
    assert kills == 200 * times
    assert created > destroyed > 0
    report = memory_host.actor().reap()
    assert (report["kept"], report["failed"]) == (1, [])
    assert memory_host.profiles() == [kept]
    assert is_whole(kept)
    living.destroy()


def test_killed_owner_is_reclaimed_by_the_next_process_that_merely_creates(host: Host) -> None:
    killed = host.actor()
    left = killed.create(SPEC)
    killed.kill()
    assert is_whole(left)
    creating = host.actor()
    made = creating.create(SPEC)
    assert not left.parent.exists()
    assert host.profiles() == [made]


def test_creating_removes_a_few_files_of_the_dead_at_most(host: Host) -> None:
    killed = host.actor()
    left = killed.create(seed_files={f"{i}": "" for i in range(1000)})
    killed.kill()
    remaining = [1000]
    while left.exists():
        host.actor().create()
        remaining.append(len(list(left.iterdir())) if left.exists() else 0)
        assert remaining[-2] - 256 <= remaining[-1] < remaining[-2]
    assert len(remaining) > 3


def test_creating_where_the_process_has_its_directory_looks_at_nobody_else(host: Host) -> None:
    creating = host.actor()
    creating.create(SPEC)
    killed = host.actor()
    left = killed.create(SPEC)
    killed.kill()
    creating.create(SPEC)
    assert is_whole(left)


def test_living_forked_child_counts_as_a_living_owner(host: Host) -> None:
    owner, other = host.actor(), host.actor()
    left = owner.create(SPEC)
    child = owner.fork()
    owner.kill()
    assert other.reap()["kept"] == 1
    assert host.actor().create() != left
    assert is_whole(left)
    end(child)
    assert str(left.parent) in other.reap()["removed"]
    assert not left.parent.exists()


def test_living_owner_is_kept_by_every_kind_of_reaping(host: Host) -> None:
    owner, reaping = host.actor(), host.actor()
    profiles = [owner.create(SPEC) for _ in range(3)]
    assert reaping.reap() == {"root": str(host.root), "removed": [], "kept": 1, "failed": []}
    reaping.create()
    assert all(is_whole(each) for each in profiles)


def test_own_directory_is_given_back_only_when_it_is_empty(host: Host) -> None:
    owner = host.actor()
    profile = owner.create(SPEC)
    assert owner.reap()["kept"] == 1
    assert is_whole(profile)
    owner.destroy()
    assert owner.reap()["removed"] == [str(profile.parent)]
    assert list(host.root.iterdir()) == []
    assert is_whole(owner.create(SPEC))


def test_reap_leaves_alone_what_no_owner_made(host: Host) -> None:
    owner = host.actor()
    owner.create(SPEC)
    outside = host.directory / "outside"
    outside.mkdir()
    (outside / "file").touch()
    os.chown(outside, host.user.id, host.user.id)
    foreign = ["notes", "0123abcd", "0123abcd-UPPER234", "0123abcd-abcdefgh.bak"]

    def plant() -> None:
        for name in foreign:
            (host.root / name).mkdir()
        (host.root / "0123abcd-aaaaaaaa").symlink_to(outside)
        (host.root / "0123abcd-bbbbbbbb").touch()

    host.plant(plant)
    assert host.actor().reap()["removed"] == []
    assert all((host.root / name).is_dir() for name in foreign)
    assert (outside / "file").exists()


def test_reap_takes_an_unlocked_directory_of_another_boot(host: Host) -> None:
    host.actor().create(SPEC)
    host.plant(lambda: (host.root / "0123abcd-aaaaaaaa/profile").mkdir(parents=True))
    assert host.actor().reap()["removed"] == [str(host.root / "0123abcd-aaaaaaaa")]


def test_reap_where_nothing_was_ever_made_makes_nothing(host: Host) -> None:
    assert host.actor().reap() == {"root": None, "removed": [], "kept": 0, "failed": []}
    assert not host.root.exists()
