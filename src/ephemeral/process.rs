//! The process directory: one per root and user, made at the first ephemeral environment there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::error::{Error, Result};
use crate::fs::{self, Dir, Errno, Held, Id, LockError, PerProcess};

use super::root::{Opened, Root};
use super::{ATTEMPTS, reap};

type Owned = BTreeMap<(Root, u32), Arc<ProcessDir>>;

/// The only state of this library that is the process's and not a handle's.
static OWN: PerProcess<Mutex<Owned>> = PerProcess::new();

#[derive(Debug)]
pub(super) struct ProcessDir {
    lock: Held,
    path: PathBuf,
    /// Start and count of the names given out here.
    names: AtomicU64,
}

/// This process's directory below `root`.
pub(super) fn own(root: &Root) -> Result<Arc<ProcessDir>> {
    let key = (root.clone(), fs::user());
    let mut dirs = OWN.get().lock();
    if let Some(dir) = dirs.get(&key) {
        if dir.stands() {
            return Ok(dir.clone());
        }
        if let Some(again) = dir.lock_again() {
            let again = Arc::new(again);
            dirs.insert(key, again.clone());
            return Ok(again);
        }
    }
    let opened = root.make()?;
    let made = Arc::new(make(&opened)?);
    dirs.insert(key, made.clone());
    drop(dirs);
    // Now and then somebody must clear up after the dead; who starts anew pays, a little.
    reap::reap_some(&opened);
    Ok(made)
}

/// Gives the process directory `name` back if it is empty: whether it is gone. `None` where it is not ours.
pub(super) fn give_back(root: &Dir, name: &str) -> Option<bool> {
    let mut dirs = OWN.get().lock();
    let id = Id::of(&root.stat_child(name).ok()?);
    let (key, dir) = dirs.iter().find(|(_, dir)| dir.lock.id() == id)?;
    let removed = dir.with_dir(|process| {
        if process.entries()?.iter().all(|entry| entry.name.as_c_str() == c".lock") {
            dir.lock.remove_lock_file();
        }
        root.remove_dir(name)
    });
    if removed.is_ok() {
        let key = key.clone();
        dirs.remove(&key);
    }
    Some(removed.is_ok())
}

fn make(root: &Opened) -> Result<ProcessDir> {
    let mut failure = None;
    for _ in 0..ATTEMPTS {
        let name = format!("{}-{}", fs::boot_id(), fs::short_name(fs::random()));
        match claim(&root.dir, &name) {
            Ok(lock) => return Ok(ProcessDir::new(lock, root.path.join(name))),
            // Somebody who reaps came between making and locking.
            Err(LockError::Taken | LockError::Failed(Errno::NOENT | Errno::EXIST)) => {}
            Err(LockError::Failed(error)) => {
                failure = Some(error);
                break;
            }
        }
    }
    let reason = failure.map_or("each new directory was taken at once".into(), |error| {
        format!("a directory could not be made and locked there: {}", std::io::Error::from(error))
    });
    Err(Error::setup(&root.path, reason))
}

fn claim(root: &Dir, name: &str) -> Result<Held, LockError> {
    let lock = Held::claim(root.make_child(name)?)?;
    let there = Id::of(&root.stat_child(name)?);
    if there == lock.id() { Ok(lock) } else { Err(LockError::Taken) }
}

impl ProcessDir {
    fn new(lock: Held, path: PathBuf) -> Self {
        ProcessDir { lock, path, names: AtomicU64::new(fs::random()) }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Names needn't be hard to guess here: the directory is ours alone.
    pub fn next_name(&self) -> String {
        const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
        fs::short_name(self.names.fetch_add(1, Ordering::Relaxed).wrapping_mul(ODD))
    }

    /// Whether it is still locked by our descriptor and found at its path.
    fn stands(&self) -> bool {
        self.lock.dir().is_some() && fs::id_at(&self.path) == Ok(self.lock.id())
    }

    fn at_path(&self) -> Result<Dir, Errno> {
        let dir = Dir::open(&self.path)?;
        if Id::of(&dir.stat()?) == self.lock.id() { Ok(dir) } else { Err(Errno::NOENT) }
    }

    /// Locks the same directory again after somebody closed our descriptor, for the environments in it.
    fn lock_again(&self) -> Option<Self> {
        let lock = Held::claim(self.at_path().ok()?).ok()?;
        (self.at_path().is_ok()).then(|| Self::new(lock, self.path.clone()))
    }

    /// Runs `work` on the directory, by our descriptor or, where that was closed, by its path.
    pub fn with_dir<T>(&self, work: impl FnOnce(&Dir) -> Result<T, Errno>) -> Result<T, Errno> {
        match self.lock.dir() {
            Some(dir) => work(dir),
            None => work(&self.at_path()?),
        }
    }
}
