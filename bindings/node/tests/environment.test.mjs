import assert from "node:assert/strict";
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { inspect } from "node:util";

import { agentVenv, directory, ephemeralLeft, failure, freshRegistry } from "./support.mjs";

const { Environment, EnvironmentSpec } = agentVenv;

const mode = (path) => lstatSync(path).mode & 0o777;
const kinds = (events) => events.map((event) => event.kind);

test("an ephemeral environment holds what its spec says, and is gone after destroy", async () => {
  const spec = new EnvironmentSpec({
    adapterId: "mine",
    envOverrides: { MY_HOME: "$EPHEMERAL_HOME/sub" },
    seedFiles: { "a/b.txt": "text", "hook.sh": "#!/bin/sh\n", "raw.bin": new Uint8Array([0, 255, 10]) },
    credentials: { "login.json": "{}", "key.bin": Buffer.from([1, 0, 2]) },
    fileModes: { "hook.sh": 0o700, "raw.bin": 0o640 },
    prefix: "mine-",
  });
  const env = await Environment.ephemeral({ spec });
  assert.match(env.path, /\/mine-[^/]+$/);
  assert.deepEqual({ ...env.envOverrides }, { MY_HOME: `${env.path}/sub` });
  assert.equal(env.adapterId, "mine");
  assert.equal(env.name, null);
  assert.equal(env.kind, "ephemeral");
  assert.equal(env.isPersistent, false);
  assert.equal(readFileSync(join(env.path, "a/b.txt"), "utf8"), "text");
  assert.deepEqual([...readFileSync(join(env.path, "raw.bin"))], [0, 255, 10]);
  assert.deepEqual([...readFileSync(join(env.path, "key.bin"))], [1, 0, 2]);
  assert.deepEqual(
    ["", "a/b.txt", "hook.sh", "raw.bin", "login.json", "key.bin"].map((path) => mode(join(env.path, path))),
    [0o700, 0o600, 0o700, 0o640, 0o600, 0o600],
  );
  await env.destroy();
  assert.equal(existsSync(env.path), false);
  await env.destroy(); // again: nothing to do
  assert.equal(env.adapterId, "mine"); // and all still reads
  assert.deepEqual(kinds(env.events()), ["env.created", "profile.materialized", "credentials.copied", "env.destroyed"]);
});

test("without arguments the profile is empty", async () => {
  const env = await Environment.ephemeral();
  assert.deepEqual(readdirSync(env.path), []);
  assert.equal(env.adapterId, "generic");
  await env.destroy();
});

test("disposing destroys an ephemeral environment and keeps a persistent one", async () => {
  const registryRoot = freshRegistry();
  const ephemeral = await Environment.ephemeral();
  const persistent = await Environment.createOrAttach("kept", { registryRoot });
  await ephemeral[Symbol.asyncDispose]();
  await persistent[Symbol.asyncDispose]();
  assert.equal(existsSync(ephemeral.path), false);
  assert.equal(existsSync(persistent.path), true);
  assert.deepEqual(await Environment.list({ registryRoot }), ["kept"]);
});

test("a persistent environment is made once, attached to, listed and destroyed by name", async () => {
  const registryRoot = freshRegistry();
  const spec = new EnvironmentSpec({ adapterId: "a", seedFiles: { f: "first" } });
  const made = await Environment.createOrAttach("box", { spec, registryRoot });
  assert.equal(made.isPersistent, true);
  assert.equal(made.name, "box");
  const other = new EnvironmentSpec({ adapterId: "a", seedFiles: { f: "second" } });
  const again = await Environment.createOrAttach("box", { spec: other, registryRoot });
  assert.equal(again.path, made.path);
  assert.equal(readFileSync(join(again.path, "f"), "utf8"), "first");
  const attached = await Environment.attach("box", { registryRoot, adapter: "a" });
  assert.equal(attached.path, made.path);
  assert.deepEqual(kinds(attached.events()), ["env.attached", "registry.read"]);
  await Environment.destroyByName("box", { registryRoot });
  assert.equal(existsSync(made.path), false);
  assert.deepEqual(await Environment.list({ registryRoot }), []);
  await made.destroy(); // somebody else destroyed it: that counts
});

test("of fifty creators at once one creates, and all get the same profile", async () => {
  const registryRoot = freshRegistry();
  const creators = Array.from({ length: 50 }, () => Environment.createOrAttach("race", { registryRoot }));
  const all = await Promise.all(creators);
  assert.equal(new Set(all.map((env) => env.path)).size, 1);
  assert.equal(all.filter((env) => env.events()[0].kind === "env.created").length, 1);
});

