//! Where ephemeral environments live, who owns them, and how those of dead owners are reclaimed.
//!
//! `<root>/<process directory>/<prefix><random>/`: the process directory is locked for as long as its process lives.

mod process;
mod reap;
mod root;

use std::ffi::CString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, Failure, Result};
use crate::fs::{self, Budget, Dir, Errno};
use crate::options::Options;

use process::ProcessDir;
pub(crate) use reap::reap;
pub use reap::{EphemeralReport, ReapReport, Unremoved};

/// How often a directory is tried anew: each failure needs another process, or thread, to come in between.
const ATTEMPTS: usize = 100;

/// The place of one ephemeral environment.
#[derive(Debug)]
pub(crate) struct Home {
    process: Arc<ProcessDir>,
    name: String,
    owner: u64,
}

impl Home {
    /// Makes a new, empty profile directory of this process's.
    pub fn claim(prefix: &str, options: &Options) -> Result<(Self, Dir)> {
        let root = root::choose(options);
        for _ in 0..ATTEMPTS {
            let process = process::own(&root)?;
            let name = format!("{prefix}{}", process.next_name());
            let made = process.with_dir(|dir| dir.make_child(&*name));
            match made {
                Ok(dir) => return Ok((Home { process, name, owner: fs::process_token() }, dir)),
                // Another thread gave the empty process directory back, or the name was taken.
                Err(Errno::NOENT | Errno::EXIST) => {}
                Err(error) => {
                    return Err(Error::setup(process.path().join(&name), std::io::Error::from(error)));
                }
            }
        }
        Err(Error::setup(root, "no new directory could be made there; somebody keeps removing it"))
    }

    pub fn path(&self) -> PathBuf {
        self.process.path().join(&self.name)
    }

    /// Refuses in a forked child: the environment is its parent's.
    pub fn check_owner(&self) -> Result<()> {
        if self.owner == fs::process_token() {
            return Ok(());
        }
        Err(Error::misuse(
            "this ephemeral environment belongs to the process that created it, and this is a forked child of it: create one here instead",
        ))
    }

    pub fn is_owner(&self) -> bool {
        self.owner == fs::process_token()
    }

    /// Runs `work` on the profile directory and the one that holds it, in which temporary files may be made.
    pub fn with_profile<T>(&self, work: impl FnOnce(&Dir, &Dir) -> Result<T>) -> Result<T> {
        let result = self.process.with_dir(|process| {
            let profile = process.child(&*self.name)?;
            Ok(work(&profile, process))
        });
        result.unwrap_or_else(|error| Err(Error::setup(self.path(), std::io::Error::from(error))))
    }

    pub fn remove(&self) -> Result<()> {
        let name = CString::new(&*self.name).map_err(|_| Error::misuse("a directory name with NUL"))?;
        let removed = self.process.with_dir(|dir| Ok(fs::remove_tree(dir, &name, &mut Budget::unlimited())));
        match removed {
            // Without its process directory it is gone too.
            Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(cleanup(&self.path(), &std::io::Error::from(error).to_string())),
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(cleanup(&self.process.path().join(&error.path), &error.reason())),
        }
    }
}

fn cleanup(path: &Path, reason: &str) -> Error {
    let path = path.to_string_lossy().into_owned();
    Failure::CleanupFailed { path, os_error: reason.to_owned() }.into()
}
