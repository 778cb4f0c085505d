// The environment: a profile directory, and the variables that point an agent at it.

import { inspect } from "node:util";

import { DataAdapter, type AgentAdapter } from "./adapters";
import { callAsync, callFor, callForAsync, read, readJson } from "./calls";
import { text, toMap, typeName, type StringMap } from "./encode";
import { AgentVenvError, invalid } from "./errors";
import { Delivery, type EnvironmentEvent, type EventSink } from "./events";
import { library, type Pointer } from "./library";
import { Handle } from "./lifetime";
import type { LoginStatus } from "./login";
import { withOptions, type DiskOptions, type EphemeralRootOptions, type RegistryOptions } from "./options";
import { withSpec, type EnvironmentSpec } from "./spec";

// Where Node has none yet, a program that was compiled for `await using` looks for it here.
if (Symbol.asyncDispose === undefined) {
  Object.defineProperty(Symbol, "asyncDispose", { value: Symbol("Symbol.asyncDispose") });
}

/** What a new environment shall hold: give one of the two, or neither for an empty profile. */
export interface Content {
  /** The agent that it is for. */
  adapter?: AgentAdapter | undefined;
  /** All that it shall hold. */
  spec?: EnvironmentSpec | undefined;
}

/** Who hears what happens to an environment. */
export interface Listening {
  /** Called with each event, in order, after the call that caused it: this one, and each later one on the environment. */
  onEvent?: EventSink | undefined;
}

/** Options of {@link Environment.ephemeral}. */
export interface EphemeralOptions extends Content, Listening, EphemeralRootOptions, DiskOptions {}

/** Options of {@link Environment.createOrAttach}. */
export interface CreateOrAttachOptions extends Content, Listening, RegistryOptions, DiskOptions {}

/** Options of {@link Environment.attach}. */
export interface AttachOptions extends Listening, Pick<RegistryOptions, "registryRoot"> {
  /** The adapter, or its id, that the environment must have been made for. Default: any. */
  adapter?: AgentAdapter | string | undefined;
}

/** Options of a call that changes an environment. */
export interface ChangeOptions extends Pick<RegistryOptions, "lockTimeoutMs">, DiskOptions {}

/** Options of {@link Environment.refreshCredentials}. */
export interface RefreshOptions extends ChangeOptions {
  /** Replace a login in the profile that is newer than the host's, or may be. Default: false. */
  force?: boolean | undefined;
}

/**
 * A profile of its own for an agent.
 *
 * An *ephemeral* one lives until it is destroyed: by `await using`, by {@link Environment.destroy}, when it is forgotten and
 * collected, or when the process exits. Where the process was killed, a later run removes it ({@link reap}). A *persistent*
 * one is kept by name until somebody destroys it.
 *
 * @example
 * ```ts
 * await using cc = await Environment.ephemeral({ adapter: ClaudeCode() });
 * spawn("claude", ["--print", "hello"], { env: cc.merged(process.env) });
 * ```
 */
export class Environment {
  /** The profile directory: absolute. */
  readonly path: string;
  /** The name of a persistent environment; null for an ephemeral one. */
  readonly name: string | null;
  readonly kind: "ephemeral" | "persistent";
  /** The adapter that it is for; `generic` where none was named. */
  readonly adapterId: string;
  /** The variables to set for the agent: an object without prototype, so that any name is just a name. */
  readonly envOverrides: Readonly<StringMap<string>>;
  /** The variables that the agent must not inherit: they would lead it to another login than the profile's. */
  readonly envUnset: readonly string[];

  readonly #handle: Handle;
  readonly #adapter: AgentAdapter | undefined;
  readonly #delivery: Delivery;

