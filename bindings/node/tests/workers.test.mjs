import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { Worker } from "node:worker_threads";

import { agentVenv, ephemeralLeft, freshRegistry, holdLock, program, runProgram } from "./support.mjs";

const { Environment } = agentVenv;

function start(source, workerData) {
  const worker = new Worker(program(`import { parentPort, workerData } from "node:worker_threads";${source}`), { workerData });
  const said = new Promise((hear, fail) => worker.once("message", hear).once("error", fail));
  const ended = new Promise((done) => worker.once("exit", done));
  return { worker, said, ended };
}

test("workers make and destroy environments beside each other and the main thread", async () => {
  const registryRoot = freshRegistry();
  const workers = Array.from({ length: 4 }, () =>
    start(
      `
      import { Environment, EnvironmentSpec } from "agent-venv-native";
      const paths = await Promise.all(Array.from({ length: 50 }, async () => {
        const env = await Environment.ephemeral({ spec: new EnvironmentSpec({ seedFiles: { f: "x" } }) });
        await env.destroy();
        return env.path;
      }));
      const shared = await Environment.createOrAttach("shared", { registryRoot: workerData });
      parentPort.postMessage({ paths, shared: shared.path });
    `,
      registryRoot,
    ),
  );
  const own = await Promise.all(Array.from({ length: 50 }, () => Environment.ephemeral()));
  const said = await Promise.all(workers.map((each) => each.said));
  assert.deepEqual(await Promise.all(workers.map((each) => each.ended)), [0, 0, 0, 0]);
  assert.equal(new Set([...said.flatMap(({ paths }) => paths), ...own.map(({ path }) => path)]).size, 250);
  assert.equal(new Set(said.map(({ shared }) => shared)).size, 1);
  assert.ok(own.every((env) => existsSync(env.path)));
  await Promise.all(own.map((env) => env.destroy()));
});

test("a worker that ends takes its own environments along, and no others", async () => {
  const env = await Environment.ephemeral();
  const { said, ended } = start(`
    import { Environment } from "agent-venv-native";
    const env = await Environment.ephemeral();
    parentPort.postMessage(env.path);
  `);
  const path = await said;
  assert.equal(await ended, 0);
  assert.equal(existsSync(path), false);
  assert.equal(existsSync(env.path), true);
  await env.destroy();
});

test("a worker that is terminated inside a call harms nobody, and what it leaves is reaped after the process", async () => {
  const registryRoot = freshRegistry();
  await Environment.createOrAttach("there", { registryRoot });
  const release = await holdLock(registryRoot);
  const run = runProgram(`
    import { Worker } from "node:worker_threads";
    import { Environment } from "agent-venv-native";
    const before = await Environment.ephemeral();
    const worker = new Worker(\`
      const { parentPort } = require("node:worker_threads");
      const { Environment } = require(${JSON.stringify(new URL("../dist/index.js", import.meta.url).pathname)});
      Environment.ephemeral().then(() => {
        void Environment.createOrAttach("new", { registryRoot: ${JSON.stringify(registryRoot)}, lockTimeoutMs: 100 });
        parentPort.postMessage("inside");
      });
    \`, { eval: true });
    await new Promise((heard) => worker.once("message", heard));
    await worker.terminate();
    const after = await Environment.ephemeral();
    await Promise.all([before.destroy(), after.destroy()]);
    console.log("alive");
  `);
  await release();
  assert.equal(run.stdout, "alive\n", run.stderr);
  assert.equal(run.status, 0);
  await agentVenv.reap();
  assert.deepEqual(ephemeralLeft(), []);
});
