//! The ephemeral root: which directory, and whether it can be trusted.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::fs::{self, Dir, Errno};
use crate::options::Options;

const REMEDY: &str = "or set AGENT_VENV_EPHEMERAL_ROOT to a directory of your own";

/// A root that was named but not looked at: the call's own, the variable's, or the default one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Root {
    Named(PathBuf),
    /// `agent-venv-<uid>` below this directory for temporary files.
    Default(PathBuf),
}

impl AsRef<Path> for Root {
    fn as_ref(&self) -> &Path {
        match self {
            Root::Named(path) | Root::Default(path) => path,
        }
    }
}

pub(super) fn choose(options: &Options) -> Root {
    let variable = || std::env::var_os("AGENT_VENV_EPHEMERAL_ROOT").filter(|value| !value.is_empty());
    let named = options.ephemeral_root.clone().or_else(|| variable().map(PathBuf::from));
    // Made absolute here, so that a change of the working directory means another root.
    let absolute = |path: PathBuf| fs::absolute(&path).unwrap_or(path);
    match named {
        Some(path) => Root::Named(absolute(path)),
        None => Root::Default(absolute(fs::temp_dir())),
    }
}

/// A root that was found to be safe.
#[derive(Debug)]
pub(super) struct Opened {
    pub path: PathBuf,
    pub dir: Dir,
}

impl Root {
    /// Opens the root, making it where it is missing.
    pub fn make(&self) -> Result<Opened> {
        match self {
            Root::Named(path) => {
                if !path.exists() {
                    fs::make_private_dirs(path).map_err(|error| Error::setup(path, error))?;
                }
                open_named(path)
            }
            Root::Default(temporary) => {
                let (parent, path, name) = default_root(temporary)?;
                match parent.make_child(&*name) {
                    Ok(_) | Err(Errno::EXIST) => open_default(&parent, path, &name),
                    Err(error) => Err(Error::setup(path, std::io::Error::from(error))),
                }
            }
        }
    }

    /// Opens the root if it is there.
    pub fn find(&self) -> Result<Option<Opened>> {
        match self {
            Root::Named(path) if !path.exists() => Ok(None),
            Root::Named(path) => open_named(path).map(Some),
            Root::Default(temporary) if !temporary.exists() => Ok(None),
            Root::Default(temporary) => {
                let (parent, path, name) = default_root(temporary)?;
                match parent.stat_child(&*name) {
                    Err(Errno::NOENT) => Ok(None),
                    _ => open_default(&parent, path, &name).map(Some),
                }
            }
        }
    }
}

fn open_named(path: &Path) -> Result<Opened> {
    let path = utf8(fs::canonical(path).map_err(|error| Error::setup(path, error))?)?;
    let dir = open(&path)?;
    check_shared(&path, &dir)?;
    Ok(Opened { path, dir })
}

/// The directory for temporary files, checked, and the path and name of our root in it.
fn default_root(temporary: &Path) -> Result<(Dir, PathBuf, String)> {
    let parent_path = utf8(fs::canonical(temporary).map_err(|error| Error::setup(temporary, error))?)?;
    let parent = open(&parent_path)?;
    check_shared(&parent_path, &parent)?;
    let name = format!("agent-venv-{}", fs::user());
    Ok((parent, parent_path.join(&name), name))
}

fn open_default(parent: &Dir, path: PathBuf, name: &str) -> Result<Opened> {
    let dir = match parent.child(name) {
        Ok(dir) => dir,
        Err(Errno::LOOP | Errno::NOTDIR) => {
            return refuse(
                &path,
                "is a link or a file, not a directory: somebody else may have put it there; remove it",
            );
        }
        Err(error) => return Err(Error::setup(path, std::io::Error::from(error))),
    };
    let stat = stat(&path, &dir)?;
    if stat.st_uid != fs::user() {
        return refuse(&path, &format!("belongs to user {}, not to you: have it removed", stat.st_uid));
    }
    if stat.st_mode & 0o777 != 0o700 {
        let reason = format!(
            "has mode {:o}, so others could reach in: look at what it holds, then remove it or make it 0700",
            stat.st_mode & 0o777
        );
        return refuse(&path, &reason);
    }
    Ok(Opened { path, dir })
}

/// A directory in which nobody else can take what is ours away.
fn check_shared(path: &Path, dir: &Dir) -> Result<()> {
    let stat = stat(path, dir)?;
    if stat.st_uid != fs::user() && stat.st_uid != 0 {
        return refuse(path, &format!("belongs to user {}, who could replace what you put there", stat.st_uid));
    }
    if stat.st_mode & 0o022 != 0 && stat.st_mode & 0o1000 == 0 {
        return refuse(path, "is writable by others and not sticky: make it 0700");
    }
    Ok(())
}

fn refuse<T>(path: &Path, reason: &str) -> Result<T> {
    Err(Error::setup(path, format!("the directory for ephemeral environments {reason}, {REMEDY}")))
}

fn open(path: &Path) -> Result<Dir> {
    Dir::open(path).map_err(|error| Error::setup(path, std::io::Error::from(error)))
}

fn stat(path: &Path, dir: &Dir) -> Result<rustix::fs::Stat> {
    dir.stat().map_err(|error| Error::setup(path, std::io::Error::from(error)))
}

fn utf8(path: PathBuf) -> Result<PathBuf> {
    match path.to_str() {
        Some(_) => Ok(path),
        None => Err(Error::setup(path, "the path is not UTF-8, and paths are handed out as UTF-8; use another root")),
    }
}
