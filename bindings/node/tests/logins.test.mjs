import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { agentVenv, directory, failure, freshRegistry, host, setClaudeLogin } from "./support.mjs";

const { ClaudeCode, Codex, DataAdapter, defineAdapter, Environment } = agentVenv;

const home = process.env.HOME;
const token = "sk-ant-oat01-fake-token";
const document = {
  id: "mine",
  program: "my-agent",
  env: { MINE_HOME: "$EPHEMERAL_HOME" },
  env_unset: ["MINE_TOKEN"],
  login: [{ profile: "auth", host: [{ file: "~/.mine" }] }],
  argv: ["{program}", "--model", "{model}", "{extra_argv}"],
};

const login = (mark, expiresAt) => JSON.stringify({ claudeAiOauth: { accessToken: `fake-${mark}`, expiresAt } });

function textsBelow(folder) {
  const files = readdirSync(folder, { recursive: true }).map((name) => join(folder, name));
  return files.filter((path) => statSync(path).isFile()).map((path) => readFileSync(path, "utf8")).join("");
}

function setCodexLogin() {
  mkdirSync(join(home, ".codex"), { recursive: true });
  writeFileSync(join(home, ".codex/auth.json"), '{"OPENAI_API_KEY":"fake"}');
}

test("the status follows host and profile, until one is forced on the other", async () => {
  setClaudeLogin(login("host", 4102444800000));
  const heard = [];
  const env = await Environment.ephemeral({ adapter: ClaudeCode(), onEvent: ({ kind }) => heard.push(kind) });
  const inProfile = join(env.path, ".credentials.json");
  const ends = "2100-01-01T00:00:00Z";
  const file = { path: ".credentials.json", status: "same", in_profile: true, on_host: true, expires_at: ends, host_expires_at: ends };
  assert.deepEqual(await env.loginStatus(), { status: "same", expires_at: ends, files: [file] });

  setClaudeLogin(login("host again", 4102444900000));
  const { status, files } = await env.loginStatus();
  assert.deepEqual([status, files[0].host_expires_at], ["host_newer", "2100-01-01T00:01:40Z"]);
  await env.refreshCredentials();

  writeFileSync(inProfile, login("agent", 4102445000000));
  assert.equal((await env.loginStatus()).status, "profile_newer");
  for (const options of [undefined, { force: false }]) {
    const refused = await failure(() => env.refreshCredentials(undefined, options));
    assert.ok(refused instanceof agentVenv.CredentialsConflictError);
    assert.equal(refused.payload.adapter_id, "claude-code");
  }
  assert.equal(readFileSync(inProfile, "utf8"), login("agent", 4102445000000));
  await env.refreshCredentials(undefined, { force: true });
  assert.equal(readFileSync(inProfile, "utf8"), login("host again", 4102444900000));
  unlinkSync(inProfile);
  assert.equal((await env.loginStatus()).status, "none");
  await env.destroy();
  assert.equal((await failure(() => env.loginStatus())).kind, "InternalInvariantViolation");
  assert.deepEqual(heard.slice(-2), ["env.destroyed", "error"]);
});

test("a token is handed to the child, and kept nowhere", async () => {
  const registryRoot = freshRegistry();
  process.env.MY_TOKEN = token;
  await Environment.createOrAttach("n", { adapter: ClaudeCode({ login: "token", tokenEnv: "MY_TOKEN" }), registryRoot });
  const env = await Environment.attach("n", { registryRoot });
  assert.equal((await env.loginStatus()).status, "token");
  const inherited = { CLAUDE_CODE_OAUTH_TOKEN: "other", ANTHROPIC_API_KEY: "other", KEPT: "1" };
  const merged = { CLAUDE_CONFIG_DIR: env.path, CLAUDE_CODE_OAUTH_TOKEN: token, KEPT: "1" };
  assert.deepEqual({ ...env.merged(inherited) }, merged);
  assert.equal(textsBelow(registryRoot).includes(token), false);
  assert.equal(readdirSync(env.path).includes(".credentials.json"), false);

  const tokenFile = join(host, "token");
  writeFileSync(tokenFile, `${token}\n`, { mode: 0o600 });
  const other = await Environment.ephemeral({ adapter: Codex({ login: "token", tokenFile }) });
  assert.equal(other.envOverrides.CODEX_API_KEY, token);
  await other.destroy();
});

