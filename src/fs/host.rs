//! What is asked of the host: its files, its directories, its boot.

use std::fmt;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{self, CWD, FileType, Mode, OFlags};
use rustix::io::{self, Errno};

use crate::error::Trouble;

use super::dir::{Dir, Id};

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ReadError {
    Missing,
    NotAFile,
    /// Others may read it.
    NotPrivate,
    TooLarge,
    /// JSON that doesn't parse: in the middle of being written, perhaps.
    Torn,
    Failed(Errno),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadError::Missing => f.write_str("does not exist"),
            ReadError::NotAFile => f.write_str("is not a regular file"),
            ReadError::NotPrivate => f.write_str("can be read or written by other users: make it yours, and 0600"),
            ReadError::Torn => f.write_str("is not valid JSON"),
            ReadError::TooLarge => f.write_str("is too large"),
            ReadError::Failed(error) => write!(f, "can't be read: {}", std::io::Error::from(*error)),
        }
    }
}

impl From<Errno> for ReadError {
    fn from(error: Errno) -> Self {
        match error {
            Errno::NOENT | Errno::NOTDIR => ReadError::Missing,
            // A link; a socket.
            Errno::LOOP | Errno::NXIO => ReadError::NotAFile,
            error => ReadError::Failed(error),
        }
    }
}

/// A file's content, and which file it was.
pub(crate) struct FileRead {
    pub content: Vec<u8>,
    pub stamp: Stamp,
}

/// What tells a file from what it was before it was replaced or changed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    id: Id,
    /// Nanoseconds since 1970.
    pub modified: i128,
}

/// The stamp of the file at `path` now, links followed.
pub(crate) fn stamp(path: &Path) -> Option<Stamp> {
    fs::stat(path).ok().map(|stat| Stamp { id: Id::of(&stat), modified: modified(&stat) })
}

/// Reads a regular file of at most `max` bytes. Links are followed; a FIFO or a device is not waited for.
pub(crate) fn read_regular(path: &Path, max: usize) -> Result<FileRead, ReadError> {
    read(CWD, path, OFlags::empty(), max, |_| Ok(()))
}

/// The same for a file that only this user (or root) can have read or written.
pub(crate) fn read_private(path: &Path, max: usize) -> Result<FileRead, ReadError> {
    read(CWD, path, OFlags::empty(), max, |stat| {
        let is_private = stat.st_mode & 0o077 == 0 && (stat.st_uid == user() || stat.st_uid == 0);
        if is_private { Ok(()) } else { Err(ReadError::NotPrivate) }
    })
}

/// The same for a file in a directory, a link not followed.
pub(crate) fn read_child(dir: &Dir, name: &str, max: usize) -> Result<FileRead, ReadError> {
    read(dir.as_fd(), name.as_ref(), OFlags::NOFOLLOW, max, |_| Ok(()))
}

fn read(
    dir: BorrowedFd<'_>,
    path: &Path,
    flags: OFlags,
    max: usize,
    check: impl Fn(&fs::Stat) -> Result<(), ReadError>,
) -> Result<FileRead, ReadError> {
    let flags = flags | OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let fd = fs::openat(dir, path, flags, Mode::empty())?;
    let stat = fs::fstat(&fd)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(ReadError::NotAFile);
    }
    check(&stat)?;
    let size = usize::try_from(stat.st_size).unwrap_or(usize::MAX);
    if size > max {
        return Err(ReadError::TooLarge);
    }
    // Room for all of it at once: growing would leave copies of a secret behind.
    let mut content = Vec::with_capacity(size + 1);
    while content.len() <= max {
        let room = content.capacity() - content.len();
        match io::read(&fd, rustix::buffer::spare_capacity(&mut content)) {
            Ok(0) => break,
            // All that there was said to be, and no more came.
            Ok(read) if read < room && content.len() == size => break,
            Ok(read) if read == room => content.reserve(1 << 16),
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(ReadError::Failed(error)),
        }
    }
    if content.len() > max {
        return Err(ReadError::TooLarge);
    }
    Ok(FileRead { content, stamp: Stamp { id: Id::of(&stat), modified: modified(&stat) } })
}

#[allow(clippy::unnecessary_cast)] // the types differ between systems
fn modified(stat: &fs::Stat) -> i128 {
    i128::from(stat.st_mtime as i64) * 1_000_000_000 + i128::from(stat.st_mtime_nsec as i64)
}

