//! Environments.

use std::borrow::Cow;
use std::ffi::{CStr, CString, c_char};

use zeroize::{Zeroize, Zeroizing};

use crate::environment::Environment;
use crate::error::Result;
use crate::spec::Spec;

use super::error::{avenv_error, avenv_status};
use super::guard::{self, guard, lent, required};
use super::options::{avenv_options, or_default};
use super::spec::avenv_spec;
use super::text::{c_string, json, mostly, text};

mod envp;

/// An environment: a profile directory, and the variables that point an agent at it.
pub struct avenv_environment {
    environment: Environment,
    name: Option<CString>,
    adapter_id: Cow<'static, CStr>,
    /// It may hold a token.
    env_overrides: Zeroizing<CString>,
    env_unset: Cow<'static, CStr>,
}

impl avenv_environment {
    fn kind(&self) -> &'static CStr {
        match self.environment.kind() {
            "ephemeral" => c"ephemeral",
            _ => c"persistent",
        }
    }
}

fn boxed(environment: Result<Environment>) -> Result<Box<avenv_environment>> {
    let environment = environment?;
    Ok(Box::new(avenv_environment {
        name: environment.name().map(|name| c_string(name.to_owned())),
        adapter_id: mostly(c_string(environment.adapter_id().to_owned()), c"generic"),
        env_overrides: Zeroizing::new(overrides(&environment)),
        env_unset: mostly(json(&environment.env_unset()), c"[]"),
        environment,
    }))
}

/// The variables as JSON, with no other copy of a token among them left in memory.
fn overrides(environment: &Environment) -> CString {
    let mut overrides = environment.env_overrides();
    let mut text = crate::json::presized(|text| serde_json::to_writer(text, &overrides));
    overrides.values_mut().for_each(Zeroize::zeroize);
    text.push(0);
    CString::from_vec_with_nul(text).unwrap_or_default()
}

/// Create an ephemeral environment: a fresh profile directory that lives until it is destroyed.
///
/// spec     what the profile shall hold; NULL for an empty one. Read during the call, not kept.
/// options  where and how; NULL for the defaults. Not kept.
/// env      receives the handle; yours, for avenv_environment_free(). NULL on failure.
/// error    receives the reason on failure; yours, for avenv_error_free(). May be NULL.
///
/// The host's login is read now, where the spec's adapter wants it.
///
/// AVENV_PROFILE_SETUP_FAILED: the directory could not be written (disk full, no permission), or the ephemeral root is
/// not safe to use; the message says what to do.
/// AVENV_CREDENTIALS_MISSING: the adapter wants the host's login, and there is none.
/// On failure nothing is left on disk. Any thread; see "Fork" above before you fork with a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn avenv_environment_create_ephemeral(
    spec: *const avenv_spec,
    options: *const avenv_options,
    env: *mut *mut avenv_environment,
    error: *mut *mut avenv_error,
) -> avenv_status {
    guard!(
        error,
        env = match spec.as_ref() {
            Some(spec) => boxed(Environment::ephemeral(&spec.0, &or_default(options))),
            None => boxed(Environment::ephemeral(&Spec::new(), &or_default(options))),
        }
    )
}

/// Attach to the persistent environment `name`, creating it where there is none.
///
/// name     any UTF-8 text of 1 to 1,024 bytes.
/// spec     what a new profile shall hold; NULL for an empty one. Where the name exists nothing in it is changed, and of the
///          spec only the adapter's id counts.
/// options  where and how; NULL for the defaults.
/// env      receives the handle; yours, for avenv_environment_free(), which only detaches. NULL on failure.
///
/// A name is either absent or whole, whichever process dies when; of all who create it at once exactly one does, and all
/// get the same. Whether this call created it, the events tell (env.created or env.attached).
///
/// AVENV_ADAPTER_MISMATCH: it exists, for another adapter.
/// AVENV_REGISTRY_UNAVAILABLE: the registry can't be read or written, or was locked for longer than the lock timeout.
/// AVENV_PROFILE_SETUP_FAILED, AVENV_CREDENTIALS_MISSING: as for avenv_environment_create_ephemeral().
/// On failure nothing is left but, perhaps, an empty registry.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn avenv_environment_create_or_attach(
    name: *const c_char,
    spec: *const avenv_spec,
    options: *const avenv_options,
    env: *mut *mut avenv_environment,
    error: *mut *mut avenv_error,
) -> avenv_status {
    guard!(
        error,
        env = text(name, "name").and_then(|name| match spec.as_ref() {
            Some(spec) => boxed(Environment::create_or_attach(name, &spec.0, &or_default(options))),
            None => boxed(Environment::create_or_attach(name, &Spec::new(), &or_default(options))),
        })
    )
}