test("a thousand calls at once are more than koffi takes, and all are made", async () => {
  const all = await Promise.all(Array.from({ length: 1000 }, () => Environment.ephemeral()));
  assert.equal(new Set(all.map((env) => env.path)).size, 1000);
  await Promise.all(all.map((env) => env.destroy()));
  assert.equal(ephemeralLeft().length, 1); // this process's directory
});

test("a stale handle destroys nothing, and refreshes nothing", async () => {
  const registryRoot = freshRegistry();
  const spec = new EnvironmentSpec({ credentials: { key: "old" } });
  const stale = await Environment.createOrAttach("n", { spec, registryRoot });
  await Environment.destroyByName("n", { registryRoot });
  const fresh = await Environment.createOrAttach("n", { registryRoot });
  const refused = await failure(() => stale.refreshCredentials());
  assert.equal(refused.kind, "EnvironmentNotFound");
  await stale.destroy();
  assert.equal(existsSync(fresh.path), true);
});

test("onEvent hears every event once, in order, of each call on the environment", async () => {
  const registryRoot = freshRegistry();
  const heard = [];
  const spec = new EnvironmentSpec({ seedFiles: { f: "1" }, credentials: { key: "k" } });
  const env = await Environment.createOrAttach("e", { spec, registryRoot, onEvent: (event) => heard.push(event) });
  assert.deepEqual(kinds(heard), ["env.created", "profile.materialized", "credentials.copied", "registry.written"]);
  await env.refreshCredentials();
  assert.deepEqual(kinds(heard).slice(4), ["credentials.refreshed"]);
  await env.destroy();
  await failure(() => env.refreshCredentials());
  assert.deepEqual(kinds(heard).slice(5), ["registry.written", "env.destroyed", "error"]);
  assert.deepEqual(heard, env.events());
});

test("onEvent hears the error of a call that made nothing", async () => {
  const heard = [];
  const onEvent = (event) => heard.push(event);
  const missing = await failure(() => Environment.attach("none", { registryRoot: freshRegistry(), onEvent }));
  assert.deepEqual(heard, missing.events);
  assert.deepEqual(kinds(heard), ["error"]);
  const refused = await failure(() => Environment.createOrAttach("a\0b", { onEvent }));
  assert.deepEqual(heard.slice(1), refused.events);
});

test("what onEvent throws is a warning, as the call has been made", async () => {
  const warned = new Promise((warn) => process.once("warning", warn));
  const onEvent = () => {
    throw new Error("a bug of the caller's");
  };
  const env = await Environment.ephemeral({ onEvent });
  assert.match((await warned).message, /a bug of the caller's/);
  await env.destroy();
});

test("roots are taken from the call before the variables", async () => {
  const ephemeralRoot = directory("another-ephemeral");
  const env = await Environment.ephemeral({ ephemeralRoot, durable: true });
  assert.ok(env.path.startsWith(`${ephemeralRoot}/`));
  await env.destroy();
  assert.equal(agentVenv.defaultRegistryRoot(), process.env.AGENT_VENV_REGISTRY_ROOT);
});

test("repair puts a damaged index right", async () => {
  const registryRoot = freshRegistry();
  const env = await Environment.createOrAttach("kept", { registryRoot });
  writeFileSync(join(registryRoot, "index.json"), "torn {");
  await failure(() => Environment.list({ registryRoot }));
  const report = await agentVenv.repair({ registryRoot });
  assert.deepEqual(report.restored, ["kept"]);
  assert.deepEqual(await Environment.list({ registryRoot }), ["kept"]);
  assert.equal((await Environment.attach("kept", { registryRoot })).path, env.path);
});

test("nothing that is printed holds a secret", async () => {
  const secret = "sk-secret-0123456789";
  const spec = new EnvironmentSpec({
    adapter: "claude-code",
    envOverrides: { TOKEN: secret },
    seedFiles: { f: secret },
    credentials: { key: secret, raw: Buffer.from(secret) },
    options: { model: secret, load_credentials: false },
  });
  const env = await Environment.ephemeral({ spec });
  assert.equal(env.envOverrides.TOKEN, secret);
  assert.equal(inspect(spec, { depth: 9 }).includes(secret), false);
  assert.equal(inspect(env, { depth: 9 }).includes(secret), false);
  assert.equal(JSON.stringify(env.events()).includes(secret), false);
  mkdirSync(join(env.path, "a-directory"));
  const other = new EnvironmentSpec({ credentials: { "a-directory": secret } });
  const refused = await failure(() => env.refreshCredentials(other));
  assert.equal(refused.kind, "ProfileSetupFailed");
  assert.equal(inspect(refused, { depth: 9 }).includes(secret), false);
  await env.destroy();
});

test("the package says what it is", () => {
  assert.equal(agentVenv.version, "0.1.0");
  const { language, package_version } = agentVenv.capabilities();
  assert.deepEqual([language, package_version], ["node", "0.1.0"]);
});
