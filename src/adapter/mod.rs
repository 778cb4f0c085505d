//! Adapters: what an agent needs, as data. The built-in ones use nothing that a caller's own cannot.

mod argv;
mod credentials;
mod options;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde_json::Value;

use crate::error::{Error, Failure, Result};
use crate::json::{self, Fields, Invalid};
use crate::spec::{RelativePath, check_prefix, check_variable};

use argv::Part;
pub(crate) use credentials::Login;
pub(crate) use options::AdapterOptions;

/// The built-in definitions, whole: a JSON list.
pub const BUILTIN_JSON: &str =
    concat!("[", include_str!("builtin/claude-code.json"), ",", include_str!("builtin/codex.json"), "]");

const FIELDS: &str = "id, program, prefix, env, env_unset, seed_files, login, argv";

/// An adapter's definition, checked.
pub(crate) struct Adapter {
    pub id: String,
    pub program: String,
    pub prefix: String,
    pub env: BTreeMap<String, String>,
    pub env_unset: Vec<String>,
    pub seed_files: BTreeMap<RelativePath, Vec<u8>>,
    pub login: Vec<Login>,
    /// The document as it was given.
    pub definition: Value,
    argv: Vec<Part>,
}

impl Adapter {
    /// The built-in adapter with this id, or the definition that `text` itself is (it begins with `{`).
    pub fn named(text: &str) -> Result<Arc<Self>> {
        let value = if text.trim_start().starts_with('{') { json::parse(text, "adapter")? } else { Value::from(text) };
        Ok(Self::from_value(value)?)
    }

    /// The same, from a spec's `adapter` field.
    pub fn from_value(value: Value) -> Result<Arc<Self>, Invalid> {
        match value {
            Value::String(id) => match Self::builtin(&id) {
                Some(adapter) => Ok(adapter),
                None => {
                    let known: Vec<_> = builtin().iter().map(|adapter| adapter.id.as_str()).collect();
                    let reason = format!(
                        "is the id of no built-in adapter (there are {}); give its definition instead",
                        known.join(", ")
                    );
                    Err(Invalid::new("adapter", reason))
                }
            },
            value => Self::define(value).map(Arc::new),
        }
    }

    /// The built-in adapter with this id.
    pub fn builtin(id: &str) -> Option<Arc<Self>> {
        builtin().iter().find(|adapter| adapter.id == id).cloned()
    }

    fn define(value: Value) -> Result<Self, Invalid> {
        let definition = value.clone();
        let mut fields = Fields::of(value, "adapter", "adapter")?;
        let id = fields.required_string("id")?;
        if id.is_empty() || id.contains('\0') {
            return Err(Invalid::new("adapter.id", "is empty or holds NUL"));
        }
        let program = fields.required_string("program")?;
        if program.is_empty() || program.contains(['/', '\0']) {
            return Err(Invalid::new("adapter.program", "must be a program's name, as it is looked up on PATH"));
        }
        let prefix = fields.string("prefix")?.unwrap_or_else(|| "agent-venv-".into());
        check_prefix("adapter.prefix", &prefix)?;
        let env = fields.map("env", json::string)?;
        for (name, value) in &env {
            check_variable(&json::at("adapter.env", name), name, value)?;
        }
        let env_unset = fields.strings("env_unset")?;
        for (i, name) in env_unset.iter().enumerate() {
            check_variable(&format!("adapter.env_unset[{i}]"), name, "")?;
        }
        let seed_files = fields.map("seed_files", json::string)?;
        let seed_files = seed_files
            .into_iter()
            .map(|(path, text)| Ok((RelativePath::read(&path, "adapter.seed_files")?, text.into_bytes())))
            .collect::<Result<_, Invalid>>()?;
        let login = Login::list(fields.list("login")?)?;
        let argv = argv::template(fields.list("argv")?)?;
        fields.finish(FIELDS)?;
        Ok(Adapter { id, program, prefix, env, env_unset, seed_files, login, definition, argv })
    }

    /// Looks the agent's program up on PATH.
    pub fn ensure_available(&self) -> Result<()> {
        ensure_on_path(&self.id, &self.program)
    }

    /// The command line for an unattended run; the prompt goes to the agent's standard input.
    pub fn argv(&self, options: &AdapterOptions) -> Result<Vec<String>> {
        if self.argv.is_empty() {
            return Err(Error::invalid("adapter.argv", format!("adapter {:?} has no command line template", self.id)));
        }
        Ok(argv::fill(&self.argv, &self.program, options)?)
    }
}

pub(crate) fn ensure_on_path(adapter_id: &str, program: &str) -> Result<()> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if std::env::split_paths(&path).any(|dir| crate::fs::is_executable(&dir.join(program))) {
        return Ok(());
    }
    let (adapter_id, cli_bin) = (adapter_id.to_owned(), program.to_owned());
    Err(Failure::AdapterUnavailable { adapter_id, cli_bin }.into())
}

/// The built-in adapters, read once.
fn builtin() -> &'static [Arc<Adapter>] {
    static BUILTIN: OnceLock<Vec<Arc<Adapter>>> = OnceLock::new();
    if let Some(adapters) = BUILTIN.get() {
        return adapters;
    }
    // Read outside the lock: a fork in another thread meanwhile must not leave the child with a lock that nobody frees.
    let adapters = read_builtin().unwrap_or_default();
    BUILTIN.get_or_init(|| adapters)
}

fn read_builtin() -> Result<Vec<Arc<Adapter>>, Invalid> {
    match json::parse(BUILTIN_JSON, "adapter")? {
        Value::Array(definitions) => definitions.into_iter().map(Adapter::from_value).collect(),
        other => Err(json::wrong_type("adapter", "a list", &other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_builtin_definition_is_valid() {
        let adapters = read_builtin().unwrap_or_else(|invalid| panic!("{invalid:?}"));
        assert_eq!(adapters.len(), 2);
    }
}
