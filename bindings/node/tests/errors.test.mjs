import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";

import { agentVenv, directory, failure, freshRegistry, host, runProgram, setClaudeLogin } from "./support.mjs";

const { AgentVenvError, ClaudeCode, Environment, EnvironmentSpec } = agentVenv;
const { errorOfKind } = createRequire(import.meta.url)("../dist/errors.js");

/** Class, kind, message and log of an error agree, and its payload is whole. */
async function assertFails(call, kind, payload) {
  const error = await failure(call);
  assert.ok(error instanceof AgentVenvError, error.stack);
  assert.equal(error.constructor, agentVenv[`${kind}Error`]);
  assert.equal(error.kind, kind);
  assert.equal(error.name, `${kind}Error`);
  assert.deepEqual(error.payload, payload(error.payload));
  const { ts_ms, ...logged } = error.events.at(-1);
  assert.deepEqual(logged, { kind: "error", error_kind: kind, message: error.message });
  assert.deepEqual(JSON.parse(JSON.stringify(error)), { ...error.payload, kind, message: error.message });
}

test("EnvironmentNotFound", async () => {
  const registryRoot = freshRegistry();
  const payload = () => ({ name: "none", registry_root: registryRoot });
  await assertFails(() => Environment.attach("none", { registryRoot }), "EnvironmentNotFound", payload);
  await assertFails(() => Environment.destroyByName("none", { registryRoot }), "EnvironmentNotFound", payload);
});

test("AdapterMismatch, whichever way the adapter is told", async () => {
  const registryRoot = freshRegistry();
  await Environment.createOrAttach("n", { registryRoot, spec: new EnvironmentSpec({ adapterId: "a" }) });
  const payload = () => ({ name: "n", expected_adapter_id: "a", actual_adapter_id: "b" });
  const spec = new EnvironmentSpec({ adapterId: "b" });
  const adapter = { id: "b", buildSpec: () => spec };
  await assertFails(() => Environment.createOrAttach("n", { registryRoot, spec }), "AdapterMismatch", payload);
  await assertFails(() => Environment.createOrAttach("n", { registryRoot, adapter }), "AdapterMismatch", payload);
  await assertFails(() => Environment.attach("n", { registryRoot, adapter }), "AdapterMismatch", payload);
  await assertFails(() => Environment.attach("n", { registryRoot, adapter: "b" }), "AdapterMismatch", payload);
});

test("ProfileSetupFailed", async () => {
  const ephemeralRoot = join(host, "a-file");
  writeFileSync(ephemeralRoot, "");
  const payload = ({ reason }) => ({ reason, path: ephemeralRoot });
  await assertFails(() => Environment.ephemeral({ ephemeralRoot }), "ProfileSetupFailed", payload);
});

test("RegistryUnavailable", async () => {
  const registryRoot = directory("torn");
  writeFileSync(join(registryRoot, "index.json"), "[]");
  const payload = ({ reason }) => ({ reason, path: join(registryRoot, "index.json") });
  await assertFails(() => Environment.list({ registryRoot }), "RegistryUnavailable", payload);
});

test("CredentialsMissing names the places looked at; without the login the environment is made", async () => {
  const place = setClaudeLogin(undefined);
  const payload = () => ({ adapter_id: "claude-code", looked_at: [place] });
  await assertFails(() => Environment.ephemeral({ adapter: ClaudeCode() }), "CredentialsMissing", payload);
  await (await Environment.ephemeral({ adapter: ClaudeCode({ loadCredentials: false }) })).destroy();
});

test("InvalidEnvironmentSpec names the field", async () => {
  const spec = new EnvironmentSpec({ seedFiles: { "../x": "" } });
  const payload = ({ reason }) => ({ field: 'seed_files["../x"]', reason });
  await assertFails(() => Environment.ephemeral({ spec }), "InvalidEnvironmentSpec", payload);
});

test("InternalInvariantViolation, for the misuse of a handle", async () => {
  const env = await Environment.ephemeral();
  await env.destroy();
  const payload = ({ message }) => ({ message });
  await assertFails(() => env.refreshCredentials(), "InternalInvariantViolation", payload);
});

test("CleanupFailed where a mount is in the way; destroy tries again and succeeds", () => {
  // In a mount namespace of its own.
  const run = runProgram(
    `
    import { execFileSync } from "node:child_process";
    import { existsSync, mkdirSync } from "node:fs";
    import { Environment } from "agent-venv-native";
    const env = await Environment.ephemeral();
    const mounted = env.path + "/mounted";
    mkdirSync(mounted);
    execFileSync("mount", ["-t", "tmpfs", "none", mounted]);
    const error = await env.destroy().then(() => undefined, (error) => error);
    execFileSync("umount", [mounted]);
    await env.destroy();
    const { name, kind, payload } = error;
    console.log(JSON.stringify({ name, kind, fields: Object.keys(payload).sort(), same: payload.path === mounted, left: existsSync(env.path) }));
  `,
    { command: ["unshare", "--map-root-user", "--mount", process.execPath] },
  );
  assert.equal(run.status, 0, run.stderr);
  assert.deepEqual(JSON.parse(run.stdout), {
    name: "CleanupFailedError",
    kind: "CleanupFailed",
    fields: ["os_error", "path"],
    same: true,
    left: false,
  });
});

test("the stack names the caller, though the call ran on another thread", async () => {
  async function theCallersOwnFunction() {
    await Environment.attach("none", { registryRoot: freshRegistry() });
  }
  assert.match((await failure(theCallersOwnFunction)).stack, /theCallersOwnFunction/);
});

test("every kind of the library has its class", () => {
  const require = createRequire(import.meta.url);
  const { place } = require("../dist/library.js");
  const kindOf = require("koffi").load(place).func("avenv_status_kind", "str", ["int32"]);
  let status = 1;
  for (; kindOf(status) !== ""; status++) {
    const error = errorOfKind(kindOf(status), "m", {}, []);
    assert.equal(error.constructor, agentVenv[`${kindOf(status)}Error`]);
    assert.equal(error.kind, kindOf(status));
  }
  assert.equal(status, 13);
});

test("a kind that this package does not know is the base error with that kind", () => {
  for (const kind of ["Newer", "constructor", "__proto__"]) {
    const error = errorOfKind(kind, "m", { a: 1 }, []);
    assert.equal(error.constructor, AgentVenvError);
    assert.equal(error.kind, kind);
    assert.deepEqual(error.payload, { a: 1 });
  }
});
