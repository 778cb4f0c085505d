// Which agent an environment is for.

import { callAsync, callFor } from "./calls";
import { json, text } from "./encode";
import { library } from "./library";
import { EnvironmentSpec } from "./spec";

/** What an agent needs. Write one for an agent of your own, or give {@link defineAdapter} a definition. */
export interface AgentAdapter {
  /** Recorded with persistent environments, and checked on attach. */
  readonly id: string;
  /** What an environment for this agent shall hold. Called when one is made, and again when its credentials are refreshed. */
  buildSpec(): EnvironmentSpec | Promise<EnvironmentSpec>;
}

/** An adapter as data, with the names of fields that all languages share. */
export interface AdapterDefinition {
  /** Recorded with persistent environments. */
  id: string;
  /** The agent's program. It is looked up on PATH when asked, and never run. */
  program: string;
  /** Start of an ephemeral directory's name. */
  prefix?: string;
  /** Variables to hand back; `$EPHEMERAL_HOME` becomes the profile's path. */
  env?: Record<string, string>;
  /** Variables that the agent must not inherit. */
  env_unset?: string[];
  /** Path below the profile → content. */
  seed_files?: Record<string, string>;
  /** Where a login goes in the profile, where it may lie on the host, in order of preference, and where it tells its end. */
  login?: LoginDefinition[];
  /** The variable that hands a long-lived token to the agent. */
  token?: { variable: string };
  /** How the agent uses the host's login in place, or why it can't. */
  share?: { variable: string } | { link: true } | { refused: string };
  /** Where the agent keeps which directories it trusts; `{directory}` becomes each one. */
  trust?: { file: string; json: object } | { file: string; append: string };
  /** What is set and unset besides where isolation is strict. */
  strict?: { env?: Record<string, string>; env_unset?: string[] };
  /** What no variable closes, a sentence each. */
  leaks?: string[];
  /** A command line for unattended runs. An inner list is left out where one of its values was not given. */
  argv?: (string | string[])[];
}

/** A file with a login, in an {@link AdapterDefinition}. */
export interface LoginDefinition {
  profile: string;
  /** It may be missing on the host, as long as another one is there. */
  optional?: boolean;
  /** It is no login by itself, and copied only beside one. */
  beside?: boolean;
  /** JSON Pointers to what of the file is the login, where settings lie in it too. */
  members?: string[];
  host: (
    | { file: string; directory?: string; variables?: string[] }
    | { keychain: string; variables?: string[] }
  )[];
  expiry?: { pointer: string; format: "unix_ms" | "unix_s" | "rfc3339" | "jwt" };
}

/** Options of an adapter that is data. */
export interface AdapterOptions {
  /**
   * What becomes of the host's login. `copy` (default): the profile gets a copy. `none`: it gets none. `share`: the agent
   * uses the host's in place. `token`: it gets a long-lived token by a variable, read at each attach and written nowhere.
   */
  login?: "copy" | "none" | "share" | "token" | undefined;
  /** For `token`: the variable that holds it. Default: the one that the agent itself reads. */
  tokenEnv?: string | undefined;
  /** Or the file that holds it, which only its owner may read. */
  tokenFile?: string | undefined;
  /** `strict`: close also what else variables can close. Default: `standard`. */
  isolation?: "standard" | "strict" | undefined;
  /** Absolute paths which the agent shall trust without asking. */
  trustedDirectories?: readonly string[] | undefined;
  /** The model; {@link DataAdapter.buildArgv} needs it. */
  model?: string | undefined;
  reasoningEffort?: string | undefined;
  /** `false` is an older form of `login: "none"`. */
  loadCredentials?: boolean | undefined;
  /** Further arguments at the command line's end. */
  extraArgv?: readonly string[] | undefined;
}

/**
 * An adapter that is data: the library builds its spec, reads its login and refreshes it.
 *
 * @example `new DataAdapter("codex", { login: "share" })`
 */
export class DataAdapter implements AgentAdapter {
  readonly id: string;
  /** The agent's program. */
  readonly cliBin: string;
  /** The variable that is the profile's path, where there is one. */
  readonly configEnvVar: string | undefined;
  readonly #adapter: string | AdapterDefinition;
  readonly #options: Record<string, unknown>;

  /**
   * By an id, a built-in one's or that of a document of yours (`<id>.json` in `$XDG_CONFIG_HOME/agent-venv/adapters`), or by
   * a definition.
   *
   * @throws {@link InvalidEnvironmentSpecError} for an unknown id, or a malformed definition.
   */
  constructor(adapter: string | AdapterDefinition, options: AdapterOptions = {}) {
    const definition: AdapterDefinition = JSON.parse(callFor(library.adapter_definition_json, nameOf(adapter)));
    this.id = definition.id;
    this.cliBin = definition.program;
    this.configEnvVar = Object.entries(definition.env ?? {}).find(([, value]) => value === "$EPHEMERAL_HOME")?.[0];
    this.#adapter = adapter;
    this.#options = wireOptions(options);
  }

  /**
   * A spec that names this adapter. It holds no secret: the library reads the login when an environment is made. What you
   * set in it is laid over the adapter's own.
   */
  buildSpec(): EnvironmentSpec {
    return new EnvironmentSpec({ adapterId: this.id, adapter: this.#adapter, options: this.#options });
  }

  /**
   * The command line for an unattended run, which needs a model. The prompt is not in it: give it to the agent's standard
   * input.
   */
  buildArgv(_prompt?: string, { workspace }: { workspace?: string | undefined } = {}): string[] {
    const options = { ...this.#options, ...(workspace !== undefined && { workspace }) };
    return JSON.parse(callFor(library.adapter_argv_json, nameOf(this.#adapter), json(options, "options")));
  }

  /**
   * Check that the agent's program is on PATH. It is never done for you.
   *
   * @throws {@link AdapterUnavailableError} where it is not.
   */
  async ensureAvailable(): Promise<void> {
    await callAsync(library.adapter_ensure_available, nameOf(this.#adapter));
  }
}

/** An adapter's constructor, called without `new`. */
export type AdapterFactory = (options?: AdapterOptions) => DataAdapter;

/**
 * An adapter for an agent of your own, like the built-in ones: by its definition, or by an id, as {@link DataAdapter}.
 *
 * @example
 * ```ts
 * const MyAgent = defineAdapter({
 *   id: "my-agent",
 *   program: "my-agent",
 *   env: { MY_AGENT_HOME: "$EPHEMERAL_HOME" },
 *   login: [{ profile: "auth.json", host: [{ file: "~/.my-agent/auth.json" }] }],
 * });
 * await using env = await Environment.ephemeral({ adapter: MyAgent() });
 * ```
 */
export function defineAdapter(adapter: string | AdapterDefinition): AdapterFactory {
  return (options) => new DataAdapter(adapter, options);
}

/** Claude Code: its directory is moved by `CLAUDE_CONFIG_DIR`. */
export const ClaudeCode: AdapterFactory = defineAdapter("claude-code");

/** Codex: its directory is moved by `CODEX_HOME`. */
export const Codex: AdapterFactory = defineAdapter("codex");

function nameOf(adapter: string | AdapterDefinition): string {
  return typeof adapter === "string" ? text(adapter, "adapter") : json(adapter, "adapter");
}

/** `loadCredentials` as `load_credentials`, and so on; the library judges which there are. */
function wireOptions(options: AdapterOptions): Record<string, unknown> {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    given.map(([name, value]) => [name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), value]),
  );
}