/// Attach to the persistent environment `name`. Never creates it, takes no lock, and changes nothing.
///
/// options  NULL for the defaults; avenv_options_set_expected_adapter() is for this call.
/// env      receives the handle; yours, for avenv_environment_free(), which only detaches. NULL on failure.
///
/// AVENV_ENVIRONMENT_NOT_FOUND: the name is not registered.
/// AVENV_ADAPTER_MISMATCH: it exists, for another adapter than the expected one.
/// AVENV_CREDENTIALS_MISSING: it was made with login "token", and the token is not where it is taken from. To destroy such an
/// environment needs none: avenv_registry_destroy().
/// AVENV_REGISTRY_UNAVAILABLE: the registry or this entry can't be read, or another program never finished it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn avenv_environment_attach(
    name: *const c_char,
    options: *const avenv_options,
    env: *mut *mut avenv_environment,
    error: *mut *mut avenv_error,
) -> avenv_status {
    guard!(error, env = text(name, "name").and_then(|name| boxed(Environment::attach(name, &or_default(options)))))
}

/// The profile directory: an absolute path without links in it. Lent; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn avenv_environment_path(env: *const avenv_environment) -> *const c_char {
    guard!(lent(env, |env| Some(env.environment.path_for_c())))
}

/// The name of a persistent environment. Lent; NULL for an ephemeral one, and for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn avenv_environment_name(env: *const avenv_environment) -> *const c_char {
    guard!(lent(env, |env| env.name.as_deref()))
}

/// "ephemeral" or "persistent". Lent; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn avenv_environment_kind(env: *const avenv_environment) -> *const c_char {
    guard!(lent(env, |env| Some(env.kind())))
}

/// The adapter that this environment is for; "generic" where the spec named none. Lent; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn avenv_environment_adapter_id(env: *const avenv_environment) -> *const c_char {
    guard!(lent(env, |env| Some(&env.adapter_id)))
}

/// The variables to set for the agent, as a JSON object of strings. Lent; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn avenv_environment_env_overrides_json(env: *const avenv_environment) -> *const c_char {
    guard!(lent(env, |env| Some(&env.env_overrides)))
}

/// The variables that the agent must not inherit, as a JSON list of names: tokens and directories that would lead it to
/// another login than the profile's. [] where the adapter names none. Lent; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn avenv_environment_env_unset_json(env: *const avenv_environment) -> *const c_char {
    guard!(lent(env, |env| Some(&env.env_unset)))
}

/// The whole environment block for a child, for execve() and posix_spawn(): base, less the variables to unset and those
/// that are overridden, and the overrides.
///
/// base  entries "NAME=value", ended by NULL; NULL for this process's own environment. Bytes, not UTF-8.
/// envp  receives the block; yours, for avenv_envp_free(). NULL on failure.
///
/// AVENV_INTERNAL_INVARIANT_VIOLATION: the environment was destroyed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn avenv_environment_envp(
    env: *const avenv_environment,
    base: *const *const c_char,
    envp: *mut *mut *mut c_char,
    error: *mut *mut avenv_error,
) -> avenv_status {
    guard!(
        error,
        envp = required(env, "env").and_then(|env| { Ok(envp::Block::new(env.environment.envp(envp::base(base))?)) })
    )
}

/// Free a block of avenv_environment_envp(), with all strings in it. NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn avenv_envp_free(envp: *mut *mut c_char) {
    guard!(envp::free(envp))
}

/// What was done through this handle, in order, as a JSON list: {"ts_ms":0,"kind":"env.created",...}. ts_ms counts
/// milliseconds since the handle's log began. Never holds a credential or a file's content.
///
/// events_json  receives the text; yours, for avenv_string_free(). NULL on failure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn avenv_environment_events_json(
    env: *const avenv_environment,
    events_json: *mut *mut c_char,
    error: *mut *mut avenv_error,
) -> avenv_status {
    guard!(error, events_json = required(env, "env").map(|env| json(&env.environment.events())))
}

