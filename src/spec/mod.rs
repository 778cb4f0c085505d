//! What an environment shall hold: the only place where raw input becomes something that the rest may trust.

mod layout;
mod names;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::adapter::{Adapter, AdapterOptions};
use crate::error::Result;
use crate::json::{self, Fields, Invalid};
use crate::map;
use crate::secret::Secret;

pub(crate) use layout::{Content, Files};
pub(crate) use names::{RelativePath, check_prefix, check_variable};

/// What an environment shall hold.
///
/// Built from JSON ([`Spec::from_json`]), from an adapter ([`Spec::for_adapter`]), or piece by piece. Whatever is
/// malformed is refused at once, as [`InvalidEnvironmentSpec`](crate::Failure::InvalidEnvironmentSpec). A spec
/// that names an adapter reads no login yet: that happens when an environment is made from it.
///
/// Credentials are wiped from memory when the spec is dropped, and [`Debug`] shows names only.
#[derive(Clone, Default)]
pub struct Spec {
    adapter: Option<(Arc<Adapter>, Arc<AdapterOptions>)>,
    adapter_id: Option<String>,
    // Shared with the environments that are made from this spec.
    env_overrides: Arc<BTreeMap<String, String>>,
    seed_files: BTreeMap<RelativePath, Vec<u8>>,
    credentials: Arc<BTreeMap<RelativePath, Secret>>,
    file_modes: BTreeMap<RelativePath, u32>,
    prefix: Option<String>,
    /// Credentials of which only the creator of the environment knows the content: never replaced by the host's login.
    creators: BTreeSet<RelativePath>,
}

/// Fields of the record.
const CREATORS: &str = "creators_credentials";
const MODES: &str = "credential_modes";

const FIELDS: &str = "adapter_id, env_overrides, seed_files, credentials, file_modes, prefix, adapter, options";

impl Spec {
    /// The empty spec: an empty profile, no variables, adapter id `generic`.
    pub fn new() -> Self {
        Self::default()
    }

    /// A spec from its JSON form (see the field table in `docs/spec.md`).
    pub fn from_json(text: &str) -> Result<Self> {
        Ok(Self::read(json::parse(text, "spec")?)?)
    }

    /// A spec for an adapter: the id of a built-in one, or a definition as JSON (it begins with `{`).
    ///
    /// `options_json` is an object of the adapter's options, or `None` for the defaults.
    pub fn for_adapter(adapter: &str, options_json: Option<&str>) -> Result<Self> {
        let spec = Spec {
            adapter: Some((Adapter::named(adapter)?, AdapterOptions::from_json(options_json)?.into())),
            ..Self::default()
        };
        spec.check()?;
        Ok(spec)
    }

    /// Sets a variable to hand back. `$EPHEMERAL_HOME` in the value becomes the profile's path.
    pub fn set_env(&mut self, name: &str, value: &str) -> Result<()> {
        check_variable(&json::at("env_overrides", name), name, value)?;
        Arc::make_mut(&mut self.env_overrides).insert(name.to_owned(), value.to_owned());
        Ok(())
    }

    /// Adds a file that is written when the profile is made, or replaces it. Without a `mode` it is
    /// what `file_modes` says, else 0600.
    pub fn add_seed_file(&mut self, path: &str, content: &[u8], mode: Option<u32>) -> Result<()> {
        let path = RelativePath::read(path, "seed_files")?;
        let mode = mode.map(|mode| names::mode(mode.into(), &path)).transpose()?;
        let before = self.seed_files.insert(path.clone(), content.to_vec());
        if let Err(invalid) = self.check_added("seed_files", &path) {
            put_back(&mut self.seed_files, path, before);
            return Err(invalid.into());
        }
        if let Some(mode) = mode {
            self.file_modes.insert(path, mode);
        }
        Ok(())
    }

