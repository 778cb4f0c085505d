"""Give Claude Code and Codex a profile each: the host's login, and instructions of your own."""

import os
import subprocess
import sys

from agent_venv import AgentAdapter, ClaudeCode, Codex, Environment
from agent_venv.errors import CredentialsMissingError


def make_profile(adapter: AgentAdapter, instructions: str) -> Environment:
    spec = adapter.build_spec()
    spec.seed_files[instructions] = "Answer in one sentence.\n"
    try:
        return Environment.ephemeral(spec)
    except CredentialsMissingError as missing:
        print(f"{adapter.id}: going on without a login: none in {missing.payload['looked_at']}")
        spec.options["load_credentials"] = False
        return Environment.ephemeral(spec)


def main() -> None:
    for adapter, instructions in ((ClaudeCode(), "CLAUDE.md"), (Codex(), "AGENTS.md")):
        with make_profile(adapter, instructions) as env:
            files = sorted(str(file.relative_to(env)) for file in env.path.rglob("*"))
            print(f"{env.adapter_id}: {env.path} holds {', '.join(files)}", flush=True)

            # Start the agent here. This child stands for it, and shows the variable it got.
            variable = adapter.config_env_var
            show = f"import os; print('  the child sees {variable} =', os.environ['{variable}'])"
            subprocess.run([sys.executable, "-c", show], env=env.merged(os.environ), check=True)
        print(f"  afterwards it is {'still there' if env.path.exists() else 'gone'}")


if __name__ == "__main__":
    main()
