"""Build the shared library and put it into the wheel, beside the package."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class SharedLibraryHook(BuildHookInterface):  # type: ignore[misc, type-arg, unused-ignore]
    """Runs for wheels and for editable installs; refuses source distributions."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name == "sdist":
            raise RuntimeError(
                "agent-venv-native is built as a wheel only: a source distribution would lack the "
                "Rust sources that lie above this folder. Use `python -m build --wheel`."
            )
        package = Path(self.root)
        library = build_library(package.parent.parent)
        if version == "editable":
            beside = package / "src" / "agent_venv" / library.name
            put(library, beside)
            return
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform}"
        build_data["force_include"][str(library)] = f"agent_venv/{library.name}"


def build_library(crate: Path) -> Path:
    """Have cargo build the crate, and answer where it says the library is."""
    if not (crate / "Cargo.toml").is_file():
        raise RuntimeError(f"no Cargo.toml in {crate}: build from a checkout of the whole project")
    if shutil.which("cargo") is None:
        raise RuntimeError("cargo is not on PATH: install a Rust toolchain to build this wheel")
    command = ["cargo", "rustc", "--release", "--locked", "--lib", "--crate-type", "cdylib"]
    command += ["--message-format", "json-render-diagnostics"]
    built = subprocess.run(command, cwd=crate, check=True, stdout=subprocess.PIPE, text=True)
    for line in built.stdout.splitlines():
        message = json.loads(line)
        if message["reason"] == "compiler-artifact" and "cdylib" in message["target"]["kind"]:
            for filename in message["filenames"]:
                if filename.endswith((".so", ".dylib")):
                    return Path(filename)
    raise RuntimeError("cargo built no shared library")


def put(library: Path, place: Path) -> None:
    """Copy by rename: a running process may have the old file mapped."""
    fresh = place.with_name(f"{place.name}.{os.getpid()}")
    shutil.copy(library, fresh)
    fresh.replace(place)
