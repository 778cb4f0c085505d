//! Replacing the credentials of an environment that exists.

use crate::error::Result;
use crate::fs::Staging;
use crate::login;
use crate::options::Options;
use crate::profile::{Profile, Written};
use crate::spec::Files;

use super::index::Index;
use super::{ENVS, METADATA, Registry, TEMPORARY, not_found};

/// Replaces credentials, if the environment is still the one that `instance` was and `prepare` lets it.
pub(crate) fn refresh(
    name: &str,
    instance: &str,
    credentials: &mut Files<'_>,
    options: &Options,
    prepare: impl FnOnce(&login::Profile<'_>, &mut Files<'_>) -> Result<()>,
) -> Result<Written> {
    let Some(registry) = Registry::find(options)? else { return Err(not_found(name, &super::root(options)?)) };
    let lock = registry.lock(options)?;
    let mut entry = registry.same(registry.look_in(&Index::read(&registry)?, name)?, name, instance)?;
    let ours = registry.ours()?;
    let written = registry.with_profile(&entry, |profile| {
        prepare(profile, credentials)?;
        let staging = Staging { dir: &ours.dir, name: TEMPORARY };
        Profile { dir: profile.dir, path: profile.path, durable: options.durable }.replace(credentials, &staging)
    })?;
    entry.metadata.set_credentials_loaded(credentials);
    let recorded = entry.metadata.write(&entry.dir, &ours.dir, options.durable);
    let recorded = recorded.and_then(|()| entry.dir.sync_if(options.durable));
    recorded.map_err(|error| registry.trouble(&format!("{ENVS}/{}/{METADATA}", entry.slug), error))?;
    drop(lock);
    Ok(written)
}
