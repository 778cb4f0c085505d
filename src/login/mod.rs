//! The login in a profile, held against the host's.

mod copied;
mod status;

use std::path::{Path, PathBuf};

use crate::adapter::{Adapter, HostLogin, Login, MAX_LOGIN, read_whole};
use crate::error::{Error, Failure, Result, Trouble};
use crate::fs::{self, Dir, Errno};
use crate::secret::Secret;
use crate::spec::{Content, Files, Spec};

pub(crate) use copied::Copied;
pub(crate) use status::status;
pub use status::{LoginFile, LoginState, LoginStatus};

/// A profile whose login is looked at.
pub(crate) struct Profile<'a> {
    pub dir: &'a Dir,
    /// For messages.
    pub path: &'a Path,
    /// What was copied into it.
    pub copied: &'a Copied,
}

/// What stands in a profile where a login file belongs.
enum Found {
    Nothing,
    File {
        secret: Secret,
        modified: i128,
    },
    Link(PathBuf),
    /// Something that can't be compared: a directory, a file that is too large, torn JSON.
    Other,
}

impl Profile<'_> {
    /// The login in the profile: of a file that holds more, its members alone. What the adapter seeds there is none.
    fn find(&self, adapter: &Adapter, login: &Login) -> Result<Found> {
        let seed = adapter.seed_files.get(&login.profile);
        match (self.find_file(login)?, &login.members) {
            (Found::File { secret, .. }, _) if seed.is_some_and(|seed| seed == secret.bytes()) => Ok(Found::Nothing),
            (Found::File { secret, modified }, Some(members)) => Ok(match members.of(&secret) {
                Some(secret) => Found::File { secret, modified },
                None => Found::Nothing,
            }),
            (found, _) => Ok(found),
        }
    }

    fn find_file(&self, login: &Login) -> Result<Found> {
        let path = &login.profile;
        let failed = |error| Trouble::os(&self.path.join(path.as_str()), error).setup();
        let (parent, name) = path.split();
        let mut above: Option<Dir> = None;
        for step in parent.split('/').filter(|step| !step.is_empty()) {
            let next = match above.as_ref().unwrap_or(self.dir).child(step) {
                Ok(next) => next,
                Err(Errno::NOENT) => return Ok(Found::Nothing),
                Err(Errno::LOOP | Errno::NOTDIR) => return Ok(Found::Other),
                Err(error) => return Err(failed(error)),
            };
            above = Some(next);
        }
        let dir = above.as_ref().unwrap_or(self.dir);
        match dir.link_target(name) {
            Ok(Some(target)) => return Ok(Found::Link(target)),
            Ok(None) => {}
            Err(Errno::NOENT) => return Ok(Found::Nothing),
            Err(error) => return Err(failed(error)),
        }
        Ok(match read_whole(name.as_ref(), login.members.is_some(), || fs::read_child(dir, name, MAX_LOGIN)) {
            Ok((secret, modified)) => Found::File { secret, modified },
            Err(None) => Found::Nothing,
            Err(Some(_)) => Found::Other,
        })
    }

    /// How the login that was found at `path` stands to the host's.
    fn compare(&self, login: &Login, found: &Found, host: Option<&HostLogin>) -> LoginState {
        let (secret, modified, host) = match (found, host) {
            (Found::Nothing, _) => return LoginState::None,
            (Found::Link(target), Some(host)) if host.file.as_ref().is_some_and(|file| file.path == *target) => {
                return LoginState::Shared;
            }
            (Found::Link(_) | Found::Other, _) => return LoginState::Diverged,
            (Found::File { .. }, None) => return LoginState::ProfileNewer,
            (Found::File { secret, modified }, Some(host)) => (secret, *modified, host),
        };
        if *secret == host.secret {
            return LoginState::Same;
        }
        let expiry = |secret: &Secret| login.expiry.as_ref().and_then(|expiry| expiry.of(secret.bytes()));
        if let (Some(here), Some(there)) = (expiry(secret), expiry(&host.secret))
            && here != there
        {
            return newer(here > there);
        }
        match (self.copied.is(&login.profile, secret), self.copied.is(&login.profile, &host.secret)) {
            (Some(true), _) => newer(false),
            (_, Some(true)) => newer(true),
            (Some(false), _) => LoginState::Diverged,
            // Nobody wrote down what was copied: another implementation's profile, or a login made here.
            (None, _) => match &host.file {
                Some(file) if file.modified != modified => newer(modified > file.modified),
                _ => LoginState::Diverged,
            },
        }
    }

    /// Refuses where credentials that are about to be written would replace a login that is newer than the host's, or of
    /// which nobody can tell.
    pub fn check(&self, spec: &Spec, credentials: &Files<'_>) -> Result<()> {
        let Some((adapter, _)) = spec.adapter() else { return Ok(()) };
        for login in &adapter.login {
            let path = &login.profile;
            let host = match credentials.get(path) {
                Some((Content::Copy(host), _)) => host,
                Some((Content::Link(_), _)) => &match adapter.read_login(login)? {
                    Some(host) => host,
                    None => continue,
                },
                _ => continue,
            };
            let found = self.find(adapter, login)?;
            if !matches!(found, Found::File { .. }) {
                // A link or a torn file is nobody's login; a directory fails when it is written to.
                continue;
            }
            let state = self.compare(login, &found, Some(host));
            let reason = match state {
                LoginState::ProfileNewer => "is newer than the host's login",
                LoginState::Diverged => "differs from the host's login, and neither can be told to be the newer one",
                _ => continue,
            };
            let reason = format!(
                "{:?} in the profile {reason}; keep it, or refresh with force to replace it by the host's",
                path.as_str()
            );
            return Err(Error::from(Failure::CredentialsConflict { adapter_id: adapter.id.clone(), reason }));
        }
        Ok(())
    }
}

impl Profile<'_> {
    /// Makes of logins that are but members of their files what shall stand there: the rest of each file stays.
    pub fn keep_the_rest(&self, spec: &Spec, credentials: &mut Files<'_>) -> Result<()> {
        let logins = spec.adapter().into_iter().flat_map(|(adapter, _)| &adapter.login);
        for (login, members) in logins.filter_map(|login| Some((login, login.members.as_ref()?))) {
            if let Some((Content::Copy(host), _)) = credentials.get_mut(&login.profile)
                && let Found::File { secret, .. } = self.find_file(login)?
            {
                host.file_content = members.put_into(&secret, &host.secret);
            }
        }
        Ok(())
    }
}

fn newer(profile: bool) -> LoginState {
    if profile { LoginState::ProfileNewer } else { LoginState::HostNewer }
}
