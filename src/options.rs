//! Where and how environments are made.

use std::path::PathBuf;
use std::time::Duration;

/// Where and how. The default is right for most callers.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Options {
    /// The registry of persistent environments. `None`: `$AGENT_VENV_REGISTRY_ROOT`, else
    /// `$XDG_DATA_HOME/agent-venv/envs`, else `~/.local/share/agent-venv/envs`.
    pub registry_root: Option<PathBuf>,
    /// Where ephemeral environments are made. `None`: `$AGENT_VENV_EPHEMERAL_ROOT`, else `agent-venv-<uid>` in the
    /// directory for temporary files.
    pub ephemeral_root: Option<PathBuf>,
    /// The adapter that an environment must have been created for, where it is attached to.
    pub expected_adapter: Option<String>,
    /// How long to wait for the registry's lock. `None`: 5 seconds.
    pub lock_timeout: Option<Duration>,
    /// Flush files and directories to the disk before a call answers, so that they outlive a loss of power.
    pub durable: bool,
    /// Do what is refused for safety's sake: refresh over a login of the agent's own that is newer than the host's, or may be;
    /// reap what may still be owned by a process on another machine (network file systems only).
    pub force: bool,
}

impl Options {
    /// The same, for the registry that a handle came from.
    pub(crate) fn with_root(&self, root: &str) -> Self {
        Options { registry_root: Some(root.into()), ..self.clone() }
    }
}
