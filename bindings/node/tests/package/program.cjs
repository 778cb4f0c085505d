const { execFileSync } = require("node:child_process");
const { existsSync } = require("node:fs");
const { ClaudeCode, Environment } = require("agent-venv-native");

async function main() {
  const env = await Environment.ephemeral({ adapter: ClaudeCode({ loadCredentials: false }) });
  const seen = execFileSync("sh", ["-c", "echo $CLAUDE_CONFIG_DIR"], { env: env.merged(process.env), encoding: "utf8" });
  console.log("profile:", seen.trim() === env.path ? "set" : "not set");
  await env.destroy();
  console.log("afterwards:", existsSync(env.path) ? "there" : "gone");
}

void main();
