"""Bugs that each target must find: mistakes that could be made, put into a copy of the tree."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple


class Planted(NamedTuple):
    what: str
    file: str
    right: str
    wrong: str


PLANTED = {
    "spec": Planted(
        "a file goes to the directory before its own where the one begins with the other's name",
        "src/profile.rs",
        "if *opened == parent =>",
        "if parent.starts_with(*opened) =>",
    ),
    "adapter": Planted(
        "an unclosed { in a command line's template is read beyond its end",
        "src/adapter/argv.rs",
        """after.split_once('}').ok_or_else(|| Invalid::new(field, "has a { without its }"))?;""",
        "after.split_at(after.find('}').unwrap_or(after.len())); let behind = &behind[1..];",
    ),
    "index": Planted(
        "values are written back without escapes",
        "src/registry/entries.rs",
        "push_string(&mut json, value);",
        """json.extend_from_slice(format!("\\"{value}\\"").as_bytes());""",
    ),
    "metadata": Planted(
        "another program's metadata without created_at is taken to be impossible",
        "src/registry/metadata.rs",
        "self.instance.as_deref().or(self.created_at.as_deref()).unwrap_or_default()",
        "self.instance.as_deref().or(self.created_at.as_deref()).unwrap()",
    ),
    "calls": Planted(
        "NULL with a length is read",
        "src/ffi/text.rs",
        "(true, _) => Err(null(parameter)),",
        "(true, _) => Ok(unsafe { std::slice::from_raw_parts(data.cast(), len) }),",
    ),
}


def plant(tree: Path, copy: Path, bug: Planted) -> None:
    """Makes a copy of what is built, with the bug in it."""
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir(parents=True)
    for name in ("Cargo.toml", "Cargo.lock", "README.md", "build.rs"):
        shutil.copy(tree / name, copy)
    for name in ("src", "bindings/rust", "fuzz"):
        shutil.copytree(tree / name, copy / name)
    source = copy / bug.file
    text = source.read_text()
    assert text.count(bug.right) == 1, f"{bug.file} has changed: plant another bug"
    source.write_text(text.replace(bug.right, bug.wrong))
