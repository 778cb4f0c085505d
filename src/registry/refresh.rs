//! Replacing the credentials of an environment that exists.

use std::thread;

use crate::adapter::{RETRIES, RETRY_EVERY};
use crate::error::Result;
use crate::fs::{Dir, Staging};
use crate::login::{self, Ready};
use crate::options::Options;
use crate::profile::{Profile, Written};
use crate::spec::Files;

use super::entry::Entry;
use super::index::Index;
use super::{ENVS, METADATA, Registry, TEMPORARY, not_found};

/// Replaces credentials, if the environment is still the one that `instance` was and `prepare` lets it.
///
/// They are read before the lock is taken, since reading may wait; under it they must still be what the host has, or another
/// process could have written newer ones meanwhile. `prepare` is told whether it is the last try.
pub(crate) fn refresh(
    name: &str,
    instance: &str,
    options: &Options,
    read: impl Fn() -> Result<Files<'static>>,
    prepare: impl Fn(&login::Profile<'_>, &mut Files<'_>, bool) -> Result<Ready>,
) -> Result<Written> {
    let Some(registry) = Registry::find(options)? else { return Err(not_found(name, &super::root(options)?)) };
    let mut tries = RETRIES;
    loop {
        let mut credentials = read()?;
        let lock = registry.lock(options)?;
        let mut entry = registry.same(registry.look_in(&Index::read(&registry)?, name)?, name, instance)?;
        let last_try = tries == 0;
        let is_current = last_try || login::are_current(&credentials);
        let ready = match is_current {
            true => registry.with_profile(&entry, |profile| prepare(profile, &mut credentials, last_try))?,
            false => Ready::NotYet,
        };
        if ready == Ready::Yes {
            return registry.replace_credentials(&mut entry, &credentials, options);
        }
        drop(lock);
        tries -= 1;
        if is_current {
            thread::sleep(RETRY_EVERY);
        }
    }
}

impl Registry {
    /// Only for who holds the lock. What is about to be copied is recorded first: whoever dies in between must not leave a
    /// login that nobody seems to have copied.
    fn replace_credentials(&self, entry: &mut Entry, credentials: &Files<'_>, options: &Options) -> Result<Written> {
        let ours = self.ours()?;
        if entry.metadata.expect_credentials(credentials) {
            self.record(entry, &ours.dir, options)?;
        }
        let written = self.with_profile(entry, |profile| {
            let staging = Staging { dir: &ours.dir, name: TEMPORARY };
            Profile { dir: profile.dir, path: profile.path, durable: options.durable }.replace(credentials, &staging)
        })?;
        if !credentials.is_empty() {
            entry.metadata.set_credentials_loaded(credentials);
            self.record(entry, &ours.dir, options)?;
        }
        Ok(written)
    }

    fn record(&self, entry: &Entry, ours: &Dir, options: &Options) -> Result<()> {
        let recorded = entry.metadata.write(&entry.dir, ours, options.durable);
        let recorded = recorded.and_then(|()| entry.dir.sync_if(options.durable));
        recorded.map_err(|error| self.trouble(&format!("{ENVS}/{}/{METADATA}", entry.slug), error))
    }
}
