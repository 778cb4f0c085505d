"""The bare C ABI, with a record of every string that crosses it outwards."""

from __future__ import annotations

import ctypes
from ctypes import byref, c_char_p, c_void_p
from pathlib import Path

OF_ENVIRONMENT = ("path", "name", "kind", "adapter_id", "env_overrides_json", "env_unset_json")
OF_ERROR = ("kind", "message", "payload_json", "events_json")


class Abi:
    def __init__(self, library: Path) -> None:
        self._library = ctypes.CDLL(str(library))
        self.said: list[tuple[str, str]] = []
        """Which function answered which string."""

    def call(self, function: str, *arguments: bytes | int | None, out: bool = False) -> int | None:
        """Makes a call with a status; answers its output, or None where it failed."""
        output, error = c_void_p(), c_void_p()
        outputs = (byref(output), byref(error)) if out else (byref(error),)
        # A number is an object's address, as no call here takes another number than a length.
        given = [c_void_p(each) if isinstance(each, int) else each for each in arguments]
        status = getattr(self._library, function)(*given, *outputs)
        if status == 0:
            return output.value if out else 0
        for getter in OF_ERROR:
            self._read(f"avenv_error_{getter}", error.value)
        self._free("error", error.value)
        return None

    def spec(self, json: str) -> int | None:
        return self.call("avenv_spec_parse", json.encode(), out=True)

    def environment(self, spec: int | None) -> int | None:
        """Makes an environment of a spec, which is freed, and asks it for all that it tells."""
        made = self.call("avenv_environment_create_ephemeral", spec, None, out=True)
        self._free("spec", spec)
        if made is not None:
            self.ask(made)
        return made

    def ask(self, environment: int) -> None:
        for getter in OF_ENVIRONMENT:
            self._read(f"avenv_environment_{getter}", environment)
        self.text("avenv_environment_events_json", environment)
        block = self.call("avenv_environment_envp", environment, None, out=True)
        if block is not None:
            entries = ctypes.cast(block, ctypes.POINTER(c_char_p))
            count = next(i for i in range(10_000) if entries[i] is None)
            for entry in entries[:count]:
                assert entry is not None
                self.said.append(("avenv_environment_envp", entry.decode()))
            self._library.avenv_envp_free(c_void_p(block))

    def text(self, function: str, *arguments: bytes | int | None) -> None:
        """Calls what answers a string of the caller's."""
        answer = self.call(function, *arguments, out=True)
        if answer is not None:
            self.said.append((function, ctypes.string_at(answer).decode()))
            self._free("string", answer)

    def end(self, environment: int) -> None:
        self.call("avenv_environment_destroy", environment, None)
        self.ask(environment)
        self._free("environment", environment)

    def _read(self, getter: str, of: int | None) -> None:
        function = getattr(self._library, getter)
        function.restype = c_char_p
        answer = function(c_void_p(of))
        self.said.append((getter, "" if answer is None else answer.decode()))

    def _free(self, what: str, of: int | None) -> None:
        getattr(self._library, f"avenv_{what}_free")(c_void_p(of))
