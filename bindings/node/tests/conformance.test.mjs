import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

import { agentVenv, ephemeralLeft, freshRegistry, host, packageRoot } from "./support.mjs";

/** The program's banner, and its answers to lines of text, bytes or objects. */
function converse(...requests) {
  const lines = requests.map((request) => {
    const line = Buffer.isBuffer(request) || typeof request === "string" ? request : JSON.stringify(request);
    return Buffer.concat([Buffer.from(line), Buffer.from("\n")]);
  });
  const run = spawnSync(process.execPath, [join(packageRoot, "conformance.mjs")], { input: Buffer.concat(lines) });
  assert.equal(run.status, 0, String(run.stderr));
  const [banner, ...answers] = String(run.stdout).trimEnd().split("\n").map((line) => JSON.parse(line));
  return { banner, answers };
}

const kinds = (answer) => answer.events.map((event) => event.kind);

test("the banner is the protocol's, also where nothing is asked", () => {
  const { banner, answers } = converse();
  assert.deepEqual(banner, {
    protocol: "agent-venv.conformance",
    version: 2,
    language: "node",
    package_version: agentVenv.version,
    spec_version: "0.1",
  });
  assert.deepEqual(answers, []);
});

test("what is no request is answered, and the program goes on", () => {
  const bad = ["not json", "", Buffer.from([0x22, 0xff, 0x22]), "[]", "7", "null", { op: "nonesuch", case_id: "x" }, { op: "__proto__" }];
  bad.push({ op: "persistent_list", names: [1] }, { op: "ephemeral_lifecycle", spec: [] }, { op: "persistent_attach_only", name: "n" });
  const { answers } = converse(...bad, { op: "ephemeral_lifecycle", case_id: "last" });
  assert.equal(answers.length, bad.length + 1);
  for (const answer of answers.slice(0, -1)) {
    assert.equal(answer.ok, false);
    assert.equal(answer.error.kind, "InternalInvariantViolation");
    assert.deepEqual(answer.events, []);
  }
  assert.deepEqual(answers.map((answer) => answer.case_id), ["", "", "", "", "", "", "x", "", "", "", "", "last"]);
  assert.equal(answers.at(-1).ok, true);
});

test("an ephemeral life is told whole", () => {
  const spec = {
    seed_files: { "b\u2028": "x", "a/é": "y", "z": "" },
    credentials: { key: "k" },
    env_overrides: { HOME_OF_IT: "$EPHEMERAL_HOME" },
    file_modes: { z: 0o755 },
  };
  const { answers } = converse({ case_id: "1", op: "ephemeral_lifecycle", spec });
  const { case_id, ok, inspection, after_destroy, ...rest } = answers[0];
  assert.deepEqual({ case_id, ok, after_destroy }, { case_id: "1", ok: true, after_destroy: { path_exists: false } });
  assert.deepEqual(inspection, {
    path: inspection.path,
    exists: true,
    env_overrides: { HOME_OF_IT: inspection.path },
    files_present: ["a/é", "b\u2028", "key", "z"],
    file_modes: { "a/é": 0o600, "b\u2028": 0o600, key: 0o600, z: 0o755 },
  });
  assert.deepEqual(kinds(rest), ["env.created", "profile.materialized", "credentials.copied", "env.destroyed"]);
  assert.deepEqual(ephemeralLeft(), []);
});

test("every other operation answers what the protocol says", () => {
  const registry_root = freshRegistry();
  const spec = { adapter_id: "a", seed_files: { f: "1" }, credentials: { key: "k" } };
  const box = { name: "__proto__", registry_root };
  const { answers } = converse(
    { op: "persistent_create_attach_idempotent", ...box, spec },
    { op: "persistent_attach_only", ...box },
    { op: "x_attach", ...box, adapter_id: "a" },
    { op: "x_attach", ...box, adapter_id: "b" },
    { op: "persistent_attach_mismatch", ...box, first_spec: spec, second_adapter_id: "b" },
    { op: "x_refresh", ...box, spec: { credentials: { key: "new" } } },
    { op: "x_refresh", ...box },
    { op: "x_refresh_destroyed", name: "other", registry_root, spec },
    { op: "persistent_list", names: ["é", "constructor"], registry_root, spec },
    { op: "persistent_destroy_by_name", name: "é", registry_root, spec },
    { op: "x_destroy", ...box },
    { op: "x_destroy_by_name", name: "constructor", registry_root, lock_timeout_ms: 1000 },
    { op: "persistent_attach_missing", ...box },
    { op: "x_repair", registry_root },
    { op: "x_reap", registry_root, ephemeral_root: join(host, "no-such-root") },
    { op: "x_ensure_available", adapter_id: "mine", cli_bin: "nonesuch-program" },
  );
  assert.ok(answers.every((answer) => answer.ok), JSON.stringify(answers, null, 1));
  const [made, attached, expected, mismatch, mismatchToo, refreshed, stale, destroyed, listed, gone, goneByHandle, goneByName, missing, repaired, reaped, unavailable] = answers;

  const [path] = made.paths;
  assert.deepEqual(made.paths, [path, path]);
  assert.deepEqual(made.second_path_files_present, ["f", "key"]);
  assert.deepEqual(kinds(made).slice(-3), ["registry.written", "env.attached", "registry.read"]);
  for (const answer of [attached, expected]) {
    assert.deepEqual([answer.path, answer.files_present, answer.env_overrides], [path, ["f", "key"], {}]);
  }
  for (const { error, events } of [mismatch, mismatchToo]) {
    assert.equal(error.kind, "AdapterMismatch");
    assert.deepEqual(error.payload, { name: "__proto__", expected_adapter_id: "a", actual_adapter_id: "b" });
    assert.deepEqual(error.events.map((event) => event.kind), ["error"]);
    assert.deepEqual(events, []);
  }
  assert.deepEqual(kinds(refreshed), ["env.attached", "registry.read", "credentials.refreshed"]);
  assert.deepEqual([stale.error.kind, stale.error.payload.field], ["InvalidEnvironmentSpec", "spec"]);
  assert.equal(destroyed.error.kind, "InternalInvariantViolation");
  assert.deepEqual(listed.names_listed, ["__proto__", "constructor", "é"]);
  assert.deepEqual([gone.path_exists_after, gone.name_in_index_after], [false, false]);
  assert.deepEqual([goneByHandle.path, goneByHandle.path_exists_after, goneByHandle.name_in_index_after], [path, false, false]);
  assert.deepEqual(kinds(goneByHandle), ["env.attached", "registry.read", "registry.written", "env.destroyed"]);
  assert.deepEqual([goneByName.name_in_index_after, goneByName.events], [false, []]);
  assert.deepEqual(missing.error.payload, { name: "__proto__", registry_root });
  assert.equal(repaired.report.root, registry_root);
  assert.equal(reaped.report.registry.root, registry_root);
  assert.deepEqual(unavailable.error.payload, { adapter_id: "mine", cli_bin: "nonesuch-program" });
});
