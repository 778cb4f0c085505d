"""Programs written for the public package agent-venv 0.1.0 run as they are."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import CLAUDE_LOGIN, run_python

PROGRAMS = {
    "a spec's variable points at the profile": (
        """
import os, subprocess, sys
from agent_venv import Environment, EnvironmentSpec
spec = EnvironmentSpec(env_overrides={"MY_HOME": "$EPHEMERAL_HOME/x"}, seed_files={"x/a": "b"})
with Environment.ephemeral(spec) as env:
    show = "import os; print(open(os.environ['MY_HOME'] + '/a').read())"
    subprocess.run([sys.executable, "-c", show], env={**os.environ, **env.env_overrides})
""",
        "b\n",
    ),
    "the agent finds the host's login in its profile": (
        """
import os, subprocess
from agent_venv import ClaudeCode, Environment
with Environment.ephemeral(adapter=ClaudeCode()) as env:
    subprocess.run(["claude", "--print", "hi"], env={**os.environ, **env.env_overrides})
""",
        f"{CLAUDE_LOGIN}\n",
    ),
    "a built-in adapter's spec takes further files": (
        """
from agent_venv import ClaudeCode, Environment
spec = ClaudeCode(load_credentials=False).build_spec()
spec.seed_files["CLAUDE.md"] = "be brief"
with Environment.ephemeral(spec=spec) as env:
    print(sorted(p.name for p in env.path.iterdir()), env.adapter_id)
""",
        "['.claude.json', 'CLAUDE.md'] claude-code\n",
    ),
    "load_credentials can be given to build_spec": (
        """
from agent_venv import Codex, Environment
with Environment.ephemeral(Codex().build_spec(load_credentials=False)) as env:
    print(list(env.path.iterdir()), sorted(env.env_overrides))
""",
        "[] ['CODEX_HOME']\n",
    ),
    "a spec goes through a dict and back": (
        """
from agent_venv import EnvironmentSpec
data = {"adapter_id": "x", "env_overrides": {"A": "1"}, "seed_files": {"f": "c"},
        "file_modes": {"f": 0o700}, "credentials": {"k": "s"}, "prefix": "p-"}
spec = EnvironmentSpec.from_dict(data)
print(spec.to_dict() == data, spec == EnvironmentSpec(**data), EnvironmentSpec.from_dict({}).prefix)
""",
        "True True agent-venv-\n",
    ),
    "events are heard and kept": (
        """
from agent_venv import Environment, EnvironmentSpec, Event
heard: list[Event] = []
env = Environment.ephemeral(EnvironmentSpec(seed_files={"a": "b"}), on_event=heard.append)
print([e.kind for e in heard], heard[1].data, heard == env.events())
print(heard[1].to_dict() == {"ts_ms": heard[1].ts_ms, "kind": heard[1].kind, **heard[1].data})
print(env.destroy(), env.destroy(), env.events()[-1].data["ok"])
""",
        "['env.created', 'profile.materialized'] {'file_count': 1, 'total_bytes': 1} True\n"
        "True\nTrue True True\n",
    ),
    "what an environment tells": (
        """
import pathlib
from agent_venv import Environment
env = Environment.ephemeral()
print(isinstance(env.path, pathlib.Path), env.name, env.kind, env.is_persistent, env.adapter_id)
print(env.env_overrides, env.path.name.startswith("agent-venv-"))
""",
        "True None ephemeral False generic\n{} True\n",
    ),
    "an adapter of one's own": (
        """
from agent_venv import Environment, EnvironmentSpec
from agent_venv.adapters import AgentAdapter
class Mine(AgentAdapter):
    id, cli_bin, config_env_var = "mine", "mine", "MINE_HOME"
    def build_spec(self, *, load_credentials=None):
        return EnvironmentSpec(self.id, {self.config_env_var: "$EPHEMERAL_HOME"}, {"a": "b"})
with Environment.ephemeral(adapter=Mine()) as env:
    print(env.adapter_id, env.env_overrides["MINE_HOME"] == str(env.path))
    print((env.path / "a").read_text())
""",
        "mine True\nb\n",
    ),
    "a failure has kind, payload and a class of its own": (
        """
from agent_venv import Environment, EnvironmentSpec, errors
try:
    Environment.ephemeral(EnvironmentSpec(seed_files={"../x": ""}))
except errors.InvalidEnvironmentSpecError as e:
    print(isinstance(e, errors.AgentVenvError), e.kind, e.payload["field"], e.to_dict()["kind"])
    print(str(e) == e.message, errors.for_kind(e.kind) is type(e))
""",
        'True InvalidEnvironmentSpec seed_files["../x"] InvalidEnvironmentSpec\nTrue True\n',
    ),
    "an error made by hand": (
        """
from agent_venv.errors import AgentVenvError, CleanupFailedError
e = CleanupFailedError("stuck", path="/p", os_error="busy")
print(e.to_dict(), AgentVenvError().message)
""",
        "{'kind': 'CleanupFailed', 'message': 'stuck', 'path': '/p', 'os_error': 'busy'} "
        "InternalInvariantViolation\n",
    ),
    "a persistent environment outlives its block and its process": (
        """
import subprocess, sys
from pathlib import Path
from agent_venv import Environment, EnvironmentSpec
spec = EnvironmentSpec("mine", {"MINE": "$EPHEMERAL_HOME"}, {"a": "seed"})
with Environment.create_or_attach("my app", spec, registry_root=Path("registry")) as env:
    print(env.name, env.kind, env.is_persistent, (env.path / "a").read_text(), flush=True)
    (env.path / "a").write_text("kept")
show = """
        + repr("""
