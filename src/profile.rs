//! Writing the files of one profile.

use std::path::Path;

use crate::error::{Error, Result};
use crate::fs::{self, Dir, Errno, Staging, Writing};
use crate::spec::{Content, Files, RelativePath};

/// How many files were written, and how many bytes.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Written {
    pub files: usize,
    pub bytes: usize,
}

/// A profile directory that is held open, and its path for messages.
pub(crate) struct Profile<'a> {
    pub dir: &'a Dir,
    pub path: &'a Path,
    pub durable: bool,
}

impl Profile<'_> {
    /// Writes files that must not exist yet.
    pub fn create(&self, files: &Files<'_>) -> Result<Written> {
        self.each(files, |dir, name, content, mode| match content {
            Content::Link(target, _) => fs::create_link(dir, name, target),
            content => fs::create_file(dir, name, content.bytes(), self.writing(mode)),
        })
    }

    /// Writes those files that do not exist yet, each as a whole: whoever comes after a crash finds it or not.
    pub fn create_missing(&self, files: &Files<'_>, staging: &Staging<'_>) -> Result<Written> {
        self.each(files, |dir, name, content, mode| match dir.has(name)? {
            true => Ok(()),
            false => self.put(dir, name, content, mode, staging),
        })
    }

    /// Replaces files, each as a whole.
    pub fn replace(&self, files: &Files<'_>, staging: &Staging<'_>) -> Result<Written> {
        self.each(files, |dir, name, content, mode| {
            self.put(dir, name, content, mode, staging)?;
            dir.sync_if(self.durable)
        })
    }

    fn put(&self, dir: &Dir, name: &str, content: &Content, mode: u32, staging: &Staging<'_>) -> Result<(), Errno> {
        match content {
            Content::Link(target, _) => fs::replace_by_link(dir, name, staging, target),
            content => fs::replace_file(dir, name, staging, content.bytes(), self.writing(mode)),
        }
    }

    fn writing(&self, mode: u32) -> Writing {
        Writing { mode, durable: self.durable, signed: false }
    }

    fn each(
        &self,
        files: &Files<'_>,
        write: impl Fn(&Dir, &str, &Content, u32) -> Result<(), Errno>,
    ) -> Result<Written> {
        let mut written = Written::default();
        // Files come sorted, so most stand in the directory of the one before.
        let mut open: Option<(&str, Dir)> = None;
        for (path, (content, mode)) in files {
            let (parent, name) = path.split();
            let result = match &open {
                _ if parent.is_empty() => write(self.dir, name, content, *mode),
                Some((opened, dir)) if *opened == parent => write(dir, name, content, *mode),
                _ => self.close(&open).and_then(|()| self.open(parent)).and_then(|dir| {
                    let (_, dir) = open.insert((parent, dir));
                    write(dir, name, content, *mode)
                }),
            };
            result.map_err(|error| self.failed(path, error))?;
            written.files += 1;
            written.bytes += content.bytes().len();
        }
        let closed = self.close(&open).and_then(|()| self.dir.sync_if(self.durable));
        closed.map_err(|error| Error::setup(self.path, std::io::Error::from(error)))?;
        Ok(written)
    }

    /// Makes sure of the files in the directory that was written to.
    fn close(&self, open: &Option<(&str, Dir)>) -> Result<(), Errno> {
        open.as_ref().map_or(Ok(()), |(_, dir)| dir.sync_if(self.durable))
    }

    /// Opens a directory of the profile, making what is missing on the way and replacing links.
    fn open(&self, path: &str) -> Result<Dir, Errno> {
        let mut dir: Option<Dir> = None;
        for name in path.split('/') {
            let above = dir.as_ref().unwrap_or(self.dir);
            let next = above.child_for_writing(name)?;
            above.sync_if(self.durable)?;
            dir = Some(next);
        }
        dir.ok_or(Errno::NOENT)
    }

    fn failed(&self, path: &RelativePath, error: Errno) -> Error {
        let reason = match error {
            Errno::ISDIR => "a directory stands where a file belongs; remove it".into(),
            Errno::NOTDIR => "a file stands where a directory belongs; remove it".into(),
            Errno::XDEV => "another file system is mounted on the way; unmount it".into(),
            error => std::io::Error::from(error).to_string(),
        };
        Error::setup(self.path.join(path.as_str()), reason)
    }
}
