import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { lstatSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { agentVenv, claudeLogin, directory, failure, freshRegistry, setClaudeLogin } from "./support.mjs";

const { ClaudeCode, Codex, defineAdapter, Environment, EnvironmentSpec } = agentVenv;

test("the profile has the host's login, and refreshing brings the one of now", async () => {
  setClaudeLogin(claudeLogin("pro"));
  const env = await Environment.ephemeral({ adapter: ClaudeCode() });
  const login = join(env.path, ".credentials.json");
  assert.equal(readFileSync(login, "utf8"), claudeLogin("pro"));
  assert.equal(env.envOverrides.CLAUDE_CONFIG_DIR, env.path);
  setClaudeLogin(claudeLogin("max"));
  await env.refreshCredentials();
  assert.equal(readFileSync(login, "utf8"), claudeLogin("max"));
  assert.equal(lstatSync(login).mode & 0o777, 0o600);
  await env.refreshCredentials(new EnvironmentSpec({ credentials: { ".credentials.json": "{}" } }));
  assert.equal(readFileSync(login, "utf8"), "{}");
  await env.destroy();
});

test("what was attached to is refreshed, as the adapter is recorded", async () => {
  const registryRoot = freshRegistry();
  setClaudeLogin(claudeLogin("pro"));
  await Environment.createOrAttach("work", { adapter: ClaudeCode(), registryRoot });
  setClaudeLogin(claudeLogin("team"));
  const env = await Environment.attach("work", { adapter: ClaudeCode(), registryRoot });
  await env.refreshCredentials();
  assert.equal(readFileSync(join(env.path, ".credentials.json"), "utf8"), claudeLogin("team"));
});

test("a built-in adapter's spec reads no login, and what is set in it is laid over the adapter's own", async () => {
  setClaudeLogin(claudeLogin("pro"));
  const spec = ClaudeCode().buildSpec();
  assert.equal(JSON.stringify(spec).includes("sk-ant"), false);
  spec.seedFiles["CLAUDE.md"] = "Answer in one sentence.\n";
  const env = await Environment.ephemeral({ spec });
  assert.deepEqual(readdirSync(env.path).sort(), [".claude.json", ".credentials.json", "CLAUDE.md"]);
  await env.destroy();
});

test("a caller's own adapter is asked for its spec when made, and again when refreshed", async () => {
  let asked = 0;
  const adapter = {
    id: "own",
    buildSpec: async () => new EnvironmentSpec({ adapterId: "own", credentials: { key: `login ${++asked}` } }),
  };
  const env = await Environment.ephemeral({ adapter });
  assert.equal(readFileSync(join(env.path, "key"), "utf8"), "login 1");
  await env.refreshCredentials();
  assert.equal(readFileSync(join(env.path, "key"), "utf8"), "login 2");
  await env.destroy();
});

test("an adapter of the caller's own can be data", async () => {
  writeFileSync(join(process.env.HOME, "my-login.json"), '{"key":"fake"}');
  const MyAgent = defineAdapter({
    id: "my-agent",
    program: "my-agent",
    env: { MY_AGENT_HOME: "$EPHEMERAL_HOME" },
    env_unset: ["MY_AGENT_TOKEN"],
    login: [{ profile: "auth.json", host: [{ file: "~/my-login.json" }] }],
    argv: ["{program}", "--model", "{model}", ["--effort", "{reasoning_effort}"], "{extra_argv}"],
  });
  const adapter = MyAgent({ model: "m", extraArgv: ["-v"] });
  assert.equal(adapter.configEnvVar, "MY_AGENT_HOME");
  assert.deepEqual(adapter.buildArgv("prompt"), ["my-agent", "--model", "m", "-v"]);
  const env = await Environment.ephemeral({ adapter });
  assert.equal(readFileSync(join(env.path, "auth.json"), "utf8"), '{"key":"fake"}');
  assert.deepEqual(env.envUnset, ["MY_AGENT_TOKEN"]);
  const base = { MY_AGENT_TOKEN: "t", MY_AGENT_HOME: "elsewhere", PATH: "/bin", NOT_SET: undefined };
  assert.deepEqual({ ...env.merged(base) }, { MY_AGENT_HOME: env.path, PATH: "/bin" });
  await env.destroy();
});

test("command lines, with every option", () => {
  const claude = ClaudeCode({ model: "opus", reasoningEffort: "high", extraArgv: ["--x"] });
  assert.equal(claude.id, "claude-code");
  assert.equal(claude.cliBin, "claude");
  const argv = claude.buildArgv("prompt");
  assert.deepEqual([argv[0], argv.at(-1), argv.includes("high")], ["claude", "--x", true]);
  const codex = Codex({ model: "gpt" }).buildArgv("prompt", { workspace: "/w" });
  assert.deepEqual([codex[0], codex[codex.indexOf("--cd") + 1]], ["codex", "/w"]);
  assert.equal(codex.includes("prompt"), false); // it goes to standard input
});

test("ensureAvailable looks for the agent's program on PATH", async (context) => {
  const programs = directory("programs");
  const before = process.env.PATH;
  context.after(() => (process.env.PATH = before));
  process.env.PATH = programs;
  const missing = await failure(() => Codex().ensureAvailable());
  assert.ok(missing instanceof agentVenv.AdapterUnavailableError);
  assert.deepEqual(missing.payload, { adapter_id: "codex", cli_bin: "codex" });
  writeFileSync(join(programs, "codex"), "#!/bin/sh\n", { mode: 0o755 });
  await Codex().ensureAvailable();
});

test("a child sees the variables", async () => {
  const env = await Environment.ephemeral({ adapter: Codex({ loadCredentials: false }) });
  for (const variables of [{ ...process.env, ...env.envOverrides }, env.merged(process.env)]) {
    const seen = execFileSync("sh", ["-c", "echo $CODEX_HOME"], { env: variables, encoding: "utf8" });
    assert.equal(seen.trim(), env.path);
  }
  await env.destroy();
});
