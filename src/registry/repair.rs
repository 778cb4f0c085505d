//! Repair: an index that agrees with what is there.

use std::collections::HashSet;

use serde::Serialize;

use crate::error::Result;
use crate::fs::{self, Dir, Errno, Kind};
use crate::options::Options;
use crate::reap::Unremoved;

use super::create::{remove_trash, throw_away};
use super::index::Index;
use super::metadata::{Metadata, MetadataError};
use super::{COMMITTED, ENVS, INDEX, OURS, Registry, TEMPORARY, name, root};

/// What [`repair`](crate::repair) found and did.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct RepairReport {
    /// The registry's root.
    pub root: String,
    /// Where the unreadable index was kept; `None` where the index was readable, or missing.
    pub kept_index: Option<String>,
    /// Names that were put into the index: their environments are whole.
    pub restored: Vec<String>,
    /// Names that were put into the index, of other programs' environments: whether these are whole can't be told.
    pub unverified: Vec<String>,
    /// Names that were taken out of the index, as nothing stands behind them.
    pub dropped: Vec<String>,
    /// Names whose entry leads out of the registry; left as they are.
    pub hostile: Vec<String>,
    /// Directories that were removed: left by a creation or a destruction that was never finished.
    pub removed: Vec<String>,
    /// Directories that could not be read, or whose name another one holds; left as they are.
    pub unreadable: Vec<String>,
}

/// Makes index and directories agree. Safe at any time, and twice.
pub(crate) fn repair(options: &Options) -> Result<RepairReport> {
    let Some(registry) = Registry::find(options)? else {
        return Ok(RepairReport { root: root(options)?, ..RepairReport::default() });
    };
    let mut report = RepairReport { root: registry.path.clone(), ..RepairReport::default() };
    let lock = registry.lock(options)?;
    let ours = registry.ours()?;
    let loaded = Index::load(&registry)?;
    let readable = matches!(loaded, Ok(Some(_)));
    let unusable = loaded.is_err();
    let mut index = loaded.ok().flatten().unwrap_or_else(Index::empty);
    let mut trash = Vec::new();
    let mut repairs = Repairs { registry: &registry, index: &mut index, report: &mut report, readable, sound: 0 };
    for slug in repairs.directories()? {
        if let Some(thrown) = repairs.look_at(&slug, &ours.dir)? {
            trash.push(thrown);
        }
    }
    repairs.drop_dangling()?;
    let sound = repairs.found_all_sound();
    report.hostile = index.hostile().map(str::to_owned).collect();
    if unusable {
        report.kept_index = Some(registry.keep_index()?);
    }
    let changed = !(report.restored.is_empty() && report.unverified.is_empty() && report.dropped.is_empty());
    // Of what could not be read: without an index it would keep all others from being used.
    let lost = !readable && registry.holds_committed()?;
    if changed || unusable || lost {
        registry.doubt();
        let written = match readable {
            true => index.write(&registry, &ours.dir, options.durable),
            false => index.write_anew(&registry, &ours.dir, options.durable),
        };
        let written = written.and_then(|()| registry.dir.sync_if(options.durable));
        written.map_err(|error| registry.trouble(INDEX, error))?;
    }
    if sound && (changed || unusable || lost || index.is_ours()) {
        lock.vouch(&registry);
    }
    drop(lock);
    trash.iter().for_each(|name| remove_trash(&ours, name));
    Ok(report)
}

/// Throws away what unfinished changes of ours left outside of our corner, unless somebody is in the middle of one; answers
/// what could not be thrown away, or not be looked at.
pub(super) fn sweep(registry: &Registry) -> Result<Vec<Unremoved>> {
    let ours = match registry.dir.child(OURS) {
        Ok(ours) => ours,
        // We never wrote here.
        Err(Errno::NOENT) => return Ok(Vec::new()),
        Err(error) => return Err(registry.trouble(OURS, error)),
    };
    let Some(lock) = registry.try_lock()? else { return Ok(Vec::new()) };
    let mut failed = Vec::new();
    let mut note = |below: &str, error| failed.push(Unremoved::new(registry.at(below).as_ref(), error));
    if let Err(error) = fs::remove_whatever(&ours, TEMPORARY) {
        note(&format!("{OURS}/{TEMPORARY}"), error);
    }
    if lock.sound {
        return Ok(failed);
    }
    // Without an index there is nothing to go by, unless nothing was ever committed.
    if let Some(index) = Index::read_if_usable(registry)? {
        let envs = match registry.dir.own_child(ENVS) {
            Ok(envs) => envs,
            Err(Errno::NOENT) => return Ok(failed),
            Err(error) => return Err(registry.trouble(ENVS, error)),
        };
        let named: HashSet<&str> = index.names().map(|(_, slug)| slug).collect();
        for entry in envs.entries().map_err(|error| registry.trouble(ENVS, error))? {
            let Ok(slug) = entry.name.to_str() else { continue };
            if entry.kind == Kind::Other || named.contains(slug) {
                continue;
            }
            let thrown = is_left_over(&envs, slug).and_then(|left_over| match left_over {
                true => throw_away(&envs, slug, &ours).map(drop),
                false => Ok(()),
            });
            if let Err(error) = thrown {
                note(&format!("{ENVS}/{slug}"), error);
            }
        }
        let is_whole = |name: &str| matches!(registry.look_in(&index, name), Ok(super::entry::Look::Whole(_)));
        if failed.is_empty() && index.is_ours() && index.names().all(|(name, _)| is_whole(name)) {
            lock.vouch(registry);
        }
    }
    Ok(failed)
}

