//! One environment as it is found on disk.

use crate::error::{Error, Result, Trouble};
use crate::fs::{self, Dir, Errno, Id, Kind};
use crate::json::Invalid;
use crate::spec::Spec;

use super::index::Index;
use super::metadata::{Metadata, MetadataError};
use super::{COMMITTED, ENVS, INDEX, METADATA, PROFILE, Registry, name};

/// An environment's directory and what it says of itself.
pub(super) struct Entry {
    pub dir: Dir,
    pub slug: String,
    pub committed: bool,
    pub metadata: Metadata,
}

pub(super) enum Look {
    /// The name does not exist.
    Absent,
    Whole(Entry),
    /// A foreign writer registered it and has not come to the end, or never will.
    Unfinished(Entry),
    /// It exists, but can't be read: torn by a foreign writer who is in the middle of it, or died there.
    Torn {
        path: String,
        reason: String,
        committed: bool,
    },
    /// It may exist; the system won't let us look.
    Unreadable(Error),
}

/// What a handle on a persistent environment knows of it.
pub(crate) struct Attached {
    pub root: String,
    pub name: String,
    pub instance: String,
    pub path: String,
    pub metadata_path: String,
    pub spec: Spec,
}

impl Registry {
    /// Looks a name up: by its commit mark where it has one, else by the index.
    ///
    /// The mark implies the index entry as long as we wrote the index last. Another implementation may have taken the name
    /// out and left the directory, in whole or in part, when it could not remove it.
    pub(super) fn look(&self, name: &str) -> Result<Look> {
        if !self.dir.is_signed(INDEX).unwrap_or(false)
            && let Ok(Some(index)) = Index::load(self)?
        {
            return self.look_in(&index, name);
        }
        match self.look_at(name, &name::slug(name))? {
            look @ Look::Whole(Entry { committed: true, .. }) => Ok(look),
            _ => {
                let index = Index::read(self)?;
                let look = self.look_in(&index, name)?;
                if matches!(look, Look::Absent) && index.slug(name).is_some() {
                    self.doubt_entry(name);
                }
                Ok(look)
            }
        }
    }

    /// Looks a name up by the index.
    pub(super) fn look_in(&self, index: &Index, name: &str) -> Result<Look> {
        match index.slug(name) {
            Some(slug) => self.look_at(name, slug),
            None => Ok(Look::Absent),
        }
    }

    /// What of the name `name` stands in the directory `slug`.
    fn look_at(&self, name: &str, slug: &str) -> Result<Look> {
        let below = || format!("{ENVS}/{slug}");
        let dir = match self.dir.own_child(ENVS).and_then(|envs| envs.own_child(slug)) {
            Ok(dir) => dir,
            // Nothing, or a link or a file: links are never followed.
            Err(Errno::NOENT | Errno::LOOP | Errno::NOTDIR | Errno::NAMETOOLONG) => return Ok(Look::Absent),
            Err(error) => return Ok(Look::Unreadable(self.trouble(&below(), error))),
        };
        let metadata = Metadata::read(&dir);
        let committed = dir.stat_child(COMMITTED).is_ok();
        match metadata {
            Err(MetadataError::Missing) => Ok(Look::Absent),
            Err(MetadataError::Unread(error)) if fs::is_passing(error) => {
                Ok(Look::Unreadable(self.trouble(&format!("{}/{METADATA}", below()), error)))
            }
            Err(error @ (MetadataError::Unread(_) | MetadataError::Unusable(_))) => Ok(Look::Torn {
                path: self.at(&format!("{}/{METADATA}", below())),
                reason: error.to_string(),
                committed,
            }),
            Ok(metadata) if metadata.name != name => Ok(Look::Absent),
            Ok(metadata) => {
                let unfinished = metadata.is_unfinished();
                let entry = Entry { dir, slug: slug.to_owned(), committed, metadata };
                Ok(if unfinished { Look::Unfinished(entry) } else { Look::Whole(entry) })
            }
        }
    }

    /// What a handle needs, from an environment that was found whole.
    pub(super) fn attached(&self, entry: &Entry) -> Result<Attached> {
        let profile = format!("{ENVS}/{}/{PROFILE}", entry.slug);
        match entry.dir.kind_of(PROFILE) {
            Ok(Kind::Directory) => {}
            Ok(_) => return Err(self.unavailable(&profile, "it is a link or a file, not a directory; destroy it")),
            // Destroyed while we looked, or damaged.
            Err(Errno::NOENT) if self.is_gone(entry) == Ok(true) => return Err(self.not_found(&entry.metadata.name)),
            Err(error) => return Err(self.trouble(&profile, error)),
        }
        self.describe(&entry.slug, &entry.metadata)
    }

    /// Whether an entry was taken away since it was opened.
    pub(super) fn is_gone(&self, entry: &Entry) -> Result<bool, Errno> {
        let there = self.dir.child(ENVS).and_then(|envs| envs.stat_child(&*entry.slug));
        match (there, entry.dir.stat()) {
            (Ok(there), Ok(own)) => Ok(Id::of(&there) != Id::of(&own)),
            (Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP), Ok(_)) => Ok(true),
            (Err(error), _) | (_, Err(error)) => Err(error),
        }
    }

    /// What a handle needs, from metadata alone.
    pub(super) fn describe(&self, slug: &str, metadata: &Metadata) -> Result<Attached> {
        let metadata_path = self.at(&format!("{ENVS}/{slug}/{METADATA}"));
        let spec = metadata.spec().map_err(|Invalid { field, reason }| {
            Trouble::new(metadata_path.as_ref(), format!("{field} {reason}; destroy the environment")).registry()
        })?;
        Ok(Attached {
            root: self.path.clone(),
            name: metadata.name.clone(),
            instance: metadata.instance().to_owned(),
            path: self.profile_path(slug),
            metadata_path,
            spec,
        })
    }
}
