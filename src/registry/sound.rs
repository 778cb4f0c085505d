//! Whether the index can be believed without a look at each directory.
//!
//! A registry is *sound* where behind each name of the index stands its directory with metadata of that name, and nothing
//! is left over in `envs/`. That it is so is written down in the signatures (see [`fs::sign`]) of three things that
//! whoever could change it changes too: `index.json`, the directory `envs/`, and `.lock`, which another implementation
//! truncates when it locks, so that one that died in the middle is noticed as well.
//!
//! Whoever of us locks a sound registry signs `envs/` again after the last step of a change, and never otherwise. So a
//! change that was not finished, or made by anybody else, leaves it unsound, until a look at each directory has found
//! nothing wrong: `repair` and `reap` take it.

use crate::fs::{self, Dir, Errno};

use super::entry::Look;
use super::index::Index;
use super::lock::{FILE as LOCK, Lock};
use super::{ENVS, INDEX, Registry};

impl Registry {
    pub(super) fn is_sound(&self) -> bool {
        let is_signed = |file| self.dir.is_signed(file) == Ok(true);
        let envs = self.dir.own_child(ENVS).and_then(|envs| envs.stat());
        is_signed(LOCK) && is_signed(INDEX) && envs.is_ok_and(|stat| fs::is_signed(&stat))
    }

    /// Whether nothing was ever made here, or nothing is left of it.
    fn is_blank(&self) -> bool {
        let is_empty = |envs: Dir| envs.entries().is_ok_and(|entries| entries.is_empty());
        self.dir.stat_child(INDEX).err() == Some(Errno::NOENT) && self.dir.own_child(ENVS).is_ok_and(is_empty)
    }

    /// Asked by who has just locked it.
    pub(super) fn is_sound_or_blank(&self) -> bool {
        self.is_sound() || self.is_blank()
    }

    /// To be called where the index has a name behind which nothing stands: somebody reached into its directory.
    pub(super) fn doubt_entry(&self, name: &str) {
        if !self.is_sound() {
            return;
        }
        // With the lock, since whoever destroys it just now may have come between the index and the directory.
        let Ok(Some(_lock)) = self.try_lock() else { return };
        let Ok(index) = Index::read(self) else { return };
        if index.slug(name).is_some() && matches!(self.look_in(&index, name), Ok(Look::Absent)) {
            self.doubt();
        }
    }

    /// Only for who holds the lock. Due before an index is written that could make a registry look sound which is not, now
    /// or if we died next; what is renamed into `envs/` does it too.
    pub(super) fn doubt(&self) {
        _ = self.dir.own_child(ENVS).and_then(fs::unsign);
    }
}

impl Lock {
    /// Signs a registry in which each directory was looked at, or which was sound before the change that is done now.
    /// Where that fails it is unsound, which costs time and nothing else.
    pub(super) fn vouch(&self, registry: &Registry) {
        if registry.dir.is_signed(LOCK) != Ok(true) {
            _ = fs::sign(&self.file);
        }
        _ = registry.dir.own_child(ENVS).and_then(fs::sign);
    }
}
