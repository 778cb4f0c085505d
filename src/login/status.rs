//! What a caller is told of a login. Never the login.

use serde::Serialize;

use crate::adapter::{Adapter, AdapterOptions, LoginMode, RETRIES};
use crate::error::Result;
use crate::spec::Spec;
use crate::time;

use super::{Found, Profile};

/// How a profile's login stands to the host's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LoginState {
    /// The profile has none.
    None,
    /// They are equal.
    Same,
    /// The host's is newer: `refresh_credentials` brings it.
    HostNewer,
    /// The profile's is newer, or the host has none.
    ProfileNewer,
    /// They differ, and neither is the newer one for sure: both were changed since the copy.
    Diverged,
    /// The agent uses the host's in place.
    Shared,
    /// The agent gets a token by a variable.
    Token,
}

/// What is known of an environment's login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LoginStatus {
    /// All files together.
    pub status: LoginState,
    /// When the login that the agent uses ends (RFC 3339), where its file tells.
    pub expires_at: Option<String>,
    /// Each file that the agent keeps a login in.
    pub files: Vec<LoginFile>,
}

/// One file with a login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LoginFile {
    /// Below the profile.
    pub path: String,
    /// How it stands to the host's.
    pub status: LoginState,
    /// Whether the profile has it. With a token or a login shared by a variable it should not: the agent made one of its own.
    pub in_profile: bool,
    /// Whether the host has it.
    pub on_host: bool,
    /// When the profile's ends (RFC 3339), where it tells.
    pub expires_at: Option<String>,
    /// When the host's ends, where it tells.
    pub host_expires_at: Option<String>,
}

/// Looks at the login in a profile and at the host's.
pub(crate) fn status(spec: &Spec, profile: &Profile<'_>) -> Result<LoginStatus> {
    // Known by its id where only that was recorded, as other implementations do.
    let builtin = Adapter::builtin(spec.adapter_id());
    let defaults = AdapterOptions::default();
    let Some((adapter, options)) = spec.adapter().or(builtin.as_deref().map(|adapter| (adapter, &defaults))) else {
        return Ok(LoginStatus { status: LoginState::None, expires_at: None, files: Vec::new() });
    };
    let is_used = matches!(options.login, LoginMode::Copy | LoginMode::Share);
    let mut files = Vec::new();
    for login in &adapter.login {
        let found = profile.find(adapter, login, RETRIES)?;
        let host = match adapter.read_login(login) {
            Err(error) if is_used => return Err(error),
            // Nobody wanted it.
            host => host.unwrap_or_default(),
        };
        let expires = |bytes: &[u8]| login.ends(bytes).and_then(time::text);
        let host_expires_at = host.as_ref().and_then(|host| expires(host.secret.bytes()));
        let status = profile.compare(login, &found, host.as_ref());
        files.push(LoginFile {
            path: login.profile.as_str().to_owned(),
            status,
            in_profile: status != LoginState::None,
            on_host: host.is_some(),
            expires_at: match &found {
                Found::File { secret, .. } => expires(secret.bytes()),
                Found::Link(_) if status == LoginState::Shared => host_expires_at.clone(),
                _ => None,
            },
            host_expires_at,
        });
    }
    let (status, of_host) = match options.login {
        LoginMode::Token => (LoginState::Token, None),
        LoginMode::Share if spec.shares_by_variable() => {
            let there = files.iter().any(|file| file.on_host);
            (if there { LoginState::Shared } else { LoginState::None }, Some(true))
        }
        _ => (together(&files), Some(false)),
    };
    let earliest = |of_host: bool| {
        files
            .iter()
            .filter_map(|file| if of_host { file.host_expires_at.clone() } else { file.expires_at.clone() })
            .min()
    };
    Ok(LoginStatus { status, expires_at: of_host.and_then(earliest), files })
}

fn together(files: &[LoginFile]) -> LoginState {
    let any = |state| files.iter().any(|file| file.status == state);
    let there = files.iter().filter(|file| file.in_profile).count();
    if there == 0 {
        return LoginState::None;
    }
    let host_newer = any(LoginState::HostNewer) || files.iter().any(|file| file.on_host && !file.in_profile);
    match (any(LoginState::Diverged), host_newer, any(LoginState::ProfileNewer)) {
        (true, ..) | (_, true, true) => LoginState::Diverged,
        (_, true, _) => LoginState::HostNewer,
        (_, _, true) => LoginState::ProfileNewer,
        _ if any(LoginState::Same) => LoginState::Same,
        _ => LoginState::Shared,
    }
}
