//! The options that a caller gives an adapter.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::Result;
use crate::json::{self, Fields, Invalid};

const FIELDS: &str = "model, reasoning_effort, load_credentials, extra_argv, workspace";

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct AdapterOptions {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_effort: Option<String>,
    pub load_credentials: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extra_argv: Vec<String>,
    /// The agent's working directory, for its command line only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
}

impl AdapterOptions {
    /// An object of options; `None` for the defaults.
    pub fn from_json(text: Option<&str>) -> Result<Self> {
        let value = text.map(|text| json::parse(text, "options")).transpose()?;
        Ok(Self::from_value(value)?)
    }

    pub fn from_value(value: Option<Value>) -> Result<Self, Invalid> {
        let value = value.unwrap_or_else(|| Value::Object(Map::new()));
        let mut fields = Fields::of(value, "options", "options")?;
        let options = AdapterOptions {
            model: fields.string("model")?,
            reasoning_effort: fields.string("reasoning_effort")?,
            load_credentials: fields.boolean("load_credentials")?.unwrap_or(true),
            extra_argv: fields.strings("extra_argv")?,
            workspace: fields.string("workspace")?,
        };
        fields.finish(FIELDS)?;
        Ok(options)
    }
}