/// Whether an error is one of the moment, so that it says nothing about the file: a shortage, a signal, a failing disk.
pub(crate) fn is_passing(error: Errno) -> bool {
    matches!(error, Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::IO | Errno::INTR)
}

pub(crate) fn is_executable(path: &Path) -> bool {
    let is_file = fs::stat(path).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile);
    is_file && fs::access(path, fs::Access::EXEC_OK).is_ok()
}

/// Makes a directory and its parents, each 0700 at any umask; what exists is left as it is.
pub(crate) fn make_private_dirs(path: &Path) -> std::io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return std::fs::create_dir_all(path);
    };
    make_private_dirs(parent)?;
    match Dir::open_followed(parent)?.make_child(name) {
        Err(Errno::EXIST) if path.is_dir() => Ok(()),
        made => Ok(made.map(drop)?),
    }
}

/// `path` made absolute by the working directory, without a look at the disk.
pub(crate) fn absolute(path: &Path) -> std::io::Result<PathBuf> {
    std::path::absolute(path)
}

/// `path` with every link resolved. It must be UTF-8, as paths are handed out in JSON.
pub(crate) fn canonical(path: &Path) -> Result<PathBuf, Trouble> {
    let path = std::fs::canonicalize(path).map_err(|error| Trouble::new(path, error))?;
    match path.to_str() {
        Some(_) => Ok(path),
        None => Err(Trouble::new(&path, "its path is not UTF-8; choose another place")),
    }
}

/// Why a directory can't be trusted to keep what is put there: another user's, or writable by `others` (mode bits)
/// without being sticky.
pub(crate) fn check_owner_and_mode(dir: &Dir, others: u32) -> Result<(), String> {
    let stat = dir.stat().map_err(|error| std::io::Error::from(error).to_string())?;
    if stat.st_uid != user() && stat.st_uid != 0 {
        return Err(format!("belongs to user {}, who could replace what is put there", stat.st_uid));
    }
    if stat.st_mode & others != 0 && stat.st_mode & 0o1000 == 0 {
        return Err("is writable by others and not sticky: make it 0700".into());
    }
    Ok(())
}

/// Removes an empty directory by its path.
pub(crate) fn remove_empty(path: &Path) -> Result<(), Errno> {
    fs::rmdir(path)
}

/// The directory for temporary files: `$TMPDIR`, else `/tmp`; an empty variable counts as unset.
pub(crate) fn temp_dir() -> PathBuf {
    match std::env::var_os("TMPDIR") {
        Some(dir) if !dir.is_empty() => dir.into(),
        _ => "/tmp".into(),
    }
}

/// The effective user.
pub(crate) fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Eight hexadecimal digits that differ from boot to boot; zeros where the system doesn't tell.
pub(crate) fn boot_id() -> String {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let digits: String = id.chars().filter(char::is_ascii_hexdigit).take(8).collect();
    if digits.len() == 8 { digits } else { "00000000".into() }
}

/// Whether another kernel may hold locks here that this one doesn't see.
#[cfg(target_os = "linux")]
pub(crate) fn is_networked(dir: &Dir) -> bool {
    // From linux/magic.h and the file systems' own sources: nfs, 9p, fuse (virtiofs too), cifs, smb2, smb, ceph, afs.
    const NETWORKED: [u64; 8] =
        [0x6969, 0x0102_1997, 0x6573_5546, 0xff53_4d42, 0xfe53_4d42, 0x517b, 0x00c3_6400, 0x6b41_4653];
    #[allow(clippy::cast_sign_loss)]
    fs::fstatfs(dir).map_or(true, |stat| NETWORKED.contains(&(stat.f_type as u64 & 0xffff_ffff)))
}

/// Untested.
#[cfg(target_os = "macos")]
pub(crate) fn is_networked(dir: &Dir) -> bool {
    fs::fstatfs(dir).map_or(true, |stat| stat.f_flags & libc::MNT_LOCAL as u32 == 0)
}

/// A random number; where the system has none to give, one that at least differs from call to call.
pub(crate) fn random() -> u64 {
    getrandom::u64().unwrap_or_else(|_| {
        use std::hash::{BuildHasher, Hasher, RandomState};
        RandomState::new().build_hasher().finish()
    })
}

/// `name` of 8 lower-case letters and digits, different for each number below 2^40 that differs.
pub(crate) fn short_name(number: u64) -> String {
    const DIGITS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    (0..8).map(|i| char::from(DIGITS[(number >> (5 * i) & 31) as usize])).collect()
}