  private constructor(handle: Handle, adapter: AgentAdapter | undefined, delivery: Delivery) {
    handle.endWith(this);
    this.#handle = handle;
    this.#adapter = adapter;
    this.#delivery = delivery;
    const { pointer } = handle;
    // These never change, and still read after destroy().
    this.path = read(library.environment_path, pointer);
    this.name = read<string | null>(library.environment_name, pointer);
    this.kind = read(library.environment_kind, pointer) as Environment["kind"];
    this.adapterId = read(library.environment_adapter_id, pointer);
    this.envOverrides = Object.freeze(toMap<string>(readJson(library.environment_env_overrides_json, pointer)));
    this.envUnset = Object.freeze(readJson<string[]>(library.environment_env_unset_json, pointer));
  }

  /**
   * Make an environment that lives until it is destroyed.
   *
   * @throws {@link CredentialsMissingError} where the adapter wants the host's login, and there is none.
   * @throws {@link ProfileSetupFailedError} where the profile can't be written.
   */
  static async ephemeral(options: EphemeralOptions = {}): Promise<Environment> {
    const { adapter, spec, onEvent, ...where } = options;
    return Environment.#open(adapter, onEvent, async () =>
      withSpec(await contentOf(adapter, spec), (content) =>
        withOptions(where, (place) =>
          callForAsync<Pointer>(library.environment_create_ephemeral, content, place))));
  }

  /**
   * Attach to the persistent environment of that name, creating it where there is none. Where there is one nothing in it
   * is changed, and of the spec only the adapter's id counts.
   *
   * @throws {@link AdapterMismatchError} where it exists, for another adapter.
   * @throws {@link RegistryUnavailableError} where the registry can't be used, or was locked for too long.
   */
  static async createOrAttach(name: string, options: CreateOrAttachOptions = {}): Promise<Environment> {
    const { adapter, spec, onEvent, ...where } = options;
    return Environment.#open(adapter, onEvent, async () => {
      const named = text(name, "name");
      return withSpec(await contentOf(adapter, spec), (content) =>
        withOptions(where, (place) =>
          callForAsync<Pointer>(library.environment_create_or_attach, named, content, place)));
    });
  }

  /**
   * Attach to the persistent environment of that name, and never create it.
   *
   * @throws {@link EnvironmentNotFoundError} where the name is not registered.
   * @throws {@link AdapterMismatchError} where it was made for another adapter than `adapter`.
   */
  static async attach(name: string, options: AttachOptions = {}): Promise<Environment> {
    const { adapter, onEvent, ...where } = options;
    const own = typeof adapter === "object" ? adapter : undefined;
    const expectedAdapter = own === undefined ? (adapter as string | undefined) : own.id;
    return Environment.#open(own, onEvent, async () => {
      const named = text(name, "name");
      return withOptions({ ...where, expectedAdapter }, (place) =>
        callForAsync<Pointer>(library.environment_attach, named, place));
    });
  }

  /** The names of all persistent environments, sorted. */
  static async list(options: Pick<RegistryOptions, "registryRoot"> = {}): Promise<string[]> {
    return withOptions(options, async (where) =>
      JSON.parse(await callForAsync(library.registry_list_json, where)));
  }

  /**
   * Destroy the persistent environment of that name.
   *
   * @throws {@link EnvironmentNotFoundError} where the name is not registered.
   */
  static async destroyByName(name: string, options: RegistryOptions & DiskOptions = {}): Promise<void> {
    const named = text(name, "name");
    await withOptions(options, (where) => callAsync(library.registry_destroy, named, where));
  }

  static async #open(
    adapter: AgentAdapter | undefined,
    onEvent: EventSink | undefined,
    make: () => Promise<Pointer>,
  ): Promise<Environment> {
    if (onEvent !== undefined && typeof onEvent !== "function") {
      throw invalid("onEvent", `must be a function, not ${typeName(onEvent)}`);
    }
    const delivery = new Delivery(onEvent);
    let handle: Handle;
    try {
      handle = new Handle(await make());
    } catch (failure) {
      if (failure instanceof AgentVenvError) {
        delivery.handOver(() => failure.events);
      }
      throw failure;
    }
    const environment = new Environment(handle, adapter, delivery);
    delivery.handOver(() => environment.events());
    return environment;
  }

  /** Whether it is kept by name. */
  get isPersistent(): boolean {
    return this.kind === "persistent";
  }

  /**
   * `base` as the agent shall see it: without `envUnset`, and with `envOverrides`.
   *
   * @example `spawn("claude", args, { env: cc.merged(process.env) })`
   */
  merged(base: Readonly<Record<string, string | undefined>>): StringMap<string> {
    const kept = Object.entries(base).filter(([name, value]) => value !== undefined && !this.envUnset.includes(name));
    return toMap({ ...(Object.fromEntries(kept) as Record<string, string>), ...this.envOverrides });
  }

  /** What was done through this object, oldest first. */
  events(): EnvironmentEvent[] {
    return JSON.parse(callFor(library.environment_events_json, this.#handle.pointer));
  }

  /**
   * How the profile's login stands to the host's now, and when it ends. Changes nothing.
   *
   * @throws {@link CredentialsMissingError} where the host's login is there and can't be read.
   */
  loginStatus(): Promise<LoginStatus> {
    return this.#use(async (pointer) => JSON.parse(await callForAsync(library.environment_login_status_json, pointer)));
  }

  /**
   * Read the host's login again and replace the profile's; touch nothing else. With `spec`, write that spec's credentials.
   *
   * @throws {@link InvalidEnvironmentSpecError} with field `spec` where there is nothing to write.
   * @throws {@link CredentialsConflictError} where the profile's login is newer than the host's, or may be, unless `force`.
   */
  refreshCredentials(spec?: EnvironmentSpec, options: RefreshOptions = {}): Promise<void> {
    return this.#use(async (pointer) => {
      // The library refreshes an adapter that is data by itself; another one is asked.
      const asked = this.#adapter instanceof DataAdapter ? undefined : this.#adapter;
      await withSpec(spec ?? (await asked?.buildSpec()), (content) =>
        withOptions(options, (where) =>
          callAsync(library.environment_refresh_credentials, pointer, content, where)));
    });
  }

  /**
   * Remove the environment, a persistent one with its name. A second time, it does nothing. The properties can still be
   * read.
   *
   * @throws {@link CleanupFailedError} where something can't be removed; call again to try again.
   */
  async destroy(options: ChangeOptions = {}): Promise<void> {
    await this.#use((pointer) =>
      withOptions(options, (where) => callAsync(library.environment_destroy, pointer, where)));
    this.#handle.destroyed();
  }

  /** At the end of `await using`: an ephemeral environment is destroyed, a persistent one stays. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.isPersistent) {
      await this.destroy();
    }
  }

  async #use<T>(make: (pointer: Pointer) => Promise<T>): Promise<T> {
    try {
      return await make(this.#handle.pointer);
    } finally {
      // To name `this` here also keeps it from being collected, and the handle from being freed, while the call runs.
      this.#delivery.handOver(() => this.events());
    }
  }

  /** @internal Values of variables may be secrets, so they are not shown. */
  [inspect.custom](): string {
    const named = this.name === null ? "" : ` ${inspect(this.name)}`;
    return `Environment { ${this.kind}${named}, adapterId: ${inspect(this.adapterId)}, path: ${inspect(this.path)} }`;
  }
}

async function contentOf(
  adapter: AgentAdapter | undefined,
  spec: EnvironmentSpec | undefined,
): Promise<EnvironmentSpec | undefined> {
  if (adapter === undefined) {
    return spec;
  }
  if (spec !== undefined) {
    throw invalid("spec", "spec and adapter were both given: give one");
  }
  if (typeof adapter?.buildSpec !== "function") {
    throw invalid("adapter", `must have buildSpec(), and ${typeName(adapter)} has none (ClaudeCode() has, ClaudeCode has not)`);
  }
  return adapter.buildSpec();
}