/// How the profile's login stands to the host's now, as JSON; reads both, changes nothing, and never tells a secret:
/// {"status":"same","expires_at":"2026-05-10T12:00:00Z","files":[...]}.
///
/// status       "none" (the profile has no login, or the environment no adapter), "same", "host_newer" (refresh brings it),
///              "profile_newer", "diverged" (both were changed since the copy, or neither tells), "shared", "token".
/// expires_at   when the login that the agent uses ends, RFC 3339; null where its file doesn't tell.
/// files        for each login file: path (below the profile), status, in_profile, on_host, expires_at, host_expires_at.
///              With the options login "token" and "share" a file in the profile is one that the agent made for itself.
/// status_json  receives the text; yours, for avenv_string_free(). NULL on failure.
///
/// Which login is the newer one: the profile's, where the host's is still what was copied; else the one that ends later,
/// where both tell; else the host's, where the profile's is still the copy; else, where nobody wrote down what was copied, the
/// file that was changed later.
///
/// AVENV_CREDENTIALS_MISSING: the host's login is there and can't be read, or is no JSON.
/// AVENV_ENVIRONMENT_NOT_FOUND, AVENV_REGISTRY_UNAVAILABLE, AVENV_PROFILE_SETUP_FAILED: the profile can't be looked at.
/// AVENV_INTERNAL_INVARIANT_VIOLATION: the environment was destroyed, or this is a forked child.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn avenv_environment_login_status_json(
    env: *const avenv_environment,
    status_json: *mut *mut c_char,
    error: *mut *mut avenv_error,
) -> avenv_status {
    guard!(error, status_json = required(env, "env").and_then(|env| Ok(json(&env.environment.login_status()?))))
}

/// Write the credentials anew, each file replaced as a whole, and nothing else in the profile.
///
/// spec     its credentials are written (its adapter's login, too, read from the host now). NULL: the host's login as it
///          is now, where the environment was made for an adapter, and the credentials it was created with.
/// options  NULL for the defaults.
///
/// AVENV_INVALID_ENVIRONMENT_SPEC, field spec: there are no credentials to write.
/// AVENV_CREDENTIALS_MISSING: the host has no login now. The profile keeps the one it has.
/// AVENV_CREDENTIALS_CONFLICT: the profile's login is newer than the host's, or may be (the agent renewed it, or logged in
/// anew): see avenv_environment_login_status_json(). avenv_options_set_force() replaces it all the same.
/// AVENV_PROFILE_SETUP_FAILED: a file could not be written; the one before it stands whole.
/// AVENV_ENVIRONMENT_NOT_FOUND: somebody destroyed the persistent environment; what has its name now is another.
/// AVENV_REGISTRY_UNAVAILABLE: as for avenv_environment_create_or_attach().
/// AVENV_INTERNAL_INVARIANT_VIOLATION: the environment was destroyed, or this is a forked child.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn avenv_environment_refresh_credentials(
    env: *mut avenv_environment,
    spec: *const avenv_spec,
    options: *const avenv_options,
    error: *mut *mut avenv_error,
) -> avenv_status {
    guard!(
        error,
        required(env, "env").and_then(|env| {
            env.environment.refresh_credentials(spec.as_ref().map(|spec| &spec.0), &or_default(options))
        })
    )
}

/// Remove the profile, and the name of a persistent environment. Again: AVENV_OK, nothing to do. So it is where somebody
/// else destroyed it, also if its name was created anew since: that one is left alone. The handle's getters and events
/// answer as before.
///
/// options  NULL for the defaults.
///
/// AVENV_CLEANUP_FAILED: something could not be removed (a mount, another user's file); all else was, and the name is free.
/// Call again to try again.
/// AVENV_REGISTRY_UNAVAILABLE: the registry can't be written, or was locked for too long.
/// AVENV_INTERNAL_INVARIANT_VIOLATION: this is a forked child, and the environment is its parent's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn avenv_environment_destroy(
    env: *mut avenv_environment,
    options: *const avenv_options,
    error: *mut *mut avenv_error,
) -> avenv_status {
    guard!(error, required(env, "env").and_then(|env| { env.environment.destroy(&or_default(options)) }))
}

/// Free a handle; the last call on it, by any thread. A persistent environment stays. An ephemeral environment that was not destroyed is removed, best
/// effort and silently: whoever wants to know calls avenv_environment_destroy() first. In a forked child only memory is
/// freed. NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn avenv_environment_free(env: *mut avenv_environment) {
    guard!(guard::free(env))
}
