"""The demo's part in Python: the same, and what becomes of a profile whose owner is killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import agent_venv
from agent_venv import ClaudeCode, Codex, Environment
from agent_venv.errors import CredentialsMissingError


def show_agent(adapter: ClaudeCode | Codex) -> None:
    login = "with the host's login"
    try:
        env = Environment.ephemeral(adapter=adapter)
    except CredentialsMissingError:
        login = "without a login, as there is none on this host"
        env = Environment.ephemeral(adapter=type(adapter)(load_credentials=False))
    with env:
        print(f"Python  a profile for {env.adapter_id}, {login}", flush=True)
        command = f'echo "          its child has {adapter.config_env_var}=${adapter.config_env_var}"'
        subprocess.run(["sh", "-c", command], env=env.merged(os.environ), check=True)


def attach_by_name() -> None:
    env = Environment.attach("demo")
    Path(os.environ["DEMO_LOGIN"]).write_text("second\n")
    env.refresh_credentials()
    login = (env.path / "login").read_text().strip()
    print(f'Python  attached to "demo"; the host\'s login changed, and was refreshed: {login}')
    print(f"Python  listed: {Environment.list()}; destroyed: {env.destroy()}; listed: {Environment.list()}")


OWNER = """
import sys
from agent_venv import Environment, EnvironmentSpec
env = Environment.ephemeral(EnvironmentSpec(seed_files={"notes": "unfinished"}))
print(env.path, flush=True)
sys.stdin.read()
"""


def kill_an_owner() -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    path = Path(owner.stdout.readline().strip())
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    before = path.exists()
    agent_venv.reap()
    print(f"Python  the profile of a killed process was there: {before}; after reaping: {path.exists()}")


show_agent(ClaudeCode())
show_agent(Codex())
attach_by_name()
kill_an_owner()
