import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { setTimeout as heartbeat } from "node:timers/promises";

import { agentVenv, failure, freshRegistry, holdLock } from "./support.mjs";

const { Environment, EnvironmentSpec } = agentVenv;
const patient = { lockTimeoutMs: 10_000 };

/** Follow a promise without waiting for it. */
function watch(promise) {
  const watched = { settled: false };
  watched.promise = promise.finally(() => (watched.settled = true));
  return watched;
}

test("the event loop goes on while calls wait for a lock, and so do the program's own files", async () => {
  const registryRoot = freshRegistry();
  const spec = new EnvironmentSpec({ credentials: { key: "fake" } });
  const env = await Environment.createOrAttach("there", { spec, registryRoot });
  await Environment.createOrAttach("doomed", { registryRoot });
  const leaving = await Environment.createOrAttach("leaving", { registryRoot });
  const release = await holdLock(registryRoot);

  const waiting = [
    ...Array.from({ length: 6 }, (_, n) => Environment.createOrAttach(`new ${n}`, { registryRoot, ...patient })),
    env.refreshCredentials(undefined, patient),
    leaving.destroy(patient),
    Environment.destroyByName("doomed", { registryRoot, ...patient }),
    agentVenv.repair({ registryRoot, ...patient }),
  ].map(watch);
  for (let beat = 0; beat < 20; beat++) {
    await heartbeat(1);
    await readFile(new URL(import.meta.url)); // takes a thread of the pool that the calls wait in
    assert.equal(env.events().length, 3); // and reading a log waits for no call
    assert.ok(waiting.every((call) => !call.settled));
  }

  await release();
  await Promise.all(waiting.map((call) => call.promise));
  assert.equal((await Environment.list({ registryRoot })).length, 7);
});

test("a lock that is held too long is RegistryUnavailable", async () => {
  const registryRoot = freshRegistry();
  await Environment.createOrAttach("there", { registryRoot });
  const release = await holdLock(registryRoot);
  const refused = await failure(() => Environment.createOrAttach("new", { registryRoot, lockTimeoutMs: 0 }));
  assert.equal(refused.kind, "RegistryUnavailable");
  await Environment.attach("there", { registryRoot }); // takes no lock
  await release();
  await Environment.createOrAttach("new", { registryRoot, lockTimeoutMs: 0 });
});
