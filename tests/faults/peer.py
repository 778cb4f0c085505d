"""The other implementation that shares registries with this one: its Python package."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

MAKE = """
import pathlib, sys
from agent_venv import Environment, EnvironmentSpec
root, name = sys.argv[1:]
spec = EnvironmentSpec(adapter_id="theirs", env_overrides={"THEIRS": "$EPHEMERAL_HOME"},
                       seed_files={"seed": "theirs"}, credentials={"login": "theirs"})
Environment.create_or_attach(name, spec, registry_root=pathlib.Path(root))
"""

LIST = """
import json, pathlib, sys
from agent_venv import Environment
for line in sys.stdin:
    try:
        print(json.dumps(Environment.list(registry_root=pathlib.Path(line[:-1]))), flush=True)
    except Exception as error:
        print(json.dumps(repr(error)), flush=True)
"""


def python() -> Path:
    """The Python that has the package, as the tests of the registry install it."""
    installer = Path(__file__).parents[1] / "registry/peer.py"
    printed = subprocess.run([sys.executable, installer], check=True, stdout=subprocess.PIPE)
    return Path(printed.stdout.decode().strip())


class Peer:
    def __init__(self, python: Path) -> None:
        self._python = python
        # Isolated: our own package has the same import name.
        self._lister = subprocess.Popen(
            [python, "-I", "-c", LIST], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def make(self, registry: Path, name: str) -> None:
        subprocess.run([self._python, "-I", "-c", MAKE, registry, name], check=True)

    def list(self, registry: Path) -> list[str]:
        """The names that it sees."""
        assert self._lister.stdin is not None
        assert self._lister.stdout is not None
        self._lister.stdin.write(f"{registry}\n")
        self._lister.stdin.flush()
        names = json.loads(self._lister.stdout.readline())
        assert isinstance(names, list), f"the peer answered {names}"
        return names

    def end(self) -> None:
        self._lister.communicate(timeout=60)