    /// Adds a credential, or replaces it. Its mode is what `file_modes` says, else 0600.
    pub fn add_credential(&mut self, path: &str, content: &[u8]) -> Result<()> {
        let path = RelativePath::read(path, "credentials")?;
        let credentials = Arc::make_mut(&mut self.credentials);
        let before = credentials.insert(path.clone(), Secret::new(content.to_vec()));
        if let Err(invalid) = self.check_added("credentials", &path) {
            put_back(Arc::make_mut(&mut self.credentials), path, before);
            return Err(invalid.into());
        }
        Ok(())
    }

    pub(crate) fn read(value: Value) -> std::result::Result<Self, Invalid> {
        let mut fields = Fields::of(value, "", "spec")?;
        let adapter_id = fields.string("adapter_id")?;
        let env_overrides = fields.map("env_overrides", json::string)?;
        let seed_files = fields.map("seed_files", json::string)?;
        let credentials = fields.map("credentials", json::string)?;
        let file_modes = fields.map("file_modes", |value, field| Ok((value, field.to_owned())))?;
        let prefix = fields.string("prefix")?;
        let adapter = fields.take("adapter").map(Adapter::from_value).transpose()?;
        let options = fields.take("options");
        fields.finish(FIELDS)?;

        if let Some(id) = &adapter_id {
            names::check_text("adapter_id", id)?;
        }
        for (name, value) in &env_overrides {
            check_variable(&json::at("env_overrides", name), name, value)?;
        }
        if let Some(prefix) = &prefix {
            names::check_prefix("prefix", prefix)?;
        }
        let adapter = match (adapter, options) {
            (Some(adapter), options) => Some((adapter, AdapterOptions::from_value(options)?.into())),
            (None, Some(_)) => return Err(Invalid::new("options", "needs an adapter: name one in the field adapter")),
            (None, None) => None,
        };
        let spec = Spec {
            adapter,
            adapter_id,
            env_overrides: env_overrides.into(),
            seed_files: names::paths(seed_files, "seed_files", |text, _| Ok(text.into_bytes()))?,
            credentials: names::paths(credentials, "credentials", |text, _| Ok(Secret::new(text.into_bytes())))?.into(),
            file_modes: names::paths(file_modes, "file_modes", |(value, _), path| match value.as_u64() {
                _ if !value.is_i64() && !value.is_u64() => {
                    Err(json::wrong_type(&path.field("file_modes"), "an integer", &value))
                }
                Some(mode) => names::mode(mode, path),
                None => names::mode(u64::MAX, path),
            })?,
            prefix,
            creators: BTreeSet::new(),
        };
        spec.check()?;
        Ok(spec)
    }

    pub(crate) fn adapter_id(&self) -> &str {
        match (&self.adapter_id, &self.adapter) {
            (Some(id), _) => id,
            (None, Some((adapter, _))) => &adapter.id,
            (None, None) => "generic",
        }
    }

    pub(crate) fn prefix(&self) -> &str {
        match (&self.prefix, &self.adapter) {
            (Some(prefix), _) => prefix,
            (None, Some((adapter, _))) => &adapter.prefix,
            (None, None) => "agent-venv-",
        }
    }

    /// What is recorded of it, so that a later process can refresh credentials: the adapter, its options, and which
    /// credentials only the creator knows. Never a credential's content.
    pub(crate) fn record(&self) -> Vec<(String, Value)> {
        let mut record = Vec::new();
        if let Some((adapter, options)) = &self.adapter {
            record.push(("adapter".to_owned(), adapter.definition.clone()));
            record.push(("options".to_owned(), serde_json::to_value(&**options).unwrap_or_default()));
        }
        let creators: Vec<_> = self.credentials.keys().map(RelativePath::as_str).collect();
        if !creators.is_empty() {
            record.push((CREATORS.to_owned(), creators.into()));
        }
        let modes = self.file_modes.iter().filter(|(path, _)| self.is_login(path));
        let mut recorded = Map::new();
        for (path, mode) in modes {
            recorded.insert(path.as_str().to_owned(), Value::from(*mode));
        }
        if !recorded.is_empty() {
            record.push((MODES.to_owned(), recorded.into()));
        }
        record
    }

