#!/usr/bin/env node
// The conformance program: answers requests on standard input, one line of JSON each, with this package.

import { existsSync, lstatSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";

import { AgentVenvError, capabilities, defineAdapter, Environment, EnvironmentSpec, reap, repair } from "agent-venv-native";

/** What a request must have: anything else is no request. */
class NoRequest extends Error {}

const operations = new Map(
  Object.entries({
    async ephemeral_lifecycle(request) {
      const env = await Environment.ephemeral(content(request.spec));
      const inspection = {
        path: env.path,
        exists: existsSync(env.path),
        env_overrides: env.envOverrides,
        files_present: filesIn(env.path),
        file_modes: modesIn(env.path),
      };
      await env.destroy();
      return { inspection, after_destroy: { path_exists: existsSync(env.path) }, events: env.events() };
    },

    async persistent_create_attach_idempotent(request) {
      const first = await create(request);
      const second = await create(request);
      return {
        paths: [first.path, second.path],
        second_path_files_present: filesIn(second.path),
        events: [...first.events(), ...second.events()],
      };
    },

    persistent_attach_only: async (request) => attached(await attach(request)),

    persistent_attach_missing: async (request) => attached(await attach(request)),

    async persistent_list(request) {
      for (const name of stringsOf(request, "names")) {
        await create({ ...request, name });
      }
      return { names_listed: await Environment.list(registry(request)) };
    },

    async persistent_destroy_by_name(request) {
      const env = await create(request);
      await env.destroy();
      return {
        created_path: env.path,
        path_exists_after: existsSync(env.path),
        name_in_index_after: await isListed(request),
        events: env.events(),
      };
    },

    async persistent_attach_mismatch(request) {
      const first = await create({ ...request, spec: request.first_spec });
      const spec = { adapter_id: stringOf(request, "second_adapter_id") };
      const second = await create({ ...request, spec });
      return { ...attached(second), events: [...first.events(), ...second.events()] };
    },

    x_attach: async (request) => attached(await attach(request, { adapter: stringOf(request, "adapter_id") })),

    async x_login_status(request) {
      const env = await attach(request);
      return { login: await env.loginStatus(), events: env.events() };
    },

    async x_refresh(request) {
      const { force } = request;
      if (force !== undefined && typeof force !== "boolean") {
        throw new NoRequest("force is no boolean");
      }
      const env = await attach(request);
      await env.refreshCredentials(content(request.spec).spec, { force });
      return { path: env.path, files_present: filesIn(env.path), events: env.events() };
    },

    async x_refresh_destroyed(request) {
      const env = await create(request);
      await env.destroy();
      await env.refreshCredentials(content(request.spec).spec);
      return { events: env.events() };
    },

    async x_destroy(request) {
      const env = await attach(request);
      await env.destroy();
      await env.destroy();
      return {
        path: env.path,
        path_exists_after: existsSync(env.path),
        name_in_index_after: await isListed(request),
        events: env.events(),
      };
    },

    async x_destroy_by_name(request) {
      const lockTimeoutMs = request.lock_timeout_ms;
      if (lockTimeoutMs !== undefined && !Number.isInteger(lockTimeoutMs)) {
        throw new NoRequest("lock_timeout_ms is no integer");
      }
      await Environment.destroyByName(stringOf(request, "name"), { ...registry(request), lockTimeoutMs });
      return { name_in_index_after: await isListed(request) };
    },

    x_repair: async (request) => ({ report: await repair(registry(request)) }),

    x_reap: async (request) => ({
      report: await reap({ ...registry(request), ephemeralRoot: stringOf(request, "ephemeral_root") }),
    }),

    async x_ensure_available(request) {
      const adapter = defineAdapter({ id: stringOf(request, "adapter_id"), program: stringOf(request, "cli_bin") });
      await adapter().ensureAvailable();
      return {};
    },
  }),
);

function create(request) {
  return Environment.createOrAttach(stringOf(request, "name"), { ...content(request.spec), ...registry(request) });
}

function attach(request, options = {}) {
  return Environment.attach(stringOf(request, "name"), { ...options, ...registry(request) });
}

function attached(env) {
  return { path: env.path, files_present: filesIn(env.path), env_overrides: env.envOverrides, events: env.events() };
}

async function isListed(request) {
  return (await Environment.list(registry(request))).includes(request.name);
}

function registry(request) {
  return { registryRoot: stringOf(request, "registry_root") };
}

function content(spec) {
  if (spec === undefined || spec === null) {
    return {};
  }
  if (!isObject(spec)) {
    throw new NoRequest("spec is no object");
  }
  return { spec: EnvironmentSpec.fromJSON(spec) };
}

function stringOf(request, field) {
  if (typeof request[field] !== "string") {
    throw new NoRequest(`${field} is no string`);
  }
  return request[field];
}

function stringsOf(request, field) {
  if (!Array.isArray(request[field]) || !request[field].every((each) => typeof each === "string")) {
    throw new NoRequest(`${field} is no list of strings`);
  }
  return request[field];
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Regular files below a directory, as relative paths in the order of their bytes. */
function filesIn(root) {
  const found = [];
  const walk = (directory) => {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) {
        walk(path);
      } else if (entry.isFile()) {
        found.push(relative(root, path));
      }
    }
  };
  walk(root);
  return found.sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
}

function modesIn(root) {
  return Object.fromEntries(filesIn(root).map((path) => [path, lstatSync(join(root, path)).mode & 0o777]));
}

async function answer(line) {
  let caseId = "";
  try {
    const request = parsed(line);
    caseId = typeof request.case_id === "string" ? request.case_id : "";
    const operation = operations.get(request.op);
    if (operation === undefined) {
      throw new NoRequest("unknown op");
    }
    return { case_id: caseId, ok: true, events: [], ...(await operation(request)) };
  } catch (failure) {
    if (failure instanceof AgentVenvError) {
      const { kind, message, payload, events } = failure;
      return { case_id: caseId, ok: true, events: [], error: { kind, message, payload, events } };
    }
    if (failure instanceof NoRequest) {
      const error = { kind: "InternalInvariantViolation", message: failure.message };
      return { case_id: caseId, ok: false, events: [], error };
    }
    throw failure;
  }
}

function parsed(line) {
  let request;
  try {
    request = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(line));
  } catch {
    throw new NoRequest("the line is not JSON");
  }
  if (!isObject(request)) {
    throw new NoRequest("the request is no object");
  }
  return request;
}

/** Lines end with a newline and nothing else; node:readline also takes U+2028, which JSON may hold. */
async function* lines(stream) {
  let rest = [];
  for await (const chunk of stream) {
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      yield Buffer.concat([...rest, chunk.subarray(start, end)]);
      rest = [];
      start = end + 1;
    }
    rest.push(chunk.subarray(start));
  }
  const last = Buffer.concat(rest);
  if (last.length > 0) {
    yield last;
  }
}

function say(value) {
  return new Promise((done) => process.stdout.write(`${JSON.stringify(value)}\n`, done));
}

const { language, package_version, spec_version } = capabilities();
await say({ protocol: "agent-venv.conformance", version: 2, language, package_version, spec_version });
for await (const line of lines(process.stdin)) {
  await say(await answer(line));
}
