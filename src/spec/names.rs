//! The small values of a spec: paths, modes, variables, prefixes.

use std::collections::BTreeMap;
use std::fmt;

use crate::json::{self, Invalid};
use crate::map;

type Result<T> = std::result::Result<T, Invalid>;

/// A path below the profile: relative, `/` between its components, none of them empty, `.` or `..`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RelativePath(String);

impl RelativePath {
    /// `place` is the object whose key the path is, such as `seed_files`.
    pub fn read(path: &str, place: &str) -> Result<Self> {
        match refusal(path) {
            None => Ok(RelativePath(path.to_owned())),
            Some(reason) => Err(Invalid::new(json::at(place, path), reason)),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `place["path"]`, for error messages.
    pub fn field(&self, place: &str) -> String {
        json::at(place, &self.0)
    }

    /// The directory part (empty at the top) and the file's name.
    pub fn split(&self) -> (&str, &str) {
        self.0.rsplit_once('/').unwrap_or(("", &self.0))
    }

    /// What every path below this one begins with.
    pub fn as_directory(&self) -> RelativePath {
        RelativePath(format!("{}/", self.0))
    }

    pub fn is_below(&self, directory: &RelativePath) -> bool {
        self.0.strip_prefix(&directory.0).is_some_and(|rest| rest.starts_with('/'))
    }

    /// Every directory on the way to this path: `a`, `a/b` for `a/b/c`.
    pub fn ancestors(&self) -> impl Iterator<Item = RelativePath> + '_ {
        self.0.match_indices('/').map(|(i, _)| RelativePath(self.0[..i].to_owned()))
    }
}

impl fmt::Debug for RelativePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn refusal(path: &str) -> Option<&'static str> {
    if path.is_empty() {
        return Some("is an empty path");
    }
    if path.contains('\0') {
        return Some("holds NUL");
    }
    if path.starts_with('/') {
        return Some("is absolute: paths are relative to the profile");
    }
    if path.ends_with('/') {
        return Some("ends in /: it must name a file");
    }
    path.split('/').find_map(|component| match component {
        "" => Some("has an empty component"),
        "." => Some("has the component `.`"),
        ".." => Some("has the component `..`: it would lead out of the profile"),
        _ => None,
    })
}

/// Turns an object keyed by paths into one keyed by checked paths.
pub(super) fn paths<T, U>(
    map: BTreeMap<String, T>,
    place: &str,
    convert: impl Fn(T, &RelativePath) -> Result<U>,
) -> Result<BTreeMap<RelativePath, U>> {
    map::try_map(map.into_iter().map(|(path, value)| {
        let path = RelativePath::read(&path, place)?;
        let value = convert(value, &path)?;
        Ok((path, value))
    }))
}

pub(super) fn mode(mode: u64, path: &RelativePath) -> Result<u32> {
    match u32::try_from(mode) {
        Ok(mode) if mode <= 0o777 => Ok(mode),
        _ => Err(Invalid::new(path.field("file_modes"), "must be from 0 to 511 (octal 777)")),
    }
}

/// Text that must fit into a C string.
pub(super) fn check_text(field: &str, text: &str) -> Result<()> {
    if text.contains('\0') { Err(Invalid::new(field, "holds NUL")) } else { Ok(()) }
}

pub(crate) fn check_prefix(field: &str, prefix: &str) -> Result<()> {
    check_text(field, prefix)?;
    if prefix.contains('/') {
        return Err(Invalid::new(field, "holds /"));
    }
    if prefix.len() > 64 {
        return Err(Invalid::new(field, "is longer than 64 bytes"));
    }
    Ok(())
}

/// A variable's name and value, as `execve` can pass them on.
pub(crate) fn check_variable(field: &str, name: &str, value: &str) -> Result<()> {
    if name.is_empty() {
        return Err(Invalid::new(field, "is an empty variable name"));
    }
    if name.contains('=') || name.contains('\0') {
        return Err(Invalid::new(field, "has a variable name that holds = or NUL"));
    }
    if value.contains('\0') {
        return Err(Invalid::new(field, "has a value that holds NUL"));
    }
    Ok(())
}
