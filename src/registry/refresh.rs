//! Replacing the credentials of an environment that exists.

use crate::error::{Error, Result};
use crate::fs::Staging;
use crate::options::Options;
use crate::profile::{Profile, Written};
use crate::secret::Secret;
use crate::spec::Files;

use super::attach::torn;
use super::entry::Look;
use super::index::Index;
use super::{ENVS, METADATA, PROFILE, Registry, TEMPORARY, not_found};

/// Replaces credentials, if the environment is still the one that `instance` was.
pub(crate) fn refresh(name: &str, instance: &str, credentials: &Files<Secret>, options: &Options) -> Result<Written> {
    let Some(registry) = Registry::find(options)? else { return Err(not_found(name, &super::root(options)?)) };
    let lock = registry.lock(options)?;
    let mut entry = match registry.look_in(&Index::read(&registry)?, name)? {
        Look::Whole(entry) | Look::Unfinished(entry) if entry.metadata.instance() == instance => entry,
        Look::Unreadable(error) => return Err(error),
        Look::Torn { path, reason, .. } => return Err(torn(path, reason)),
        _ => return Err(registry.not_found(name)),
    };
    let below = format!("{ENVS}/{}", entry.slug);
    let trouble = |file: &str| {
        let below = format!("{below}/{file}");
        let registry = &registry;
        move |error| -> Error { registry.trouble(&below, error) }
    };
    let ours = registry.ours()?;
    let dir = entry.dir.child(PROFILE).map_err(trouble(PROFILE))?;
    let path = registry.profile_path(&entry.slug);
    let profile = Profile { dir: &dir, path: path.as_ref(), durable: options.durable };
    let written = profile.replace(credentials, &Staging { dir: &ours.dir, name: TEMPORARY })?;
    entry.metadata.set_credentials_loaded();
    entry.metadata.write(&entry.dir, &ours.dir, options.durable).map_err(trouble(METADATA))?;
    entry.dir.sync_if(options.durable).map_err(trouble(METADATA))?;
    drop(lock);
    Ok(written)
}
