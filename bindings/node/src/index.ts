/// <reference lib="esnext.disposable" preserve="true" />

/**
 * Profiles for coding-agent CLIs: one directory for each run, with the host's login in it.
 *
 * @packageDocumentation
 */

export {
  ClaudeCode,
  Codex,
  DataAdapter,
  defineAdapter,
  type AdapterDefinition,
  type AdapterFactory,
  type AdapterOptions,
  type AgentAdapter,
  type LoginDefinition,
} from "./adapters";
export {
  Environment,
  type AttachOptions,
  type ChangeOptions,
  type Content,
  type CreateOrAttachOptions,
  type EphemeralOptions,
  type Listening,
  type RefreshOptions,
} from "./environment";
export {
  AdapterMismatchError,
  AdapterUnavailableError,
  AgentVenvError,
  CleanupFailedError,
  CredentialsConflictError,
  CredentialsMissingError,
  EnvironmentAlreadyExistsError,
  EnvironmentInUseError,
  EnvironmentNotFoundError,
  InternalInvariantViolationError,
  InvalidEnvironmentSpecError,
  ProfileSetupFailedError,
  RegistryUnavailableError,
} from "./errors";
export { type EnvironmentEvent, type EventSink } from "./events";
export {
  capabilities,
  defaultRegistryRoot,
  reap,
  repair,
  version,
  type Capabilities,
  type ReapOptions,
  type ReapReport,
  type RepairReport,
} from "./housekeeping";
export { type LoginFile, type LoginState, type LoginStatus } from "./login";
export { type DiskOptions, type EphemeralRootOptions, type RegistryOptions } from "./options";
export { EnvironmentSpec, type EnvironmentSpecFields } from "./spec";
