// Find the shared library, load it, and declare the functions that are called.

import { existsSync } from "node:fs";
import { join } from "node:path";
import koffi, { type LibraryHandle } from "koffi";

const ABI_VERSION = 0;

/** The address of an object of the library; null stands for the defaults. */
export type Pointer = bigint | null;

/** Where the library puts an answer. */
export type Out<T = Pointer> = [T | null];

/** A function of the library, which can also be called off the event loop. */
export interface NativeFunction {
  (...parameters: unknown[]): unknown;
  async(...parameters: unknown[]): void;
}

/** Where the library is. */
export const place =
  process.env["AGENT_VENV_LIBRARY"] ||
  join(
    __dirname,
    `${process.platform}-${process.arch}`,
    `libagent_venv.${process.platform === "darwin" ? "dylib" : "so"}`,
  );

const remedy =
  "Install agent-venv-native for this platform, or build the library with `cargo build --release` " +
  "and name it in the variable AGENT_VENV_LIBRARY.";

/** The library's functions, each under its name without `avenv_`. */
export const library = load();

function load() {
  if (!existsSync(place)) {
    throw new Error(`The agent-venv library is not at ${place}. ${remedy}`);
  }
  try {
    return declare(koffi.load(place));
  } catch (reason) {
    throw new Error(
      `The agent-venv library at ${place} cannot be used: ${(reason as Error).message}. ${remedy}`,
      { cause: reason },
    );
  }
}

function declare(lib: LibraryHandle) {
  const declared = (name: string, result: string, parameters: Parameter[]) =>
    lib.func(`avenv_${name}`, result, parameters) as NativeFunction;

  const found = declared("abi_version", "uint32", [])();
  if (found !== ABI_VERSION) {
    throw new Error(`it has ABI version ${found}, and this package needs ${ABI_VERSION}`);
  }

  const object = "void *";
  const text = "str"; // ours during a call, or borrowed from its object: copied either way
  const stringFree = declared("string_free", "void", [object]);
  const ownedText = koffi.disposable("str", stringFree); // copied, and then freed
  const outText = koffi.out(koffi.pointer(ownedText));
  const out = koffi.out(koffi.pointer("void", 2));

  const getter = (name: string) => declared(name, text, [object]);
  const fallible = (name: string, ...parameters: Parameter[]) =>
    declared(name, "int32", [...parameters, out]);

  return {
    version: declared("version", text, []),
    capabilities_json: declared("capabilities_json", text, []),

    error_kind: getter("error_kind"),
    error_message: getter("error_message"),
    error_payload_json: getter("error_payload_json"),
    error_events_json: getter("error_events_json"),
    error_free: declared("error_free", "void", [object]),

    spec_parse: fallible("spec_parse", text, out),
    spec_add_seed_file: fallible("spec_add_seed_file", object, text, object, "size_t", "uint32"),
    spec_add_credential: fallible("spec_add_credential", object, text, object, "size_t"),
    spec_free: declared("spec_free", "void", [object]),

    options_new: declared("options_new", object, []),
    options_set_registry_root: fallible("options_set_registry_root", object, text),
    options_set_ephemeral_root: fallible("options_set_ephemeral_root", object, text),
    options_set_expected_adapter: fallible("options_set_expected_adapter", object, text),
    options_set_lock_timeout_ms: fallible("options_set_lock_timeout_ms", object, "int64"),
    options_set_durable: fallible("options_set_durable", object, "bool"),
    options_set_force: fallible("options_set_force", object, "bool"),
    options_free: declared("options_free", "void", [object]),

    environment_create_ephemeral: fallible("environment_create_ephemeral", object, object, out),
    environment_create_or_attach: fallible("environment_create_or_attach", text, object, object, out),
    environment_attach: fallible("environment_attach", text, object, out),
    environment_path: getter("environment_path"),
    environment_name: getter("environment_name"),
    environment_kind: getter("environment_kind"),
    environment_adapter_id: getter("environment_adapter_id"),
    environment_env_overrides_json: getter("environment_env_overrides_json"),
    environment_env_unset_json: getter("environment_env_unset_json"),
    environment_events_json: fallible("environment_events_json", object, outText),
    environment_login_status_json: fallible("environment_login_status_json", object, outText),
    environment_refresh_credentials: fallible("environment_refresh_credentials", object, object, object),
    environment_destroy: fallible("environment_destroy", object, object),
    environment_free: declared("environment_free", "void", [object]),

    registry_root: fallible("registry_root", object, outText),
    registry_list_json: fallible("registry_list_json", object, outText),
    registry_destroy: fallible("registry_destroy", text, object),
    registry_repair: fallible("registry_repair", object, outText),
    reap: fallible("reap", object, outText),
    give_back: declared("give_back", "void", []),

    adapter_definition_json: fallible("adapter_definition_json", text, outText),
    adapter_argv_json: fallible("adapter_argv_json", text, text, outText),
    adapter_ensure_available: fallible("adapter_ensure_available", text),
  };
}

type Parameter = Parameters<typeof koffi.out>[0];