test("a login is shared", async () => {
  setCodexLogin();
  const env = await Environment.ephemeral({ adapter: Codex({ login: "share" }) });
  assert.equal(readlinkSync(join(env.path, "auth.json")), join(home, ".codex/auth.json"));
  assert.equal((await env.loginStatus()).status, "shared");
  await env.destroy();
});

test("strict isolation reaches the child", async () => {
  const base = { ANTHROPIC_BASE_URL: "x", XDG_CACHE_HOME: "/host", KEPT: "1" };
  const standard = await Environment.ephemeral({ adapter: ClaudeCode({ login: "none" }) });
  assert.deepEqual({ ...standard.merged(base) }, { ...base, CLAUDE_CONFIG_DIR: standard.path });
  await standard.destroy();
  const strict = await Environment.ephemeral({ adapter: ClaudeCode({ login: "none", isolation: "strict" }) });
  const { ANTHROPIC_BASE_URL, XDG_CACHE_HOME, KEPT } = strict.merged(base);
  assert.deepEqual([ANTHROPIC_BASE_URL, XDG_CACHE_HOME.startsWith(strict.path), KEPT], [undefined, true, "1"]);
  await strict.destroy();
});

test("directories are trusted", async () => {
  const work = directory("work");
  const env = await Environment.ephemeral({ adapter: ClaudeCode({ login: "none", trustedDirectories: [work, "/no/such"] }) });
  const { projects } = JSON.parse(readFileSync(join(env.path, ".claude.json"), "utf8"));
  assert.deepEqual(projects, { [work]: { hasTrustDialogAccepted: true }, "/no/such": { hasTrustDialogAccepted: true } });
  await env.destroy();
});

for (const by of ["definition", "id", "id in XDG_CONFIG_HOME"]) {
  test(`an adapter of one's own does what a built-in one does, by its ${by}`, async (context) => {
    context.after(() => delete process.env.XDG_CONFIG_HOME);
    const config = join(home, by === "id" ? ".config" : "config");
    if (by === "id in XDG_CONFIG_HOME") {
      process.env.XDG_CONFIG_HOME = config;
    }
    const id = by === "id" ? "of-home" : "of-config";
    const own = { ...document, id };
    mkdirSync(join(config, "agent-venv/adapters"), { recursive: true });
    if (by !== "definition") {
      writeFileSync(join(config, `agent-venv/adapters/${id}.json`), JSON.stringify(own));
    }
    writeFileSync(join(home, ".mine"), "fake");
    const adapter = new DataAdapter(by === "definition" ? own : id, { model: "m", extraArgv: ["-v"] });
    assert.deepEqual([adapter.id, adapter.cliBin, adapter.configEnvVar], [id, "my-agent", "MINE_HOME"]);
    assert.deepEqual(adapter.buildArgv(), ["my-agent", "--model", "m", "-v"]);
    const env = await Environment.ephemeral({ adapter });
    assert.equal(readFileSync(join(env.path, "auth"), "utf8"), "fake");
    assert.deepEqual({ ...env.merged({ MINE_TOKEN: "x" }) }, { MINE_HOME: env.path });
    writeFileSync(join(home, ".mine"), "fake again");
    await env.refreshCredentials();
    assert.equal((await env.loginStatus()).status, "same");
    await env.destroy();
  });
}

test("a built-in adapter is known by its id too", async () => {
  setCodexLogin();
  const adapter = defineAdapter("codex")({ login: "share" });
  const variables = ["codex", "copilot-cli", "opencode"].map((id) => new DataAdapter(id).configEnvVar);
  assert.deepEqual(variables, ["CODEX_HOME", "COPILOT_HOME", undefined]);
  const env = await Environment.ephemeral({ adapter });
  assert.equal((await env.loginStatus()).status, "shared");
  await env.destroy();
});

test("what is no adapter, or can't be had, is refused", async () => {
  const field = async (make) => (await failure(make)).payload.field;
  assert.equal(await field(() => new DataAdapter("nobody")), "adapter");
  assert.equal(await field(() => new DataAdapter("nobody\0")), "adapter");
  assert.equal(await field(() => new DataAdapter({ id: "x" })), "adapter.program");
  const refusals = [
    [{ login: "share" }, "options.login"],
    [{ isolation: "total" }, "options.isolation"],
    [{ tokenFile: "/t" }, "options.token_file"],
    [{ trustedDirectories: ["relative"] }, "options.trusted_directories[0]"],
  ];
  for (const [options, expected] of refusals) {
    assert.equal(await field(() => Environment.ephemeral({ adapter: new DataAdapter(document, options) })), expected);
  }
});
