//! Writing the files of one profile.

use std::path::Path;

use crate::error::{Error, Result};
use crate::fs::{self, Dir, Errno, Staging, Writing};
use crate::spec::{Files, RelativePath};

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
    pub fn create<T: AsRef<[u8]>>(&self, files: &Files<T>) -> Result<Written> {
        self.each(files, |dir, name, content, mode| fs::create_file(dir, name, content, self.writing(mode)))
    }

    /// Writes those files that do not exist yet, each as a whole: whoever comes after a crash finds it or not.
    pub fn create_missing<T: AsRef<[u8]>>(&self, files: &Files<T>, staging: &Staging<'_>) -> Result<Written> {
        self.each(files, |dir, name, content, mode| match dir.has(name)? {
            true => Ok(()),
            false => fs::replace_file(dir, name, staging, content, self.writing(mode)),
        })
    }

    /// Replaces files, each as a whole.
    pub fn replace<T: AsRef<[u8]>>(&self, files: &Files<T>, staging: &Staging<'_>) -> Result<Written> {
        self.each(files, |dir, name, content, mode| {
            fs::replace_file(dir, name, staging, content, self.writing(mode))?;
            dir.sync_if(self.durable)
        })
    }

    fn writing(&self, mode: u32) -> Writing {
        Writing { mode, durable: self.durable, signed: false }
    }

    fn each<T: AsRef<[u8]>>(
        &self,
        files: &Files<T>,
        write: impl Fn(&Dir, &str, &[u8], u32) -> Result<(), Errno>,
    ) -> Result<Written> {
        let mut written = Written::default();
        // Files come sorted, so most stand in the directory of the one before.
        let mut open: Option<(&str, Dir)> = None;
        for (path, (content, mode)) in files {
            let (parent, name) = path.split();
            let content = content.as_ref();
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
            written.bytes += content.len();
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
