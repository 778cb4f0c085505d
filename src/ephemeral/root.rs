//! The ephemeral root: which directory, and whether it can be trusted.

use std::path::{Path, PathBuf};

use crate::error::Trouble;
use crate::fs::{self, Dir, Errno};
use crate::options::Options;
use crate::process_dir::Root;

const REMEDY: &str = "or set AGENT_VENV_EPHEMERAL_ROOT to a directory of your own";

/// A root that was chosen but not looked at.
pub(super) enum Choice {
    /// The call's own, or the variable's.
    Named(PathBuf),
    /// `agent-venv-<uid>` below this directory for temporary files.
    Default(PathBuf),
}

pub(super) fn choose(options: &Options) -> Choice {
    let variable = || std::env::var_os("AGENT_VENV_EPHEMERAL_ROOT").filter(|value| !value.is_empty());
    let named = options.ephemeral_root.clone().or_else(|| variable().map(PathBuf::from));
    // Made absolute here, so that a change of the working directory means another root.
    let absolute = |path: PathBuf| fs::absolute(&path).unwrap_or(path);
    match named {
        Some(path) => Choice::Named(absolute(path)),
        None => Choice::Default(absolute(fs::temp_dir()).join(format!("agent-venv-{}", fs::user()))),
    }
}

impl Choice {
    pub fn key(&self) -> &Path {
        match self {
            Choice::Named(path) | Choice::Default(path) => path,
        }
    }

    /// Opens the root, making it where it is missing.
    pub fn make(&self) -> Result<Root, Trouble> {
        match self {
            Choice::Named(path) => {
                fs::make_private_dirs(path).map_err(|error| Trouble::new(path, error))?;
                open_named(path)
            }
            Choice::Default(path) => {
                let (parent, path, name) = place(path)?;
                match parent.make_child(&*name) {
                    Ok(_) | Err(Errno::EXIST) => open_default(&parent, path, &name),
                    Err(error) => Err(Trouble::os(&path, error)),
                }
            }
        }
    }

    /// Opens the root if it is there.
    pub fn find(&self) -> Result<Option<Root>, Trouble> {
        if let Err(Errno::NOENT) = fs::id_at(self.key()) {
            return Ok(None);
        }
        match self {
            Choice::Named(path) => open_named(path),
            Choice::Default(path) => place(path).and_then(|(parent, path, name)| open_default(&parent, path, &name)),
        }
        .map(Some)
    }
}

fn open_named(path: &Path) -> Result<Root, Trouble> {
    let path = fs::canonical(path)?;
    let dir = Dir::open(&path).map_err(|error| Trouble::os(&path, error))?;
    check_shared(&path, &dir)?;
    Ok(Root { path, dir })
}

/// The directory for temporary files, checked, and the path and name of our root in it.
fn place(path: &Path) -> Result<(Dir, PathBuf, String), Trouble> {
    let parent = fs::canonical(path.parent().unwrap_or(path))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let dir = Dir::open(&parent).map_err(|error| Trouble::os(&parent, error))?;
    check_shared(&parent, &dir)?;
    Ok((dir, parent.join(&name), name))
}

fn open_default(parent: &Dir, path: PathBuf, name: &str) -> Result<Root, Trouble> {
    let dir = match parent.child(name) {
        Err(Errno::LOOP | Errno::NOTDIR) => {
            let what = "is a link or a file, not a directory: somebody else may have put it there; remove it";
            return Err(refused(&path, what));
        }
        Err(Errno::ACCESS) => {
            return Err(refused(&path, "can't be opened by you: it may be another user's; have it removed"));
        }
        opened => opened.map_err(|error| Trouble::os(&path, error))?,
    };
    let stat = dir.stat().map_err(|error| Trouble::os(&path, error))?;
    if stat.st_uid != fs::user() {
        return Err(refused(&path, &format!("belongs to user {}, not to you: have it removed", stat.st_uid)));
    }
    let mode = stat.st_mode & 0o777;
    if mode != 0o700 {
        let what = format!(
            "has mode {mode:o}, so others could reach in: look at what it holds, then remove it or make it 0700"
        );
        return Err(refused(&path, &what));
    }
    Ok(Root { path, dir })
}

/// Whether nobody else can take away what is ours in this directory.
fn check_shared(path: &Path, dir: &Dir) -> Result<(), Trouble> {
    fs::check_owner_and_mode(dir, 0o022).map_err(|reason| refused(path, &reason))
}

fn refused(path: &Path, reason: &str) -> Trouble {
    Trouble::new(path, format!("the directory for ephemeral environments {reason}, {REMEDY}"))
}
