import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { agentVenv, freshRegistry } from "./support.mjs";

const { Environment, EnvironmentSpec } = agentVenv;

const odd = ["__proto__", "constructor", "toString", "hasOwnProperty", "prototype", "then", "length"];

/** As JSON.parse makes it: with `__proto__` as a name like any other. */
const record = (names, value) => Object.fromEntries(names.map((name) => [name, value]));

function assertUnpolluted() {
  assert.equal({}.polluted, undefined);
  assert.equal(Object.getPrototypeOf({}), Object.prototype);
  assert.deepEqual(Object.keys(Object.prototype), []);
}

test("names of JavaScript's own objects are names of variables and files like any other", async () => {
  const spec = new EnvironmentSpec({
    envOverrides: record(odd, "$EPHEMERAL_HOME"),
    seedFiles: { ...record(odd, "text"), bytes: new Uint8Array([1]) },
    credentials: Object.fromEntries(odd.map((name) => [`secret/${name}`, Buffer.from("bytes")])),
    fileModes: record(odd, 0o640),
  });
  spec.seedFiles["added/__proto__"] = "later";
  spec.envOverrides["__proto__"] = "by assignment";
  const env = await Environment.ephemeral({ spec });
  assert.deepEqual(Object.keys(env.envOverrides).sort(), [...odd].sort());
  assert.equal(env.envOverrides["constructor"], env.path);
  assert.equal(env.envOverrides["__proto__"], "by assignment");
  assert.equal(env.envOverrides["valueOf"], undefined);
  for (const name of odd) {
    assert.equal(readFileSync(join(env.path, name), "utf8"), "text");
    assert.equal(readFileSync(join(env.path, "secret", name), "utf8"), "bytes");
  }
  assert.equal(readFileSync(join(env.path, "added/__proto__"), "utf8"), "later");
  const child = execFileSync("env", { env: env.merged({ PATH: process.env.PATH }), encoding: "utf8" });
  assert.ok(child.includes("__proto__=by assignment\n"));
  assert.ok(child.includes(`constructor=${env.path}\n`));
  await env.destroy();
  assertUnpolluted();
});

test("a spec from JSON with such names becomes the same JSON again", () => {
  const text = '{"env_overrides":{"__proto__":"a"},"seed_files":{"__proto__":"b","constructor":"c"},"credentials":{"d/__proto__":"d"},"file_modes":{"__proto__":448}}';
  const spec = EnvironmentSpec.fromJSON(JSON.parse(text));
  assert.equal(JSON.stringify(spec), text);
  assertUnpolluted();
});

test("such names, and every other odd one, name persistent environments", async () => {
  const registryRoot = freshRegistry();
  const names = [...odd, "with space", "quo\"te's", "new\nline", "tab\t", "\u2028", "ünïcode", "👩‍💻", "../x", "/", ".", "é".repeat(512)];
  const paths = new Set();
  for (const name of names) {
    const env = await Environment.createOrAttach(name, { registryRoot });
    assert.equal(env.name, name);
    assert.ok(env.path.startsWith(`${registryRoot}/envs/`));
    paths.add(env.path);
  }
  assert.equal(paths.size, names.length);
  const inBytes = (one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other));
  assert.deepEqual(await Environment.list({ registryRoot }), [...names].sort(inBytes));
  for (const name of names) {
    await Environment.destroyByName(name, { registryRoot });
  }
  assert.deepEqual(await Environment.list({ registryRoot }), []);
  assertUnpolluted();
});

test("a large spec, and contents of every kind", async () => {
  const large = "ä\u0000\u2028".repeat(1 << 20);
  const spec = new EnvironmentSpec({ seedFiles: { large, empty: "", none: new Uint8Array(0), part: new Uint8Array([9, 1, 2, 9]).subarray(1, 3) } });
  const env = await Environment.ephemeral({ spec });
  assert.ok(readFileSync(join(env.path, "large"), "utf8") === large);
  assert.equal(readFileSync(join(env.path, "empty")).length, 0);
  assert.equal(readFileSync(join(env.path, "none")).length, 0);
  assert.deepEqual([...readFileSync(join(env.path, "part"))], [1, 2]);
  await env.destroy();
});
