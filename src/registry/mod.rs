//! The registry: persistent environments by name, in a directory that other programs write too.
//!
//! A name exists if and only if `index.json` has it and its directory holds `metadata.json` with that name. The commit
//! mark `.committed` implies the index entry, so that attaching needs no index. ARCHITECTURE.md tells the protocol.

mod attach;
mod create;
mod destroy;
mod entries;
mod entry;
mod index;
mod inspect;
mod lock;
mod metadata;
mod name;
mod refresh;
mod repair;
mod root;
mod sound;

use crate::error::{Error, Failure, Result, Trouble};
use crate::fs::{self, Dir, Errno, Writing};
use crate::options::Options;
use crate::process_dir::Root;
use crate::reap::{self, Reaped};

pub(crate) use attach::{attach, list};
pub(crate) use create::{Created, create_or_attach};
pub(crate) use destroy::{Leftover, destroy};
pub(crate) use entry::Attached;
pub(crate) use inspect::inspect;
pub(crate) use refresh::refresh;
pub use repair::RepairReport;
pub(crate) use repair::repair;
pub(crate) use root::root;

const INDEX: &str = "index.json";
const ENVS: &str = "envs";
const METADATA: &str = "metadata.json";
const PROFILE: &str = "profile";
const COMMITTED: &str = ".committed";
/// Staging and trash: directories that are locked by whoever builds them, and reclaimed as process directories are.
const OURS: &str = ".agent-venv";
/// The one temporary file, in `OURS`. Only who holds the lock makes it, so whatever stands there is left by the dead.
const TEMPORARY: &str = "new";

/// How our files in the registry are written: so that we can tell, later, whether somebody else has written since.
fn signed(durable: bool) -> Writing {
    Writing { mode: 0o600, durable, signed: true }
}

/// An open registry.
pub(crate) struct Registry {
    dir: Dir,
    path: String,
}

impl Registry {
    /// The registry if its root is there.
    fn find(options: &Options) -> Result<Option<Self>> {
        let path = root(options)?;
        match Dir::open(path.as_ref()) {
            Ok(dir) => Self { dir, path }.checked().map(Some),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(Trouble::os(path.as_ref(), error).registry()),
        }
    }

    /// The registry, made where it is missing.
    fn make(options: &Options) -> Result<Self> {
        let registry = match Self::find(options)? {
            Some(registry) => registry,
            None => {
                let path = root(options)?;
                fs::make_private_dirs(path.as_ref()).map_err(|error| Trouble::new(path.as_ref(), error).registry())?;
                // Only now can links on the way be resolved.
                let gone = || Trouble::os(path.as_ref(), Errno::NOENT).registry();
                Self::find(options)?.ok_or_else(gone)?
            }
        };
        registry.make_dir(ENVS).map_err(|error| registry.trouble(ENVS, error))?;
        Ok(registry)
    }

    fn checked(self) -> Result<Self> {
        match fs::check_owner_and_mode(&self.dir, 0o002) {
            Ok(()) => Ok(self),
            Err(reason) => {
                let reason = format!("the registry's root {reason}, or choose another by AGENT_VENV_REGISTRY_ROOT");
                Err(Trouble::new(self.path.as_ref(), reason).registry())
            }
        }
    }

    fn make_dir(&self, name: &str) -> Result<Dir, Errno> {
        match self.dir.own_child(name) {
            Err(Errno::NOENT) => match self.dir.make_child(name) {
                Err(Errno::EXIST) => self.dir.own_child(name),
                made => made,
            },
            there => there,
        }
    }

    fn envs(&self) -> Result<Dir> {
        self.dir.own_child(ENVS).map_err(|error| self.trouble(ENVS, error))
    }

    /// Our own corner, made where it is missing.
    fn ours(&self) -> Result<Root> {
        let dir = self.make_dir(OURS).map_err(|error| self.trouble(OURS, error))?;
        Ok(Root { dir, path: self.at(OURS).into() })
    }

    /// The absolute path of something below the root.
    fn at(&self, below: &str) -> String {
        [&self.path, "/", below].concat()
    }

    fn profile_path(&self, slug: &str) -> String {
        [&self.path, "/", ENVS, "/", slug, "/", PROFILE].concat()
    }

    fn trouble(&self, below: &str, error: Errno) -> Error {
        Trouble::os(self.at(below).as_ref(), error).registry()
    }

    fn unavailable(&self, below: &str, reason: &str) -> Error {
        Trouble::new(self.at(below).as_ref(), reason).registry()
    }

    fn not_found(&self, name: &str) -> Error {
        not_found(name, &self.path)
    }
}

pub(crate) fn not_found(name: &str, registry_root: &str) -> Error {
    Failure::EnvironmentNotFound { name: name.to_owned(), registry_root: registry_root.to_owned() }.into()
}

/// Removes what changes that were never finished left behind.
pub(crate) fn reap(options: &Options) -> Result<Reaped> {
    let Some(registry) = Registry::find(options)? else { return Ok(Reaped::default()) };
    // What is wrong there keeps nothing alive in the trash.
    let swept = repair::sweep(&registry);
    let mut report = match registry.dir.child(OURS) {
        Ok(dir) => {
            let ours = Root { dir, path: registry.at(OURS).into() };
            reap::reap_all(&ours, options.force, &[])
        }
        Err(Errno::NOENT) => Reaped::default(),
        Err(error) => return Err(registry.trouble(OURS, error)),
    };
    report.failed.append(&mut swept?);
    Ok(Reaped { root: Some(registry.path), ..report })
}
