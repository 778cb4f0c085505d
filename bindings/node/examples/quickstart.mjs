import { spawnSync } from "node:child_process";

import { ClaudeCode, Environment } from "agent-venv-native";

const env = await Environment.ephemeral({ adapter: ClaudeCode({ loadCredentials: false }) });
try {
  console.log("profile:", env.path);
  spawnSync("sh", ["-c", "echo set: $CLAUDE_CONFIG_DIR"], { env: env.merged(process.env), stdio: "inherit" });
} finally {
  await env.destroy();
}
