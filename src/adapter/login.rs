//! The host's login: where it may lie, and how it is read. Nothing here changes the host.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::error::{Failure, Result};
use crate::fs::{self, ReadError, Stamp};
use crate::json::{Fields, Invalid};
use crate::secret::Secret;
use crate::spec::{RelativePath, check_variable};

use super::Adapter;
use super::expiry::Expiry;
use super::members::{self, Members};

/// No login of a known agent comes near it; a larger file is something else.
pub(crate) const MAX_BYTES: usize = 1 << 20;

/// Some agents write their login in place, so a reader can meet it half written: read again a few times.
pub(crate) const RETRIES: usize = 5;
pub(crate) const RETRY_EVERY: Duration = Duration::from_millis(20);

/// One login file of an agent.
pub(crate) struct Login {
    /// Where it goes in the profile.
    pub profile: RelativePath,
    /// Whether the agent may be logged in without it.
    optional: bool,
    /// Whether it is no login by itself, and copied only beside one.
    beside: bool,
    /// Where it may lie on the host, in the order of preference.
    host: Vec<Place>,
    /// The members of the JSON file that are the login, where not all of it is.
    pub members: Option<Members>,
    /// How its freshness is told.
    expiry: Option<Expiry>,
}

enum Place {
    File(Directory, String),
    /// A generic password of the macOS Keychain, by its service; with one of the variables set, the service has a suffix made
    /// from that directory, as Claude Code does it.
    Keychain(String, Vec<String>),
}

/// A directory on the host.
struct Directory {
    /// The first of these that is set names it; an empty one stands for the default.
    variables: Vec<String>,
    /// A leading `~/` is the home directory.
    default: String,
}

/// A login as it lies on the host.
pub(crate) struct HostLogin {
    pub secret: Secret,
    /// What is written, where the login is but members of a file.
    pub file_content: Option<Secret>,
    /// `None` in the Keychain.
    pub file: Option<HostFile>,
}

pub(crate) struct HostFile {
    pub path: PathBuf,
    pub stamp: Stamp,
}

impl HostLogin {
    /// Whether the host still has the file that was read.
    pub fn is_current(&self) -> bool {
        self.file.as_ref().is_none_or(|file| fs::stamp(&file.path) == Some(file.stamp))
    }
}

/// What was found at one place.
enum Found {
    Login(HostLogin),
    Nothing,
    /// Something that is no login; the next places are not tried, for they could hold another, older one.
    Unusable(String),
}

impl Login {
    pub fn list(items: Vec<Value>) -> std::result::Result<Vec<Self>, Invalid> {
        let mut logins: Vec<Self> = Vec::new();
        for (i, item) in items.into_iter().enumerate() {
            let path = format!("adapter.login[{i}]");
            let login = Self::read(item, &path)?;
            if logins.iter().any(|other| other.profile == login.profile) {
                return Err(Invalid::new(format!("{path}.profile"), "is the place of another login"));
            }
            logins.push(login);
        }
        Ok(logins)
    }

    fn read(value: Value, path: &str) -> std::result::Result<Self, Invalid> {
        let mut fields = Fields::of(value, path, path)?;
        let profile = RelativePath::read(&fields.required_string("profile")?, &fields.name("profile"))?;
        let beside = fields.boolean("beside")?.unwrap_or(false);
        let optional = fields.boolean("optional")?.unwrap_or(false) || beside;
        let host = fields.list("host")?.into_iter().enumerate();
        let host = host
            .map(|(i, place)| Place::read(place, &format!("{path}.host[{i}]")))
            .collect::<std::result::Result<Vec<_>, _>>()?;
        if host.is_empty() {
            return Err(Invalid::new(fields.name("host"), "names no place where the login may lie"));
        }
        let name = fields.name("expiry");
        let expiry = fields.take("expiry").map(|value| Expiry::read(value, &name)).transpose()?;
        let members = Members::read(fields.strings("members")?, &fields.name("members"))?;
        fields.finish("profile, optional, beside, host, members, expiry")?;
        Ok(Login { profile, optional, beside, host, members, expiry })
    }

    /// When a login ends, in milliseconds since 1970, where it tells.
    pub fn ends(&self, login: &[u8]) -> Option<i64> {
        self.expiry.as_ref().and_then(|expiry| expiry.of(login))
    }

