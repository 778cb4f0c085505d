//! Destroying: out of sight in three steps under the lock, deleted after it.

use std::ffi::CString;

use crate::error::{Error, Result, Trouble};
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
    /// Why not all could be deleted, and what can be tried again.
    pub failed: Option<(Error, Option<Leftover>)>,
}

/// A destroyed environment in the trash, where it has a name that nothing else ever gets.
pub(crate) struct Leftover {
    root: String,
    name: String,
}

/// What is left to do once the name is gone.
enum Rest {
    /// To be deleted, without the lock.
    Trash(Leftover),
    /// It could not be moved to the trash, and was deleted where it was.
    InPlace(Result<()>),
}

/// Destroys the environment `name`; with `instance` only if it is still that one. `None` where there is nothing to destroy.
pub(crate) fn destroy(name: &str, instance: Option<&str>, options: &Options) -> Result<Option<Destroyed>> {
    name::check(name)?;
    let Some(registry) = Registry::find(options)? else { return Ok(None) };
    let lock = registry.lock(options)?;
    let mut index = Index::read(&registry)?;
    let mut look = registry.look_in(&index, name)?;
    if let (Look::Unreadable(_), Some(slug)) = (&look, index.slug(name)) {
        // An agent may have taken our own rights away.
        if registry.envs()?.unlock_child(slug).is_ok() {
            look = registry.look_in(&index, name)?;
        }
    }
    let slug = match look {
        Look::Absent => {
            if index.slug(name).is_some() {
                registry.doubt();
            }
            return Ok(None);
        }
        Look::Whole(entry) | Look::Unfinished(entry) => match instance {
            Some(instance) if instance != entry.metadata.instance() => return Ok(None),
            _ => entry.slug,
        },
        Look::Unreadable(error) => return Err(error),
        Look::Torn { path, reason, .. } if instance.is_some() => return Err(torn(path, reason)),
        Look::Torn { .. } => index.slug(name).unwrap_or_default().to_owned(),
    };
    registry.doubt();
    let rest = registry.take_out(name, &slug, &mut index, options)?;
    if lock.sound && matches!(rest, Rest::Trash(_)) {
        lock.vouch(&registry);
    }
    drop(lock);
    let failed = match rest {
        Rest::InPlace(removed) => removed.err().map(|error| (error, None)),
        Rest::Trash(leftover) => leftover.remove().err().map(|error| (error, Some(leftover))),
    };
    Ok(Some(Destroyed { index_path: registry.at(INDEX), failed }))
}

impl Registry {
    /// Takes the name away, and its directory out of sight: the commit mark, the index, the directory.
    fn take_out(&self, name: &str, slug: &str, index: &mut Index, options: &Options) -> Result<Rest> {
        let below = format!("{ENVS}/{slug}");
        let envs = self.envs()?;
        let dir = envs.child(slug).map_err(|error| self.trouble(&below, error))?;
        let was_committed = match dir.remove_file(COMMITTED) {
            Ok(()) => true,
            Err(Errno::NOENT) => false,
            // Not as we make it.
            Err(Errno::ISDIR | Errno::PERM) => {
                fs::remove_whatever(&dir, COMMITTED).map_err(|error| self.trouble(&below, error))?;
                true
            }
            Err(error) => return Err(self.trouble(&below, error)),
        };
        index.remove(name);
        let ours = self.make_dir(OURS);
        let written = dir.sync_if(options.durable).and_then(|()| match &ours {
            Ok(ours) => index.write(self, ours, options.durable),
            Err(error) => Err(*error),
        });
        match written {
            Ok(()) => {}
            Err(Errno::NOSPC | Errno::DQUOT) => return self.take_out_on_full_disk(&envs, slug, index, options),
            Err(error) => {
                if was_committed {
                    _ = dir.mark_committed(options.durable);
                }
                return Err(self.trouble(if ours.is_ok() { INDEX } else { OURS }, error));
            }
        }
        // The name is gone, whatever fails from here on, and no second call would find the directory by it.
        let rest = self.discard(&envs, slug);
        if let Err(error) = self.dir.sync_if(options.durable) {
            if let Rest::Trash(leftover) = &rest {
                _ = leftover.remove();
            }
            return Err(self.trouble(INDEX, error));
        }
        Ok(rest)
    }

    /// Moves a directory without a name to the trash; where that can't be, deletes it.
    fn discard(&self, envs: &Dir, slug: &str) -> Rest {
        match self.make_dir(OURS).and_then(|ours| throw_away(envs, slug, &ours)) {
            Ok(name) => Rest::Trash(Leftover { root: self.path.clone(), name }),
            Err(_) => Rest::InPlace(remove(envs, &self.at(ENVS), slug)),
        }
    }

    /// Where there is no room to write the index, deleting comes first.
    fn take_out_on_full_disk(&self, envs: &Dir, slug: &str, index: &Index, options: &Options) -> Result<Rest> {
        let rest = self.discard(envs, slug);
        if let Rest::Trash(leftover) = &rest {
            _ = leftover.remove();
        }
        let written = self.make_dir(OURS).and_then(|ours| index.write(self, &ours, options.durable));
        if let Err(error) = written {
            // Others stumble over an entry without a directory.
            _ = envs.make_child(slug);
            return Err(self.trouble(INDEX, error));
        }
        Ok(rest)
    }
}

impl Leftover {
    /// Deletes it; may be tried again.
    pub fn remove(&self) -> Result<()> {
        let path = format!("{}/{OURS}", self.root);
        match Dir::open(path.as_ref()) {
            Ok(dir) => remove(&dir, &path, &self.name),
            Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(Trouble::os(path.as_ref(), error).cleanup()),
        }
    }
}

fn remove(dir: &Dir, path: &str, name: &str) -> Result<()> {
    let path: &std::path::Path = path.as_ref();
    let name = CString::new(name).map_err(|_| Trouble::new(path, "a name with NUL").cleanup())?;
    match fs::remove_tree(dir, &name, &mut Budget::unlimited()) {
        Ok(_) => Ok(()),
        Err(error) => Err(Trouble::new(&path.join(&error.path), error.reason()).cleanup()),
    }
}
