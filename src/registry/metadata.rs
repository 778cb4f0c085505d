//! `metadata.json`: what is known of one environment.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value, json};

use crate::fs::{self, Dir, Errno, ReadError, Staging};
use crate::json::{self, Fields, Invalid};
use crate::login::Copied;
use crate::spec::{Files, Spec, check_variable};
use crate::time;

use super::{METADATA, TEMPORARY, signed};

const SCHEMA: i64 = 1;
const MAX_BYTES: usize = 64 << 20;
/// Fields that are read here; a spec reads others.
const KNOWN: [&str; 8] = [
    "schema_version",
    "writer",
    "env_overrides_template",
    "env_overrides",
    "name",
    "adapter_id",
    "created_at",
    "instance",
];
const WRITER: &str = "agent-venv-native";
/// Our field with the fingerprints of logins that were copied.
const COPIED: &str = "copied_logins";

/// A metadata file, checked, with all its fields.
#[derive(Clone)]
pub(super) struct Metadata {
    pub name: String,
    pub adapter_id: String,
    /// As recorded; `None` where a foreign writer left it out.
    created_at: Option<String>,
    /// Ours: `$EPHEMERAL_HOME` not yet replaced. A foreign writer's: as it recorded them.
    pub env_overrides: BTreeMap<String, String>,
    pub is_ours: bool,
    instance: Option<String>,
    fields: Map<String, Value>,
}

pub(super) enum MetadataError {
    Missing,
    /// Torn, or of another shape or version.
    Unusable(String),
    /// It could not be read, which says nothing of what it holds.
    Unread(Errno),
}

impl fmt::Display for MetadataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MetadataError::Missing => f.write_str("it is missing"),
            MetadataError::Unusable(reason) => f.write_str(reason),
            MetadataError::Unread(error) => write!(f, "it {}", ReadError::Failed(*error)),
        }
    }
}

impl Metadata {
    /// What is recorded of a new environment.
    pub fn new(name: &str, spec: &Spec, path: &str, credentials: &Files<'_>) -> Self {
        let now = time::now();
        let template = spec.env_template();
        let env_overrides = crate::environment::filled_in(&template, path);
        let instance = format!("{:016x}{:016x}", fs::random(), fs::random());
        let mut fields = Map::new();
        let mut put = |key: &str, value: Value| _ = fields.insert(key.to_owned(), value);
        put("schema_version", json!(SCHEMA));
        put("name", json!(name));
        put("adapter_id", json!(spec.adapter_id()));
        put("created_at", json!(now));
        put("env_overrides", json!(env_overrides));
        put("credentials_loaded", json!(!credentials.is_empty()));
        put("credentials_loaded_at", if credentials.is_empty() { Value::Null } else { json!(now) });
        put("writer", json!(WRITER));
        put("instance", json!(instance));
        put("env_overrides_template", json!(template));
        for (key, value) in spec.record() {
            put(&key, value);
        }
        if let Some(copied) = Copied::new(&*instance, credentials).record() {
            put(COPIED, copied);
        }
        Metadata {
            name: name.to_owned(),
            adapter_id: spec.adapter_id().to_owned(),
            created_at: Some(now),
            env_overrides: template,
            is_ours: true,
            instance: Some(instance),
            fields,
        }
    }

    /// Makes an entry of somebody else's, which was never finished, one of ours: its own fields stay but those that we
    /// know better.
    pub fn adopt(&mut self, spec: &Spec, path: &str, credentials: &Files<'_>) {
        let new = Self::new(&self.name, spec, path, credentials);
        let mut fields = std::mem::take(&mut self.fields);
        let created_at = fields.get("created_at").cloned();
        fields.extend(new.fields.clone());
        if let Some(created_at) = created_at {
            // Its instance stays what it was: its maker may yet come back, and write its own metadata over ours.
            fields.insert("instance".into(), created_at.clone());
            fields.insert("created_at".into(), created_at);
        }
        let instance = fields.get("instance").and_then(Value::as_str).map(str::to_owned);
        // Files that were there already were not copied by us.
        fields.remove(COPIED);
        *self = Metadata { fields, instance, ..new };
    }

