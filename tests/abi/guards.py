"""No panic crosses the ABI: each function is made to panic in its guard, and answers as promised.

The hook (`planted!` in src/ffi/guard.rs) is compiled into a library that only this test builds.
"""

import ctypes
import json
import os
import subprocess
import sys
from pathlib import Path

import header

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TARGET = ROOT / "target/guards"
LIBRARY = TARGET / "debug/libagent_venv.so"
RELEASE = ROOT / "target/release/libagent_venv.so"
HOOK = "AVENV_TEST_PANIC"
BUILD = ["rustc", "--locked", "--quiet", "--lib", "--crate-type=cdylib", f"--target-dir={TARGET}"]

NUMBERS = ("avenv_abi_version", "avenv_error_status")  # the getters that answer no pointer
BUG = 10  # AVENV_INTERNAL_INVARIANT_VIOLATION
POISON = 0xDEAD  # in outputs before the call: to be overwritten
ERRNO = 77


def check() -> dict[str, str]:
    """The complaint for each function; empty where its guard holds."""
    cargo = os.environ.get("CARGO", "cargo")
    built = subprocess.run(
        [cargo, *BUILD, "--", "--cfg", "avenv_test_panic"], cwd=ROOT, capture_output=True, text=True
    )
    if built.returncode != 0:
        return {"the library with the hook compiles": built.stderr}
    hook = HOOK.encode()
    return {
        "the hook is where it is looked for": "" if hook in LIBRARY.read_bytes() else "not in it",
        "no release has the hook": f"{RELEASE} has" if hook in RELEASE.read_bytes() else "",
        **{name: complaint(name, parameters) for name, parameters in header.functions().items()},
    }


def complaint(name: str, parameters: str) -> str:
    """Calls the function in a process of its own, and compares what it answers to a panic."""
    fallible = "avenv_error **" in parameters
    kinds = [kind(each, fallible) for each in parameters.split(",") if each.strip() != "void"]
    command = [sys.executable, "-B", __file__, str(LIBRARY), name, *kinds]
    ran = subprocess.run(command, env={**os.environ, HOOK: name}, capture_output=True, text=True)
    if ran.returncode != 0:
        return f"the process ended with {ran.returncode}: {ran.stderr}"
    if f'planted in Some("{name}")' not in ran.stderr:
        return f"it did not panic: {ran.stderr}"
    answer = json.loads(ran.stdout)
    expected = {"errno": ERRNO, "outputs": [None] * kinds.count("output")}
    if "error" in kinds:
        expected |= {"status": BUG, "error": BUG, "kind": "InternalInvariantViolation"}
    else:
        expected |= {"status": 0}
    return "" if answer == expected else f"{answer}, not {expected}"


def kind(parameter: str, fallible: bool) -> str:
    """What to pass: inputs don't count, since the panic comes before they are looked at."""
    if "avenv_error **" in parameter:
        return "error"
    return "output" if fallible and "**" in parameter else "zero"


def call(library: str, name: str, kinds: list[str]) -> dict[str, object]:
    loaded = ctypes.CDLL(library, use_errno=True)
    passed = [(kind, ctypes.c_void_p(POISON)) for kind in kinds]
    arguments = [None if kind == "zero" else ctypes.byref(slot) for kind, slot in passed]
    function = getattr(loaded, name)
    if "error" in kinds or name in NUMBERS:
        function.restype = ctypes.c_int32
    elif name.endswith("_free") or name == "avenv_give_back":
        function.restype = None
    else:
        function.restype = ctypes.c_void_p
    ctypes.set_errno(ERRNO)
    status = function(*arguments)
    answer = {
        "status": status or 0,
        "errno": ctypes.get_errno(),
        "outputs": [slot.value for kind, slot in passed if kind == "output"],
    }
    if "error" in kinds:
        error = dict(passed)["error"]
        loaded.avenv_error_kind.restype = ctypes.c_char_p
        answer["error"] = loaded.avenv_error_status(error)
        answer["kind"] = loaded.avenv_error_kind(error).decode()
        loaded.avenv_error_free(error)
    return answer


if __name__ == "__main__":
    print(json.dumps(call(sys.argv[1], sys.argv[2], sys.argv[3:])))