    /// The directory of the host's login file, where one of the host's own variables names it.
    pub fn moved_directory(&self) -> Option<PathBuf> {
        self.host.iter().find_map(|place| match place {
            Place::File(directory, _) => moved(&directory.variables).map(|path| absolute(path.into())),
            Place::Keychain(..) => None,
        })
    }
}

impl Place {
    fn read(value: Value, path: &str) -> std::result::Result<Self, Invalid> {
        let mut fields = Fields::of(value, path, path)?;
        let variables = fields.strings("variables")?;
        for (i, name) in variables.iter().enumerate() {
            check_variable(&format!("{path}.variables[{i}]"), name, "")?;
        }
        let directory = fields.string("directory")?;
        let is_rooted = |path: &str| path.starts_with("~/") || path.starts_with('/') || path == "~";
        let place = match (fields.string("file")?, fields.string("keychain")?, directory) {
            (Some(file), None, Some(default)) => {
                RelativePath::read(&file, &fields.name("file"))?;
                if !is_rooted(&default) {
                    return Err(Invalid::new(fields.name("directory"), "must be ~, or begin with ~/ or /"));
                }
                Place::File(Directory { variables, default }, file)
            }
            (Some(_), None, None) if !variables.is_empty() => {
                let reason = "is missing: where the file lies when none of the variables is set";
                return Err(Invalid::new(fields.name("directory"), reason));
            }
            (Some(file), None, None) => match file.rsplit_once('/') {
                Some((default, name)) if is_rooted(&file) && !name.is_empty() => {
                    let default = if default.is_empty() { "/" } else { default }.to_owned();
                    Place::File(Directory { variables, default }, name.to_owned())
                }
                _ => return Err(Invalid::new(fields.name("file"), "must begin with ~/ or /, and name a file")),
            },
            (None, Some(service), None) => Place::Keychain(service, variables),
            _ => return Err(Invalid::new(path, "must have either file (and its directory) or keychain")),
        };
        fields.finish("file, directory, variables, keychain")?;
        Ok(place)
    }
}

impl Directory {
    fn path(&self) -> Option<PathBuf> {
        moved(&self.variables).map(PathBuf::from).or_else(|| on_host(&self.default)).map(absolute)
    }
}

fn absolute(path: PathBuf) -> PathBuf {
    fs::absolute(&path).unwrap_or(path)
}

/// What the first of the variables that is set says; `None` where none is, or that one is empty.
fn moved(variables: &[String]) -> Option<OsString> {
    variables.iter().find_map(std::env::var_os).filter(|value| !value.is_empty())
}

impl Adapter {
    /// Reads the logins that go to `paths`, each from the first place on the host that has it. An optional one may be missing,
    /// as long as there is any.
    pub fn read_logins(&self, paths: &BTreeSet<RelativePath>) -> Result<Vec<(RelativePath, HostLogin)>> {
        let mut looked_at = Vec::new();
        let mut found = Vec::new();
        let (mut missing, mut any) = (false, false);
        let wanted: Vec<_> = self.login.iter().filter(|login| paths.contains(&login.profile)).collect();
        for login in &wanted {
            match self.look_for(login, &mut looked_at)? {
                Some(host) => {
                    any |= !login.beside;
                    found.push((login.profile.clone(), host));
                }
                None => missing |= !login.optional,
            }
        }
        if missing || (!any && !wanted.is_empty()) {
            return Err(self.missing(looked_at, None));
        }
        Ok(found)
    }

    /// One login of the host, where it is there.
    pub fn read_login(&self, login: &Login) -> Result<Option<HostLogin>> {
        self.look_for(login, &mut Vec::new())
    }

