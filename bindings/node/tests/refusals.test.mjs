import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";

import { agentVenv, ephemeralLeft, failure, freshRegistry } from "./support.mjs";

const { ClaudeCode, defineAdapter, Environment, EnvironmentSpec } = agentVenv;

const lone = "a\ud800b";

/** What is refused is refused whole: kind, field, and nothing made. */
async function assertRefused(call, field, reason) {
  const error = await failure(call);
  assert.ok(error instanceof agentVenv.InvalidEnvironmentSpecError, error.stack);
  assert.equal(error.payload.field, field);
  assert.match(error.payload.reason, reason);
  assert.deepEqual(Object.keys(error.payload).sort(), ["field", "reason"]);
  assert.ok(error.message.isWellFormed());
  assert.deepEqual(ephemeralLeft(), []);
}

const ephemeral = (fields) => () => Environment.ephemeral({ spec: new EnvironmentSpec(fields) });

test("names with NUL, lone surrogates, of no length or too long, and other things", async () => {
  const registryRoot = freshRegistry();
  for (const open of [Environment.createOrAttach, Environment.attach, Environment.destroyByName]) {
    await assertRefused(() => open("a\0b", { registryRoot }), "name", /NUL/);
    await assertRefused(() => open(lone, { registryRoot }), "name", /surrogate/);
    await assertRefused(() => open(7, { registryRoot }), "name", /must be a string, not number/);
    await assertRefused(() => open(undefined, { registryRoot }), "name", /must be a string, not undefined/);
    await assertRefused(() => open("", { registryRoot }), "name", /./);
    await assertRefused(() => open("é".repeat(513), { registryRoot }), "name", /./);
  }
  assert.equal(existsSync(registryRoot), false);
});

test("options that are unknown, of another type, or hold NUL or lone surrogates", async () => {
  for (const bad of ["a\0b", lone, 7, null]) {
    await assertRefused(() => Environment.list({ registryRoot: bad }), "registry_root", /NUL|surrogate|string/);
    await assertRefused(() => Environment.ephemeral({ ephemeralRoot: bad }), "ephemeral_root", /NUL|surrogate|string/);
    await assertRefused(() => Environment.attach("n", { adapter: bad ?? 0 }), "expected_adapter", /NUL|surrogate|string/);
  }
  await assertRefused(() => Environment.ephemeral({ durable: "yes" }), "durable", /boolean/);
  await assertRefused(() => agentVenv.reap({ force: 1 }), "force", /boolean/);
  for (const bad of [1.5, "1", NaN, 2 ** 60, -2]) {
    await assertRefused(() => agentVenv.repair({ lockTimeoutMs: bad }), "lock_timeout_ms", /./);
  }
  for (const unknown of ["registry_root", "__proto__", "constructor"]) {
    const options = Object.fromEntries([[unknown, "x"]]);
    await assertRefused(() => Environment.list(options), unknown, /no option/);
    await assertRefused(() => Environment.ephemeral(options), unknown, /no option/);
  }
  await assertRefused(() => Environment.ephemeral({ onEvent: "loud" }), "onEvent", /function/);
});

test("a spec and an adapter that are none, and both at once", async () => {
  const spec = new EnvironmentSpec();
  await assertRefused(() => Environment.ephemeral({ spec: {} }), "spec", /must be an EnvironmentSpec, not Object/);
  await assertRefused(() => Environment.ephemeral({ spec, adapter: ClaudeCode() }), "spec", /both/);
  await assertRefused(() => Environment.ephemeral({ adapter: ClaudeCode }), "adapter", /ClaudeCode\(\)/);
  await assertRefused(() => Environment.ephemeral({ adapter: null }), "adapter", /buildSpec/);
  await assertRefused(() => Environment.ephemeral({ adapter: { id: "x", buildSpec: () => null } }), "spec", /null/);
  await assertRefused(() => new EnvironmentSpec({ seed_files: {} }), "seed_files", /no field/);
  await assertRefused(() => EnvironmentSpec.fromJSON({ seedFiles: {} }), "seedFiles", /./);
  for (const bad of [null, [], "x", 7, new Map()]) {
    await assertRefused(() => EnvironmentSpec.fromJSON(bad), "spec", /must be an object/);
  }
});

