import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";

import { agentVenv, host, runProgram } from "./support.mjs";

const using = 'import { version } from "agent-venv-native"; console.log(version);';
const remedy = /build the library with `cargo build --release` and name it in the variable AGENT_VENV_LIBRARY/;

/** A shared library of one line of C. */
function compiled(name, source) {
  const place = join(host, name);
  execFileSync("cc", ["-shared", "-fPIC", "-x", "c", "-", "-o", place], { input: source });
  return place;
}

function loadedWith(place) {
  return runProgram(using, { env: { AGENT_VENV_LIBRARY: place } });
}

test("a missing library's message says where it should be and what to do", () => {
  const run = loadedWith("/nonesuch/libagent_venv.so");
  assert.notEqual(run.status, 0);
  assert.match(run.stderr, /The agent-venv library is not at \/nonesuch\/libagent_venv\.so\./);
  assert.match(run.stderr, remedy);
});

test("a library of another ABI is refused", () => {
  const place = compiled("other-abi.so", "unsigned avenv_abi_version(void) { return 99; }");
  const run = loadedWith(place);
  assert.notEqual(run.status, 0);
  assert.match(run.stderr, /has ABI version 99, and this package needs 0/);
  assert.match(run.stderr, remedy);
});

test("so are one that lacks a function, and a file that is no library", () => {
  const place = compiled("lacking.so", "unsigned avenv_abi_version(void) { return 0; }");
  for (const bad of [place, import.meta.filename ?? new URL(import.meta.url).pathname]) {
    const run = loadedWith(bad);
    assert.notEqual(run.status, 0);
    assert.ok(run.stderr.includes(`The agent-venv library at ${bad} cannot be used: `));
    assert.match(run.stderr, remedy);
  }
});

test("the variable names another library; an empty one counts as unset", () => {
  const { place } = createRequire(import.meta.url)("../dist/library.js");
  assert.equal(loadedWith(place).stdout, "0.1.0\n");
  const withoutVariable = loadedWith("");
  assert.equal(withoutVariable.stdout, "0.1.0\n", withoutVariable.stderr);
});

test("require and import give one and the same package", () => {
  const required = createRequire(import.meta.url)("agent-venv-native");
  assert.deepEqual(Object.keys(required).sort(), Object.keys(agentVenv).sort());
  for (const name of Object.keys(required)) {
    assert.equal(required[name], agentVenv[name]);
  }
});

test("Symbol.asyncDispose is supplied where Node has none yet", () => {
  const run = runProgram(`
    const Real = Symbol;
    globalThis.Symbol = Object.assign((...given) => Real(...given), {
      for: Real.for, iterator: Real.iterator, asyncIterator: Real.asyncIterator, toStringTag: Real.toStringTag,
      hasInstance: Real.hasInstance, species: Real.species,
    });
    const { Environment } = await import("agent-venv-native");
    const env = await Environment.ephemeral();
    await env[Symbol.asyncDispose]();
    console.log(typeof Symbol.asyncDispose, env.events().at(-1).kind);
  `);
  assert.equal(run.stdout, "symbol env.destroyed\n", run.stderr);
});
