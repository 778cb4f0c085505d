// What an environment shall hold.

import { inspect } from "node:util";

import type { AdapterDefinition } from "./adapters";
import { call, callFor } from "./calls";
import { isPlainObject, json, toMap, typeName, type StringMap } from "./encode";
import { invalid } from "./errors";
import { library, type Pointer } from "./library";

/** The fields of a spec. All may be left out. */
export interface EnvironmentSpecFields {
  /** Which adapter the environment is for; recorded, and checked on attach. Default: the adapter's id, or `generic`. */
  adapterId?: string | undefined;
  /** Variables to hand back. `$EPHEMERAL_HOME` in a value becomes the profile's path. */
  envOverrides?: Record<string, string>;
  /** Path below the profile → content, written when the profile is made. */
  seedFiles?: Record<string, string | Uint8Array>;
  /** The same, mode 0600; `refreshCredentials` writes these anew and nothing else. */
  credentials?: Record<string, string | Uint8Array>;
  /** Path → POSIX mode bits, such as 0o700; 0o600 where none is given. Not for credentials in bytes: these are 0600. */
  fileModes?: Record<string, number>;
  /** Start of an ephemeral directory's name. Default: the adapter's, or `agent-venv-`. */
  prefix?: string | undefined;
  /** An adapter's id, or a definition. The other fields are laid over the adapter's own. */
  adapter?: string | AdapterDefinition | undefined;
  /** The adapter's options, under their names in every language (`load_credentials`). */
  options?: Record<string, unknown>;
}

// The fields as they are called in JSON, the same in every language.
const wireNames: ReadonlyMap<string, keyof Wire> = new Map([
  ["adapterId", "adapter_id"],
  ["envOverrides", "env_overrides"],
  ["seedFiles", "seed_files"],
  ["credentials", "credentials"],
  ["fileModes", "file_modes"],
  ["prefix", "prefix"],
  ["adapter", "adapter"],
  ["options", "options"],
]);

interface Wire {
  adapter_id?: unknown;
  env_overrides?: unknown;
  seed_files?: unknown;
  credentials?: unknown;
  file_modes?: unknown;
  prefix?: unknown;
  adapter?: unknown;
  options?: unknown;
}

/**
 * What an environment shall hold. Its fields can be changed until an environment is made from it, and any number can be made.
 *
 * @example
 * ```ts
 * const spec = ClaudeCode().buildSpec(); // names the adapter; no login is read yet
 * spec.seedFiles["CLAUDE.md"] = "Answer in one sentence.\n";
 * await using env = await Environment.ephemeral({ spec });
 * ```
 */
export class EnvironmentSpec {
  adapterId: string | undefined;
  envOverrides: StringMap<string> = toMap({});
  seedFiles: StringMap<string | Uint8Array> = toMap({});
  credentials: StringMap<string | Uint8Array> = toMap({});
  fileModes: StringMap<number> = toMap({});
  prefix: string | undefined;
  adapter: string | AdapterDefinition | undefined;
  options: StringMap<unknown> = toMap({});

  /**
   * Values are judged when an environment is made.
   *
   * @throws {@link InvalidEnvironmentSpecError} for a field that a spec does not have.
   */
  constructor(fields: EnvironmentSpecFields = {}) {
    for (const [name, value] of Object.entries(fields)) {
      if (!wireNames.has(name)) {
        throw invalid(name, "is no field of a spec");
      }
      if (value !== undefined) {
        const copy = name !== "adapter" && isPlainObject(value) ? toMap(value) : value;
        Object.assign(this, { [name]: copy });
      }
    }
  }

  /**
   * The spec that parsed JSON says, with the names of fields that all languages share (`seed_files`).
   *
   * @throws {@link InvalidEnvironmentSpecError} for whatever makes no spec.
   */
  static fromJSON(data: unknown): EnvironmentSpec {
    library.spec_free(parse(data));
    const fields = [...wireNames].map(([name, wireName]) => [name, (data as Wire)[wireName]]);
    return new EnvironmentSpec(Object.fromEntries(fields));
  }

  /** The spec as `fromJSON` takes it, with the contents of its files. Contents in bytes stay bytes. */
  toJSON(): object {
    const fields = [...wireNames].map(([name, wireName]) => [wireName, this[name as keyof EnvironmentSpecFields]]);
    const wire = Object.fromEntries(fields.filter(([, value]) => value !== undefined)) as Wire;
    if (isPlainObject(wire.options) && Object.keys(wire.options).length === 0) {
      delete wire.options; // there are none without an adapter
    }
    return wire;
  }

  /** @internal Names only: values and contents may be secrets. */
  [inspect.custom](): string {
    const shown = [`adapterId: ${inspect(this.adapterId)}`];
    for (const field of ["envOverrides", "seedFiles", "credentials", "options"] as const) {
      const names = isPlainObject(this[field]) ? Object.keys(this[field]) : [];
      if (names.length > 0) {
        shown.push(`${field}: ${inspect(names)}`);
      }
    }
    return `EnvironmentSpec { ${shown.join(", ")} }`;
  }
}

/** The library's own copy of a spec. */
function newSpec(spec: EnvironmentSpec | undefined): Pointer {
  if (spec === undefined) {
    return null;
  }
  if (!(spec instanceof EnvironmentSpec)) {
    throw invalid("spec", `must be an EnvironmentSpec, not ${typeName(spec)}`);
  }
  return parse(spec.toJSON());
}

/** @internal Lend a spec to a call. */
export async function withSpec<T>(spec: EnvironmentSpec | undefined, use: (spec: Pointer) => Promise<T>): Promise<T> {
  const pointer = newSpec(spec);
  try {
    return await use(pointer);
  } finally {
    library.spec_free(pointer);
  }
}

function parse(data: unknown): Pointer {
  if (!isPlainObject(data)) {
    throw invalid("spec", `must be an object, not ${typeName(data)}`);
  }
  const [seedFiles, seedBytes] = withBytesEmptied(data["seed_files"]);
  const [credentials, credentialBytes] = withBytesEmptied(data["credentials"]);
  const wire = {
    ...data,
    ...(seedBytes.length > 0 && { seed_files: seedFiles }),
    ...(credentialBytes.length > 0 && { credentials }),
  };
  const spec = callFor<Pointer>(library.spec_parse, json(wire));
  try {
    const modes = new Map(Object.entries(data["file_modes"] ?? {}));
    for (const [path, content] of seedBytes) {
      call(library.spec_add_seed_file, spec, path, content, content.length, modes.get(path) ?? 0);
    }
    for (const [path, content] of credentialBytes) {
      if (modes.has(path)) {
        throw invalid(`file_modes[${JSON.stringify(path)}]`, "is for a credential in bytes");
      }
      call(library.spec_add_credential, spec, path, content, content.length);
    }
    return spec;
  } catch (refusal) {
    library.spec_free(spec);
    throw refusal;
  }
}

/** Files with an empty one for each that is given in bytes, which JSON cannot say; and those. */
function withBytesEmptied(files: unknown): [files: unknown, bytes: [string, Uint8Array][]] {
  if (!isPlainObject(files)) {
    return [files, []];
  }
  const bytes = Object.entries(files).filter((file): file is [string, Uint8Array] => file[1] instanceof Uint8Array);
  return [toMap({ ...files, ...Object.fromEntries(bytes.map(([path]) => [path, ""])) }), bytes];
}