    fn look_for(&self, login: &Login, looked_at: &mut Vec<String>) -> Result<Option<HostLogin>> {
        for place in &login.host {
            let found = match place {
                Place::File(directory, file) => match directory.path() {
                    Some(directory) => {
                        let path = directory.join(file);
                        looked_at.push(path.to_string_lossy().into_owned());
                        read_file(path, login.members.is_some())
                    }
                    None => {
                        looked_at.push(format!("{}/{file} (no home directory is known: set HOME)", directory.default));
                        Found::Nothing
                    }
                },
                Place::Keychain(service, variables) if cfg!(target_os = "macos") => {
                    let service = keychain_service(service, moved(variables));
                    looked_at.push(format!("macOS Keychain: {service}"));
                    read_keychain(&service)
                }
                Place::Keychain(..) => Found::Nothing,
            };
            match found {
                Found::Login(mut found) => match login.members.as_ref().map(|members| members.of(&found.secret)) {
                    None => return Ok(Some(found)),
                    Some(Some(secret)) => {
                        found.secret = secret;
                        return Ok(Some(found));
                    }
                    // The file is there, and no login in it.
                    Some(None) => {}
                },
                Found::Nothing => {}
                Found::Unusable(what) => {
                    let problem = format!("{what}; log in with the agent again, or set the option login to \"none\"");
                    return Err(self.missing(std::mem::take(looked_at), Some(problem)));
                }
            }
        }
        Ok(None)
    }

    pub(super) fn missing(&self, looked_at: Vec<String>, problem: Option<String>) -> crate::Error {
        Failure::CredentialsMissing { adapter_id: self.id.clone(), looked_at, problem }.into()
    }
}

/// A path on the host; `None` where no home directory is known.
pub(super) fn on_host(path: &str) -> Option<PathBuf> {
    match path.strip_prefix('~') {
        Some(rest) => dirs::home_dir().map(|home| home.join(rest.trim_start_matches('/'))),
        None => Some(PathBuf::from(path)),
    }
}

fn read_file(path: PathBuf, may_have_comments: bool) -> Found {
    match read_whole(&path, may_have_comments, RETRIES, || fs::read_regular(&path, MAX_BYTES)) {
        Ok((secret, stamp)) => {
            Found::Login(HostLogin { secret, file_content: None, file: Some(HostFile { path, stamp }) })
        }
        Err(ReadError::Missing) => Found::Nothing,
        Err(error) => Found::Unusable(format!("{path:?} {error}")),
    }
}

/// Reads a login file by `read`; `Torn` where it is JSON in the middle of being written, also after some patience. A file with
/// settings too may have comments, which come back as spaces.
pub(crate) fn read_whole(
    path: &Path,
    may_have_comments: bool,
    retries: usize,
    read: impl Fn() -> std::result::Result<fs::FileRead, ReadError>,
) -> std::result::Result<(Secret, Stamp), ReadError> {
    let must_parse = path.extension().is_some_and(|extension| extension == "json");
    for attempt in 0.. {
        let fs::FileRead { mut content, stamp } = read()?;
        if may_have_comments {
            members::blank_comments(&mut content);
        }
        let secret = Secret::new(content);
        if !must_parse || serde_json::from_slice::<serde::de::IgnoredAny>(secret.bytes()).is_ok() {
            return Ok((secret, stamp));
        }
        if attempt == retries {
            break;
        }
        thread::sleep(RETRY_EVERY);
    }
    Err(ReadError::Torn)
}

/// Read from Claude Code's program: with its directory moved, the service has a suffix made from the directory's text.
fn keychain_service(service: &str, moved: Option<OsString>) -> String {
    match moved {
        Some(directory) => {
            let digest = Sha256::digest(directory.as_bytes());
            format!("{service}-{:02x}{:02x}{:02x}{:02x}", digest[0], digest[1], digest[2], digest[3])
        }
        None => service.to_owned(),
    }
}

/// Untested: written from the documentation of `security(1)`.
fn read_keychain(service: &str) -> Found {
    let account = std::env::var("USER").unwrap_or_default();
    let arguments = ["find-generic-password", "-s", service, "-a", &account, "-w"];
    match std::process::Command::new("/usr/bin/security").args(arguments).output() {
        Ok(output) if output.status.success() && !output.stdout.is_empty() => {
            let mut password = output.stdout;
            if password.last() == Some(&b'\n') {
                password.pop();
            }
            Found::Login(HostLogin { secret: Secret::new(password), file_content: None, file: None })
        }
        _ => Found::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keychain_service_of_a_moved_directory_has_its_hash() {
        assert_eq!(keychain_service("S", None), "S");
        // printf /x | sha256sum
        assert_eq!(keychain_service("S", Some("/x".into())), "S-b3d1db31");
    }
}
