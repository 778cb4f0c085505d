"""Where a case is played with a program: its directories, and what is done in them."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from case import Step
from program import Program

# A process directory, and the name of an ephemeral environment in it, as far as they are random.
OURS = r"%s/[0-9a-f]{8}-[0-9a-z]{8}/(?P<prefix>.*)[0-9a-z]{8}"
TRASH = r"<registry>/\.agent-venv/(?!00000000-)[0-9a-f]{8}-[0-9a-z]{8}"
THEIRS = r"%s/(?P<prefix>.*)[0-9a-z_]{8}"


class Stage:
    """`<registry>` and the like in a case stand for places here."""

    def __init__(self, program: Program, folder: Path) -> None:
        self.program = program
        self.registry = folder / "registry"
        self.places = {
            "<registry>": str(self.registry),
            "<ephemeral>": str(program.scratch / "ephemeral"),
            "<home>": str(program.scratch / "home"),
            "<folder>": str(folder),
        }
        self._lock: IO[str] | None = None
        folder.mkdir(parents=True)

    def name(self, name: str) -> None:
        """From here on `<profile>` is the profile of this name."""
        slug = hashlib.sha256(name.encode()).hexdigest()[:16]
        self.places["<profile>"] = f"{self.registry}/envs/{slug}/profile"

    def real(self, value: Any) -> Any:
        """A case's value with the places for their names."""

        def change(text: str) -> str:
            for name, place in self.places.items():
                text = text.replace(name, place)
            return text

        return in_all_strings(value, change)

    def named(self, answer: dict[str, Any]) -> dict[str, Any]:
        """An answer with the names for the places."""
        inspection = answer.get("inspection")
        path = inspection.get("path") if isinstance(inspection, dict) else None
        names = [(self._name_of_ephemeral(path), path)] if isinstance(path, str) and path else []
        # Longest first: some lie in others.
        names += sorted(self.places.items(), key=lambda item: -len(item[1]))

        def change(text: str) -> str:
            for name, place in names:
                text = text.replace(place, name)
            return re.sub(TRASH, "<trash>", text)

        result: dict[str, Any] = in_all_strings(answer, change)
        return result

    def _name_of_ephemeral(self, path: str) -> str:
        if self.program.language == "pypi":
            pattern = THEIRS % re.escape(str(self.program.scratch / "tmp"))
        else:
            pattern = OURS % re.escape(self.places["<ephemeral>"])
        found = re.fullmatch(pattern, path, re.DOTALL)
        return f"<ephemeral>/<process>/{found['prefix']}<random>" if found else path

    def do(self, step: Step) -> str | None:
        """What a step does besides asking; answers what is wrong."""
        step = self.real(step)
        match step:
            case {"write": path, "text": text}:
                Path(path).parent.mkdir(parents=True, exist_ok=True)
                Path(path).write_text(text)
            case {"mkdir": path}:
                Path(path).mkdir(parents=True)
            case {"remove": path}:
                Path(path).unlink()
            case {"link": path, "to": target}:
                Path(path).symlink_to(target)
            case {"lock": True}:
                self._lock = (self.registry / ".lock").open()
                fcntl.flock(self._lock, fcntl.LOCK_EX)
            case {"lock": False}:
                self._unlock()
            case {"mount": path}:
                self.program.mount(path)
            case {"unmount": below}:
                self.program.unmount_all(below)
            case {"tree": path, "files": files}:
                found = tree(Path(path))
                return None if found == files else f"below {path} there is {found}, not {files}"
            case {"gone": path}:
                return f"{path} is still there" if os.path.lexists(path) else None
            case _:
                raise ValueError(f"no step is {step}")
        return None

    def clear(self) -> str | None:
        """Takes all away; answers what the program itself should have."""
        self._unlock()
        self.program.unmount_all(self.places["<folder>"])
        home = Path(self.places["<home>"])
        shutil.rmtree(home)
        home.mkdir(mode=0o700)
        left = sorted(Path(self.places["<ephemeral>"]).glob("*/*"))
        for path in left:
            shutil.rmtree(path, ignore_errors=True)
        if os.path.lexists(self.program.scratch / "never-used"):
            left.append(self.program.scratch / "never-used")
        return f"left behind: {[str(path) for path in left]}" if left else None

    def _unlock(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def in_all_strings(value: Any, change: Callable[[str], str]) -> Any:
    """`value` with all strings in it changed, keys too."""
    if isinstance(value, dict):
        return {change(key): in_all_strings(each, change) for key, each in value.items()}
    if isinstance(value, list):
        return [in_all_strings(each, change) for each in value]
    return change(value) if isinstance(value, str) else value


def tree(folder: Path) -> dict[str, Any]:
    """What lies below a folder: files with text and mode, links with their target."""
    found: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        below = str(path.relative_to(folder))
        if path.is_symlink():
            found[below] = {"to": os.readlink(path)}  # noqa: PTH115
        elif path.is_file():
            mode = f"{stat.S_IMODE(path.stat().st_mode):o}"
            found[below] = {"text": path.read_bytes().decode(errors="replace"), "mode": mode}
    return found
