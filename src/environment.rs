//! The handle on an environment, and its life.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use parking_lot::Mutex;

use crate::ephemeral::Home;
use crate::error::{Error, Result};
use crate::event::{Event, EventLog, Happened};
use crate::options::Options;
use crate::profile::Profile;
use crate::spec::Spec;

/// What a value of `env_overrides` may hold for the profile's path.
const PLACEHOLDER: &str = "$EPHEMERAL_HOME";

/// A profile directory, and the variables that point an agent at it.
///
/// Dropping an ephemeral environment removes it, best effort; [`destroy`](Self::destroy) tells whether that worked.
/// All methods may be called from any thread at the same time. In a forked child the environment is still the
/// parent's: dropping it there removes nothing, and [`destroy`](Self::destroy) is refused.
pub struct Environment {
    home: Home,
    path: String,
    spec: Spec,
    /// Held through destroy and refresh: one at a time.
    life: Mutex<Life>,
    log: Mutex<EventLog>,
}

#[derive(PartialEq)]
enum Life {
    Standing,
    /// Removal failed half way; it may be tried again.
    Ruined,
    Destroyed,
}

impl Environment {
    /// Makes an environment that lives until it is destroyed or dropped.
    ///
    /// The host's login is read now, where the spec's adapter wants it. On failure nothing is left on disk.
    pub fn ephemeral(spec: &Spec, options: &Options) -> Result<Self> {
        let mut log = EventLog::new();
        match Self::make(spec, options, &mut log) {
            Ok((home, path)) => {
                let spec = spec.without_seed_files();
                Ok(Environment { home, path, spec, life: Mutex::new(Life::Standing), log: Mutex::new(log) })
            }
            // Nothing was made, so the error is all there is to tell.
            Err(error) => Err(error),
        }
    }

    fn make(spec: &Spec, options: &Options, log: &mut EventLog) -> Result<(Home, String)> {
        let credentials = spec.all_credentials()?;
        let seeds = spec.seeds();
        let (home, dir) = Home::claim(spec.prefix(), options)?;
        let path = home.path();
        let profile = Profile { dir: &dir, path: &path, durable: options.durable };
        let text = path.to_string_lossy().into_owned();
        log.add(Happened::Created {
            name: None,
            lifetime: "ephemeral",
            adapter_id: spec.adapter_id().to_owned(),
            path: text.clone(),
        });
        let written = profile.create(&seeds).and_then(|seeds| Ok((seeds, profile.create(&credentials)?)));
        let (seeds, credentials) = written.inspect_err(|_| _ = home.remove())?;
        if seeds.files > 0 {
            log.add(Happened::Materialized { file_count: seeds.files, total_bytes: seeds.bytes });
        }
        if credentials.files > 0 {
            log.add(Happened::CredentialsCopied { file_count: credentials.files });
        }
        Ok((home, text))
    }

    /// The profile directory: absolute, and without links in it.
    pub fn path(&self) -> &Path {
        Path::new(&self.path)
    }

    /// The name; `None` for an ephemeral environment.
    pub fn name(&self) -> Option<&str> {
        None
    }

    /// `"ephemeral"` or `"persistent"`.
    pub fn kind(&self) -> &'static str {
        "ephemeral"
    }

    /// Which adapter this environment is for; `generic` where none was named.
    pub fn adapter_id(&self) -> &str {
        self.spec.adapter_id()
    }

    /// The variables to set for the agent.
    pub fn env_overrides(&self) -> BTreeMap<String, String> {
        let mut overrides = self.spec.env_template();
        for value in overrides.values_mut() {
            *value = value.replace(PLACEHOLDER, &self.path);
        }
        overrides
    }

    /// The variables that the agent must not inherit.
    pub fn env_unset(&self) -> Vec<String> {
        self.spec.env_unset()
    }

    /// The whole environment block for a child: the entries of `base` (`NAME=value`), less the variables to unset and
    /// those that are overridden, and the overrides. Entries need not be UTF-8; one without `=` is kept.
    pub fn envp(&self, base: impl IntoIterator<Item = OsString>) -> Result<Vec<OsString>> {
        self.check_standing(&self.life.lock())?;
        let overrides = self.env_overrides();
        let unset = self.env_unset();
        let replaced = |entry: &OsString| {
            let name = entry.as_bytes().split(|byte| *byte == b'=').next().and_then(|name| str::from_utf8(name).ok());
            name.is_some_and(|name| overrides.contains_key(name) || unset.iter().any(|unset| unset == name))
        };
        let kept = base.into_iter().filter(|entry| !replaced(entry));
        let ours = overrides.iter().map(|(name, value)| OsString::from(format!("{name}={value}")));
        Ok(kept.chain(ours).collect())
    }

    /// What was done to this environment through this handle, in order.
    pub fn events(&self) -> Vec<Event> {
        self.log.lock().events().to_vec()
    }

    /// Replaces the credentials, each file as a whole, and touches nothing else in the profile.
    ///
    /// With a spec: by that spec's credentials. Without: by the host's login as it is now, where the environment was made
    /// for an adapter that reads one, and by the credentials of its own spec.
    pub fn refresh_credentials(&self, spec: Option<&Spec>, options: &Options) -> Result<()> {
        self.noting(|| {
            self.home.check_owner()?;
            let life = self.life.lock();
            self.check_standing(&life)?;
            let credentials = spec.unwrap_or(&self.spec).all_credentials()?;
            if credentials.is_empty() {
                let reason = match spec {
                    Some(_) => "has no credentials to refresh this environment with",
                    None => "is needed: this environment was made without credentials, so there are none to go back to",
                };
                return Err(Error::invalid("spec", reason));
            }
            let written = self.home.with_profile(|dir, staging| {
                Profile { dir, path: self.path(), durable: options.durable }.replace(&credentials, staging)
            })?;
            self.log.lock().add(Happened::CredentialsRefreshed { file_count: written.files });
            Ok(())
        })
    }

    /// Removes the profile. Once that was done, further calls do nothing; after
    /// [`CleanupFailed`](crate::Failure::CleanupFailed) they try again.
    pub fn destroy(&self) -> Result<()> {
        self.noting(|| {
            self.home.check_owner()?;
            let mut life = self.life.lock();
            if *life == Life::Destroyed {
                return Ok(());
            }
            let removed = self.home.remove();
            *life = if removed.is_ok() { Life::Destroyed } else { Life::Ruined };
            self.log.lock().add(Happened::Destroyed { path: self.path.clone(), ok: removed.is_ok() });
            removed
        })
    }

    fn check_standing(&self, life: &Life) -> Result<()> {
        if *life == Life::Standing {
            return Ok(());
        }
        Err(Error::misuse(format!("the environment at {:?} was destroyed: create another", self.path)))
    }

    /// Runs one call; its error goes into the log, and takes the call's events along.
    fn noting<T>(&self, call: impl FnOnce() -> Result<T>) -> Result<T> {
        let first = self.log.lock().events().len();
        call().map_err(|error| error.noted_in(&mut self.log.lock(), first))
    }
}

impl Drop for Environment {
    fn drop(&mut self) {
        if *self.life.get_mut() != Life::Destroyed && self.home.is_owner() {
            // Nobody is there to be told; what is left, reap takes.
            _ = self.home.remove();
        }
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("kind", &self.kind())
            .field("path", &self.path)
            .field("adapter_id", &self.adapter_id())
            .finish_non_exhaustive()
    }
}
