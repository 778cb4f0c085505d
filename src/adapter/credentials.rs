//! The host's login: where it may lie, and how it is read. Nothing here changes the host.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::error::{Failure, Result};
use crate::fs::{self, ReadError};
use crate::json::{Fields, Invalid};
use crate::secret::Secret;
use crate::spec::RelativePath;

use super::Adapter;

/// No login of a known agent comes near it; a larger file is something else.
const MAX_BYTES: usize = 1 << 20;

/// Codex writes its login in place, so a reader can meet it half written: read again a few times.
const RETRIES: usize = 5;
const RETRY_EVERY: Duration = Duration::from_millis(20);

/// One login file of an agent.
pub(crate) struct Login {
    /// Where it goes in the profile.
    pub profile: RelativePath,
    /// Where it may lie on the host, in the order of preference.
    host: Vec<Place>,
}

enum Place {
    /// A file; a leading `~/` is the home directory.
    File(String),
    /// A generic password of the macOS Keychain, by its service.
    Keychain(String),
}

impl Login {
    pub fn list(items: Vec<Value>) -> std::result::Result<Vec<Self>, Invalid> {
        items.into_iter().enumerate().map(|(i, item)| Self::read(item, &format!("adapter.login[{i}]"))).collect()
    }

    fn read(value: Value, path: &str) -> std::result::Result<Self, Invalid> {
        let mut fields = Fields::of(value, path, path)?;
        let profile = RelativePath::read(&fields.required_string("profile")?, &fields.name("profile"))?;
        let host = fields.list("host")?.into_iter().enumerate();
        let host = host
            .map(|(i, place)| Place::read(place, &format!("{path}.host[{i}]")))
            .collect::<std::result::Result<Vec<_>, _>>()?;
        if host.is_empty() {
            return Err(Invalid::new(fields.name("host"), "names no place where the login may lie"));
        }
        fields.finish("profile, host")?;
        Ok(Login { profile, host })
    }
}

impl Place {
    fn read(value: Value, path: &str) -> std::result::Result<Self, Invalid> {
        let mut fields = Fields::of(value, path, path)?;
        let place = match (fields.string("file")?, fields.string("keychain")?) {
            (Some(file), None) if file.starts_with("~/") || file.starts_with('/') => Place::File(file),
            (Some(_), None) => return Err(Invalid::new(fields.name("file"), "must begin with ~/ or /")),
            (None, Some(service)) => Place::Keychain(service),
            _ => return Err(Invalid::new(path, "must have either file or keychain")),
        };
        fields.finish("file, keychain")?;
        Ok(place)
    }
}

/// What was found at one place.
enum Found {
    Login(Secret),
    Nothing,
    /// Something that is no login; the next places are not tried, for they could hold another, older one.
    Unusable(String),
}

impl Adapter {
    /// Reads the logins that go to `paths`, each from the first place on the host that has it.
    pub fn read_logins(&self, paths: &BTreeSet<RelativePath>) -> Result<Vec<(RelativePath, Secret)>> {
        let wanted = self.login.iter().filter(|login| paths.contains(&login.profile));
        wanted.map(|login| Ok((login.profile.clone(), self.read_login(login)?))).collect()
    }

    fn read_login(&self, login: &Login) -> Result<Secret> {
        let mut looked_at = Vec::new();
        let mut problem = None;
        for place in &login.host {
            let found = match place {
                Place::File(file) => {
                    let path = on_host(file);
                    looked_at.push(path.as_ref().map_or(file.clone(), |path| path.to_string_lossy().into_owned()));
                    path.map_or(Found::Nothing, |path| read_file(&path))
                }
                Place::Keychain(service) if cfg!(target_os = "macos") => {
                    looked_at.push(format!("macOS Keychain: {service}"));
                    read_keychain(service)
                }
                Place::Keychain(_) => Found::Nothing,
            };
            match found {
                Found::Login(secret) => return Ok(secret),
                Found::Nothing => {}
                Found::Unusable(what) => {
                    problem = Some(what);
                    break;
                }
            }
        }
        let adapter_id = self.id.clone();
        Err(Failure::CredentialsMissing { adapter_id, looked_at, problem }.into())
    }
}

fn on_host(file: &str) -> Option<PathBuf> {
    match file.strip_prefix("~/") {
        Some(rest) => dirs::home_dir().map(|home| home.join(rest)),
        None => Some(PathBuf::from(file)),
    }
}

fn read_file(path: &std::path::Path) -> Found {
    let must_parse = path.extension().is_some_and(|extension| extension == "json");
    for attempt in 0.. {
        let secret = match fs::read_regular(path, MAX_BYTES) {
            Ok(bytes) => Secret::new(bytes),
            Err(ReadError::Missing) => return Found::Nothing,
            Err(error) => return Found::Unusable(format!("{path:?} {error}")),
        };
        if !must_parse || serde_json::from_slice::<serde::de::IgnoredAny>(secret.bytes()).is_ok() {
            return Found::Login(secret);
        }
        if attempt == RETRIES {
            break;
        }
        thread::sleep(RETRY_EVERY);
    }
    Found::Unusable(format!("{path:?} is not valid JSON"))
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
            Found::Login(Secret::new(password))
        }
        _ => Found::Nothing,
    }
}
