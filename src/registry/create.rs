//! Creating: built whole where nobody looks, then made visible in three steps under the lock.

use crate::error::{Result, Trouble};
use crate::fs::{self, Budget, Dir, Errno, Held, Kind, Staging};
use crate::options::Options;
use crate::process_dir::{self, ATTEMPTS, Root};
use crate::profile::{Profile, Written};
use crate::secret::Secret;
use crate::spec::{Files, Spec};

use super::attach::{NOT_FOUND, check_adapter, torn};
use super::entry::{Attached, Entry, Look};
use super::index::Index;
use super::lock::Lock;
use super::metadata::Metadata;
use super::{COMMITTED, ENVS, INDEX, METADATA, PROFILE, Registry, TEMPORARY, name, signed};

/// What `create_or_attach` did.
pub(crate) enum Created {
    New {
        attached: Attached,
        seeds: Written,
        credentials: Written,
        handed: Option<(String, Secret)>,
        index_path: String,
    },
    Existing(Attached),
}

/// Attaches to the environment `name`, creating it where there is none.
pub(crate) fn create_or_attach(name: &str, spec: &Spec, options: &Options) -> Result<Created> {
    name::check(name)?;
    let registry = Registry::make(options)?;
    let mut staged = None;
    loop {
        let look = match &staged {
            None => registry.look_before_staging(name)?,
            Some(_) => registry.look_patiently(name)?,
        };
        let unfinished = match look {
            Look::Whole(entry) => match registry.existing(&entry, spec) {
                // Destroyed since we looked.
                Err(error) if error.kind() == NOT_FOUND => continue,
                existing => return existing,
            },
            Look::Torn { path, reason, .. } => return Err(torn(path, reason)),
            Look::Unreadable(error) => return Err(error),
            Look::Unfinished(entry) => {
                check_adapter(name, &entry.metadata.adapter_id, Some(spec.adapter_id()))?;
                true
            }
            Look::Absent => false,
        };
        let mut ready = match staged.take() {
            Some(ready) => ready,
            None => Staged::build(&registry, name, spec, options)?,
        };
        let lock = registry.lock(options)?;
        let mut index = Index::read(&registry)?;
        match registry.look_in(&index, name)? {
            Look::Absent => return registry.commit(lock, &mut index, &mut ready, options),
            Look::Whole(entry) => {
                drop(lock);
                match registry.existing(&entry, spec) {
                    Err(error) if error.kind() == NOT_FOUND => staged = Some(ready),
                    existing => return existing,
                }
            }
            Look::Unfinished(entry) if unfinished => {
                let entry = registry.finish(&lock, entry, &ready, options)?;
                drop(lock);
                return registry.existing(&entry, spec);
            }
            Look::Unreadable(error) => return Err(error),
            // A foreign writer came in between: look again, patiently, and without the lock.
            Look::Unfinished(_) | Look::Torn { .. } => staged = Some(ready),
        }
    }
}

/// An environment's directory that nobody knows of yet. Removed when it is dropped, unless it was made visible.
struct Staged<'a> {
    ours: Root,
    name: String,
    /// Says that we live: whoever reaps leaves it alone.
    lock: Option<Held>,
    spec: &'a Spec,
    seeds: Files<'a>,
    credentials: Files<'static>,
    handed: Option<(String, Secret)>,
    written: (Written, Written),
    slug: String,
    metadata: Metadata,
    visible: bool,
}

impl<'a> Staged<'a> {
    fn build(registry: &Registry, name: &str, spec: &'a Spec, options: &Options) -> Result<Self> {
        let ((seeds, credentials), handed) = (spec.files()?, spec.handed()?);
        let ours = registry.ours()?;
        process_dir::reap_at_first(&ours);
        let (lock, staging) = process_dir::claim(&ours).map_err(Trouble::registry)?;
        let slug = name::slug(name);
        let metadata = Metadata::new(name, spec, &registry.profile_path(&slug), &credentials);
        let written = (Written::default(), Written::default());
        let mut staged = Staged {
            ours,
            name: staging,
            lock: Some(lock),
            spec,
            seeds,
            credentials,
            handed,
            written,
            slug,
            metadata,
            visible: false,
        };
        staged.write_files(options)?;
        Ok(staged)
    }

    fn write_files(&mut self, options: &Options) -> Result<()> {
        let path = self.ours.path.join(&self.name).join(PROFILE);
        let dir = self.dir()?.make_child(PROFILE).map_err(|error| Trouble::os(&path, error).setup())?;
        let profile = Profile { dir: &dir, path: &path, durable: options.durable };
        self.written = (profile.create(&self.seeds)?, profile.create(&self.credentials)?);
        self.write_metadata(options)
    }

    fn write_metadata(&self, options: &Options) -> Result<()> {
        let dir = self.dir()?;
        fs::create_file(dir, METADATA, &self.metadata.bytes(), signed(options.durable))
            .and_then(|()| dir.sync_if(options.durable))
            .map_err(|error| Trouble::os(&self.ours.path.join(&self.name).join(METADATA), error).setup())
    }

    fn dir(&self) -> Result<&Dir> {
        self.lock.as_ref().map_or(Err(Errno::BADF), Held::dir).map_err(|error| {
            let path = self.ours.path.join(&self.name);
            match error {
                Errno::BADF => Trouble::new(&path, "its descriptor was closed by other code").registry(),
                error => Trouble::os(&path, error).registry(),
            }
        })
    }

    /// Moves to another directory name, since another environment holds the one that was meant.
    fn move_to(&mut self, slug: String, registry: &Registry, options: &Options) -> Result<()> {
        self.metadata.move_to(&registry.profile_path(&slug));
        self.slug = slug;
        self.dir()?.remove_file(METADATA).map_err(|error| Trouble::os(&self.ours.path, error).registry())?;
        self.write_metadata(options)
    }
}

