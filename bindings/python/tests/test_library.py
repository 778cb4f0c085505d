"""The package and the library fit each other, and say so where they don't."""

from __future__ import annotations

import re
import subprocess
from ctypes import c_bool, c_char_p, c_int32, c_int64, c_size_t, c_uint32, c_void_p
from pathlib import Path
from typing import Any

import pytest
from conftest import CRATE, SUFFIX, run_python

import agent_venv
from agent_venv._calls import read_text
from agent_venv._library import ABI_VERSION, PROTOTYPES, library


def compiled(folder: Path, source: str) -> Path:
    (folder / "other.c").write_text(source)
    result = folder / f"libother.{SUFFIX}"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", result, folder / "other.c"], check=True)
    return result


def import_fails(library: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("AGENT_VENV_LIBRARY", str(library))
    done = run_python("import agent_venv", check=False)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("ImportError: ")
    assert str(library) in last
    assert "cargo build --release" in last
    assert "AGENT_VENV_LIBRARY" in last
    return last


def test_a_missing_library_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "is not at" in import_fails(tmp_path / "none.so", monkeypatch)


def test_a_library_of_another_abi_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = compiled(tmp_path, "unsigned avenv_abi_version(void) { return 4711; }")
    assert f"has ABI version 4711, and this package needs {ABI_VERSION}" in import_fails(
        other, monkeypatch
    )


def test_a_library_that_is_none_of_ours_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "cannot be used" in import_fails(compiled(tmp_path, "int x;"), monkeypatch)


def test_a_file_that_is_no_library_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "text.so").write_text("no library")
    assert "cannot be used" in import_fails(tmp_path / "text.so", monkeypatch)


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENT_VENV_LIBRARY", "")
    program = "from agent_venv import _library; print(_library._place())"
    done = run_python(program, check=False)
    beside = Path(agent_venv.__file__).with_name(f"libagent_venv.{SUFFIX}")
    assert str(beside) in done.stdout + done.stderr


def test_package_and_library_have_one_version() -> None:
    assert read_text("avenv_version") == agent_venv.__version__
    assert library.avenv_abi_version() == ABI_VERSION


def test_importing_does_not_import_asyncio() -> None:
    program = "import sys, agent_venv; print('asyncio' in sys.modules)"
    assert run_python(program).stdout == "False\n"


def test_everything_that_is_promised_can_be_imported() -> None:
    assert run_python("from agent_venv import *\nprint(AsyncEnvironment.__name__)").stdout == (
        "AsyncEnvironment\n"
    )
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = agent_venv.nothing


# What the package declares, against the header.

C_TYPES = {
    "void": None,
    "avenv_status": c_int32,
    "int64_t": c_int64,
    "uint32_t": c_uint32,
    "size_t": c_size_t,
    "bool": c_bool,
    "const char *": c_char_p,
    "const void *": c_char_p,  # bytes, with their length
    "char *": c_void_p,  # ours to free
}


def c_type(text: str) -> Any:
    text = re.sub(r"\s*\*\s*", " *", text.strip())
    text = re.sub(r"\* \*", "**", text)
    if text in C_TYPES:
        return C_TYPES[text]
    assert "*" in text, text
    return "out" if text.endswith("**") else c_void_p


def parameter(text: str) -> Any:
    return c_type(re.sub(r"\w+$", "", text.strip()))


def declarations() -> dict[str, tuple[Any, list[Any]]]:
    header = (CRATE / "include" / "agent_venv.h").read_text()
    header = re.sub(r"/\*.*?\*/|//[^\n]*|^#[^\n]*", " ", header, flags=re.S | re.M)
    found = re.findall(r"AVENV_API\s+([^;{}()]*?)(\bavenv_\w+)\s*\(([^;]*?)\)\s*;", header)
    return {
        name: (
            c_type(result),
            [] if parameters.strip() == "void" else [parameter(p) for p in parameters.split(",")],
        )
        for result, name, parameters in found
    }


@pytest.mark.parametrize("name", PROTOTYPES)
def test_a_prototype_agrees_with_the_header(name: str) -> None:
    result, parameters = PROTOTYPES[name]
    shown = ["out" if getattr(each, "_type_", None) is c_void_p else each for each in parameters]
    assert (result, shown) == declarations()[name]
