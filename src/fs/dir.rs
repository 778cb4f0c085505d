//! A directory held by descriptor, and steps from it that neither a link nor a mount can divert.

use std::ffi::{CStr, CString, OsString};
#[cfg(target_os = "linux")]
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use rustix::fs::{self, AtFlags, CWD, FileType, Mode, OFlags, Stat};
use rustix::io::{self, Errno};
use rustix::path::Arg;

const PRIVATE: Mode = Mode::RWXU;
const OPEN: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// Device and inode: whether two descriptors or names are the same file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Id {
    device: u64,
    inode: u64,
}

impl Id {
    #[allow(clippy::unnecessary_cast, clippy::useless_conversion)] // the types differ between systems
    pub fn of(stat: &Stat) -> Self {
        Id { device: stat.st_dev as u64, inode: stat.st_ino as u64 }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Directory,
    Other,
    /// The file system doesn't say.
    Unknown,
}

pub(crate) struct Entry {
    pub name: CString,
    pub kind: Kind,
}

/// Which file stands at `path`, a link at its end not followed.
pub(crate) fn id_at(path: &Path) -> io::Result<Id> {
    fs::lstat(path).map(|stat| Id::of(&stat))
}

/// Which file stands at `path`, links followed.
pub(crate) fn id_of_target(path: &Path) -> io::Result<Id> {
    fs::stat(path).map(|stat| Id::of(&stat))
}

/// An open directory.
#[derive(Debug)]
pub(crate) struct Dir {
    fd: OwnedFd,
}

impl AsFd for Dir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl From<OwnedFd> for Dir {
    fn from(fd: OwnedFd) -> Self {
        Dir { fd }
    }
}

impl From<Dir> for OwnedFd {
    fn from(dir: Dir) -> Self {
        dir.fd
    }
}

impl Dir {
    /// Opens a directory by path. Links on the way are followed, one at its end is not.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Dir { fd: fs::openat(CWD, path, OPEN | OFlags::NOFOLLOW, Mode::empty())? })
    }

    /// Opens a directory by path, links followed.
    pub fn open_followed(path: &Path) -> io::Result<Self> {
        Ok(Dir { fd: fs::openat(CWD, path, OPEN, Mode::empty())? })
    }

    /// Opens the directory `name`: `LOOP` or `NOTDIR` where it is a link or a file, `XDEV` where it is another mount.
    pub fn child(&self, name: impl Arg + Copy) -> io::Result<Self> {
        Ok(Dir { fd: self.step(name, OPEN)? })
    }

    /// The same, for a directory that must be this user's or root's: `PERM` where it is somebody else's.
    pub fn own_child(&self, name: impl Arg + Copy) -> io::Result<Self> {
        let dir = self.child(name)?;
        let owner = dir.stat()?.st_uid;
        if owner == super::host::user() || owner == 0 { Ok(dir) } else { Err(Errno::PERM) }
    }

    /// Makes the directory `name`, mode 0700 at any umask, and opens it. `EXIST` where there is something.
    pub fn make_child(&self, name: impl Arg + Copy) -> io::Result<Self> {
        fs::mkdirat(self, name, PRIVATE)?;
        let opened = match self.child(name) {
            // A umask that takes from the owner too.
            Err(Errno::ACCESS) => self.unlock_child(name).and_then(|()| self.child(name)),
            opened => opened,
        };
        let dir = opened.inspect_err(|_| _ = self.remove_dir(name))?;
        mend_mode(&dir, PRIVATE).inspect_err(|_| _ = self.remove_dir(name))?;
        Ok(dir)
    }

    /// Opens the directory `name`, making it where there is none and replacing a link that stands in its place.
    pub fn child_for_writing(&self, name: &str) -> io::Result<Self> {
        match self.child(name) {
            Err(Errno::NOENT) => self.make_child(name),
            Err(Errno::LOOP | Errno::NOTDIR) if self.is_link(name)? => {
                self.remove_file(name)?;
                self.make_child(name)
            }
            opened => opened,
        }
    }

