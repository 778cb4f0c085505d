//! The login in a profile, held against the host's.

mod copied;
mod status;

use std::path::{Path, PathBuf};

use crate::adapter::{Adapter, HostLogin, Login, MAX_LOGIN, members, read_whole};
use crate::error::{Error, Failure, Result, Trouble};
use crate::fs::{self, Dir, Errno, ReadError};
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
    /// The login, and the file that it was found in, where that holds more.
    File {
        secret: Secret,
        modified: i128,
        whole: Option<Secret>,
    },
    Link(PathBuf),
    /// JSON that doesn't parse: the agent may be writing it just now.
    Torn,
    /// Something that can't be compared.
    Other,
    /// More than any login; somebody put it there.
    TooLarge,
}

/// Whether credentials may be written now.
#[derive(PartialEq, Eq)]
pub(crate) enum Ready {
    Yes,
    /// The agent seems to be writing its login: look again in a moment.
    NotYet,
}

impl Profile<'_> {
    /// The login in the profile: of a file that holds more, its members alone. What the adapter seeds there is none.
    fn find(&self, adapter: &Adapter, login: &Login, retries: usize) -> Result<Found> {
        let seed = adapter.seed_files.get(&login.profile);
        match (self.find_file(login, retries)?, &login.members) {
            (Found::File { secret, .. }, _) if seed.is_some_and(|seed| seed == secret.bytes()) => Ok(Found::Nothing),
            (Found::File { secret, modified, .. }, Some(members)) => {
                let login = members.of(&secret).unwrap_or_default();
                Ok(Found::File { secret: login, modified, whole: Some(secret) })
            }
            (found, _) => Ok(found),
        }
    }

    fn find_file(&self, login: &Login, retries: usize) -> Result<Found> {
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
        let read = || fs::read_child(dir, name, MAX_LOGIN);
        Ok(match read_whole(name.as_ref(), login.members.is_some(), retries, read) {
            Ok((secret, stamp)) => Found::File { secret, modified: stamp.modified, whole: None },
            Err(ReadError::Missing) => Found::Nothing,
            Err(ReadError::Torn) => Found::Torn,
            Err(ReadError::TooLarge) => Found::TooLarge,
            Err(ReadError::NotAFile | ReadError::NotPrivate) => Found::Other,
            Err(ReadError::Failed(error)) => return Err(failed(error)),
        })
    }

    /// How the login that was found stands to the host's.
    fn compare(&self, login: &Login, found: &Found, host: Option<&HostLogin>) -> LoginState {
        let (secret, modified, host) = match (found, host) {
            (Found::Nothing, _) => return LoginState::None,
            // Of a file with settings, the settings alone.
            (Found::File { secret, .. }, _) if secret.bytes().is_empty() => return LoginState::None,
            // To nowhere, as far as a login goes.
            (Found::Link(_), None) => return LoginState::None,
            (Found::Link(target), Some(host)) if host.file.as_ref().is_some_and(|file| file.path == *target) => {
                return LoginState::Shared;
            }
            (Found::Link(_) | Found::Torn | Found::Other | Found::TooLarge, _) => return LoginState::Diverged,
            (Found::File { .. }, None) => return LoginState::ProfileNewer,
            (Found::File { secret, modified, .. }, Some(host)) => (secret, *modified, host),
        };
        if *secret == host.secret {
            return LoginState::Same;
        }
        let (here, there) = (self.copied.is(&login.profile, secret), self.copied.is(&login.profile, &host.secret));
        if there == Some(true) && here == Some(false) {
            // The host's is what it was: whatever the profile's says, the agent made it later.
            return LoginState::ProfileNewer;
        }
        if let (Some(here), Some(there)) = (login.ends(secret.bytes()), login.ends(host.secret.bytes()))
            && here != there
        {
            return newer(here > there);
        }
        match (here, &host.file) {
            (Some(true), _) => LoginState::HostNewer,
            // Nobody wrote down what was copied: another implementation's profile, or a login made here. The time of a file
            // with settings says nothing.
            (None, Some(file)) if login.members.is_none() && file.stamp.modified != modified => {
                newer(modified > file.stamp.modified)
            }
            _ => LoginState::Diverged,
        }
    }

    /// Looks at what credentials that are about to be written would replace. Refused where that is a login that is newer than
    /// the host's, or of which nobody can tell, unless forced. Of a file with settings, these are put into what is written.
    pub fn prepare(&self, spec: &Spec, credentials: &mut Files<'_>, force: bool, last_try: bool) -> Result<Ready> {
        let Some((adapter, _)) = spec.adapter() else { return Ok(Ready::Yes) };
        for login in &adapter.login {
            let Some((content, _)) = credentials.get_mut(&login.profile) else { continue };
            let found = self.find(adapter, login, 0)?;
            let reason = match (&*content, &found) {
                (_, Found::Torn) if !last_try => return Ok(Ready::NotYet),
                // Nobody's login; what had settings in it is somebody's.
                (_, Found::Torn) if login.members.is_none() => None,
                (_, Found::Torn) => Some("can't be read as JSON"),
                (_, Found::TooLarge) => Some("is too large for a login"),
                (Content::Own(own), Found::File { secret, .. }) => {
                    let ends = login.ends(secret.bytes()).zip(login.ends(own.bytes()));
                    ends.is_some_and(|(there, own)| there > own).then_some("ends later than the one to be written")
                }
                (Content::Copy(_), Found::File { whole: Some(whole), .. }) if !members::is_object(whole) => {
                    Some("is no JSON object")
                }
                (Content::Copy(host) | Content::Link(_, host), Found::File { .. }) => {
                    match self.compare(login, &found, Some(host)) {
                        LoginState::ProfileNewer => Some("is newer than the host's login"),
                        LoginState::Diverged => {
                            Some("differs from the host's login, and neither can be told to be the newer one")
                        }
                        _ => None,
                    }
                }
                // A link is nobody's login; a directory fails when it is written to.
                _ => None,
            };
            if let (Some(reason), false) = (reason, force) {
                let reason = format!(
                    "{:?} in the profile {reason}; keep it, or refresh with force to replace it",
                    login.profile.as_str()
                );
                return Err(Error::from(Failure::CredentialsConflict { adapter_id: adapter.id.clone(), reason }));
            }
            if let (Content::Copy(host), Some(members), Found::File { whole: Some(whole), .. }) =
                (content, &login.members, &found)
            {
                host.file_content = members.put_into(whole, &host.secret);
            }
        }
        Ok(Ready::Yes)
    }
}

fn newer(profile: bool) -> LoginState {
    if profile { LoginState::ProfileNewer } else { LoginState::HostNewer }
}

/// Whether the host still has each login that was read.
pub(crate) fn are_current(credentials: &Files<'_>) -> bool {
    credentials.values().all(|(content, _)| match content {
        Content::Copy(host) => host.is_current(),
        _ => true,
    })
}