from pathlib import Path
from agent_venv import Environment
env = Environment.attach("my app", registry_root=Path("registry"))
print((env.path / "a").read_text(), env.adapter_id, env.env_overrides["MINE"] == str(env.path))
""")
        + """
subprocess.run([sys.executable, "-c", show], check=True)
again = Environment.create_or_attach("my app", spec, registry_root=Path("registry"))
print(again.path == env.path, (again.path / "a").read_text(), [e.kind for e in again.events()])
print(Environment.list(registry_root=Path("registry")), again.destroy(), again.path.exists())
print(Environment.list(registry_root=Path("registry")), env.destroy())
""",
        "my app persistent True seed\n"
        "kept mine True\n"
        "True kept ['env.attached', 'registry.read']\n"
        "['my app'] True False\n"
        "[] True\n",
    ),
    "a persistent environment for an adapter": (
        """
from agent_venv import ClaudeCode, Codex, Environment, errors
env = Environment.create_or_attach("worker", adapter=ClaudeCode())
print(env.adapter_id, sorted(p.name for p in env.path.iterdir()))
print(Environment.attach("worker", adapter=ClaudeCode()).env_overrides == env.env_overrides)
for call in (Environment.attach, Environment.create_or_attach):
    try:
        call("worker", adapter=Codex())
    except errors.AdapterMismatchError as e:
        print(sorted(e.payload.items()))
""",
        "claude-code ['.claude.json', '.credentials.json']\nTrue\n"
        + "[('actual_adapter_id', 'codex'), ('expected_adapter_id', 'claude-code'), "
        "('name', 'worker')]\n" * 2,
    ),
    "names are destroyed and missed": (
        """
from agent_venv import Environment, errors
for name in ("b", "a"):
    Environment.create_or_attach(name)
print(Environment.list(), Environment.destroy_by_name("a"), Environment.list())
for call in (Environment.attach, Environment.destroy_by_name):
    try:
        call("a")
    except errors.EnvironmentNotFoundError as e:
        print(e.kind, e.payload["name"], sorted(e.payload))
""",
        "['a', 'b'] True ['b']\n" + "EnvironmentNotFound a ['name', 'registry_root']\n" * 2,
    ),
    "the asynchronous environment, kept by name": (
        """
import asyncio
from agent_venv import AsyncEnvironment, EnvironmentSpec, errors
async def main():
    heard = []
    spec = EnvironmentSpec(seed_files={"a": "b"})
    async with await AsyncEnvironment.create_or_attach("n", spec, on_event=heard.append) as env:
        print(env.name, [e.kind for e in heard])
    again = await AsyncEnvironment.attach("n")
    print(again.path == env.path, again.path.is_dir(), await again.destroy(), again.path.exists())
    try:
        await AsyncEnvironment.attach("n")
    except errors.EnvironmentNotFoundError as e:
        print(e.kind)
asyncio.run(main())
""",
        "n ['env.created', 'profile.materialized', 'registry.written']\n"
        "True True True False\nEnvironmentNotFound\n",
    ),
    "the asynchronous environment": (
        """
import asyncio
from agent_venv import AsyncEnvironment, ClaudeCode
async def main():
    async with await AsyncEnvironment.ephemeral(adapter=ClaudeCode(load_credentials=False)) as env:
        print(env.path.is_dir(), env.kind, [e.kind for e in env.events()])
    print(env.path.exists(), await env.destroy())
asyncio.run(main())
""",
        "True ephemeral ['env.created', 'profile.materialized']\nFalse True\n",
    ),
    "command lines": (
        """
from pathlib import Path
from agent_venv import ClaudeCode, Codex
print(ClaudeCode(model="m", extra_argv=["-x"]).build_argv("hi"))
print(Codex(model="m", reasoning_effort="high").build_argv("hi", workspace=Path("/w")))
try:
    ClaudeCode().build_argv("hi")
except ValueError as e:
    print(e.payload["field"])
""",
        "['claude', '--print', '--model', 'm', '--output-format', 'stream-json', '--verbose', "
        "'--dangerously-skip-permissions', '-x']\n"
        "['codex', 'exec', '--model', 'm', '--cd', '/w', '--json', '--skip-git-repo-check', "
        "'--dangerously-bypass-approvals-and-sandbox', '-c', 'model_reasoning_effort=\"high\"']\n"
        "options.model\n",
    ),
    "whether the agent is there": (
        """
from agent_venv import ClaudeCode, Codex, errors
ClaudeCode().ensure_available()
try:
    Codex().ensure_available()
except errors.AdapterUnavailableError as e:
    print(e.payload)
""",
        "{'adapter_id': 'codex', 'cli_bin': 'codex'}\n",
    ),
    "credentials are rewritten": (
        """
from agent_venv import Environment, EnvironmentSpec
with Environment.ephemeral(EnvironmentSpec(credentials={"k": "one"})) as env:
    env.refresh_credentials(EnvironmentSpec(credentials={"k": "two"}))
    print((env.path / "k").read_text(), oct((env.path / "k").stat().st_mode & 0o777))
""",
        "two 0o600\n",
    ),
}


@pytest.mark.parametrize("promise", PROGRAMS)
def test_program_works_as_written(
    promise: str, logins: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = tmp_path / "bin" / "claude"
    agent.parent.mkdir()
    agent.write_text('#!/bin/sh\n/bin/cat "$CLAUDE_CONFIG_DIR/.credentials.json"; echo\n')
    agent.chmod(0o755)
    monkeypatch.setenv("PATH", str(agent.parent))
    monkeypatch.chdir(tmp_path)
    program, output = PROGRAMS[promise]
    assert run_python(program).stdout == output
