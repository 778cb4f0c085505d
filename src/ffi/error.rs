//! Statuses and error objects.

use std::ffi::{CStr, CString, c_char};

use crate::error::{Error, kind_of_status};

use super::guard::{self, guard, lent};
use super::text::{c_string, json};

/// What a call answers: AVENV_OK, or what failed. Treat a number that you don't know as a failure: new ones may come.
pub type avenv_status = i32;

/// The call did what it says.
pub const AVENV_OK: avenv_status = 0;
/// The name is not registered. Payload: name, registry_root.
pub const AVENV_ENVIRONMENT_NOT_FOUND: avenv_status = 1;
/// Reserved. Payload: name.
pub const AVENV_ENVIRONMENT_ALREADY_EXISTS: avenv_status = 2;
/// The recorded adapter and the one asked for differ. Payload: name, expected_adapter_id, actual_adapter_id.
pub const AVENV_ADAPTER_MISMATCH: avenv_status = 3;
/// The profile could not be written: disk full, no permission, a root that is not safe. Payload: reason, path.
pub const AVENV_PROFILE_SETUP_FAILED: avenv_status = 4;
/// The registry can't be read or written, is locked for too long, or corrupt. Payload: reason, path.
pub const AVENV_REGISTRY_UNAVAILABLE: avenv_status = 5;
/// The adapter wants the host's login, and there is none. Payload: adapter_id, looked_at (a list of all places tried).
pub const AVENV_CREDENTIALS_MISSING: avenv_status = 6;
/// The agent's program is not on PATH. Payload: adapter_id, cli_bin.
pub const AVENV_ADAPTER_UNAVAILABLE: avenv_status = 7;
/// Removal failed. Payload: path, os_error. Destroying again tries again.
pub const AVENV_CLEANUP_FAILED: avenv_status = 8;
/// An argument is malformed. Payload: field, reason.
pub const AVENV_INVALID_ENVIRONMENT_SPEC: avenv_status = 9;
/// A handle was misused (after destroy, in a forked child), or the library has a bug. Payload: message.
pub const AVENV_INTERNAL_INVARIANT_VIOLATION: avenv_status = 10;
/// Reserved. Payload: name.
pub const AVENV_ENVIRONMENT_IN_USE: avenv_status = 11;
/// A login in a profile is newer than the host's, or may be, and was kept. Payload: adapter_id, reason.
pub const AVENV_CREDENTIALS_CONFLICT: avenv_status = 12;

/// Why a call failed. It is the caller's, for `avenv_error_free()`; its strings live as long as it does.
pub struct avenv_error {
    status: avenv_status,
    message: CString,
    payload: CString,
    events: CString,
}

impl avenv_error {
    pub(super) fn new(error: &Error) -> Self {
        avenv_error {
            status: error.failure().status(),
            message: c_string(error.message()),
            payload: json(&error.payload()),
            events: json(&error.events()),
        }
    }

    pub(super) fn into_raw(self) -> *mut Self {
        Box::into_raw(Box::new(self))
    }
}

/// The status that the failed call answered; AVENV_OK for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn avenv_error_status(error: *const avenv_error) -> avenv_status {
    guard!(error.as_ref().map_or(AVENV_OK, |error| error.status))
}

/// The kind, such as "CredentialsMissing": the same word in every language. Lent; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn avenv_error_kind(error: *const avenv_error) -> *const c_char {
    guard!(lent(error, |error| Some(kind_of_status(error.status))))
}

/// One line: what failed, where, and what to do. For people; decide by the kind. Never holds a credential.
/// Lent; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn avenv_error_message(error: *const avenv_error) -> *const c_char {
    guard!(lent(error, |error| Some(CStr::as_ref(&error.message))))
}

/// The kind's payload as a JSON object, such as {"path":"...","reason":"..."}. Lent; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn avenv_error_payload_json(error: *const avenv_error) -> *const c_char {
    guard!(lent(error, |error| Some(CStr::as_ref(&error.payload))))
}

/// The events of the call that failed, as a JSON list; the last one is the error itself. Lent; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn avenv_error_events_json(error: *const avenv_error) -> *const c_char {
    guard!(lent(error, |error| Some(CStr::as_ref(&error.events))))
}

/// Free an error. NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn avenv_error_free(error: *mut avenv_error) {
    guard!(guard::free(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_its_kind() {
        for (status, kind) in [
            (AVENV_OK, c""),
            (AVENV_ENVIRONMENT_NOT_FOUND, c"EnvironmentNotFound"),
            (AVENV_ENVIRONMENT_ALREADY_EXISTS, c"EnvironmentAlreadyExists"),
            (AVENV_ADAPTER_MISMATCH, c"AdapterMismatch"),
            (AVENV_PROFILE_SETUP_FAILED, c"ProfileSetupFailed"),
            (AVENV_REGISTRY_UNAVAILABLE, c"RegistryUnavailable"),
            (AVENV_CREDENTIALS_MISSING, c"CredentialsMissing"),
            (AVENV_ADAPTER_UNAVAILABLE, c"AdapterUnavailable"),
            (AVENV_CLEANUP_FAILED, c"CleanupFailed"),
            (AVENV_INVALID_ENVIRONMENT_SPEC, c"InvalidEnvironmentSpec"),
            (AVENV_INTERNAL_INVARIANT_VIOLATION, c"InternalInvariantViolation"),
            (AVENV_ENVIRONMENT_IN_USE, c"EnvironmentInUse"),
            (AVENV_CREDENTIALS_CONFLICT, c"CredentialsConflict"),
            (AVENV_CREDENTIALS_CONFLICT + 1, c""),
            (-1, c""),
        ] {
            assert_eq!(kind_of_status(status), kind);
        }
    }
}
