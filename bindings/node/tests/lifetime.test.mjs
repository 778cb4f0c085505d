import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";

import { agentVenv, ephemeralLeft, freshRegistry, holdLock, runProgram, startProgram } from "./support.mjs";

const { Environment } = agentVenv;

const making = `
  import { Environment, EnvironmentSpec } from "agent-venv-native";
  const spec = new EnvironmentSpec({ seedFiles: { "a/b": "x" }, credentials: { key: "fake" } });
  let env = await Environment.ephemeral({ spec });
`;

for (const [how, ending] of Object.entries({
  "the end of the program": "",
  "process.exit": "process.exit(0);",
  "an exception that nobody catches": 'throw new Error("uncaught");',
  "process.exit in the middle of a destroy": "void env.destroy(); process.exit(0);",
})) {
  test(`${how} without dispose leaves nothing`, () => {
    const run = runProgram(making + ending);
    assert.equal(run.status, ending.startsWith("throw") ? 1 : 0, run.stderr);
    assert.deepEqual(ephemeralLeft(), []);
  });
}

test("a persistent environment outlives the program", async () => {
  const registryRoot = freshRegistry();
  const run = runProgram(`
    import { Environment } from "agent-venv-native";
    await Environment.createOrAttach("kept", { registryRoot: ${JSON.stringify(registryRoot)} });
  `);
  assert.equal(run.status, 0, run.stderr);
  assert.equal(existsSync((await Environment.attach("kept", { registryRoot })).path), true);
});

test("a killed program's environment is kept while it lives, and reaped by another process", async () => {
  const { child, ended, line } = await startProgram(`${making} console.log(env.path); setInterval(() => {}, 1000);`);
  assert.equal((await agentVenv.reap()).ephemeral.kept, 1);
  assert.equal(existsSync(line), true);
  child.kill("SIGKILL");
  await ended;
  assert.equal(existsSync(line), true);
  const report = await agentVenv.reap();
  assert.deepEqual(report.ephemeral.failed, []);
  assert.equal(report.ephemeral.removed.length, 1);
  assert.deepEqual(ephemeralLeft(), []);
});

test("process.exit while a call waits for a lock ends the program, and leaves nothing that reap won't take", async () => {
  const registryRoot = freshRegistry();
  await Environment.createOrAttach("there", { registryRoot });
  const release = await holdLock(registryRoot);
  const run = runProgram(`
    import { Environment } from "agent-venv-native";
    void Environment.createOrAttach("new", { registryRoot: ${JSON.stringify(registryRoot)}, lockTimeoutMs: 100 });
    setImmediate(() => process.exit(7));
  `);
  await release();
  assert.equal(run.status, 7, run.stderr);
  await agentVenv.reap({ registryRoot });
  assert.deepEqual((await agentVenv.reap({ registryRoot })).registry, { root: registryRoot, removed: [], kept: 0, failed: [] });
  assert.deepEqual(await Environment.list({ registryRoot }), ["there"]);
});

const collecting = { command: [process.execPath, "--expose-gc"] };

test("a forgotten environment is removed when it is collected, off the event loop", () => {
  const run = runProgram(
    `
    import { existsSync } from "node:fs";
    import { setImmediate as turn } from "node:timers/promises";
    ${making}
    const { path } = env;
    env = undefined;
    while (existsSync(path)) { gc(); await turn(); }
    console.log("collected");
  `,
    collecting,
  );
  assert.equal(run.stdout, "collected\n", run.stderr);
});

test("an environment is not freed while a call on it runs, though the program forgot it", async () => {
  const registryRoot = freshRegistry();
  await Environment.createOrAttach("there", { registryRoot });
  const run = runProgram(
    `
    import { openSync } from "node:fs";
    import { createRequire } from "node:module";
    import { setImmediate as turn } from "node:timers/promises";
    import koffi from "koffi";
    import { Environment, EnvironmentSpec } from "agent-venv-native";
    const registryRoot = ${JSON.stringify(registryRoot)};
    const flock = koffi.load(null).func("int flock(int descriptor, int operation)");
    const lock = openSync(registryRoot + "/.lock", "r");

    const { library } = createRequire(import.meta.url)(${JSON.stringify(libraryModule())});
    let freed = 0;
    const free = library.environment_free.async;
    library.environment_free = { async: (...call) => { freed++; free(...call); } };

    flock(lock, 2);
    const spec = new EnvironmentSpec({ credentials: { key: "fake" } });
    const start = async () => {
      const env = await Environment.attach("there", { registryRoot });
      return [env.refreshCredentials(spec, { lockTimeoutMs: 60_000 })]; // the promise itself, not what it answers
    };
    const [refreshing] = await start();
    for (let round = 0; round < 50; round++) { gc(); await turn(); }
    const freedMeanwhile = freed;
    flock(lock, 8);
    await refreshing;
    while (freed === 0) { gc(); await turn(); }
    console.log(freedMeanwhile, freed);
  `,
    collecting,
  );
  assert.equal(run.stdout, "0 1\n", run.stderr);
});

test("two hundred environments made and forgotten under a collector that runs all the time", () => {
  const run = runProgram(
    `
    import { Environment } from "agent-venv-native";
    const kinds = new Set();
    for (let round = 0; round < 20; round++) {
      await Promise.all(Array.from({ length: 10 }, async () => {
        const env = await Environment.ephemeral();
        gc();
        const destroyed = env.destroy();
        gc();
        await destroyed;
        kinds.add(env.events().at(-1).kind);
      }));
    }
    console.log(...kinds);
  `,
    collecting,
  );
  assert.equal(run.stdout, "env.destroyed\n", run.stderr);
  assert.deepEqual(ephemeralLeft(), []);
});

function libraryModule() {
  return new URL("../dist/library.js", import.meta.url).pathname;
}
