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

/// What an [`Event`] tells. Never a credential or a file's content. Texts that never change: a handle keeps its log, and a process
/// may keep thousands of handles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind")]
#[non_exhaustive]
#[allow(missing_docs)] // the fields are the payload of the event table
pub enum Happened {
    /// A profile was made; `name` is `None` for an ephemeral one.
    #[serde(rename = "env.created")]
    Created { name: Option<Box<str>>, lifetime: &'static str, adapter_id: Box<str>, path: Box<str> },
    /// Seed files were written.
    #[serde(rename = "profile.materialized")]
    Materialized { file_count: usize, total_bytes: usize },
    /// Credentials were written into a new profile.
    #[serde(rename = "credentials.copied")]
    CredentialsCopied { file_count: usize },
    /// An environment that existed was attached to.
    #[serde(rename = "env.attached")]
    Attached { name: Box<str>, adapter_id: Box<str>, path: Box<str> },
    /// A file of the registry was changed.
    #[serde(rename = "registry.written")]
    RegistryWritten { path: Box<str> },
    /// A file of the registry was read.
    #[serde(rename = "registry.read")]
    RegistryRead { path: Box<str> },
    /// Credentials were replaced.
    #[serde(rename = "credentials.refreshed")]
    CredentialsRefreshed { file_count: usize },
    /// The profile was removed, or could not be (`ok` false).
    #[serde(rename = "env.destroyed")]
    Destroyed { path: Box<str>, ok: bool },
    /// The call failed.
    #[serde(rename = "error")]
    Failed { error_kind: &'static str, message: Box<str> },
}

/// Events in the order in which they happened.
#[derive(Debug, Clone)]
pub(crate) struct EventLog {
    began: Instant,
    events: Vec<Event>,
}

impl EventLog {
    pub fn new() -> Self {
        // Room for what making an environment logs.
        EventLog { began: Instant::now(), events: Vec::with_capacity(3) }
    }

    pub fn add(&mut self, what: Happened) {
        let ts_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.events.push(Event { ts_ms, what });
    }

    pub fn error(&mut self, error: &Error) {
        self.add(Happened::Failed { error_kind: error.kind(), message: error.message().into() });
    }

    pub fn events(&self) -> &[Event] {
        &self.events
    }
}
