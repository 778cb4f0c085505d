//! Looking into an environment that exists.

use crate::error::{Error, Result};
use crate::fs::Errno;
use crate::login;
use crate::options::Options;

use super::attach::torn;
use super::entry::{Entry, Look};
use super::{ENVS, PROFILE, Registry, not_found};

/// Runs `look` on the profile, if the environment is still the one that `instance` was. Takes no lock.
pub(crate) fn inspect<T>(
    name: &str,
    instance: &str,
    options: &Options,
    look: impl FnOnce(&login::Profile<'_>) -> Result<T>,
) -> Result<T> {
    let Some(registry) = Registry::find(options)? else { return Err(not_found(name, &super::root(options)?)) };
    let found = registry.look_patiently(name)?;
    let entry = registry.same(found, name, instance)?;
    let seen = registry.with_profile(&entry, look);
    // What was seen of one that is being deleted is nothing to go by.
    match registry.is_gone(&entry) {
        Ok(false) => seen,
        Ok(true) => Err(registry.not_found(name)),
        Err(error) => Err(registry.trouble(&format!("{ENVS}/{}", entry.slug), error)),
    }
}

impl Registry {
    /// What was found, if it is still the environment that `instance` was.
    pub(super) fn same(&self, look: Look, name: &str, instance: &str) -> Result<Entry> {
        match look {
            Look::Whole(entry) | Look::Unfinished(entry) if entry.metadata.instance() == instance => Ok(entry),
            Look::Unreadable(error) => Err(error),
            Look::Torn { path, reason, .. } => Err(torn(path, reason)),
            _ => Err(self.not_found(name)),
        }
    }

    /// Runs `work` on an entry's profile.
    pub(super) fn with_profile<T>(
        &self,
        entry: &Entry,
        work: impl FnOnce(&login::Profile<'_>) -> Result<T>,
    ) -> Result<T> {
        let trouble = |error| -> Error {
            match error {
                // Destroyed while we looked.
                Errno::NOENT if self.is_gone(entry) == Ok(true) => self.not_found(&entry.metadata.name),
                error => self.trouble(&format!("{ENVS}/{}/{PROFILE}", entry.slug), error),
            }
        };
        let dir = entry.dir.child(PROFILE).map_err(trouble)?;
        let path = self.profile_path(&entry.slug);
        work(&login::Profile { dir: &dir, path: path.as_ref(), copied: &entry.metadata.copied() })
    }
}
