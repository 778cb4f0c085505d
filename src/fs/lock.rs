//! Locks that the kernel gives back when their holder dies.

use std::os::fd::{AsFd, BorrowedFd, IntoRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{self, FlockOperation, Mode, OFlags};
use rustix::io::{self, Errno};

use super::dir::{Dir, Id, mend_mode};

/// Stands in for the directory where that can't be locked itself (NFS).
const LOCK_FILE: &str = ".lock";

/// A descriptor that knows which file it was opened on, since hosts that daemonize close all descriptors, and the
/// number may since mean something else. Once seen closed it is lost for good: the number may come to mean the same file
/// again, through another descriptor, whose lock is not this one's to use or to let go.
#[derive(Debug)]
struct Kept<T: AsFd + Into<OwnedFd>> {
    fd: Option<T>,
    id: Id,
    lost: AtomicBool,
}

impl<T: AsFd + Into<OwnedFd>> Kept<T> {
    fn new(fd: T) -> io::Result<Self> {
        let id = Id::of(&fs::fstat(&fd)?);
        Ok(Kept { fd: Some(fd), id, lost: AtomicBool::new(false) })
    }

    /// The file; `BADF` where its descriptor was closed. Any other error says nothing about that.
    fn get(&self) -> io::Result<&T> {
        let fd = self.fd.as_ref().ok_or(Errno::BADF)?;
        match fs::fstat(fd) {
            Ok(stat) if Id::of(&stat) == self.id => {}
            Ok(_) | Err(Errno::BADF) => self.lost.store(true, Ordering::Release),
            Err(error) => return Err(error),
        }
        if self.lost.load(Ordering::Acquire) { Err(Errno::BADF) } else { Ok(fd) }
    }
}

impl<T: AsFd + Into<OwnedFd>> Drop for Kept<T> {
    fn drop(&mut self) {
        // An error that says nothing of it leaves it ours: kept open it would hold the lock as long as this process lives.
        let ours = !matches!(self.get(), Err(Errno::BADF));
        if let (Some(fd), false) = (self.fd.take(), ours) {
            // Not ours to close any more.
            _ = fd.into().into_raw_fd();
        }
    }
}

/// A directory that this process has locked for as long as this value lives. Never unlocked, only closed: an unlock in a
/// forked child would free the parent's lock, as both share it.
#[derive(Debug)]
pub(crate) struct Held {
    dir: Kept<Dir>,
    file: Option<Kept<OwnedFd>>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum LockError {
    /// Somebody alive holds it.
    Taken,
    Failed(Errno),
}

impl From<Errno> for LockError {
    fn from(error: Errno) -> Self {
        LockError::Failed(error)
    }
}

impl Held {
    /// Locks `dir` without waiting, for its owner.
    pub fn claim(dir: Dir) -> Result<Self, LockError> {
        let dir = Dir::from(above_standard_streams(dir.into())?);
        let file = if try_lock(dir.as_fd())? { None } else { Some(Kept::new(lock_file(&dir, OFlags::CREATE)?)?) };
        Ok(Held { dir: Kept::new(dir)?, file })
    }

    /// Locks `dir` without waiting, to find out whether its owner lives: whichever way the owner locked it.
    pub fn probe(dir: Dir) -> Result<Self, LockError> {
        // Where the directory can't be locked, its owner may be about to make the file: both must contend for the same one.
        let create = if try_lock(dir.as_fd())? { OFlags::empty() } else { OFlags::CREATE };
        let file = match lock_file(&dir, create) {
            Ok(file) => Some(Kept::new(file)?),
            Err(LockError::Failed(Errno::NOENT)) => None,
            Err(error) => return Err(error),
        };
        Ok(Held { dir: Kept::new(dir)?, file })
    }

    /// The directory; `BADF` where the lock is ours no more.
    pub fn dir(&self) -> io::Result<&Dir> {
        if let Some(file) = &self.file {
            file.get()?;
        }
        self.dir.get()
    }

    pub fn id(&self) -> Id {
        self.dir.id
    }

    /// Removes the lock file, if this lock is one.
    pub fn remove_lock_file(&self) {
        if let (Ok(dir), Some(_)) = (self.dir.get(), &self.file) {
            _ = dir.remove_file(LOCK_FILE);
        }
    }
}

/// Opens a file to lock, making it where it is missing: 0600 at any umask, or nobody could ever open it again.
pub(crate) fn open_lock_file(dir: &Dir, name: &str) -> io::Result<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let open = || fs::openat(dir, name, flags, Mode::empty());
    let private = Mode::RUSR | Mode::WUSR;
    match open() {
        Err(Errno::NOENT) => match fs::openat(dir, name, flags | OFlags::CREATE | OFlags::EXCL, private) {
            Ok(file) => mend_mode(&file, private).map(|()| file),
            Err(Errno::EXIST) => open(),
            Err(error) => Err(error),
        },
        opened => opened,
    }
}

/// Locks without waiting; `WOULDBLOCK` where somebody holds it.
pub(crate) fn try_flock(file: impl AsFd) -> io::Result<()> {
    fs::flock(file, FlockOperation::NonBlockingLockExclusive)
}

pub(crate) fn unlock(file: impl AsFd) {
    _ = fs::flock(file, FlockOperation::Unlock);
}

/// Whether `name` in `dir` is this very file.
pub(crate) fn is_named(file: impl AsFd, dir: &Dir, name: &str) -> io::Result<bool> {
    let file = Id::of(&fs::fstat(file)?);
    match dir.stat_child(name) {
        Ok(stat) => Ok(Id::of(&stat) == file),
        Err(Errno::NOENT) => Ok(false),
        Err(error) => Err(error),
    }
}

/// False where the file system can't lock a directory.
fn try_lock(fd: BorrowedFd<'_>) -> Result<bool, LockError> {
    match try_flock(fd) {
        Ok(()) => Ok(true),
        Err(Errno::WOULDBLOCK) => Err(LockError::Taken),
        Err(Errno::BADF | Errno::NOLCK | Errno::OPNOTSUPP | Errno::INVAL | Errno::NOSYS) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn lock_file(dir: &Dir, create: OFlags) -> Result<OwnedFd, LockError> {
    let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | create;
    let file = fs::openat(dir, LOCK_FILE, flags, Mode::RUSR | Mode::WUSR)?;
    let file = above_standard_streams(file)?;
    if try_lock(file.as_fd())? { Ok(file) } else { Err(LockError::Failed(Errno::NOLCK)) }
}

/// A descriptor of at least 3: a host that closed its standard streams may open them anew.
fn above_standard_streams(fd: OwnedFd) -> io::Result<OwnedFd> {
    use std::os::fd::AsRawFd;
    if fd.as_raw_fd() > 2 { Ok(fd) } else { io::fcntl_dupfd_cloexec(&fd, 3) }
}
