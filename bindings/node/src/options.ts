// Where and how: the options of a call, handed over for its length.

import { call } from "./calls";
import { text, typeName } from "./encode";
import { invalid } from "./errors";
import { library, type NativeFunction, type Pointer } from "./library";

/** How a call treats the disk. */
export interface DiskOptions {
  /** Flush files and directories to the disk before the call answers. Default: false. */
  durable?: boolean | undefined;
}

/** Where persistent environments are kept. */
export interface RegistryOptions {
  /** The registry's root. Default: `$AGENT_VENV_REGISTRY_ROOT`, else the user's data directory. */
  registryRoot?: string | undefined;
  /** How long to wait for the registry's lock, in milliseconds. 0: not at all. Default: 5,000. */
  lockTimeoutMs?: number | undefined;
}

/** Where ephemeral environments are made. */
export interface EphemeralRootOptions {
  /** Default: `$AGENT_VENV_EPHEMERAL_ROOT`, else `agent-venv-<uid>` in the temporary directory. */
  ephemeralRoot?: string | undefined;
}

/** @internal Options that are laid over the library's defaults. */
export interface CallOptions extends DiskOptions, RegistryOptions, EphemeralRootOptions {
  force?: boolean | undefined;
  expectedAdapter?: string | undefined;
}

type Setter = (options: Pointer, value: unknown) => void;

const string = (native: NativeFunction, field: string): Setter => (options, value) =>
  call(native, options, text(value, field));

const flag = (native: NativeFunction, field: string): Setter => (options, value) => {
  if (typeof value !== "boolean") {
    throw invalid(field, `must be a boolean, not ${typeName(value)}`);
  }
  call(native, options, value);
};

const integer = (native: NativeFunction, field: string): Setter => (options, value) => {
  if (!Number.isSafeInteger(value)) {
    throw invalid(field, `must be an integer, not ${typeof value === "number" ? value : typeName(value)}`);
  }
  call(native, options, value);
};

const setters = new Map<string, Setter>([
  ["registryRoot", string(library.options_set_registry_root, "registry_root")],
  ["ephemeralRoot", string(library.options_set_ephemeral_root, "ephemeral_root")],
  ["expectedAdapter", string(library.options_set_expected_adapter, "expected_adapter")],
  ["lockTimeoutMs", integer(library.options_set_lock_timeout_ms, "lock_timeout_ms")],
  ["durable", flag(library.options_set_durable, "durable")],
  ["force", flag(library.options_set_force, "force")],
]);

/** @internal The library's own copy of options, null where there are none. Whoever asks for it frees it. */
export function newOptions(given: CallOptions): Pointer {
  const said = Object.entries(given).filter(([, value]) => value !== undefined);
  if (said.length === 0) {
    return null;
  }
  const options = library.options_new() as Pointer;
  try {
    for (const [name, value] of said) {
      setter(name)(options, value);
    }
    return options;
  } catch (refusal) {
    library.options_free(options);
    throw refusal;
  }
}

/** @internal Lend options to a call. */
export async function withOptions<T>(given: CallOptions, use: (options: Pointer) => Promise<T>): Promise<T> {
  const options = newOptions(given);
  try {
    return await use(options);
  } finally {
    library.options_free(options);
  }
}

function setter(name: string): Setter {
  const found = setters.get(name);
  if (found === undefined) {
    throw invalid(name, "is no option of this call");
  }
  return found;
}
