import os
import subprocess

from agent_venv import ClaudeCode, Environment

with Environment.ephemeral(adapter=ClaudeCode(load_credentials=False)) as env:
    print("profile:", env.path)
    subprocess.run(
        ["sh", "-c", "echo set: $CLAUDE_CONFIG_DIR"], env=env.merged(os.environ), check=True
    )