/// Whether a directory without an entry is ours, and has no mark: never finished, or destroyed.
fn is_left_over(envs: &Dir, slug: &str) -> Result<bool, Errno> {
    let dir = match envs.own_child(slug) {
        Ok(dir) => dir,
        // Gone, or none of ours.
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::PERM) => return Ok(false),
        Err(error) => return Err(error),
    };
    match Metadata::read(&dir) {
        Ok(metadata) => Ok(metadata.is_ours && !dir.has(COMMITTED)?),
        Err(MetadataError::Unread(error)) => Err(error),
        Err(MetadataError::Missing | MetadataError::Unusable(_)) => Ok(false),
    }
}

struct Repairs<'a> {
    registry: &'a Registry,
    index: &'a mut Index,
    report: &'a mut RepairReport,
    /// Whether there was an index to go by.
    readable: bool,
    /// How many directories were found to be what the index says.
    sound: usize,
}

impl Repairs<'_> {
    /// The names of all directories of environments.
    fn directories(&mut self) -> Result<Vec<String>> {
        let entries = match self.registry.dir.own_child(ENVS).and_then(|envs| envs.entries()) {
            Ok(entries) => entries,
            Err(Errno::NOENT) => return Ok(Vec::new()),
            Err(error) => return Err(self.registry.trouble(ENVS, error)),
        };
        let mut directories = Vec::new();
        for entry in entries {
            match entry.name.into_string() {
                Ok(slug) if entry.kind != Kind::Other => directories.push(slug),
                Ok(slug) => self.unreadable(&slug),
                Err(error) => self.unreadable(&error.into_cstring().to_string_lossy()),
            }
        }
        directories.sort();
        Ok(directories)
    }

    fn count(&mut self, slug: &str, metadata: &Metadata) {
        self.sound += usize::from(self.index.slug(&metadata.name) == Some(slug));
    }

    /// Whether each name of the index has its directory, now that all were looked at.
    fn found_all_sound(&self) -> bool {
        self.sound == self.index.names().count()
    }

    fn unreadable(&mut self, slug: &str) {
        self.report.unreadable.push(self.registry.at(&format!("{ENVS}/{slug}")));
    }

    /// Puts one directory right; answers its name in the trash where it went there.
    fn look_at(&mut self, slug: &str, ours: &Dir) -> Result<Option<String>> {
        let envs = self.registry.envs()?;
        let opened = envs.own_child(slug).and_then(|dir| dir.has(COMMITTED).map(|committed| (dir, committed)));
        let (dir, committed) = match opened {
            Ok(opened) => opened,
            // A shortage, or a disk that fails: nothing that is known of this directory.
            Err(error) if fs::is_passing(error) => {
                return Err(self.registry.trouble(&format!("{ENVS}/{slug}"), error));
            }
            Err(_) => {
                self.unreadable(slug);
                return Ok(None);
            }
        };
        let metadata = match Metadata::read(&dir) {
            Ok(metadata) => metadata,
            // Without the entry that it may deserve, a later repair would not find it again.
            Err(MetadataError::Unread(error)) if fs::is_passing(error) => {
                return Err(self.registry.trouble(&format!("{ENVS}/{slug}"), error));
            }
            Err(_) => {
                self.unreadable(slug);
                return Ok(None);
            }
        };
        self.count(slug, &metadata);
        if self.index.slug(&metadata.name) == Some(slug) {
            if metadata.is_ours && !committed {
                _ = dir.mark_committed(false);
            }
            return Ok(None);
        }
        // Ours, without a mark and without an entry: never finished, or destroyed. Without an index to go by, what has no
        // mark may have been whole all the same.
        if self.readable && metadata.is_ours && !committed {
            let thrown = throw_away(&envs, slug, ours);
            self.report.removed.push(self.registry.at(&format!("{ENVS}/{slug}")));
            return thrown.map(Some).map_err(|error| self.registry.trouble(OURS, error));
        }
        let held = !matches!(self.registry.look_in(self.index, &metadata.name)?, super::entry::Look::Absent);
        // By a readable index, a directory without an entry is none of ours to name where another implementation wrote last.
        let restorable = !self.readable || (committed && self.index.is_ours());
        if held || !restorable || name::refusal(&metadata.name).is_some() {
            self.unreadable(slug);
            return Ok(None);
        }
        self.index.insert(&metadata.name, slug);
        self.count(slug, &metadata);
        let list = if committed { &mut self.report.restored } else { &mut self.report.unverified };
        list.push(metadata.name);
        Ok(None)
    }

    /// Takes out the names behind which nothing stands.
    fn drop_dangling(&mut self) -> Result<()> {
        let mut dangling = Vec::new();
        for (name, _) in self.index.names() {
            if matches!(self.registry.look_in(self.index, name)?, super::entry::Look::Absent) {
                dangling.push(name.to_owned());
            }
        }
        for name in dangling {
            self.index.remove(&name);
            self.report.dropped.push(name);
        }
        Ok(())
    }
}

impl Registry {
    /// Keeps the unreadable index under a name of its own.
    fn keep_index(&self) -> Result<String> {
        for n in 0.. {
            let kept = format!("{INDEX}.unreadable-{n}");
            match self.dir.link_or_rename(INDEX, &kept) {
                Ok(()) => return Ok(self.at(&kept)),
                Err(Errno::EXIST) => {}
                Err(error) => return Err(self.trouble(INDEX, error)),
            }
        }
        Err(self.trouble(INDEX, Errno::EXIST))
    }
}
