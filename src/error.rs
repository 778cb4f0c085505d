//! What can go wrong: one kind per failure, the same words in every language.

use std::ffi::CStr;
use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::event::{Event, EventLog};

/// What the library's operations answer.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure and what is known of it. Decide by the variant, never by the message.
///
/// The fields are the payload that every language sees. No variant ever holds a credential or a file's content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
#[allow(missing_docs)] // the fields are the payload of the error table
pub enum Failure {
    /// The name is not registered.
    #[error(
        "no environment is named {name:?} in the registry {registry_root:?}: create it with create_or_attach, or list the names there"
    )]
    EnvironmentNotFound { name: String, registry_root: String },

    /// Reserved.
    #[error("an environment named {name:?} exists already: attach to it, or destroy it first")]
    EnvironmentAlreadyExists { name: String },

    /// The recorded adapter and the one asked for differ.
    #[error(
        "environment {name:?} was created for adapter {expected_adapter_id:?}, and {actual_adapter_id:?} was asked for: use the recorded adapter, or another name"
    )]
    AdapterMismatch { name: String, expected_adapter_id: String, actual_adapter_id: String },

    /// The profile could not be written.
    #[error("could not set up a profile at {path:?}: {reason}")]
    ProfileSetupFailed { reason: String, path: String },

    /// The registry can't be read or written, is locked for too long, or corrupt.
    #[error("the registry can't be used ({path:?}): {reason}")]
    RegistryUnavailable { reason: String, path: String },

    /// The adapter wants the host's login, and there is none that can be used.
    #[error(
        "no usable login for adapter {adapter_id:?}; looked at {}: {}",
        looked_at.join(", "), problem.as_deref().unwrap_or(LOG_IN)
    )]
    CredentialsMissing {
        adapter_id: String,
        looked_at: Vec<String>,
        /// What was wrong with the login that was there, where one was, and what to do; part of the message only.
        #[serde(skip)]
        problem: Option<String>,
    },

    /// The agent's program is not on PATH.
    #[error(
        "the program {cli_bin:?} of adapter {adapter_id:?} is not on PATH: install the agent, or add its directory to PATH"
    )]
    AdapterUnavailable { adapter_id: String, cli_bin: String },

    /// Removal failed; the name is free.
    #[error(
        "could not remove {path:?}: {os_error}; remove what holds it (a mount, another user's file) and destroy again, or leave it to reap"
    )]
    CleanupFailed { path: String, os_error: String },

    /// The input is malformed.
    #[error("{field}: {reason}")]
    InvalidEnvironmentSpec { field: String, reason: String },

    /// A handle was misused, or this library has a bug.
    #[error("{message}")]
    InternalInvariantViolation { message: String },

    /// Reserved: somebody holds the environment.
    #[error("environment {name:?} is in use: release it there first")]
    EnvironmentInUse { name: String },

    /// A login that is newer than the host's, or may be, would be overwritten.
    #[error("the login of adapter {adapter_id:?} was left as it is: {reason}")]
    CredentialsConflict { adapter_id: String, reason: String },
}

/// Name of each kind, by its status number in the C ABI less one. The numbers never change; new kinds go at the end.
const KINDS: [&CStr; 12] = [
    c"EnvironmentNotFound",
    c"EnvironmentAlreadyExists",
    c"AdapterMismatch",
    c"ProfileSetupFailed",
    c"RegistryUnavailable",
    c"CredentialsMissing",
    c"AdapterUnavailable",
    c"CleanupFailed",
    c"InvalidEnvironmentSpec",
    c"InternalInvariantViolation",
    c"EnvironmentInUse",
    c"CredentialsConflict",
];

impl Failure {
    /// The status number of this failure in the C ABI.
    pub fn status(&self) -> i32 {
        match self {
            Failure::EnvironmentNotFound { .. } => 1,
            Failure::EnvironmentAlreadyExists { .. } => 2,
            Failure::AdapterMismatch { .. } => 3,
            Failure::ProfileSetupFailed { .. } => 4,
            Failure::RegistryUnavailable { .. } => 5,
            Failure::CredentialsMissing { .. } => 6,
            Failure::AdapterUnavailable { .. } => 7,
            Failure::CleanupFailed { .. } => 8,
            Failure::InvalidEnvironmentSpec { .. } => 9,
            Failure::InternalInvariantViolation { .. } => 10,
            Failure::EnvironmentInUse { .. } => 11,
            Failure::CredentialsConflict { .. } => 12,
        }
    }

