//! Where ephemeral environments live: `<root>/<process directory>/<prefix><random>/`.

mod refresh;
mod root;

use std::ffi::CString;
use std::path::PathBuf;
use std::sync::Arc;

use crate::error::{Error, Result, Trouble};
use crate::fs::{self, Budget, Dir, Errno};
use crate::options::Options;
use crate::process_dir::{self, ATTEMPTS, ProcessDir, Root};

/// The place of one ephemeral environment.
#[derive(Debug)]
pub(crate) struct Home {
    process: Arc<ProcessDir>,
    name: Arc<str>,
    owner: u64,
}

/// The ephemeral root, if it is there.
pub(crate) fn find_root(options: &Options) -> Result<Option<Root>> {
    root::choose(options).find().map_err(Trouble::setup)
}

impl Home {
    /// Makes a new, empty profile directory of this process's.
    pub fn claim(prefix: &str, options: &Options) -> Result<(Self, Dir)> {
        let choice = root::choose(options);
        for _ in 0..ATTEMPTS {
            let process = process_dir::own(choice.key(), || choice.make()).map_err(Trouble::setup)?;
            let name: Arc<str> = format!("{prefix}{}", process.next_name()).into();
            match process.with_dir(|dir| dir.make_child(&*name)) {
                Ok(dir) => return Ok((Home { process, name, owner: fs::process_token() }, dir)),
                // Another thread gave the empty process directory back, or the name was taken.
                Err(Errno::NOENT | Errno::EXIST) => {}
                Err(error) => return Err(Trouble::os(&process.path().join(&*name), error).setup()),
            }
        }
        Err(Error::setup(choice.key(), "no new directory could be made there; somebody keeps removing it"))
    }

    /// Its directory's name, which no other ever gets.
    pub fn name(&self) -> Arc<str> {
        self.name.clone()
    }

    pub fn path(&self) -> PathBuf {
        self.process.path().join(&*self.name)
    }

    /// Refuses in a forked child: the environment is its parent's.
    pub fn check_owner(&self) -> Result<()> {
        if self.is_owner() {
            return Ok(());
        }
        Err(Error::misuse(
            "this ephemeral environment belongs to the process that created it, and this is a forked child of it: \
             create one here instead",
        ))
    }

    pub fn is_owner(&self) -> bool {
        self.owner == fs::process_token()
    }

    /// Runs `work` on the profile directory and the one that holds it, in which temporary files may be made.
    pub fn with_profile<T>(&self, work: impl FnOnce(&Dir, &Dir) -> Result<T>) -> Result<T> {
        let result = self.process.with_dir(|process| Ok(work(&process.child(&*self.name)?, process)));
        result.unwrap_or_else(|error| Err(Trouble::os(&self.path(), error).setup()))
    }

    pub fn remove(&self) -> Result<()> {
        let name = CString::new(&*self.name).map_err(|_| Error::misuse("a directory name with NUL"))?;
        let removed = self.process.with_dir(|dir| Ok(fs::remove_tree(dir, &name, &mut Budget::unlimited())));
        let trouble = match removed {
            // Without its process directory it is gone too.
            Ok(Ok(_)) | Err(Errno::NOENT) => return Ok(()),
            Ok(Err(error)) => Trouble::new(&self.process.path().join(&error.path), error.reason()),
            Err(error) => Trouble::os(&self.path(), error),
        };
        Err(trouble.cleanup())
    }
}
