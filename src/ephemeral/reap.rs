//! Reclaiming what owners left that died without destroying it.

use std::ffi::CString;
use std::path::Path;

use serde::Serialize;

use crate::error::Result;
use crate::fs::{self, Budget, Dir, Errno, Held, Id, Kind, LockError};
use crate::options::Options;

use super::process;
use super::root::{self, Opened};

/// What one look around may cost a process that only wants a directory.
const LOOK_AT: usize = 8;
const REMOVE_AT_MOST: usize = 256;

/// What [`reap`](crate::reap) found and did.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct ReapReport {
    /// Below the ephemeral root.
    pub ephemeral: EphemeralReport,
}

/// Process directories below the ephemeral root.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct EphemeralReport {
    /// The root; `None` where there is none yet.
    pub root: Option<String>,
    /// Process directories that were removed, with all in them.
    pub removed: Vec<String>,
    /// How many have a living owner, or may have one.
    pub kept: usize,
    /// What could not be removed.
    pub failed: Vec<Unremoved>,
}

/// Something that could not be removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unremoved {
    /// Where it is.
    pub path: String,
    /// Why it is still there.
    pub reason: String,
}

enum Outcome {
    Removed,
    Kept,
    /// Not a process directory of this user's, or gone meanwhile.
    Nothing,
    Failed(Unremoved),
}

/// Removes the process directories that no living process owns.
pub(crate) fn reap(options: &Options) -> Result<ReapReport> {
    let mut report = EphemeralReport::default();
    if let Some(root) = root::choose(options).find()? {
        report.root = Some(text(&root.path));
        for name in process_directories(&root.dir) {
            let outcome = match process::give_back(&root.dir, &name) {
                Some(true) => Outcome::Removed,
                Some(false) => Outcome::Kept,
                None => reap_one(&root, &name, options.force, &mut Budget::unlimited()),
            };
            match outcome {
                Outcome::Removed => report.removed.push(text(&root.path.join(&name))),
                Outcome::Kept => report.kept += 1,
                Outcome::Nothing => {}
                Outcome::Failed(what) => report.failed.push(what),
            }
        }
    }
    Ok(ReapReport { ephemeral: report })
}

/// The same for a few directories, from a random one on, silently.
pub(super) fn reap_some(root: &Opened) {
    let names = process_directories(&root.dir);
    let mut budget = Budget::of(REMOVE_AT_MOST);
    let start = usize::try_from(fs::random() >> 32).unwrap_or(0) % names.len().max(1);
    for name in names.iter().cycle().skip(start).take(LOOK_AT.min(names.len())) {
        if budget.is_spent() {
            break;
        }
        reap_one(root, name, false, &mut budget);
    }
}

fn process_directories(root: &Dir) -> Vec<String> {
    let entries = root.entries().unwrap_or_default().into_iter();
    let names = entries.filter(|entry| entry.kind != Kind::Other).filter_map(|entry| entry.name.into_string().ok());
    names.filter(|name| is_process_directory(name)).collect()
}

fn is_process_directory(name: &str) -> bool {
    name.split_once('-').is_some_and(|(boot, random)| {
        boot.len() == 8
            && boot.bytes().all(|b| b.is_ascii_hexdigit())
            && random.len() == 8
            && random.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    })
}

fn reap_one(root: &Opened, name: &str, force: bool, budget: &mut Budget) -> Outcome {
    let path = root.path.join(name);
    let looked = (|| {
        let dir = root.dir.child(name)?;
        let stat = dir.stat()?;
        if stat.st_uid != fs::user() {
            return Ok(Outcome::Nothing);
        }
        let id = Id::of(&stat);
        let same_boot = name.starts_with(&fs::boot_id());
        if fs::is_networked(&dir) && !same_boot && !force {
            return Ok(Outcome::Kept);
        }
        let lock = match Held::probe(dir) {
            Ok(lock) => lock,
            Err(LockError::Taken) => return Ok(Outcome::Kept),
            Err(LockError::Failed(error)) => return Err(error),
        };
        if Id::of(&root.dir.stat_child(name)?) != id {
            return Ok(Outcome::Nothing);
        }
        let outcome = remove(root, name, budget);
        drop(lock);
        Ok(outcome)
    })();
    match looked {
        Ok(outcome) => outcome,
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Outcome::Nothing,
        Err(error) => failed(&path, &std::io::Error::from(error).to_string()),
    }
}

fn remove(root: &Opened, name: &str, budget: &mut Budget) -> Outcome {
    let Ok(c_name) = CString::new(name) else { return Outcome::Nothing };
    match fs::remove_tree(&root.dir, &c_name, budget) {
        Ok(fs::Removed::All) => Outcome::Removed,
        Ok(fs::Removed::Some) => Outcome::Kept,
        Err(error) => failed(&root.path.join(&error.path), &error.reason()),
    }
}

fn failed(path: &Path, reason: &str) -> Outcome {
    Outcome::Failed(Unremoved { path: text(path), reason: reason.to_owned() })
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
