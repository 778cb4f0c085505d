// The same package for `import`: one implementation, so that its classes and its state are one, however it was loaded.
// By name, as `export *` would add what Node puts into every CommonJS module.

export {
  AdapterMismatchError,
  AdapterUnavailableError,
  AgentVenvError,
  capabilities,
  ClaudeCode,
  CleanupFailedError,
  Codex,
  CredentialsConflictError,
  CredentialsMissingError,
  DataAdapter,
  defaultRegistryRoot,
  defineAdapter,
  Environment,
  EnvironmentAlreadyExistsError,
  EnvironmentInUseError,
  EnvironmentNotFoundError,
  EnvironmentSpec,
  InternalInvariantViolationError,
  InvalidEnvironmentSpecError,
  ProfileSetupFailedError,
  reap,
  RegistryUnavailableError,
  repair,
  version,
} from "./index.js";
export type * from "./index.js";
