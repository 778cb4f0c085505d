//! Process directories: what a process makes below a root is in a directory of its own there, which it keeps locked for
//! as long as it lives.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::CString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::error::Trouble;
use crate::fs::{self, Budget, Dir, Errno, Held, Id, LockError, PerProcess};
use crate::reap;

/// How often a directory is tried anew: each failure needs another process, or thread, to come in between.
pub(crate) const ATTEMPTS: usize = 100;

#[derive(Default)]
struct Own {
    /// By the path that the root was asked for, and by user: who changes the user owns nothing of before.
    dirs: BTreeMap<(PathBuf, u32), Arc<ProcessDir>>,
    /// Roots at which this process has looked for what the dead left.
    looked_at: BTreeSet<PathBuf>,
}

/// The only state of this library that is the process's and not a handle's.
static OWN: PerProcess<Mutex<Own>> = PerProcess::new();

/// A root below which process directories are made: found to be safe, and open.
#[derive(Debug)]
pub(crate) struct Root {
    pub path: PathBuf,
    pub dir: Dir,
}

#[derive(Debug)]
pub(crate) struct ProcessDir {
    lock: Held,
    path: PathBuf,
    /// Start and count of the names given out here.
    names: AtomicU64,
}

/// This process's directory below the root that goes by the path `key`; `open` opens the root where it is needed.
pub(crate) fn own(key: &Path, open: impl FnOnce() -> Result<Root, Trouble>) -> Result<Arc<ProcessDir>, Trouble> {
    let key = (key.to_owned(), fs::user());
    let mut own = OWN.get().lock();
    if let Some(dir) = own.dirs.get(&key) {
        if dir.stands() {
            return Ok(dir.clone());
        }
        if let Some(again) = dir.lock_again() {
            let again = Arc::new(again);
            own.dirs.insert(key, again.clone());
            return Ok(again);
        }
    }
    let root = open()?;
    let (lock, name) = claim(&root)?;
    let made = Arc::new(ProcessDir::new(lock, root.path.join(name)));
    own.dirs.insert(key, made.clone());
    drop(own);
    // Now and then somebody must clear up after the dead; who starts anew pays, a little.
    reap::reap_some(&root);
    Ok(made)
}

/// Looks at a few directories of others below `root`, once in this process's life, and removes those of the dead.
pub(crate) fn reap_at_first(root: &Root) {
    let first = OWN.get().lock().looked_at.insert(root.path.clone());
    if first {
        reap::reap_some(root);
    }
}

/// Gives all empty directories of this process back; answers the paths of those that are gone.
pub(crate) fn give_back() -> Vec<PathBuf> {
    let mut gone = Vec::new();
    OWN.get().lock().dirs.retain(|_, dir| {
        let given_back = dir.remove_if_empty().is_ok();
        if given_back {
            gone.push(dir.path.clone());
        }
        !given_back
    });
    gone
}

/// A name for a new directory below a root.
pub(crate) fn new_name() -> String {
    format!("{}-{}", fs::boot_id(), fs::short_name(fs::random()))
}

/// Makes a directory below `root` that is locked as long as the answer lives, and tells its name.
pub(crate) fn claim(root: &Root) -> Result<(Held, String), Trouble> {
    for _ in 0..ATTEMPTS {
        let name = new_name();
        match claim_named(&root.dir, &name) {
            Ok(lock) => return Ok((lock, name)),
            // Somebody who reaps came between making and locking.
            Err(LockError::Taken | LockError::Failed(Errno::NOENT | Errno::EXIST)) => {}
            Err(LockError::Failed(error)) => return Err(Trouble::os(&root.path, error)),
        }
    }
    Err(Trouble::new(&root.path, "no directory could be made and locked there: each new one was taken at once"))
}

fn claim_named(root: &Dir, name: &str) -> Result<Held, LockError> {
    let claimed = Held::claim(root.make_child(name)?).and_then(|lock| {
        let there = Id::of(&root.stat_child(name)?);
        if there == lock.id() { Ok(lock) } else { Err(LockError::Taken) }
    });
    if let Err(LockError::Failed(_)) = claimed {
        // We can't own it, and by our name for it nobody else does.
        if let Ok(name) = CString::new(name) {
            _ = fs::remove_tree(root, &name, &mut Budget::unlimited());
        }
    }
    claimed
}

impl ProcessDir {
    fn new(lock: Held, path: PathBuf) -> Self {
        ProcessDir { lock, path, names: AtomicU64::new(fs::random()) }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A name that was not given out here before. It needn't be hard to guess: the directory is ours alone.
    pub fn next_name(&self) -> String {
        const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
        fs::short_name(self.names.fetch_add(1, Ordering::Relaxed).wrapping_mul(ODD))
    }

    /// Whether it is still locked by our descriptor and found at its path.
    fn stands(&self) -> bool {
        self.lock.dir().is_ok() && fs::id_at(&self.path) == Ok(self.lock.id())
    }

    fn at_path(&self) -> Result<Dir, Errno> {
        let dir = Dir::open(&self.path)?;
        if Id::of(&dir.stat()?) == self.lock.id() { Ok(dir) } else { Err(Errno::NOENT) }
    }

    /// Locks the same directory again after somebody closed our descriptor, for what is in it.
    fn lock_again(&self) -> Option<Self> {
        let lock = Held::claim(self.at_path().ok()?).ok()?;
        self.at_path().is_ok().then(|| Self::new(lock, self.path.clone()))
    }

    /// Runs `work` on the directory, by our descriptor or, where that can't be used, by its path.
    pub fn with_dir<T>(&self, work: impl FnOnce(&Dir) -> Result<T, Errno>) -> Result<T, Errno> {
        match self.lock.dir() {
            Ok(dir) => work(dir),
            Err(_) => work(&self.at_path()?),
        }
    }

    fn remove_if_empty(&self) -> Result<(), Errno> {
        self.with_dir(|dir| {
            if dir.entries()?.iter().all(|entry| entry.name.as_c_str() == c".lock") {
                self.lock.remove_lock_file();
            }
            fs::remove_empty(&self.path)
        })
    }
}
