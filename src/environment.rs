//! The handle on an environment, and its life.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::{Mutex, MutexGuard};
use zeroize::Zeroize;

use crate::ephemeral::Home;
use crate::error::{Error, Result};
use crate::event::{Event, EventLog, Happened};
use crate::fs::ForkMutex;
use crate::login::{self, Copied, LoginStatus};
use crate::map;
use crate::options::Options;
use crate::profile::{Profile, Written};
use crate::registry::{self, Attached, Created, Leftover};
use crate::secret::Secret;
use crate::spec::{Files, Spec};

/// What a value of `env_overrides` may hold for the profile's path.
const PLACEHOLDER: &str = "$EPHEMERAL_HOME";

/// A profile directory, and the variables that point an agent at it.
///
/// An *ephemeral* environment is removed when it is destroyed or dropped ([`destroy`](Self::destroy) tells whether that
/// worked). It belongs to the process that created it: in a forked child dropping it removes nothing, and `destroy` is
/// refused. A *persistent* one is kept under its name until it is destroyed; dropping it only detaches.
///
/// All methods may be called from any thread at the same time.
pub struct Environment {
    place: Place,
    /// As C takes it: most handles are lent to C, and hold it once for both.
    path: CString,
    spec: Spec,
    /// A variable that leads to a login outside the profile, or is one.
    handed: Option<Box<(String, Secret)>>,
    /// Held through destroy and refresh: one at a time.
    life: ForkMutex<Life>,
    /// What `life` says, for who must not wait for it.
    stands: AtomicBool,
    log: ForkMutex<EventLog>,
}

enum Place {
    Ephemeral { home: Home, copied: Mutex<Copied> },
    Persistent { root: String, name: String, instance: String },
}

enum Life {
    Standing,
    /// Gone for whoever looks for it, but not all could be removed; that may be tried again.
    Ruined(Option<Box<Leftover>>),
    Destroyed,
}

impl Environment {
    /// Makes an environment that lives until it is destroyed or dropped.
    ///
    /// The host's login is read now, where the spec's adapter wants it. On failure nothing is left on disk.
    pub fn ephemeral(spec: &Spec, options: &Options) -> Result<Self> {
        let ((seeds, credentials), handed) = (spec.files()?, spec.handed()?);
        let (home, dir) = Home::claim(spec.prefix(), options)?;
        let path = home.path();
        let profile = Profile { dir: &dir, path: &path, durable: options.durable };
        let written = profile.create(&seeds).and_then(|seeds| Ok((seeds, profile.create(&credentials)?)));
        drop(dir); // so that removing has a descriptor where there is none left
        let (seeds, written) = written.inspect_err(|_| _ = home.remove())?;
        let path = path.to_string_lossy().into_owned();
        let copied = Copied::new(home.name(), &credentials).into();
        let environment = Self::new(Place::Ephemeral { home, copied }, path, spec.without_seed_files(), handed);
        environment.log_creation(seeds, written);
        Ok(environment)
    }

    /// Attaches to the environment `name`, creating it where there is none.
    ///
    /// Where it exists, nothing in it is changed, and of the spec only the adapter's id counts: another than the recorded
    /// one is [`AdapterMismatch`](crate::Failure::AdapterMismatch). A name is either absent or whole, whoever dies when;
    /// of all who create it at once, exactly one does, and all get the same.
    pub fn create_or_attach(name: &str, spec: &Spec, options: &Options) -> Result<Self> {
        match registry::create_or_attach(name, spec, options)? {
            Created::Existing(attached) => Self::attached(attached),
            Created::New { attached, seeds, credentials, handed, index_path } => {
                let environment = Self::from_registry(attached, spec.without_seed_files(), handed);
                environment.log_creation(seeds, credentials);
                environment.note(Happened::RegistryWritten { path: index_path.into() });
                Ok(environment)
            }
        }
    }

    /// Attaches to the environment `name`, and never creates it.
    pub fn attach(name: &str, options: &Options) -> Result<Self> {
        registry::attach(name, options).and_then(Self::attached)
    }

    fn new(place: Place, path: String, spec: Spec, handed: Option<(String, Secret)>) -> Self {
        Environment {
            place,
            // No path has a NUL.
            path: CString::new(path).unwrap_or_default(),
            spec,
            handed: handed.map(Box::new),
            life: ForkMutex::new(Life::Standing),
            stands: AtomicBool::new(true),
            log: ForkMutex::new(EventLog::new()),
        }
    }

    fn from_registry(attached: Attached, spec: Spec, handed: Option<(String, Secret)>) -> Self {
        let Attached { root, name, instance, path, .. } = attached;
        Self::new(Place::Persistent { root, name, instance }, path, spec, handed)
    }

    fn attached(mut attached: Attached) -> Result<Self> {
        let spec = std::mem::take(&mut attached.spec);
        let metadata_path = std::mem::take(&mut attached.metadata_path);
        let handed = spec.handed()?;
        let environment = Self::from_registry(attached, spec, handed);
        environment.note(Happened::Attached {
            name: environment.name().unwrap_or_default().into(),
            adapter_id: environment.adapter_id().into(),
            path: environment.path_text().into(),
        });
        environment.note(Happened::RegistryRead { path: metadata_path.into() });
        Ok(environment)
    }

