//! Any adapter that is data.

use std::path::Path;

use serde_json::{Map, Value};

use super::EnvironmentSpec;
use super::adapters::AgentAdapter;
use crate::adapter::Adapter;
use crate::error::Result;

/// An adapter by its id, or by its definition, with its options.
///
/// ```
/// use agent_venv::tokio::adapters::{AgentAdapter, DataAdapter};
///
/// let adapter = DataAdapter::new("codex")?.login("share").isolation("strict").trusted_directory("/work");
/// let spec = adapter.build_spec()?;
/// # Ok::<(), agent_venv::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct DataAdapter {
    adapter: Value,
    id: String,
    program: String,
    variable: String,
    options: Map<String, Value>,
}

impl DataAdapter {
    /// `adapter` is an id, a built-in one's or that of a document of the user's (`<id>.json` in
    /// `$XDG_CONFIG_HOME/agent-venv/adapters`), or a definition as JSON.
    pub fn new(adapter: &str) -> Result<Self> {
        let found = Adapter::named(adapter)?;
        let moves = found.variables.env.iter().find(|(_, value)| *value == "$EPHEMERAL_HOME");
        let given = if adapter.trim_start().starts_with('{') { found.definition.clone() } else { adapter.into() };
        Ok(DataAdapter {
            adapter: given,
            id: found.id.clone(),
            program: found.program.clone(),
            variable: moves.map(|(name, _)| name.clone()).unwrap_or_default(),
            options: Map::new(),
        })
    }

    /// Sets an option, under its name in every language.
    pub fn option(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.options.insert(name.to_owned(), value.into());
        self
    }

    /// Sets the model for the command line.
    pub fn model(self, model: &str) -> Self {
        self.option("model", model)
    }

    /// Sets the reasoning effort for the command line.
    pub fn reasoning_effort(self, effort: &str) -> Self {
        self.option("reasoning_effort", effort)
    }

    /// Sets what becomes of the host's login: `"copy"` (the default), `"none"`, `"share"` (the agent uses it in place) or
    /// `"token"` (the agent gets a long-lived token by a variable; it is read at each attach and written nowhere).
    pub fn login(self, login: &str) -> Self {
        self.option("login", login)
    }

    /// Names the variable that holds the token; without, it is the one that the agent itself reads.
    pub fn token_env(self, variable: &str) -> Self {
        self.option("token_env", variable)
    }

    /// Names the file that holds the token, which only its owner may read.
    pub fn token_file(self, file: impl AsRef<Path>) -> Self {
        self.option("token_file", text(file))
    }

    /// Sets the isolation: `"standard"` (the default), or `"strict"`, which closes also what else variables can close.
    pub fn isolation(self, isolation: &str) -> Self {
        self.option("isolation", isolation)
    }

    /// Adds a directory, an absolute path, which the agent shall trust without asking.
    pub fn trusted_directory(self, directory: impl AsRef<Path>) -> Self {
        self.added("trusted_directories", text(directory))
    }

    /// Adds an argument at the command line's end.
    pub fn extra_arg(self, argument: &str) -> Self {
        self.added("extra_argv", argument.into())
    }

    fn added(mut self, name: &str, value: Value) -> Self {
        match self.options.get_mut(name) {
            Some(Value::Array(values)) => values.push(value),
            _ => _ = self.options.insert(name.to_owned(), Value::Array(vec![value])),
        }
        self
    }
}

impl AgentAdapter for DataAdapter {
    fn id(&self) -> &str {
        &self.id
    }

    fn cli_bin(&self) -> &str {
        &self.program
    }

    /// The variable that is the profile's path; empty where there is none.
    fn config_env_var(&self) -> &str {
        &self.variable
    }

    fn build_spec(&self) -> Result<EnvironmentSpec> {
        let (adapter, options) = (Some(self.adapter.clone()), self.options.clone());
        Ok(EnvironmentSpec { adapter, options, ..EnvironmentSpec::default() })
    }

    fn build_argv(&self, _prompt: &str, workspace: Option<&Path>) -> Vec<String> {
        let adapter = self.adapter.as_str().map_or_else(|| self.adapter.to_string(), str::to_owned);
        let mut options = self.options.clone();
        options.extend(workspace.map(|workspace| ("workspace".into(), text(workspace))));
        crate::adapter_argv(&adapter, Some(&Value::Object(options).to_string())).unwrap_or_default()
    }
}

fn text(path: impl AsRef<Path>) -> Value {
    path.as_ref().to_string_lossy().into_owned().into()
}
