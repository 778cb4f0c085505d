//! Writing files that nobody else can read for a single instant.

use rustix::fs::{self, Mode, OFlags};
use rustix::io::{self, Errno};

use super::dir::{Dir, mend_mode};

const PRIVATE: Mode = Mode::RUSR.union(Mode::WUSR);

/// Creates the file `name` and writes it. It is 0600 until its content stands, then `mode`.
pub(crate) fn create_file(dir: &Dir, name: &str, content: &[u8], mode: u32, durable: bool) -> io::Result<()> {
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
    let mode = Mode::from_raw_mode(mode as _);
    if mode != PRIVATE {
        fs::fchmod(&file, mode)?;
    }
    if durable {
        fs::fsync(&file)?;
    }
    Ok(())
}

/// Where a file is written before it takes another's place: on the same file system, and nobody else's.
pub(crate) struct Staging<'a> {
    pub dir: &'a Dir,
    pub name: &'a str,
}

/// Replaces `name` in `dir` as a whole. `ISDIR` where a directory stands there.
pub(crate) fn replace_file(
    dir: &Dir,
    name: &str,
    staging: &Staging<'_>,
    content: &[u8],
    mode: u32,
    durable: bool,
) -> io::Result<()> {
    let create = || create_file(staging.dir, staging.name, content, mode, durable);
    let created = match create() {
        // Left by somebody who died.
        Err(Errno::EXIST) => staging.dir.remove_file(staging.name).and_then(|()| create()),
        created => created,
    };
    let replaced =
        created.and_then(|()| staging.dir.rename(staging.name, dir, name)).and_then(|()| dir.sync_if(durable));
    replaced.inspect_err(|_| _ = staging.dir.remove_file(staging.name))
}