test("values that JSON cannot say, in any depth", async () => {
  await assertRefused(ephemeral({ envOverrides: { A: undefined } }), 'env_overrides["A"]', /undefined/);
  await assertRefused(ephemeral({ envOverrides: { A: 1n } }), 'env_overrides["A"]', /bigint/);
  await assertRefused(ephemeral({ envOverrides: { A: () => 1 } }), 'env_overrides["A"]', /function/);
  await assertRefused(ephemeral({ envOverrides: new Map([["A", "1"]]) }), "env_overrides", /Map/);
  await assertRefused(ephemeral({ seedFiles: { f: new Date() } }), 'seed_files["f"]', /Date/);
  await assertRefused(ephemeral({ seedFiles: { f: { toJSON: () => "x" } } }), 'seed_files["f"].toJSON', /function/);
  await assertRefused(ephemeral({ fileModes: { f: NaN } }), 'file_modes["f"]', /NaN/);
  await assertRefused(ephemeral({ adapter: "claude-code", options: { extra_argv: [, "x"] } }), 'options.extra_argv[0]', /undefined/);
  const circle = {};
  circle.circle = circle;
  await assertRefused(ephemeral({ adapter: "claude-code", options: circle }), "spec", /deep/);
});

test("lone surrogates in values and in names", async () => {
  await assertRefused(ephemeral({ envOverrides: { A: lone } }), 'env_overrides["A"]', /surrogate/);
  await assertRefused(ephemeral({ envOverrides: { [lone]: "x" } }), 'env_overrides["a\\ud800b"]', /surrogate/);
  await assertRefused(ephemeral({ seedFiles: { f: lone } }), 'seed_files["f"]', /surrogate/);
  await assertRefused(ephemeral({ credentials: { [lone]: new Uint8Array(1) } }), 'credentials["a\\ud800b"]', /surrogate/);
  await assertRefused(ephemeral({ prefix: lone }), "prefix", /surrogate/);
  await assertRefused(() => EnvironmentSpec.fromJSON({ [lone]: 1 }), '"a\\ud800b"', /surrogate/);
});

test("what the library refuses of a spec, with its words", async () => {
  await assertRefused(ephemeral({ adapterId: 7 }), "adapter_id", /string/);
  await assertRefused(ephemeral({ envOverrides: ["A"] }), "env_overrides", /./);
  await assertRefused(ephemeral({ envOverrides: { "": "x" } }), 'env_overrides[""]', /./);
  await assertRefused(ephemeral({ envOverrides: { "A=B": "x" } }), 'env_overrides["A=B"]', /./);
  await assertRefused(ephemeral({ envOverrides: { A: "x\0" } }), 'env_overrides["A"]', /NUL/);
  for (const path of ["", "/x", "../x", "a/../x", "./x", "a//x", "x/"]) {
    await assertRefused(ephemeral({ seedFiles: { [path]: "" } }), `seed_files[${JSON.stringify(path)}]`, /./);
    const bytes = { [path]: new Uint8Array(1) };
    await assertRefused(ephemeral({ credentials: bytes }), `credentials[${JSON.stringify(path)}]`, /./);
  }
  await assertRefused(ephemeral({ seedFiles: { f: "" }, fileModes: { f: 0o1777 } }), 'file_modes["f"]', /./);
  await assertRefused(ephemeral({ fileModes: { f: 0o600 } }), 'file_modes["f"]', /./);
  await assertRefused(ephemeral({ seedFiles: { f: "" }, credentials: { f: "" } }), 'seed_files["f"]', /./);
  await assertRefused(ephemeral({ prefix: "a/b" }), "prefix", /./);
  await assertRefused(ephemeral({ adapter: "nonesuch" }), "adapter", /./);
  await assertRefused(ephemeral({ options: { model: "m" } }), "options", /./);
  await assertRefused(ephemeral({ credentials: { f: Buffer.from("x") }, fileModes: { f: 0o640 } }), 'file_modes["f"]', /bytes/);
});

test("what the library refuses of an adapter's options", async () => {
  await assertRefused(() => Environment.ephemeral({ adapter: ClaudeCode({ modle: "m" }) }), 'options.modle', /./);
  await assertRefused(() => ClaudeCode({ model: 7 }).buildArgv(), 'options.model', /./);
  await assertRefused(() => ClaudeCode().buildArgv(), 'options.model', /./);
  await assertRefused(() => ClaudeCode({ model: lone }).buildArgv(), 'options.model', /surrogate/);
  await assertRefused(() => defineAdapter({ id: "x", program: "x", nonesuch: 1 })().ensureAvailable(), 'adapter.nonesuch', /./);
});
