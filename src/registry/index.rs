//! `index.json`: which names there are.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::error::Result;
use crate::fs::{Dir, Errno, ReadError, read_child};
use crate::json::{self, Fields, Invalid};

use super::{COMMITTED, ENVS, INDEX, Registry, name};

const SCHEMA: i64 = 1;
const MAX_BYTES: usize = 64 << 20;
const REMEDY: &str = "nothing was changed; `repair` keeps this file beside it and builds it anew from what is there";

pub(super) struct Index {
    /// Fields of others, kept.
    rest: Map<String, Value>,
    entries: BTreeMap<String, String>,
}

impl Index {
    /// Reads the index. A missing one is empty where nothing was ever committed.
    pub fn read(registry: &Registry) -> Result<Self> {
        match Self::load(registry)? {
            Ok(Some(index)) => Ok(index),
            Ok(None) if registry.holds_committed()? => {
                let reason = format!("it is missing, though there are environments; {REMEDY}");
                Err(registry.unavailable(INDEX, &reason))
            }
            Ok(None) => Ok(Index { rest: Map::new(), entries: BTreeMap::new() }),
            Err(reason) => Err(registry.unavailable(INDEX, &format!("{reason}; {REMEDY}"))),
        }
    }

    /// The index; `None` where there is none, the reason where what stands there is no index. An error is one of reading:
    /// the file may be in order.
    pub fn load(registry: &Registry) -> Result<std::result::Result<Option<Self>, String>> {
        let bytes = match read_child(&registry.dir, INDEX, MAX_BYTES) {
            Ok(bytes) => bytes,
            Err(ReadError::Missing) => return Ok(Ok(None)),
            Err(ReadError::Failed(error)) => return Err(registry.trouble(INDEX, error)),
            Err(error @ (ReadError::NotAFile | ReadError::TooLarge)) => return Ok(Err(format!("it {error}"))),
        };
        let Ok(text) = String::from_utf8(bytes) else { return Ok(Err("it is not UTF-8".into())) };
        Ok(match Self::parse(&text) {
            Ok(index) => Ok(Some(index)),
            Err(Invalid { field, reason }) if field == INDEX => Err(format!("it {reason}")),
            Err(Invalid { field, reason }) => Err(format!("{field} {reason}")),
        })
    }

    fn parse(text: &str) -> std::result::Result<Self, Invalid> {
        let mut fields = Fields::of(json::parse(text, INDEX)?, "", INDEX)?;
        match fields.take("schema_version").and_then(|version| version.as_i64()) {
            Some(SCHEMA) => {}
            Some(_) => return Err(Invalid::new("schema_version", "is not 1: a newer program wrote it")),
            None => return Err(Invalid::new("schema_version", "is missing or no integer")),
        }
        if !fields.has("entries") {
            return Err(Invalid::new("entries", "is missing"));
        }
        let entries = fields.map("entries", json::string)?;
        Ok(Index { rest: fields.rest(), entries })
    }

    pub fn empty() -> Self {
        Index { rest: Map::new(), entries: BTreeMap::new() }
    }

    /// The directory of a name; `None` where the index doesn't have it, or has something that leads out of the registry.
    pub fn slug(&self, name: &str) -> Option<&str> {
        self.entries.get(name).and_then(|value| name::slug_of(value))
    }

    /// Whether a name other than `name` holds this directory.
    pub fn is_held_by_other(&self, slug: &str, name: &str) -> bool {
        self.entries.iter().any(|(other, value)| other != name && name::slug_of(value) == Some(slug))
    }

    /// Names with their directories; those that section names refuse, and those that lead out, are left out.
    pub fn names(&self) -> impl Iterator<Item = (&str, &str)> {
        let names = self.entries.iter().filter(|(name, _)| name::refusal(name).is_none());
        names.filter_map(|(name, value)| Some((name.as_str(), name::slug_of(value)?)))
    }

    /// Names whose entry leads out of the registry.
    pub fn hostile(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().filter(|(_, value)| name::slug_of(value).is_none()).map(|(name, _)| name.as_str())
    }

    pub fn insert(&mut self, name: &str, slug: &str) {
        self.entries.insert(name.to_owned(), format!("{ENVS}/{slug}"));
    }

    pub fn remove(&mut self, name: &str) {
        self.entries.remove(name);
    }

    /// Replaces the file as a whole. Only for who holds the lock; `ours` is the directory for temporary files.
    pub fn write(&self, registry: &Registry, ours: &Dir, durable: bool) -> std::result::Result<(), Errno> {
        let mut whole = self.rest.clone();
        whole.insert("schema_version".into(), json!(SCHEMA));
        whole.insert("entries".into(), json!(self.entries));
        super::metadata::replace(&registry.dir, INDEX, ours, &whole, durable)
    }
}

impl Registry {
    fn holds_committed(&self) -> Result<bool> {
        let envs = match self.dir.child(ENVS) {
            Ok(envs) => envs,
            Err(Errno::NOENT) => return Ok(false),
            Err(error) => return Err(self.trouble(ENVS, error)),
        };
        for entry in envs.entries().map_err(|error| self.trouble(ENVS, error))? {
            match envs.child(&*entry.name).and_then(|dir| dir.has(COMMITTED)) {
                Ok(true) => return Ok(true),
                Ok(false) | Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => {}
                Err(error) => return Err(self.trouble(ENVS, error)),
            }
        }
        Ok(false)
    }
}
