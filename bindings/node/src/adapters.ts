// Which agent an environment is for.

import { callAsync, callFor } from "./calls";
import { json } from "./encode";
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
  /** Where a login goes in the profile, and where it may lie on the host, in order of preference. */
  login?: { profile: string; host: ({ file: string } | { keychain: string })[] }[];
  /** A command line for unattended runs. An inner list is left out where one of its values was not given. */
  argv?: (string | string[])[];
}

/** Options of an adapter that the library knows. */
export interface AdapterOptions {
  /** The model; {@link DataAdapter.buildArgv} needs it. */
  model?: string | undefined;
  reasoningEffort?: string | undefined;
  /** Whether the profile gets the host's login. Default: true, and no login on the host is then CredentialsMissing. */
  loadCredentials?: boolean | undefined;
  /** Further arguments at the command line's end. */
  extraArgv?: readonly string[] | undefined;
}

/** An adapter that is data: the library builds its spec, reads its login and refreshes it. */
export class DataAdapter implements AgentAdapter {
  readonly id: string;
  /** The agent's program. */
  readonly cliBin: string;
  /** The variable that moves the agent's directory, the first where it needs several. */
  readonly configEnvVar: string | undefined;
  readonly #adapter: string | AdapterDefinition;
  readonly #options: Record<string, unknown>;

  /** @internal */
  constructor(adapter: string | AdapterDefinition, definition: AdapterDefinition, options: AdapterOptions) {
    this.id = definition.id;
    this.cliBin = definition.program;
    this.configEnvVar = Object.keys(definition.env ?? {})[0];
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
 * An adapter for an agent of your own, like the built-in ones.
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
export function defineAdapter(definition: AdapterDefinition): AdapterFactory {
  return (options = {}) => new DataAdapter(definition, definition, options);
}

/** Claude Code: its directory is moved by `CLAUDE_CONFIG_DIR`. */
export const ClaudeCode: AdapterFactory = builtIn("claude-code");

/** Codex: its directory is moved by `CODEX_HOME`. */
export const Codex: AdapterFactory = builtIn("codex");

function builtIn(id: string): AdapterFactory {
  const known = JSON.parse(library.adapters_json() as string) as AdapterDefinition[];
  const definition = known.find((each) => each.id === id)!;
  return (options = {}) => new DataAdapter(id, definition, options);
}

function nameOf(adapter: string | AdapterDefinition): string {
  return typeof adapter === "string" ? adapter : json(adapter, "adapter");
}

/** `loadCredentials` as `load_credentials`, and so on; the library judges which there are. */
function wireOptions(options: AdapterOptions): Record<string, unknown> {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    given.map(([name, value]) => [name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), value]),
  );
}
