//! Adapters as the public crate has them.

use std::path::Path;

use serde_json::{Map, Value};

use super::EnvironmentSpec;
use crate::error::Result;

pub use super::data_adapter::DataAdapter;

/// What turns into a spec for an agent. Implement it for an agent of your own, or use a definition as JSON ([`DataAdapter`]).
pub trait AgentAdapter {
    /// The adapter's id.
    fn id(&self) -> &str;
    /// The agent's program.
    fn cli_bin(&self) -> &str;
    /// The variable that moves the agent's directory.
    fn config_env_var(&self) -> &str;
    /// The spec. It names the adapter and carries no login.
    fn build_spec(&self) -> Result<EnvironmentSpec>;

    /// Checks that the program is on PATH.
    fn ensure_available(&self) -> Result<()> {
        crate::adapter::ensure_on_path(self.id(), self.cli_bin())
    }

    /// A command line for an unattended run; the prompt goes to standard input. Empty where something it needs is missing.
    fn build_argv(&self, _prompt: &str, _workspace: Option<&Path>) -> Vec<String> {
        Vec::new()
    }
}

macro_rules! builtin {
    ($(#[$doc:meta])* $name:ident, $id:literal, $program:literal, $variable:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub struct $name {
            /// The model for the command line.
            pub model: Option<String>,
            /// The reasoning effort for the command line.
            pub reasoning_effort: Option<String>,
            /// Further arguments of the command line.
            pub extra_argv: Vec<String>,
            /// Whether the host's login is put into the profile.
            pub load_credentials: bool,
        }

        impl $name {
            /// With the host's login, and nothing else set.
            pub fn new() -> Self {
                $name { model: None, reasoning_effort: None, extra_argv: Vec::new(), load_credentials: true }
            }

            /// Sets the model.
            pub fn model(mut self, model: impl Into<String>) -> Self {
                self.model = Some(model.into());
                self
            }

            /// Sets the reasoning effort.
            pub fn reasoning_effort(mut self, effort: impl Into<String>) -> Self {
                self.reasoning_effort = Some(effort.into());
                self
            }

            /// Sets whether the host's login is put into the profile.
            pub fn load_credentials(mut self, load: bool) -> Self {
                self.load_credentials = load;
                self
            }

            fn options(&self) -> Map<String, Value> {
                let mut options = Map::new();
                options.insert("load_credentials".into(), self.load_credentials.into());
                options.extend(self.model.clone().map(|model| ("model".into(), model.into())));
                options.extend(self.reasoning_effort.clone().map(|effort| ("reasoning_effort".into(), effort.into())));
                options.insert("extra_argv".into(), self.extra_argv.clone().into());
                options
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl AgentAdapter for $name {
            fn id(&self) -> &str {
                $id
            }

            fn cli_bin(&self) -> &str {
                $program
            }

            fn config_env_var(&self) -> &str {
                $variable
            }

            fn build_spec(&self) -> Result<EnvironmentSpec> {
                Ok(EnvironmentSpec { adapter: Some($id.into()), options: self.options(), ..EnvironmentSpec::default() })
            }

            fn build_argv(&self, _prompt: &str, workspace: Option<&Path>) -> Vec<String> {
                let mut options = self.options();
                let workspace = workspace.map(|workspace| workspace.to_string_lossy().into_owned());
                options.extend(workspace.map(|workspace| ("workspace".into(), workspace.into())));
                crate::adapter_argv($id, Some(&Value::Object(options).to_string())).unwrap_or_default()
            }
        }
    };
}

builtin!(
    /// Claude Code, with the options of the public crate; [`DataAdapter::new`]`("claude-code")` has them all.
    ClaudeCode, "claude-code", "claude", "CLAUDE_CONFIG_DIR"
);
builtin!(
    /// Codex, with the options of the public crate; [`DataAdapter::new`]`("codex")` has them all.
    Codex, "codex", "codex", "CODEX_HOME"
);