    pub fn read(dir: &Dir) -> Result<Self, MetadataError> {
        let bytes = match fs::read_child(dir, METADATA, MAX_BYTES) {
            Ok(file) => file.content,
            Err(ReadError::Missing) => return Err(MetadataError::Missing),
            Err(ReadError::Failed(error)) => return Err(MetadataError::Unread(error)),
            Err(error) => return Err(MetadataError::Unusable(format!("it {error}"))),
        };
        let text = String::from_utf8(bytes).map_err(|_| MetadataError::Unusable("it is not UTF-8".into()))?;
        Self::parse(&text).map_err(|Invalid { field, reason }| {
            let what = if field == METADATA { "it" } else { &field };
            MetadataError::Unusable(format!("{what} {reason}"))
        })
    }

    fn parse(text: &str) -> Result<Self, Invalid> {
        let value = json::parse(text, METADATA)?;
        let fields = Fields::of(value, "", METADATA)?.rest();
        let mut read = Fields::picked(&fields, &KNOWN);
        match read.take("schema_version").map(|version| version.as_i64()) {
            Some(Some(SCHEMA)) => {}
            Some(Some(_)) => return Err(Invalid::new("schema_version", "is not 1: a newer program wrote it")),
            _ => return Err(Invalid::new("schema_version", "is missing or no integer")),
        }
        let is_ours = read.string("writer")?.as_deref() == Some(WRITER);
        // A moved registry must not lead an agent to where it once was.
        let env_overrides = match read.map("env_overrides_template", json::string)? {
            template if is_ours => template,
            _ => read.map("env_overrides", json::string)?,
        };
        for (name, value) in &env_overrides {
            check_variable(&json::at("env_overrides", name), name, value)?;
        }
        Ok(Metadata {
            name: read.required_string("name")?,
            adapter_id: read.required_string("adapter_id")?,
            created_at: read.string("created_at")?,
            env_overrides,
            is_ours,
            instance: read.string("instance")?,
            fields,
        })
    }

    /// What tells this environment from another of the same name, before it or after.
    pub fn instance(&self) -> &str {
        self.instance.as_deref().or(self.created_at.as_deref()).unwrap_or_default()
    }

    /// Whether a foreign writer registered it and did not come to the end.
    pub fn is_unfinished(&self) -> bool {
        !self.is_ours && self.env_overrides.is_empty() && self.adapter_id != "generic"
    }

    /// The spec that a refresh goes back to, as far as it was recorded.
    pub fn spec(&self) -> Result<Spec, Invalid> {
        Spec::recorded(&self.adapter_id, self.env_overrides.clone(), &self.fields)
    }

    /// Follows the environment to another directory before it is made visible.
    pub fn move_to(&mut self, path: &str) {
        let overrides = crate::environment::filled_in(&self.env_overrides, path);
        self.fields.insert("env_overrides".into(), json!(overrides));
    }

    /// Which logins were copied into it.
    pub fn copied(&self) -> Copied {
        // Another writer who took the instance out left what no longer fits.
        Copied::from_record(self.instance(), self.fields.get(COPIED).filter(|_| self.instance.is_some()))
    }

    /// Notes what is about to be copied. Answers whether there is anything to write.
    pub fn expect_credentials(&mut self, credentials: &Files<'_>) -> bool {
        let mut copied = self.copied();
        let new = copied.expect(credentials);
        new && self.set_copied(&copied)
    }

    fn set_copied(&mut self, copied: &Copied) -> bool {
        match copied.record() {
            // Without an instance there is no salt to tell them by.
            Some(copied) if self.instance.is_some() => self.fields.insert(COPIED.into(), copied),
            _ => self.fields.remove(COPIED),
        };
        self.instance.is_some()
    }

    pub fn set_credentials_loaded(&mut self, credentials: &Files<'_>) {
        let mut copied = self.copied();
        copied.settle(credentials);
        self.set_copied(&copied);
        self.fields.insert("credentials_loaded".into(), json!(true));
        self.fields.insert("credentials_loaded_at".into(), json!(time::now()));
    }

    pub fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(&self.fields).unwrap_or_default()
    }

    /// Replaces the file in an environment's directory. Only for who holds the lock.
    pub fn write(&self, dir: &Dir, ours: &Dir, durable: bool) -> Result<(), Errno> {
        replace(dir, METADATA, ours, &self.bytes(), durable)
    }
}

/// Replaces a JSON file as a whole. Only for who holds the lock.
pub(super) fn replace(dir: &Dir, name: &str, ours: &Dir, json: &[u8], durable: bool) -> Result<(), Errno> {
    let staging = Staging { dir: ours, name: TEMPORARY };
    fs::replace_file(dir, name, &staging, json, signed(durable))
}
