//! Writing files that nobody else can read for a single instant.

use std::os::fd::AsFd;
use std::path::Path;

use rustix::fs::{self, Mode, OFlags, Stat, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT};
use rustix::io::{self, Errno};

use super::dir::{Dir, mend_mode};
use super::remove::remove_whatever;

const PRIVATE: Mode = Mode::RUSR.union(Mode::WUSR);

/// Nanoseconds of the modification time of files that we signed.
const SIGNATURE: u64 = 608_135_317;

/// How a file is written.
#[derive(Clone, Copy)]
pub(crate) struct Writing {
    /// The mode, once the content stands.
    pub mode: u32,
    /// Whether it is flushed to the disk.
    pub durable: bool,
    /// Whether the modification time gets the nanoseconds that say that we wrote it: whoever else changes the file later,
    /// in place or by another one, changes them too.
    pub signed: bool,
}

/// Creates the file `name` and writes it. It is 0600 until its content stands.
pub(crate) fn create_file(dir: &Dir, name: &str, content: &[u8], how: Writing) -> io::Result<()> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = fs::openat(dir, name, flags, PRIVATE)?;
    mend_mode(&file, PRIVATE)?;
    let mut rest = content;
    while !rest.is_empty() {
        match io::write(&file, rest) {
            Ok(0) => return Err(Errno::IO),
            Ok(written) => rest = &rest[written..],
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    let mode = Mode::from_raw_mode(how.mode as _);
    if mode != PRIVATE {
        fs::fchmod(&file, mode)?;
    }
    if how.signed {
        sign(&file)?;
    }
    if how.durable {
        fs::fsync(&file)?;
    }
    Ok(())
}

/// Signs a file or directory: see [`Writing::signed`].
pub(crate) fn sign(file: impl AsFd) -> io::Result<()> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    set_modified(file, Timespec { tv_sec: now.as_secs().try_into().unwrap_or(0), tv_nsec: SIGNATURE as _ })
}

/// Takes the signature away.
pub(crate) fn unsign(file: impl AsFd) -> io::Result<()> {
    set_modified(file, Timespec { tv_sec: 0, tv_nsec: UTIME_NOW })
}

fn set_modified(file: impl AsFd, last_modification: Timespec) -> io::Result<()> {
    let last_access = Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT };
    fs::futimens(file, &Timestamps { last_access, last_modification })
}

/// Whether the file or directory that was asked about has our signature.
#[allow(clippy::unnecessary_cast, clippy::cast_sign_loss)] // the types differ between systems
pub(crate) fn is_signed(stat: &Stat) -> bool {
    stat.st_mtime_nsec as u64 == SIGNATURE
}

/// Where a file is written before it takes another's place: on the same file system, and nobody else's.
pub(crate) struct Staging<'a> {
    pub dir: &'a Dir,
    pub name: &'a str,
}

/// Replaces `name` in `dir` as a whole. `ISDIR` where a directory stands there. Flushing `dir` is the caller's: an error from
/// here means that the old file stands.
pub(crate) fn replace_file(
    dir: &Dir,
    name: &str,
    staging: &Staging<'_>,
    content: &[u8],
    how: Writing,
) -> io::Result<()> {
    replace(dir, name, staging, || create_file(staging.dir, staging.name, content, how))
}

/// Creates the symbolic link `name`.
pub(crate) fn create_link(dir: &Dir, name: &str, target: &Path) -> io::Result<()> {
    fs::symlinkat(target, dir, name)
}

/// The same as [`replace_file`], by a symbolic link.
pub(crate) fn replace_by_link(dir: &Dir, name: &str, staging: &Staging<'_>, target: &Path) -> io::Result<()> {
    replace(dir, name, staging, || create_link(staging.dir, staging.name, target))
}

fn replace(dir: &Dir, name: &str, staging: &Staging<'_>, create: impl Fn() -> io::Result<()>) -> io::Result<()> {
    let created = match create() {
        // Left by somebody who died.
        Err(Errno::EXIST) => remove_whatever(staging.dir, staging.name).and_then(|()| create()),
        created => created,
    };
    let replaced = created.and_then(|()| staging.dir.rename(staging.name, dir, name));
    replaced.inspect_err(|_| _ = staging.dir.remove_file(staging.name))
}
