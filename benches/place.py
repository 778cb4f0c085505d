"""Where is measured: a file system of its own, fresh and with a journal, where one can be mounted.

Elsewhere what was measured before weighs on what comes next: an ext4 without a journal, as virtual machines have it, takes no
inode that was removed in the last minute, and looks at each of those before it finds another.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple


class Place(NamedTuple):
    directory: Path
    file_system: str


SIZE = 12 << 30
INODES = 2_000_000
MAKE = ["mkfs.ext4", "-q", "-N", str(INODES), "-E", "lazy_itable_init=0,lazy_journal_init=0"]


@contextmanager
def place() -> Iterator[Place]:
    directory = Path(tempfile.mkdtemp(prefix="agent-venv-bench-"))
    mounted = directory / "mounted"
    mounted.mkdir()
    image = directory / "image"
    try:
        if _mount(image, mounted):
            try:
                yield Place(mounted, "a fresh ext4 in a file")
            finally:
                subprocess.run(["umount", mounted], check=True)
        else:
            print("no file system of its own (for that it must be root): times will vary more", file=sys.stderr)
            df = subprocess.run(["df", "--output=fstype", directory], check=True, stdout=subprocess.PIPE, text=True)
            yield Place(mounted, df.stdout.split()[-1])
    finally:
        shutil.rmtree(directory)


def _mount(image: Path, at: Path) -> bool:
    if os.geteuid() != 0 or not shutil.which(MAKE[0]):
        return False
    with image.open("wb") as file:
        file.truncate(SIZE)
    subprocess.run([*MAKE, image], check=True)
    done = subprocess.run(["mount", "-o", "loop", image, at], check=False, stderr=subprocess.DEVNULL)
    return done.returncode == 0
