//! Destroying: out of sight in three steps under the lock, deleted after it.

use std::ffi::CString;

use crate::error::{Result, Trouble};
use crate::fs::{self, Budget, Dir, Errno};
use crate::options::Options;

use super::attach::torn;
use super::create::throw_away;
use super::entry::Look;
use super::index::Index;
use super::{COMMITTED, ENVS, INDEX, OURS, Registry, name};

/// An environment that has no name any more.
pub(crate) struct Destroyed {
    pub index_path: String,
    /// What could not be deleted, and why.
    pub leftover: Option<(Leftover, crate::Error)>,
}

/// Where the files of a destroyed environment are, as long as they could not be deleted.
pub(crate) struct Leftover {
    root: String,
    /// Of the directory, and its name in it.
    below: &'static str,
    name: String,
}

/// Destroys the environment `name`; with `instance` only if it is still that one. `None` where there is nothing to destroy.
pub(crate) fn destroy(name: &str, instance: Option<&str>, options: &Options) -> Result<Option<Destroyed>> {
    name::check(name)?;
    let Some(registry) = Registry::find(options)? else { return Ok(None) };
    let lock = registry.lock(options)?;
    let mut index = Index::read(&registry)?;
    let slug = match registry.look_in(&index, name)? {
        Look::Absent => return Ok(None),
        Look::Whole(entry) | Look::Unfinished(entry) => match instance {
            Some(instance) if instance != entry.metadata.instance() => return Ok(None),
            _ => entry.slug,
        },
        Look::Torn { path, reason, .. } if instance.is_some() => return Err(torn(path, reason)),
        Look::Torn { .. } => index.slug(name).unwrap_or_default().to_owned(),
    };
    let leftover = registry.take_out(name, &slug, &mut index, options)?;
    drop(lock);
    let leftover = leftover.and_then(|leftover| leftover.remove().err().map(|error| (leftover, error)));
    Ok(Some(Destroyed { index_path: registry.at(INDEX), leftover }))
}

impl Registry {
    /// Takes the name away, and its directory out of sight: the commit mark, the index, the directory. Answers what is
    /// left to delete.
    fn take_out(&self, name: &str, slug: &str, index: &mut Index, options: &Options) -> Result<Option<Leftover>> {
        let below = format!("{ENVS}/{slug}");
        let envs = self.envs()?;
        let dir = envs.child(slug).map_err(|error| self.trouble(&below, error))?;
        let was_committed = match dir.remove_file(COMMITTED) {
            Ok(()) => true,
            Err(Errno::NOENT) => false,
            Err(error) => return Err(self.trouble(&below, error)),
        };
        index.remove(name);
        let ours = self.make_dir(OURS);
        let written = match &ours {
            Ok(ours) => index.write(self, ours, options.durable),
            Err(error) => Err(*error),
        };
        match written {
            Ok(()) => {}
            Err(Errno::NOSPC | Errno::DQUOT) => {
                return self.take_out_on_full_disk(&envs, slug, index, options).map(|()| None);
            }
            Err(error) => {
                if was_committed {
                    _ = dir.mark_committed(options.durable);
                }
                return Err(self.trouble(INDEX, error));
            }
        }
        let thrown = ours.and_then(|ours| throw_away(&envs, slug, &ours));
        let (below, name) = match thrown {
            Ok(name) => (OURS, name),
            // It can't be moved (something is mounted there, say): deleted where it is.
            Err(_) => (ENVS, slug.to_owned()),
        };
        Ok(Some(Leftover { root: self.path.clone(), below, name }))
    }

    /// Where there is no room to write the index, deleting comes first.
    fn take_out_on_full_disk(&self, envs: &Dir, slug: &str, index: &Index, options: &Options) -> Result<()> {
        let leftover = match self.make_dir(OURS).and_then(|ours| throw_away(envs, slug, &ours)) {
            Ok(name) => Leftover { root: self.path.clone(), below: OURS, name },
            Err(_) => Leftover { root: self.path.clone(), below: ENVS, name: slug.to_owned() },
        };
        let removed = leftover.remove();
        let written = self.make_dir(OURS).and_then(|ours| index.write(self, &ours, options.durable));
        if let Err(error) = written {
            // Others stumble over an entry without a directory.
            _ = envs.make_child(slug);
            return Err(self.trouble(INDEX, error));
        }
        removed
    }
}

impl Leftover {
    /// Deletes it; may be tried again.
    pub fn remove(&self) -> Result<()> {
        let path = std::path::Path::new(&self.root).join(self.below);
        let dir = match Dir::open(&path) {
            Ok(dir) => dir,
            Err(Errno::NOENT) => return Ok(()),
            Err(error) => return Err(Trouble::os(&path, error).cleanup()),
        };
        let name = CString::new(&*self.name).map_err(|_| Trouble::new(&path, "a name with NUL").cleanup())?;
        match fs::remove_tree(&dir, &name, &mut Budget::unlimited()) {
            Ok(_) => Ok(()),
            Err(error) => Err(Trouble::new(&path.join(&error.path), error.reason()).cleanup()),
        }
    }
}