impl Drop for Staged<'_> {
    fn drop(&mut self) {
        if !self.visible {
            // First, so that removing has a descriptor where there is none left.
            self.lock = None;
            remove_trash(&self.ours, &self.name);
        }
    }
}

impl Registry {
    /// Without a directory where the name's would be, there is nothing that staging could be saved by.
    fn look_before_staging(&self, name: &str) -> Result<Look> {
        match self.envs()?.stat_child(&*name::slug(name)) {
            Err(Errno::NOENT) => Ok(Look::Absent),
            _ => self.look_patiently(name),
        }
    }

    fn existing(&self, entry: &Entry, spec: &Spec) -> Result<Created> {
        check_adapter(&entry.metadata.name, &entry.metadata.adapter_id, Some(spec.adapter_id()))?;
        Ok(Created::Existing(self.attached(entry)?))
    }

    /// Makes a staged environment visible: the directory, the index, the commit mark.
    fn commit(&self, lock: Lock, index: &mut Index, staged: &mut Staged, options: &Options) -> Result<Created> {
        let name = staged.metadata.name.clone();
        let envs = self.envs()?;
        let slug = name::slugs(&name).find(|slug| !index.is_held_by_other(slug, &name)).unwrap_or_default();
        if slug != staged.slug {
            staged.move_to(slug, self, options)?;
        }
        let below = format!("{ENVS}/{}", staged.slug);
        let trash = self.place(&envs, staged).map_err(|error| self.trouble(&below, error))?;
        index.insert(&name, &staged.slug);
        let written = envs.sync_if(options.durable).and_then(|()| index.write(self, &staged.ours.dir, options.durable));
        if let Err(error) = written {
            // Back to where it is removed from.
            staged.visible = envs.rename(&*staged.slug, &staged.ours.dir, &*staged.name).is_err();
            return Err(self.trouble(INDEX, error));
        }
        // From here on it exists: what fails now is told, and takes nothing back.
        self.dir.sync_if(options.durable).map_err(|error| self.trouble(INDEX, error))?;
        // Without its mark an environment is found by the index: slower, no less whole.
        _ = staged.dir().map(|dir| dir.mark_committed(options.durable));
        if lock.sound {
            lock.vouch(self);
        }
        drop(lock);
        trash.iter().for_each(|name| remove_trash(&staged.ours, name));
        let (seeds, credentials) = staged.written;
        let attached = self.describe(&staged.slug, &staged.metadata)?;
        let handed = staged.handed.take();
        Ok(Created::New { attached, seeds, credentials, handed, index_path: self.at(INDEX) })
    }

    /// Renames a staged directory into place. What stands there has no name, and goes to the trash.
    fn place(&self, envs: &Dir, staged: &mut Staged) -> Result<Vec<String>, Errno> {
        let mut trash = Vec::new();
        for _ in 0..ATTEMPTS {
            match staged.ours.dir.rename(&*staged.name, envs, &*staged.slug) {
                Ok(()) => {
                    staged.visible = true;
                    if let Some(lock) = &staged.lock {
                        lock.remove_lock_file();
                    }
                    return Ok(trash);
                }
                Err(Errno::EXIST | Errno::NOTEMPTY | Errno::NOTDIR) => {
                    trash.push(throw_away(envs, &staged.slug, &staged.ours.dir)?);
                }
                Err(error) => return Err(error),
            }
        }
        Err(Errno::EXIST)
    }

    /// Writes what an unfinished entry of a foreign writer lacks, and makes it ours.
    fn finish(&self, _lock: &Lock, mut entry: Entry, staged: &Staged, options: &Options) -> Result<Entry> {
        let below = format!("{ENVS}/{}", entry.slug);
        let profile_path = self.profile_path(&entry.slug);
        let dir = match entry.dir.kind_of(PROFILE) {
            Ok(Kind::Directory) => entry.dir.child(PROFILE),
            Err(Errno::NOENT) => entry.dir.make_child(PROFILE),
            Ok(_) => Err(Errno::NOTDIR),
            Err(error) => Err(error),
        };
        let dir = dir.map_err(|error| self.trouble(&format!("{below}/{PROFILE}"), error))?;
        let profile = Profile { dir: &dir, path: profile_path.as_ref(), durable: options.durable };
        let staging = Staging { dir: &staged.ours.dir, name: TEMPORARY };
        profile.create_missing(&staged.seeds, &staging)?;
        profile.create_missing(&staged.credentials, &staging)?;
        entry.metadata.adopt(staged.spec, &profile_path, &staged.credentials);
        entry
            .metadata
            .write(&entry.dir, &staged.ours.dir, options.durable)
            .map_err(|error| self.trouble(&format!("{below}/{METADATA}"), error))?;
        _ = entry.dir.mark_committed(options.durable);
        Ok(entry)
    }
}

impl Dir {
    /// Makes the commit mark.
    pub(super) fn mark_committed(&self, durable: bool) -> Result<(), Errno> {
        match fs::create_file(self, COMMITTED, b"", signed(durable)) {
            Ok(()) => self.sync_if(durable),
            Err(Errno::EXIST) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// Moves a directory to where it is reclaimed by whoever comes by; answers its name there.
pub(super) fn throw_away(envs: &Dir, slug: &str, ours: &Dir) -> Result<String, Errno> {
    let name = process_dir::new_name();
    envs.rename(slug, ours, &*name).map(|()| name)
}

/// Removes trash; what can't be removed now is left to reap.
pub(super) fn remove_trash(ours: &Root, name: &str) {
    if let Ok(name) = std::ffi::CString::new(name) {
        _ = fs::remove_tree(&ours.dir, &name, &mut Budget::unlimited());
    }
}
