// One class per kind of failure. The kind decides, never the message.

import type { EnvironmentEvent } from "./events";

/** The base of all errors; thrown itself for a kind that this package does not know. */
export class AgentVenvError<Payload extends object = Record<string, unknown>> extends Error {
  /** What failed: the same word in every language. */
  readonly kind: string;
  /** The kind's own fields, under the names that they have in every language. */
  readonly payload: Payload;
  /** The log of the call that failed. */
  readonly events: readonly EnvironmentEvent[];

  constructor(
    message: string,
    payload: Payload,
    events: readonly EnvironmentEvent[] = [],
    kind = "InternalInvariantViolation",
  ) {
    super(message);
    Object.defineProperty(this, "name", { value: new.target.name, configurable: true, writable: true });
    this.kind = kind;
    this.payload = payload;
    this.events = events;
  }

  /** Kind, message and payload, for a log. */
  toJSON(): object {
    return { ...this.payload, kind: this.kind, message: this.message };
  }
}

/** The name is not registered. */
export class EnvironmentNotFoundError extends AgentVenvError<{ name: string; registry_root: string }> {
  override readonly kind = "EnvironmentNotFound";
}

/** Reserved. */
export class EnvironmentAlreadyExistsError extends AgentVenvError<{ name: string }> {
  override readonly kind = "EnvironmentAlreadyExists";
}

/** The recorded adapter (`expected_adapter_id`) is not the one asked for. */
export class AdapterMismatchError extends AgentVenvError<{
  name: string;
  expected_adapter_id: string;
  actual_adapter_id: string;
}> {
  override readonly kind = "AdapterMismatch";
}

/** The profile could not be written. */
export class ProfileSetupFailedError extends AgentVenvError<{ reason: string; path: string }> {
  override readonly kind = "ProfileSetupFailed";
}

/** The registry is unreadable, unwritable, corrupt, or was locked for too long. */
export class RegistryUnavailableError extends AgentVenvError<{ reason: string; path: string }> {
  override readonly kind = "RegistryUnavailable";
}

/** The adapter wants the host's login, and there is none in any of the places `looked_at`. */
export class CredentialsMissingError extends AgentVenvError<{ adapter_id: string; looked_at: string[] }> {
  override readonly kind = "CredentialsMissing";
}

/** The agent's program is not on PATH. */
export class AdapterUnavailableError extends AgentVenvError<{ adapter_id: string; cli_bin: string }> {
  override readonly kind = "AdapterUnavailable";
}

/** Something could not be removed; the name is free. */
export class CleanupFailedError extends AgentVenvError<{ path: string; os_error: string }> {
  override readonly kind = "CleanupFailed";
}

/** An argument is malformed. `field` names it as the library does, such as `seed_files["../x"]`. */
export class InvalidEnvironmentSpecError extends AgentVenvError<{ field: string; reason: string }> {
  override readonly kind = "InvalidEnvironmentSpec";
}

/** A handle was misused, or there is a bug. */
export class InternalInvariantViolationError extends AgentVenvError<{ message: string }> {
  override readonly kind = "InternalInvariantViolation";
}

/** Reserved. */
export class EnvironmentInUseError extends AgentVenvError<{ name: string }> {
  override readonly kind = "EnvironmentInUse";
}

/** The profile's login is newer than the host's, or may be, and was kept. */
export class CredentialsConflictError extends AgentVenvError<{ adapter_id: string; reason: string }> {
  override readonly kind = "CredentialsConflict";
}

const classes = new Map(
  Object.entries({
    EnvironmentNotFound: EnvironmentNotFoundError,
    EnvironmentAlreadyExists: EnvironmentAlreadyExistsError,
    AdapterMismatch: AdapterMismatchError,
    ProfileSetupFailed: ProfileSetupFailedError,
    RegistryUnavailable: RegistryUnavailableError,
    CredentialsMissing: CredentialsMissingError,
    AdapterUnavailable: AdapterUnavailableError,
    CleanupFailed: CleanupFailedError,
    InvalidEnvironmentSpec: InvalidEnvironmentSpecError,
    InternalInvariantViolation: InternalInvariantViolationError,
    EnvironmentInUse: EnvironmentInUseError,
    CredentialsConflict: CredentialsConflictError,
  }),
) as ReadonlyMap<string, typeof AgentVenvError>;

/** The error of a kind; the base where the kind is not known here. */
export function errorOfKind(
  kind: string,
  message: string,
  payload: Record<string, unknown>,
  events: readonly EnvironmentEvent[],
): AgentVenvError {
  return new (classes.get(kind) ?? AgentVenvError)(message, payload, events, kind);
}

/** The refusal of what could not even be handed to the library. */
export function invalid(field: string, reason: string): InvalidEnvironmentSpecError {
  const message = `${field}: ${reason}`;
  const logged = { ts_ms: 0, kind: "error", error_kind: "InvalidEnvironmentSpec", message };
  return new InvalidEnvironmentSpecError(message, { field, reason }, [logged]);
}
