// Compiled both as an ES module and as CommonJS.

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { ClaudeCode, Environment, EnvironmentSpec, type AgentAdapter, type EnvironmentEvent } from "agent-venv-native";

const own: AgentAdapter = {
  id: "own",
  buildSpec: () => new EnvironmentSpec({ adapterId: "own", envOverrides: { OWN_HOME: "$EPHEMERAL_HOME" } }),
};

async function main(): Promise<void> {
  let path: string;
  const events: EnvironmentEvent[] = [];
  {
    await using cc = await Environment.ephemeral({
      adapter: ClaudeCode({ loadCredentials: false }),
      onEvent: (event) => events.push(event),
    });
    await using mine = await Environment.ephemeral({ adapter: own });
    path = cc.path;
    const env = { ...process.env, ...cc.envOverrides, ...mine.envOverrides };
    const seen = execFileSync("sh", ["-c", "echo $CLAUDE_CONFIG_DIR:$OWN_HOME"], { env, encoding: "utf8" });
    console.log("profile:", seen.trim() === `${cc.path}:${mine.path}` ? "set" : "not set");
  }
  console.log("afterwards:", existsSync(path) || events.at(-1)?.kind !== "env.destroyed" ? "there" : "gone");
}

void main();
