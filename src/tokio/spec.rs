//! A spec by its fields, as in the public crate; checked when an environment is made from it.

use std::collections::HashMap;
use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::Spec;
use crate::error::{Error, Result};

use super::IntoSpec;

/// What an environment shall hold, field by field; see `docs/spec.md`. [`Spec`] is the same, checked, and wipes its
/// credentials from memory, which these plain fields do not.
#[derive(Clone, Default, Serialize)]
pub struct EnvironmentSpec {
    /// Which adapter the environment is for; empty: `generic`, or the adapter's.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub adapter_id: String,
    /// Variables to hand back.
    pub env_overrides: HashMap<String, String>,
    /// Path below the profile, and content.
    pub seed_files: HashMap<String, String>,
    /// Path below the profile, and mode.
    pub file_modes: HashMap<String, u32>,
    /// Path below the profile, and content.
    pub credentials: HashMap<String, String>,
    /// Start of an ephemeral directory's name; empty: `agent-venv-`, or the adapter's.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub prefix: String,
    /// An adapter's id, or a definition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adapter: Option<Value>,
    /// The adapter's options.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub options: Map<String, Value>,
}

impl EnvironmentSpec {
    /// An empty spec, to be filled.
    pub fn builder() -> EnvironmentSpecBuilder {
        EnvironmentSpecBuilder { spec: EnvironmentSpec::default() }
    }
}

impl IntoSpec for EnvironmentSpec {
    fn into_spec(self) -> Result<Spec> {
        let value = serde_json::to_value(self).map_err(|_| Error::invalid("spec", "can't be written as JSON"))?;
        Ok(Spec::read(value)?)
    }
}

/// Names only: a value may be a secret.
impl fmt::Debug for EnvironmentSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnvironmentSpec")
            .field("adapter_id", &self.adapter_id)
            .field("env_overrides", &self.env_overrides.keys())
            .field("seed_files", &self.seed_files.keys())
            .field("credentials", &self.credentials.keys())
            .finish_non_exhaustive()
    }
}

/// Fills an [`EnvironmentSpec`].
#[derive(Debug, Clone)]
pub struct EnvironmentSpecBuilder {
    spec: EnvironmentSpec,
}

impl EnvironmentSpecBuilder {
    /// Sets the adapter's id.
    pub fn adapter_id(mut self, id: impl Into<String>) -> Self {
        self.spec.adapter_id = id.into();
        self
    }

    /// Adds a variable to hand back.
    pub fn env_override(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.spec.env_overrides.insert(name.into(), value.into());
        self
    }

    /// Adds a seed file.
    pub fn seed_file(mut self, path: impl Into<String>, content: impl Into<String>) -> Self {
        self.spec.seed_files.insert(path.into(), content.into());
        self
    }

    /// Adds a credential.
    pub fn credential(mut self, path: impl Into<String>, content: impl Into<String>) -> Self {
        self.spec.credentials.insert(path.into(), content.into());
        self
    }

    /// Sets a file's mode.
    pub fn file_mode(mut self, path: impl Into<String>, mode: u32) -> Self {
        self.spec.file_modes.insert(path.into(), mode);
        self
    }

    /// Sets the start of an ephemeral directory's name.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.spec.prefix = prefix.into();
        self
    }

    /// The spec.
    pub fn build(self) -> EnvironmentSpec {
        self.spec
    }
}
