//! Removing a tree that an agent left: any depth, in constant stack and descriptors, never through a link or a mount.

use std::ffi::{CStr, CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Duration;

use rustix::io::{self, Errno};

use super::dir::{Dir, Kind};

/// Directories held open at once. What lies deeper is first moved up to the top.
const OPEN_AT_ONCE: usize = 16;

/// How often a directory that somebody still writes to is emptied again, and from when on with a pause.
const ROUNDS: u32 = 4000;
const ROUNDS_WITHOUT_PAUSE: u32 = 100;
const PAUSE: Duration = Duration::from_micros(500);

/// How often a directory is removed again that somebody made anew at the same path.
const AGAIN: usize = 20;

/// How many files may still be removed.
pub(crate) struct Budget(Option<usize>);

impl Budget {
    pub fn unlimited() -> Self {
        Budget(None)
    }

    pub fn of(files: usize) -> Self {
        Budget(Some(files))
    }

    pub fn is_spent(&self) -> bool {
        self.0 == Some(0)
    }

    fn spend(&mut self) {
        if let Some(left) = &mut self.0 {
            *left = left.saturating_sub(1);
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Removed {
    All,
    /// The budget was spent first.
    Some,
}

/// The first thing that could not be removed; everything else was.
#[derive(Debug)]
pub(crate) struct RemoveError {
    /// Relative to the directory that was passed.
    pub path: PathBuf,
    pub cause: Errno,
}

impl RemoveError {
    pub fn reason(&self) -> String {
        match self.cause {
            Errno::XDEV | Errno::BUSY => "something is mounted there; unmount it".into(),
            cause => std::io::Error::from(cause).to_string(),
        }
    }
}

struct Frame {
    dir: Dir,
    name: CString,
    directories: Vec<CString>,
    listed: bool,
    rounds: u32,
    /// Something below can't be removed, so neither can this.
    blocked: bool,
}

struct Removal<'a> {
    parent: &'a Dir,
    frames: Vec<Frame>,
    moved_up: u64,
    /// The name that the whole was given, so that whoever writes by its path finds it no more.
    renamed: Option<CString>,
    failed: Option<RemoveError>,
    budget: &'a mut Budget,
}

/// Removes `name` in `parent` with all below it. What does not exist counts as removed.
///
/// Modes are changed of directories only, never of files: a hard link may lead out of the tree.
pub(crate) fn remove_tree(parent: &Dir, name: &CStr, budget: &mut Budget) -> Result<Removed, RemoveError> {
    for _ in 0..AGAIN {
        let frames = Vec::new();
        let mut removal = Removal { parent, frames, moved_up: 0, renamed: None, failed: None, budget };
        removal.enter(name.to_owned());
        while !removal.frames.is_empty() && !removal.budget.is_spent() {
            removal.step();
        }
        let unfinished = !removal.frames.is_empty();
        if let Some(renamed) = &removal.renamed {
            if unfinished || removal.failed.is_some() {
                // Back to the name by which it is tried again.
                _ = parent.rename(&**renamed, parent, name);
            } else if !matches!(parent.stat_child(name), Err(Errno::NOENT)) {
                continue;
            }
        }
        return match removal.failed {
            Some(error) => Err(error),
            None if unfinished => Ok(Removed::Some),
            None => Ok(Removed::All),
        };
    }
    Err(RemoveError { path: OsStr::from_bytes(name.to_bytes()).into(), cause: Errno::NOTEMPTY })
}

/// Removes `name` in `dir`, whatever it is.
pub(crate) fn remove_whatever(dir: &Dir, name: &str) -> io::Result<()> {
    let name = CString::new(name).map_err(|_| Errno::INVAL)?;
    remove_tree(dir, &name, &mut Budget::unlimited()).map(drop).map_err(|error| error.cause)
}

impl Removal<'_> {
    /// Goes into the directory `name` of the current one; removes it at once where it is none.
    fn enter(&mut self, name: CString) {
        let dir = self.current();
        let opened = match dir.child(&*name) {
            Err(Errno::ACCESS) => dir.unlock_child(&*name).and_then(|()| dir.child(&*name)),
            opened => opened,
        };
        match opened {
            Ok(dir) => {
                self.frames.push(Frame { dir, name, directories: Vec::new(), listed: false, rounds: 0, blocked: false })
            }
            Err(Errno::NOENT) => {}
            Err(Errno::LOOP | Errno::NOTDIR) => match removing(dir, || dir.remove_file(&*name)) {
                Ok(()) => self.budget.spend(),
                Err(error) => self.fail(&name, error),
            },
            Err(error) => self.fail(&name, error),
        }
    }

    fn current(&self) -> &Dir {
        self.frames.last().map_or(self.parent, |frame| &frame.dir)
    }

    fn step(&mut self) {
        let depth = self.frames.len();
        let Some(frame) = self.frames.last_mut() else { return };
        if let Some(name) = frame.directories.pop() {
            if depth < OPEN_AT_ONCE { self.enter(name) } else { self.move_up(name) }
        } else if frame.listed {
            self.leave();
        } else {
            self.empty();
        }
    }

    /// Removes the files among the next entries of the current directory, and keeps the directories for later.
    fn empty(&mut self) {
        let Some(frame) = self.frames.last_mut() else { return };
        let entries = match frame.dir.next_entries() {
            Ok(entries) => entries,
            Err(error) => {
                frame.listed = true;
                // Somebody else removed it meanwhile: so be it.
                if error != Errno::NOENT {
                    self.fail(c"", error);
                }
                return;
            }
        };
        frame.listed = entries.is_empty();
        for entry in entries {
            if self.budget.is_spent() {
                return;
            }
            let Some(frame) = self.frames.last_mut() else { return };
            if entry.kind == Kind::Directory {
                frame.directories.push(entry.name);
                continue;
            }
            match removing(&frame.dir, || frame.dir.remove_file(&*entry.name)) {
                Ok(()) => self.budget.spend(),
                Err(Errno::ISDIR) => frame.directories.push(entry.name),
                // Systems that answer PERM for a directory, where the listing did not tell what it is.
                Err(Errno::PERM) if entry.kind == Kind::Unknown => frame.directories.push(entry.name),
                Err(error) => self.fail(&entry.name, error),
            }
        }
    }

    /// Removes the current directory, which was found empty, from the one above.
    fn leave(&mut self) {
        let Some(mut frame) = self.frames.pop() else { return };
        if frame.blocked {
            if let Some(above) = self.frames.last_mut() {
                above.blocked = true;
            }
            return;
        }
        let above = self.current();
        let renamed = self.renamed.as_ref().filter(|_| self.frames.is_empty());
        match removing(above, || above.remove_dir(&**renamed.unwrap_or(&frame.name))) {
            Ok(()) => {}
            Err(Errno::NOTEMPTY | Errno::EXIST) if frame.rounds < ROUNDS => {
                // Somebody wrote meanwhile (or we moved something up): once more.
                frame.rounds += 1;
                if frame.rounds > ROUNDS_WITHOUT_PAUSE && frame.rounds % 8 == 0 {
                    std::thread::sleep(PAUSE);
                }
                frame.listed = false;
                let rewound = frame.dir.rewind();
                self.frames.push(frame);
                self.move_out_of_reach();
                if let Err(error) = rewound {
                    self.fail(c"", error);
                }
            }
            // Replaced by a file or a link since we went in.
            Err(Errno::NOTDIR) => self.enter(frame.name),
            Err(error) => self.fail(&frame.name, error),
        }
    }

    /// Renames the whole, once, beside where it was.
    fn move_out_of_reach(&mut self) {
        let Some(top) = self.frames.first().filter(|_| self.renamed.is_none()) else { return };
        let mut name = top.name.to_bytes().to_vec();
        name.truncate(200);
        name.extend_from_slice(format!(".{}", super::host::short_name(super::host::random())).as_bytes());
        let Ok(name) = CString::new(name) else { return };
        if self.parent.rename(&*top.name, self.parent, &*name).is_ok() {
            self.renamed = Some(name);
        }
    }

    /// Moves the directory `name` from the deepest level to the top, where a later round finds it.
    fn move_up(&mut self, name: CString) {
        let Some([top, .., deepest]) = self.frames.get_mut(..) else { return };
        let moved = loop {
            self.moved_up += 1;
            let new_name = format!("moved-up-{}", self.moved_up);
            let mut moved = removing(&deepest.dir, || deepest.dir.rename(&*name, &top.dir, &*new_name));
            if moved == Err(Errno::ACCESS) {
                // A directory that changes its parent must itself be writable, and so must its new parent.
                let unlocked = deepest.dir.unlock_child(&*name).and_then(|()| top.dir.unlock());
                moved = unlocked.and_then(|()| deepest.dir.rename(&*name, &top.dir, &*new_name));
            }
            if !matches!(moved, Err(Errno::EXIST | Errno::NOTEMPTY | Errno::NOTDIR)) {
                break moved;
            }
        };
        match moved {
            Ok(()) => top.rounds = 0,
            Err(Errno::NOENT) => {}
            Err(error) => self.fail(&name, error),
        }
    }

    /// Notes that `name` in the current directory can't be removed.
    fn fail(&mut self, name: &CStr, cause: Errno) {
        if let Some(frame) = self.frames.last_mut() {
            frame.blocked = true;
        }
        let frames = self.frames.iter().map(|frame| &*frame.name);
        let path = frames.chain([name]).filter(|name| !name.is_empty()).map(|name| OsStr::from_bytes(name.to_bytes()));
        let path = path.collect();
        self.failed.get_or_insert(RemoveError { path, cause });
    }
}

/// Runs a removal from `dir`, and once more with the owner's rights to `dir` restored. What is gone counts as removed.
fn removing(dir: &Dir, remove: impl Fn() -> io::Result<()>) -> io::Result<()> {
    match remove() {
        Err(Errno::ACCESS) => match dir.unlock().and_then(|()| remove()) {
            Err(Errno::NOENT) => Ok(()),
            removed => removed,
        },
        Err(Errno::NOENT) => Ok(()),
        removed => removed,
    }
}
