import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { ClaudeCode, Environment } from "agent-venv-native";

const env = await Environment.ephemeral({ adapter: ClaudeCode({ loadCredentials: false }) });
const seen = execFileSync("sh", ["-c", "echo $CLAUDE_CONFIG_DIR"], { env: env.merged(process.env), encoding: "utf8" });
console.log("profile:", seen.trim() === env.path ? "set" : "not set");
await env.destroy();
console.log("afterwards:", existsSync(env.path) ? "there" : "gone");
