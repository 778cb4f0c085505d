//! Attaching and listing: neither takes the lock, nor changes anything.

use std::collections::HashSet;
use std::ffi::CString;
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{Failure, Result};
use crate::fs::{Errno, Kind};
use crate::options::Options;

use super::entry::{Attached, Look};
use super::index::Index;
use super::{ENVS, METADATA, Registry, name, not_found, root};

/// How long a foreign writer who is in the middle of an entry is waited for.
const PATIENCE: Duration = Duration::from_millis(if cfg!(fuzzing) { 0 } else { 250 });
const LOOK_EVERY: Duration = Duration::from_millis(5);

const UNFINISHED: &str = "unfinished: another program registered it and never wrote its files; create_or_attach finishes it, \
                          destroy removes it";
pub(super) const NOT_FOUND: &str = "EnvironmentNotFound";

/// Attaches to an environment that exists.
pub(crate) fn attach(name: &str, options: &Options) -> Result<Attached> {
    name::check(name)?;
    let Some(registry) = Registry::find(options)? else { return Err(not_found(name, &root(options)?)) };
    loop {
        return match registry.look_patiently(name)? {
            Look::Absent => Err(registry.not_found(name)),
            Look::Whole(entry) => {
                check_adapter(name, &entry.metadata.adapter_id, options.expected_adapter.as_deref())?;
                match registry.attached(&entry) {
                    // Destroyed since we looked; perhaps there is another by now.
                    Err(error) if error.kind() == NOT_FOUND => continue,
                    attached => attached,
                }
            }
            Look::Unfinished(entry) => Err(registry.unavailable(&format!("{ENVS}/{}", entry.slug), UNFINISHED)),
            Look::Torn { path, reason, .. } => Err(torn(path, reason)),
            Look::Unreadable(error) => Err(error),
        };
    }
}

/// Hands the names of all environments over, sorted: there may be many, and not all who ask want their own copies.
pub(crate) fn list<T>(options: &Options, take: impl FnOnce(&mut dyn Iterator<Item = &str>) -> T) -> Result<T> {
    let Some(registry) = Registry::find(options)? else { return Ok(take(&mut std::iter::empty())) };
    let index = Index::read(&registry)?;
    // In this order: what is found sound now was so when the index was read, or is what it has become since.
    if index.is_ours() && registry.is_sound() {
        return Ok(take(&mut index.names().map(|(name, _)| name)));
    }
    let mut names = Vec::new();
    let envs = match registry.dir.child(ENVS) {
        Ok(envs) => envs,
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Ok(take(&mut std::iter::empty())),
        Err(error) => return Err(registry.trouble(ENVS, error)),
    };
    let directories = envs.entries().map_err(|error| registry.trouble(ENVS, error))?.into_iter();
    let directories: HashSet<CString> =
        directories.filter(|entry| entry.kind == Kind::Directory).map(|entry| entry.name).collect();
    for (name, slug) in index.names() {
        // In the directory that only this name derives, metadata that we wrote last has this name.
        let ours = slug == name::slug(name)
            && CString::new(slug).is_ok_and(|slug| directories.contains(&slug))
            && envs.is_signed(&format!("{slug}/{METADATA}")) == Ok(true);
        if ours || !matches!(registry.look_in(&index, name)?, Look::Absent) {
            names.push(name);
        }
    }
    Ok(take(&mut names.into_iter()))
}

pub(super) fn check_adapter(name: &str, recorded: &str, asked_for: Option<&str>) -> Result<()> {
    match asked_for {
        Some(asked_for) if asked_for != recorded => Err(Failure::AdapterMismatch {
            name: name.to_owned(),
            expected_adapter_id: recorded.to_owned(),
            actual_adapter_id: asked_for.to_owned(),
        }
        .into()),
        _ => Ok(()),
    }
}

pub(super) fn torn(path: String, reason: String) -> crate::Error {
    let reason = format!("{reason}; another program may have died while writing it; destroy_by_name removes it");
    Failure::RegistryUnavailable { reason, path }.into()
}

impl Registry {
    /// Looks a name up, and waits a little where a foreign writer seems to be in the middle of it.
    pub(super) fn look_patiently(&self, name: &str) -> Result<Look> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let look = self.look(name)?;
            let in_the_middle = matches!(look, Look::Unfinished(_) | Look::Torn { committed: false, .. });
            if !in_the_middle || Instant::now() >= deadline {
                return Ok(look);
            }
            thread::sleep(LOOK_EVERY);
        }
    }
}