    /// The kind's name, such as `EnvironmentNotFound`.
    pub fn kind(&self) -> &'static str {
        kind_of_status(self.status()).to_str().unwrap_or_default()
    }
}

/// The kind's name for a status number of the C ABI; empty for 0 and unknown numbers.
pub(crate) fn kind_of_status(status: i32) -> &'static CStr {
    let index = usize::try_from(status).ok().and_then(|status| status.checked_sub(1));
    index.and_then(|index| KINDS.get(index)).copied().unwrap_or_default()
}

const LOG_IN: &str = "log in with the agent once, or set the option login to \"none\"";

/// A [`Failure`] with the event log of the call that failed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{failure}")]
pub struct Error {
    failure: Box<Failure>,
    events: Vec<Event>,
}

impl Error {
    /// What failed.
    pub fn failure(&self) -> &Failure {
        &self.failure
    }

    /// The kind's name, such as `EnvironmentNotFound`.
    pub fn kind(&self) -> &'static str {
        self.failure.kind()
    }

    /// One line: what failed, where, and what to do.
    pub fn message(&self) -> String {
        // File names may hold line breaks and NUL; the promise is one line that fits a C string.
        self.failure.to_string().chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
    }

    /// The payload: the failure's fields as JSON.
    pub fn payload(&self) -> Map<String, Value> {
        match serde_json::to_value(&*self.failure) {
            Ok(Value::Object(fields)) => fields,
            _ => Map::new(),
        }
    }

    /// The events of the call that failed; the last one is this error.
    pub fn events(&self) -> Vec<Event> {
        if self.events.is_empty() {
            let mut log = EventLog::new();
            log.error(self);
            return log.events().to_vec();
        }
        self.events.clone()
    }

    /// Notes this error in `log`, and keeps the events from `first` on as those of the failed call.
    pub(crate) fn noted_in(mut self, log: &mut EventLog, first: usize) -> Self {
        log.error(&self);
        self.events = log.events()[first..].to_vec();
        self
    }

    pub(crate) fn invalid(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Failure::InvalidEnvironmentSpec { field: field.into(), reason: reason.into() }.into()
    }

    pub(crate) fn misuse(message: impl Into<String>) -> Self {
        Failure::InternalInvariantViolation { message: message.into() }.into()
    }

    pub(crate) fn setup(path: impl AsRef<Path>, reason: impl ToString) -> Self {
        Trouble::new(path.as_ref(), reason).setup()
    }
}

/// Something that went wrong at a path, of which the caller knows what kind of failure it is.
#[derive(Debug)]
pub(crate) struct Trouble {
    path: String,
    reason: String,
}

impl Trouble {
    pub fn new(path: &Path, reason: impl ToString) -> Self {
        Trouble { path: path.to_string_lossy().into_owned(), reason: reason.to_string() }
    }

    pub fn os(path: &Path, error: crate::fs::Errno) -> Self {
        Self::new(path, std::io::Error::from(error))
    }

    pub fn setup(self) -> Error {
        Failure::ProfileSetupFailed { reason: self.reason, path: self.path }.into()
    }

    pub fn registry(self) -> Error {
        Failure::RegistryUnavailable { reason: self.reason, path: self.path }.into()
    }

    pub fn cleanup(self) -> Error {
        Failure::CleanupFailed { path: self.path, os_error: self.reason }.into()
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Error { failure: Box::new(failure), events: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_is_one_line_whatever_the_path_holds() {
        let error = Error::setup("/tmp/a\nb\0c", "no\nspace");
        assert!(!error.message().contains(['\n', '\0']));
    }

    #[test]
    fn payload_of_a_missing_login_names_the_places_and_nothing_more() {
        let error = Error::from(Failure::CredentialsMissing {
            adapter_id: "codex".into(),
            looked_at: vec!["/h/.codex/auth.json".into()],
            problem: Some("it is not JSON".into()),
        });
        let payload = serde_json::to_string(&error.payload()).unwrap_or_default();
        assert_eq!(payload, r#"{"adapter_id":"codex","looked_at":["/h/.codex/auth.json"]}"#);
        assert!(error.message().contains("it is not JSON"));
    }
}