    fn log_creation(&self, seeds: Written, credentials: Written) {
        self.note(Happened::Created {
            name: self.name().map(Into::into),
            lifetime: self.kind(),
            adapter_id: self.adapter_id().into(),
            path: self.path_text().into(),
        });
        if seeds.files > 0 {
            self.note(Happened::Materialized { file_count: seeds.files, total_bytes: seeds.bytes });
        }
        if credentials.files > 0 {
            self.note(Happened::CredentialsCopied { file_count: credentials.files });
        }
    }

    /// The profile directory: absolute, and without links in it.
    pub fn path(&self) -> &Path {
        Path::new(OsStr::from_bytes(self.path.to_bytes()))
    }

    pub(crate) fn path_for_c(&self) -> &CStr {
        &self.path
    }

    fn path_text(&self) -> &str {
        self.path.to_str().unwrap_or_default()
    }

    /// The name; `None` for an ephemeral environment.
    pub fn name(&self) -> Option<&str> {
        match &self.place {
            Place::Ephemeral { .. } => None,
            Place::Persistent { name, .. } => Some(name),
        }
    }

    /// `"ephemeral"` or `"persistent"`.
    pub fn kind(&self) -> &'static str {
        match &self.place {
            Place::Ephemeral { .. } => "ephemeral",
            Place::Persistent { .. } => "persistent",
        }
    }

    /// Which adapter this environment is for; `generic` where none was named.
    pub fn adapter_id(&self) -> &str {
        self.spec.adapter_id()
    }

    /// The variables to set for the agent. With the option `login: "token"` the token is among them: treat them as a secret.
    pub fn env_overrides(&self) -> BTreeMap<String, String> {
        let mut overrides = filled_in(&self.spec.env_template(), self.path_text());
        if let Some((name, value)) = self.handed.as_deref() {
            overrides.insert(name.clone(), String::from_utf8_lossy(value.bytes()).into_owned());
        }
        overrides
    }

    /// The variables that the agent must not inherit.
    pub fn env_unset(&self) -> Vec<String> {
        let mut unset = self.spec.env_unset();
        unset.retain(|name| self.handed.as_ref().is_none_or(|handed| handed.0 != *name));
        unset
    }

    /// The whole environment block for a child: the entries of `base` (`NAME=value`), less the variables to unset and
    /// those that are overridden, and the overrides. Entries need not be UTF-8; one without `=` is kept.
    pub fn envp(&self, base: impl IntoIterator<Item = OsString>) -> Result<Vec<OsString>> {
        self.check_standing()?;
        let mut overrides = self.env_overrides();
        let unset = self.env_unset();
        let replaced = |entry: &OsString| {
            let end = entry.as_bytes().iter().position(|byte| *byte == b'=');
            let name = end.and_then(|end| str::from_utf8(&entry.as_bytes()[..end]).ok());
            name.is_some_and(|name| overrides.contains_key(name) || unset.iter().any(|unset| unset == name))
        };
        let mut entries: Vec<_> = base.into_iter().filter(|entry| !replaced(entry)).collect();
        for (name, value) in &mut overrides {
            let mut entry = OsString::with_capacity(name.len() + 1 + value.len());
            [name, "=", value.as_str()].iter().for_each(|part| entry.push(part));
            value.zeroize();
            entries.push(entry);
        }
        Ok(entries)
    }

    /// What was done to this environment through this handle, in order.
    pub fn events(&self) -> Vec<Event> {
        self.log.lock().map_or_else(Vec::new, |log| log.events().to_vec())
    }

    /// Replaces the credentials, each file as a whole, and touches nothing else in the profile.
    ///
    /// With a spec: by that spec's credentials. Without: by the host's login as it is now, where the environment was made
    /// for an adapter that reads one, and by the credentials that this handle was created with. Works after attaching in
    /// another process too, since the adapter is recorded.
    ///
    /// [`CredentialsConflict`](crate::Failure::CredentialsConflict) where that would replace a login of the agent's own that is
    /// newer than the host's, or may be, unless the options say `force`.
    pub fn refresh_credentials(&self, spec: Option<&Spec>, options: &Options) -> Result<()> {
        self.check_owner()?;
        self.noting(|| {
            let _life = self.life()?;
            self.check_standing()?;
            let source = spec.unwrap_or(&self.spec);
            let read = || {
                let credentials = source.all_credentials()?;
                if credentials.is_empty() && !source.shares_by_variable() {
                    return Err(Error::invalid("spec", self.nothing_to_refresh(spec.is_some())));
                }
                Ok(credentials)
            };
            let prepare = |profile: &login::Profile<'_>, credentials: &mut Files<'_>, last_try: bool| {
                profile.prepare(source, credentials, options.force, last_try)
            };
            let written = match &self.place {
                Place::Ephemeral { home, copied } => home.refresh(&mut copied.lock(), options, read()?, prepare)?,
                Place::Persistent { root, name, instance } => {
                    registry::refresh(name, instance, &options.with_root(root), read, prepare)?
                }
            };
            self.note(Happened::CredentialsRefreshed { file_count: written.files });
            Ok(())
        })
    }

    fn nothing_to_refresh(&self, by_a_spec: bool) -> &'static str {
        match &self.handed {
            _ if by_a_spec => "has no credentials to refresh this environment with",
            Some(_) => "is needed: the agent gets its login by a variable, which is read at each attach; attach again",
            None => "is needed: this handle knows no credentials to go back to, and no adapter that reads a login",
        }
    }

    /// How the profile's login stands to the host's now, and when it ends. Reads both, changes nothing, and tells no secret.
    ///
    /// `none` where the environment has no adapter, or the profile no login.
    pub fn login_status(&self) -> Result<LoginStatus> {
        self.check_owner()?;
        self.noting(|| {
            self.check_standing()?;
            let look = |profile: &login::Profile<'_>| login::status(&self.spec, profile);
            match &self.place {
                Place::Ephemeral { home, copied } => home.with_profile(|dir, _| {
                    let copied = copied.lock().clone();
                    look(&login::Profile { dir, path: self.path(), copied: &copied })
                }),
                Place::Persistent { root, name, instance } => {
                    registry::inspect(name, instance, &Options::default().with_root(root), look)
                }
            }
        })
    }

    /// Removes the profile, and the name of a persistent environment. Once that was done, further calls do nothing; after
    /// [`CleanupFailed`](crate::Failure::CleanupFailed) they try again. A persistent environment that somebody else has
    /// destroyed counts as destroyed, also where its name was created anew since: that one is left alone.
    pub fn destroy(&self, options: &Options) -> Result<()> {
        self.check_owner()?;
        self.noting(|| {
            let mut life = self.life()?;
            let removed = match (&*life, &self.place) {
                (Life::Destroyed, _) => return Ok(()),
                (Life::Ruined(Some(leftover)), _) => leftover.remove(),
                (_, Place::Ephemeral { home, .. }) => match home.remove() {
                    Ok(()) => Ok(()),
                    Err(error) => {
                        *life = Life::Ruined(None);
                        Err(error)
                    }
                },
                (_, Place::Persistent { root, name, instance }) => {
                    match registry::destroy(name, Some(instance), &options.with_root(root))? {
                        None => Ok(()),
                        Some(destroyed) => {
                            self.note(Happened::RegistryWritten { path: destroyed.index_path.into() });
                            match destroyed.failed {
                                None => Ok(()),
                                Some((error, leftover)) => {
                                    *life = Life::Ruined(leftover.map(Box::new));
                                    Err(error)
                                }
                            }
                        }
                    }
                }
            };
            if removed.is_ok() {
                *life = Life::Destroyed;
            }
            self.stands.store(false, Ordering::Release);
            self.note(Happened::Destroyed { path: self.path_text().into(), ok: removed.is_ok() });
            removed
        })
    }

    /// Refuses in a forked child of the process that made an ephemeral environment. Before any lock is taken: another
    /// thread may have held it at the fork, and nobody in the child would ever give it back.
    fn check_owner(&self) -> Result<()> {
        match &self.place {
            Place::Ephemeral { home, .. } => home.check_owner(),
            Place::Persistent { .. } => Ok(()),
        }
    }

    fn check_standing(&self) -> Result<()> {
        if self.stands.load(Ordering::Acquire) {
            return Ok(());
        }
        Err(Error::misuse(format!("the environment at {:?} was destroyed: create another", self.path_text())))
    }

    /// Runs one call; its error goes into the log, and takes the call's events along.
    fn noting<T>(&self, call: impl FnOnce() -> Result<T>) -> Result<T> {
        let first = self.log.lock().map_or(0, |log| log.events().len());
        call().map_err(|error| match self.log.lock() {
            Some(mut log) => error.noted_in(&mut log, first),
            None => error,
        })
    }

    /// Logs it, unless this is a forked child and the log was in another thread's hands at the fork.
    fn note(&self, what: Happened) {
        if let Some(mut log) = self.log.lock() {
            log.add(what);
        }
    }

    fn life(&self) -> Result<MutexGuard<'_, Life>> {
        self.life.lock().ok_or_else(|| {
            Error::misuse(
                "another thread was destroying or refreshing this environment when this process was forked: attach to it here",
            )
        })
    }
}

/// Replaces the placeholder in the values of a template.
pub(crate) fn filled_in(template: &BTreeMap<String, String>, path: &str) -> BTreeMap<String, String> {
    map::map(template.iter().map(|(name, value)| (name.clone(), value.replace(PLACEHOLDER, path))))
}

impl Drop for Environment {
    fn drop(&mut self) {
        let Place::Ephemeral { home, .. } = &self.place else { return };
        let destroyed = matches!(self.life.get_mut(), Life::Destroyed);
        if !destroyed && home.is_owner() {
            // Nobody is there to be told; what is left, reap takes.
            _ = home.remove();
        }
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("kind", &self.kind())
            .field("name", &self.name())
            .field("path", &self.path())
            .field("adapter_id", &self.adapter_id())
            .finish_non_exhaustive()
    }
}