    /// Where the symbolic link `name` leads; `None` where it is something else.
    pub fn link_target(&self, name: &str) -> io::Result<Option<PathBuf>> {
        match fs::readlinkat(self, name, Vec::new()) {
            Ok(target) => Ok(Some(OsString::from_vec(target.into_bytes()).into())),
            Err(Errno::INVAL) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn is_link(&self, name: &str) -> io::Result<bool> {
        Ok(FileType::from_raw_mode(self.stat_child(name)?.st_mode) == FileType::Symlink)
    }

    /// Gives the owner all rights to the directory `name`.
    pub fn unlock_child(&self, name: impl Arg + Copy) -> io::Result<()> {
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
        #[cfg(target_os = "linux")]
        {
            // No call changes a mode without following links on the kernels we support, but a descriptor's entry in
            // /proc leads to that very directory.
            let fd = self.step(name, flags | OFlags::PATH)?;
            let mode = Mode::from_raw_mode(fs::fstat(&fd)?.st_mode) | PRIVATE;
            fs::chmod(format!("/proc/self/fd/{}", fd.as_raw_fd()), mode & all_modes())
        }
        #[cfg(not(target_os = "linux"))]
        {
            let _ = flags;
            let mode = Mode::from_raw_mode(self.stat_child(name)?.st_mode) | PRIVATE;
            fs::chmodat(self, name, mode & all_modes(), AtFlags::SYMLINK_NOFOLLOW)
        }
    }

    /// Gives the owner all rights to this directory.
    pub fn unlock(&self) -> io::Result<()> {
        let mode = Mode::from_raw_mode(self.stat()?.st_mode) | PRIVATE;
        fs::fchmod(self, mode & all_modes())
    }

    #[cfg(target_os = "linux")]
    fn step(&self, name: impl Arg + Copy, flags: OFlags) -> io::Result<OwnedFd> {
        use rustix::fs::ResolveFlags;
        let flags = flags | OFlags::NOFOLLOW;
        match fs::openat2(self, name, flags, Mode::empty(), ResolveFlags::NO_XDEV) {
            // Kernels before 5.6, and sandboxes that know no openat2.
            Err(Errno::NOSYS | Errno::PERM) => {
                let fd = fs::openat(self, name, flags, Mode::empty())?;
                if mount(fd.as_fd())? == mount(self.as_fd())? { Ok(fd) } else { Err(Errno::XDEV) }
            }
            stepped => stepped,
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn step(&self, name: impl Arg + Copy, flags: OFlags) -> io::Result<OwnedFd> {
        let fd = fs::openat(self, name, flags | OFlags::NOFOLLOW, Mode::empty())?;
        let same = fs::fstat(&fd)?.st_dev == self.stat()?.st_dev;
        if same { Ok(fd) } else { Err(Errno::XDEV) }
    }

    pub fn stat(&self) -> io::Result<Stat> {
        fs::fstat(self)
    }

    /// What `name` is, a link not followed.
    pub fn stat_child(&self, name: impl Arg) -> io::Result<Stat> {
        fs::statat(self, name, AtFlags::SYMLINK_NOFOLLOW)
    }

    pub fn remove_file(&self, name: impl Arg) -> io::Result<()> {
        fs::unlinkat(self, name, AtFlags::empty())
    }

    pub fn remove_dir(&self, name: impl Arg) -> io::Result<()> {
        fs::unlinkat(self, name, AtFlags::REMOVEDIR)
    }

    pub fn rename(&self, from: impl Arg, to_dir: &Dir, to: impl Arg) -> io::Result<()> {
        fs::renameat(self, from, to_dir, to)
    }

    /// Whether `path` is a file that we wrote last: see [`Writing::signed`](super::Writing).
    pub fn is_signed(&self, path: &str) -> io::Result<bool> {
        let stat = self.stat_child(path)?;
        Ok(FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile && super::write::is_signed(&stat))
    }

    /// Whether there is something by that name.
    pub fn has(&self, name: &str) -> io::Result<bool> {
        match self.stat_child(name) {
            Ok(_) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// What `name` is, a link not followed.
    pub fn kind_of(&self, name: &str) -> io::Result<Kind> {
        let is_dir = FileType::from_raw_mode(self.stat_child(name)?.st_mode) == FileType::Directory;
        Ok(if is_dir { Kind::Directory } else { Kind::Other })
    }

    /// Gives the file `from` the name `to` as well, or moves it there where it can have but one. `EXIST` where `to` is.
    pub fn link_or_rename(&self, from: &str, to: &str) -> io::Result<()> {
        match fs::linkat(self, from, self, to, AtFlags::empty()) {
            Err(Errno::PERM | Errno::ACCESS | Errno::MLINK | Errno::OPNOTSUPP) => match self.stat_child(to) {
                Err(Errno::NOENT) => self.rename(from, self, to),
                Ok(_) => Err(Errno::EXIST),
                Err(error) => Err(error),
            },
            linked => linked,
        }
    }

    pub fn sync_if(&self, durable: bool) -> io::Result<()> {
        if durable { self.sync() } else { Ok(()) }
    }

    pub fn sync(&self) -> io::Result<()> {
        fs::fsync(self)
    }

    /// Starts the listing anew.
    pub fn rewind(&self) -> io::Result<()> {
        fs::seek(self, fs::SeekFrom::Start(0)).map(drop)
    }

    /// The next entries of the listing, without `.` and `..`; none at its end.
    #[cfg(target_os = "linux")]
    pub fn next_entries(&self) -> io::Result<Vec<Entry>> {
        // Not from the allocator, which tidies up all that is free when it is asked for so much.
        let mut buffer = [MaybeUninit::<u8>::uninit(); 8 << 10];
        loop {
            let mut raw = fs::RawDir::new(self, &mut buffer);
            let mut entries = Vec::new();
            let mut any = false;
            while let Some(entry) = raw.next() {
                let entry = entry?;
                any = true;
                entries.extend(named(entry.file_name(), entry.file_type()));
                if raw.is_buffer_empty() {
                    break;
                }
            }
            if !any || !entries.is_empty() {
                return Ok(entries);
            }
        }
    }

    #[cfg(not(target_os = "linux"))]
    pub fn next_entries(&self) -> io::Result<Vec<Entry>> {
        // A stream of its own shares this descriptor's position: when it ends, so has the listing.
        let mut entries = Vec::new();
        for entry in fs::Dir::new(io::fcntl_dupfd_cloexec(self, 0)?)? {
            let entry = entry?;
            entries.extend(named(entry.file_name(), entry.file_type()));
        }
        Ok(entries)
    }

    /// All entries.
    pub fn entries(&self) -> io::Result<Vec<Entry>> {
        self.rewind()?;
        let mut all = Vec::new();
        loop {
            let next = self.next_entries()?;
            if next.is_empty() {
                return Ok(all);
            }
            all.extend(next);
        }
    }
}

fn named(name: &CStr, file_type: FileType) -> Option<Entry> {
    let kind = match file_type {
        FileType::Directory => Kind::Directory,
        FileType::Unknown => Kind::Unknown,
        _ => Kind::Other,
    };
    let listed = name != c"." && name != c"..";
    listed.then(|| Entry { name: name.to_owned(), kind })
}

/// Compares a new file's mode with the wanted one, and mends what a umask or an inheriting directory made of it.
pub(super) fn mend_mode(fd: impl AsFd, wanted: Mode) -> io::Result<()> {
    let mode = Mode::from_raw_mode(fs::fstat(&fd)?.st_mode) & all_modes();
    if mode == wanted { Ok(()) } else { fs::fchmod(fd, wanted) }
}

fn all_modes() -> Mode {
    Mode::from_raw_mode(0o7777)
}

#[cfg(target_os = "linux")]
fn mount(fd: BorrowedFd<'_>) -> io::Result<(u64, u32, u32)> {
    use rustix::fs::StatxFlags;
    let stat = fs::statx(fd, c"", AtFlags::EMPTY_PATH, StatxFlags::MNT_ID)?;
    Ok((stat.stx_mnt_id, stat.stx_dev_major, stat.stx_dev_minor))
}
