"""What the other tests rest on: that nothing outside is touched without being told."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from trees import untouched

TOUCHES: dict[str, Callable[[Path], object]] = {
    "opened": lambda top: os.close(os.open(top / "below/file", os.O_RDONLY)),
    "listed": lambda top: list((top / "below").iterdir()),
    "written": lambda top: (top / "below/file").write_text("other"),
    "written through a hard link": lambda top: (top.parent / "hard").write_text("other"),
    "made": lambda top: (top / "below/new").touch(),
    "deleted": lambda top: (top / "below/file").unlink(),
    "moved away": lambda top: (top / "below/file").rename(top.parent / "away"),
    "mode changed": lambda top: (top / "below").chmod(0o755),
    "all removed": lambda top: shutil.rmtree(top),
}


@pytest.mark.parametrize("touch", TOUCHES)
def test_each_touch_is_told(tmp_path: Path, touch: str) -> None:
    top = tmp_path / "outside"
    (top / "below").mkdir(parents=True, mode=0o700)
    (top / "below/file").write_text("content")
    os.link(top / "below/file", tmp_path / "hard")
    with pytest.raises(AssertionError), untouched(top):
        TOUCHES[touch](top)


def test_no_touch_is_invented(tmp_path: Path) -> None:
    top = tmp_path / "outside"
    top.mkdir()
    (top / "link").symlink_to("nowhere")
    with untouched(top):
        (tmp_path / "beside").write_text("content")
