//! Reclaiming what owners left that died without destroying it.

use std::ffi::CString;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::Result;
use crate::fs::{self, Budget, Dir, Errno, Held, Id, Kind, LockError};
use crate::options::Options;
use crate::process_dir::{self, Root};
use crate::{ephemeral, registry};

/// What one look around may cost a process that only wants a directory.
const LOOK_AT: usize = 8;
const REMOVE_AT_MOST: usize = 256;

/// What [`reap`](crate::reap) found and did.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct ReapReport {
    /// Ephemeral environments.
    pub ephemeral: Reaped,
    /// What unfinished changes left in the registry.
    pub registry: Reaped,
}

/// Process directories below one root.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct Reaped {
    /// The root; `None` where there is none yet.
    pub root: Option<String>,
    /// Directories that were removed, with all in them.
    pub removed: Vec<String>,
    /// How many have a living owner, or may have one.
    pub kept: usize,
    /// What could not be removed, or not be looked at.
    pub failed: Vec<Unremoved>,
}

/// Something that could not be removed, or not be looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unremoved {
    /// Where it is.
    pub path: String,
    /// Why it is still there.
    pub reason: String,
}

impl Unremoved {
    pub(crate) fn new(path: &Path, error: Errno) -> Self {
        Unremoved { path: text(path), reason: std::io::Error::from(error).to_string() }
    }
}

enum Outcome {
    Removed,
    Kept,
    /// Not a process directory of this user's, or gone meanwhile.
    Nothing,
    Failed(Unremoved),
}

/// Removes what no living process owns, below the ephemeral root and in the registry, and gives this process's own
/// directories back where they are empty.
pub(crate) fn reap(options: &Options) -> Result<ReapReport> {
    // What is wrong with one place keeps nothing alive in the other.
    let registry = registry::reap(options);
    let given_back = process_dir::give_back();
    let ephemeral = ephemeral::find_root(options).map(|root| match root {
        Some(root) => reap_all(&root, options.force, &given_back),
        None => Reaped::default(),
    });
    Ok(ReapReport { registry: registry?, ephemeral: ephemeral? })
}

/// Reaps all process directories below `root`.
pub(crate) fn reap_all(root: &Root, force: bool, given_back: &[PathBuf]) -> Reaped {
    let given_back = given_back.iter().filter(|path| path.parent() == Some(&root.path));
    let mut report = Reaped {
        root: Some(text(&root.path)),
        removed: given_back.map(|path| text(path)).collect(),
        ..Reaped::default()
    };
    let names = process_directories(&root.dir).unwrap_or_else(|error| {
        report.failed.push(Unremoved::new(&root.path, error));
        Vec::new()
    });
    for name in names {
        match reap_one(root, &name, force, &mut Budget::unlimited()) {
            Outcome::Removed => report.removed.push(text(&root.path.join(&name))),
            Outcome::Kept => report.kept += 1,
            Outcome::Nothing => {}
            Outcome::Failed(what) => report.failed.push(what),
        }
    }
    report
}

/// The same for a few directories, from a random one on, silently.
pub(crate) fn reap_some(root: &Root) {
    let names = process_directories(&root.dir).unwrap_or_default();
    let mut budget = Budget::of(REMOVE_AT_MOST);
    let start = usize::try_from(fs::random() >> 32).unwrap_or(0) % names.len().max(1);
    for name in names.iter().cycle().skip(start).take(LOOK_AT.min(names.len())) {
        if budget.is_spent() {
            break;
        }
        reap_one(root, name, false, &mut budget);
    }
}

fn process_directories(root: &Dir) -> Result<Vec<String>, Errno> {
    let entries = root.entries()?.into_iter();
    let names = entries.filter(|entry| entry.kind != Kind::Other).filter_map(|entry| entry.name.into_string().ok());
    Ok(names.filter(|name| is_process_directory(name)).collect())
}

fn is_process_directory(name: &str) -> bool {
    name.split_once('-').is_some_and(|(boot, random)| {
        // Whoever removes one that is still written to renames it: a part follows, after a dot.
        let mut parts = random.split('.');
        let is_random =
            |part: &str| part.len() == 8 && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        boot.len() == 8
            && boot.bytes().all(|b| b.is_ascii_hexdigit())
            && parts.clone().count() <= 20
            && parts.all(is_random)
    })
}

fn reap_one(root: &Root, name: &str, force: bool, budget: &mut Budget) -> Outcome {
    match look_at(root, name, force, budget) {
        Ok(outcome) => outcome,
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Outcome::Nothing,
        Err(error) => Outcome::Failed(Unremoved::new(&root.path.join(name), error)),
    }
}

fn look_at(root: &Root, name: &str, force: bool, budget: &mut Budget) -> Result<Outcome, Errno> {
    let dir = root.dir.child(name)?;
    let stat = dir.stat()?;
    if stat.st_uid != fs::user() {
        return Ok(Outcome::Nothing);
    }
    let same_boot = name.starts_with(&fs::boot_id());
    if fs::is_networked(&dir) && !same_boot && !force {
        return Ok(Outcome::Kept);
    }
    let lock = match Held::probe(dir) {
        Ok(lock) => lock,
        Err(LockError::Taken) => return Ok(Outcome::Kept),
        Err(LockError::Failed(error)) => return Err(error),
    };
    // Reaped by somebody else between opening and locking, and perhaps made anew by a third.
    if Id::of(&root.dir.stat_child(name)?) != lock.id() {
        return Ok(Outcome::Nothing);
    }
    let c_name = CString::new(name).map_err(|_| Errno::INVAL)?;
    Ok(match fs::remove_tree(&root.dir, &c_name, budget) {
        Ok(fs::Removed::All) => Outcome::Removed,
        Ok(fs::Removed::Some) => Outcome::Kept,
        Err(error) => Outcome::Failed(Unremoved { path: text(&root.path.join(&error.path)), reason: error.reason() }),
    })
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
