//! The log that each environment keeps of what was done to it.

use std::time::Instant;

use serde::Serialize;

use crate::error::Error;

/// One thing that happened. Serializes flat: `{"ts_ms": 0, "kind": "env.created", ...}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    /// Milliseconds since the log began, by a clock that never goes back.
    pub ts_ms: u64,
    /// What happened, with its payload.
    #[serde(flatten)]
    pub what: Happened,
}

/// What an [`Event`] tells. Never a credential or a file's content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind")]
#[non_exhaustive]
#[allow(missing_docs)] // the fields are the payload of the event table
pub enum Happened {
    /// A profile was made; `name` is `None` for an ephemeral one.
    #[serde(rename = "env.created")]
    Created { name: Option<String>, lifetime: &'static str, adapter_id: String, path: String },
    /// Seed files were written.
    #[serde(rename = "profile.materialized")]
    Materialized { file_count: usize, total_bytes: usize },
    /// Credentials were written into a new profile.
    #[serde(rename = "credentials.copied")]
    CredentialsCopied { file_count: usize },
    /// An environment that existed was attached to.
    #[serde(rename = "env.attached")]
    Attached { name: String, adapter_id: String, path: String },
    /// A file of the registry was changed.
    #[serde(rename = "registry.written")]
    RegistryWritten { path: String },
    /// A file of the registry was read.
    #[serde(rename = "registry.read")]
    RegistryRead { path: String },
    /// Credentials were replaced.
    #[serde(rename = "credentials.refreshed")]
    CredentialsRefreshed { file_count: usize },
    /// The profile was removed, or could not be (`ok` false).
    #[serde(rename = "env.destroyed")]
    Destroyed { path: String, ok: bool },
    /// The call failed.
    #[serde(rename = "error")]
    Failed { error_kind: &'static str, message: String },
}

/// Events in the order in which they happened.
#[derive(Debug, Clone)]
pub(crate) struct EventLog {
    began: Instant,
    events: Vec<Event>,
}

impl EventLog {
    pub fn new() -> Self {
        EventLog { began: Instant::now(), events: Vec::new() }
    }

    pub fn add(&mut self, what: Happened) {
        let ts_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.events.push(Event { ts_ms, what });
    }

    pub fn error(&mut self, error: &Error) {
        self.add(Happened::Failed { error_kind: error.kind(), message: error.message() });
    }

    pub fn events(&self) -> &[Event] {
        &self.events
    }
}