    /// The spec that was recorded, without what was not: seed files, and the credentials that only the creator knows.
    pub(crate) fn recorded(
        adapter_id: &str,
        env_template: BTreeMap<String, String>,
        record: &Map<String, Value>,
    ) -> std::result::Result<Self, Invalid> {
        let get = |key: &str| record.get(key).cloned();
        let adapter = match get("adapter") {
            Some(definition) => {
                let options = AdapterOptions::from_value(get("options"))?;
                Some((Adapter::from_value(definition)?, options.into()))
            }
            None => None,
        };
        let mut fields = Fields::picked(record, &[CREATORS, MODES]);
        let creators = fields.strings(CREATORS)?;
        let modes = fields.map(MODES, |value, _| Ok(value.as_u64().unwrap_or(u64::MAX)))?;
        Ok(Spec {
            adapter,
            adapter_id: Some(adapter_id.to_owned()),
            env_overrides: env_template.into(),
            creators: map::try_set(creators.into_iter().map(|path| RelativePath::read(&path, CREATORS)))?,
            file_modes: names::paths(modes, MODES, names::mode)?,
            ..Self::default()
        })
    }

    /// What an environment made from this spec keeps of it, to write its credentials anew: all but the seed files.
    pub(crate) fn without_seed_files(&self) -> Self {
        let modes = self.file_modes.iter().filter(|(path, _)| self.is_login(path));
        Spec {
            adapter: self.adapter.clone(),
            adapter_id: self.adapter_id.clone(),
            env_overrides: self.env_overrides.clone(),
            seed_files: BTreeMap::new(),
            credentials: self.credentials.clone(),
            file_modes: map::map(modes.map(|(path, mode)| (path.clone(), *mode))),
            prefix: None,
            creators: self.creators.clone(),
        }
    }

    /// The variables to hand back, `$EPHEMERAL_HOME` not yet replaced.
    pub(crate) fn env_template(&self) -> BTreeMap<String, String> {
        let adapter = self.adapter.iter().flat_map(|(adapter, options)| adapter.variables(options));
        let mut env: BTreeMap<_, _> = adapter.flat_map(|variables| variables.env.clone()).collect();
        env.extend(self.env_overrides.iter().map(|(name, value)| (name.clone(), value.clone())));
        env
    }

    /// The variables that a child must not inherit.
    pub(crate) fn env_unset(&self) -> Vec<String> {
        let names = |adapter: &Adapter, options: &AdapterOptions| -> Vec<String> {
            adapter.variables(options).flat_map(|variables| variables.env_unset.iter().cloned()).collect()
        };
        let unset = match &self.adapter {
            Some((adapter, options)) => names(adapter, options),
            // Known by its id where only that was given or recorded, as other implementations do.
            None => Adapter::builtin(self.adapter_id())
                .map(|adapter| names(&adapter, &AdapterOptions::default()))
                .unwrap_or_default(),
        };
        let set = self.env_template();
        unset.into_iter().filter(|name| !set.contains_key(name)).collect()
    }

    /// The adapter and its options, where it has one.
    pub(crate) fn adapter(&self) -> Option<(&Adapter, &AdapterOptions)> {
        self.adapter.as_ref().map(|(adapter, options)| (&**adapter, &**options))
    }
}

fn put_back<T>(map: &mut BTreeMap<RelativePath, T>, path: RelativePath, before: Option<T>) {
    match before {
        Some(value) => map.insert(path, value),
        None => map.remove(&path),
    };
}

/// Names and places, never contents or values.
impl fmt::Debug for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spec")
            .field("adapter_id", &self.adapter_id())
            .field("env_overrides", &self.env_overrides.keys())
            .field("seed_files", &self.seed_files.keys())
            .field("credentials", &self.credentials.keys())
            .field("file_modes", &self.file_modes)
            .field("prefix", &self.prefix())
            .finish()
    }
}
