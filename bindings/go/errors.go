package agentvenv

// Kind says what failed: the same word in every language. It is itself an error, for [errors.Is]. The library may answer
// kinds that this package has no constant for.
type Kind string

// The kinds of failure, and what [Error.Payload] holds for each.
const (
	// The name is not registered. Payload: name, registry_root.
	ErrEnvironmentNotFound Kind = "EnvironmentNotFound"
	// Reserved. Payload: name.
	ErrEnvironmentAlreadyExists Kind = "EnvironmentAlreadyExists"
	// The recorded adapter and the one asked for differ. Payload: name, expected_adapter_id, actual_adapter_id.
	ErrAdapterMismatch Kind = "AdapterMismatch"
	// The profile could not be written: disk full, no permission, a root that is not safe. Payload: reason, path.
	ErrProfileSetupFailed Kind = "ProfileSetupFailed"
	// The registry can't be read or written, is locked for too long, or corrupt. Payload: reason, path.
	ErrRegistryUnavailable Kind = "RegistryUnavailable"
	// The adapter wants the host's login, and there is none. Payload: adapter_id, looked_at.
	ErrCredentialsMissing Kind = "CredentialsMissing"
	// The agent's program is not on PATH. Payload: adapter_id, cli_bin.
	ErrAdapterUnavailable Kind = "AdapterUnavailable"
	// Removal failed; the name is free. Payload: path, os_error.
	ErrCleanupFailed Kind = "CleanupFailed"
	// An argument is malformed. Payload: field, reason.
	ErrInvalidEnvironmentSpec Kind = "InvalidEnvironmentSpec"
	// A handle was misused, or the library has a bug. Payload: message.
	ErrInternalInvariantViolation Kind = "InternalInvariantViolation"
	// Reserved. Payload: name.
	ErrEnvironmentInUse Kind = "EnvironmentInUse"
	// The profile's login is newer than the host's, or may be, and was kept. Payload: adapter_id, reason.
	ErrCredentialsConflict Kind = "CredentialsConflict"
)

// Error answers the kind.
func (k Kind) Error() string { return string(k) }

// Error is what the library refused, or failed to do. Its kind decides, never the message; neither message, payload nor
// events ever hold a credential.
type Error struct {
	Kind Kind `json:"kind"`
	// Message is one line for people: what failed, where, and what to do.
	Message string         `json:"message"`
	Payload map[string]any `json:"payload"`
	// Events are those of the call that failed; the last one is the error itself.
	Events []Event `json:"events"`
}

// Error answers kind and message.
func (e *Error) Error() string { return string(e.Kind) + ": " + e.Message }

// Unwrap answers the kind, so that errors.Is(err, ErrEnvironmentNotFound) holds.
func (e *Error) Unwrap() error { return e.Kind }

// invalid is the refusal of what could not even be handed to the library.
func invalid(field, reason string) *Error {
	message := field + ": " + reason
	event := Event{Kind: "error", Data: map[string]any{"error_kind": string(ErrInvalidEnvironmentSpec), "message": message}}
	return &Error{
		Kind:    ErrInvalidEnvironmentSpec,
		Message: message,
		Payload: map[string]any{"field": field, "reason": reason},
		Events:  []Event{event},
	}
}
