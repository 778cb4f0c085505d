//! What an environment shall hold.

use std::ffi::{c_char, c_void};

use crate::error::Result;
use crate::spec::Spec;

use super::error::{avenv_error, avenv_status};
use super::guard::{self, guard, required_mut};
use super::text::{bytes, optional, text};

/// What an environment shall hold. Any number of environments can be made from one. Adding to it is not for two threads
/// at once, nor while another thread makes an environment from it.
pub struct avenv_spec(pub(super) Spec);

fn boxed(spec: Result<Spec>) -> Result<Box<avenv_spec>> {
    spec.map(|spec| Box::new(avenv_spec(spec)))
}

/// A spec from its JSON form. All fields may be left out; any other one is refused.
///
///   adapter_id     string: which adapter this is for; "generic", or the adapter's
///   env_overrides  object of strings: variables to hand back; $EPHEMERAL_HOME becomes the profile's path
///   seed_files     object of strings: path below the profile -> content
///   credentials    the same, mode 0600; refresh_credentials writes only these anew
///   file_modes     object of integers: path -> mode, 0 to 511 (octal 777); 384 (octal 600) where none is given
///   prefix         string: start of an ephemeral directory's name, at most 64 bytes
///   adapter        string or object: an adapter's id, or a definition; the other fields are laid over its own
///   options        object: the adapter's options, see avenv_spec_for_adapter()
///
/// json   the text. Read during the call, not kept. The parser may leave copies of its strings in memory: a credential that
///        must not linger there comes by avenv_spec_add_credential().
/// spec   receives the spec; yours, for avenv_spec_free(). NULL on failure.
///
/// AVENV_INVALID_ENVIRONMENT_SPEC: something is malformed; the payload's field names it, such as seed_files["../x"].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn avenv_spec_parse(
    json: *const c_char,
    spec: *mut *mut avenv_spec,
    error: *mut *mut avenv_error,
) -> avenv_status {
    guard!(error, spec = text(json, "json").and_then(|json| boxed(Spec::from_json(json))))
}

/// A spec for an adapter, to which files and variables can be added. It reads no login: that happens each time an
/// environment is made from it.
///
/// adapter       an adapter's id ("claude-code", "codex", ...; see avenv_adapter_definition_json()), or a definition as JSON
///               (it begins with '{').
/// options_json  a JSON object of the adapter's options; NULL for the defaults.
/// spec          receives the spec; yours, for avenv_spec_free(). NULL on failure.
///
/// The options:
///
///   login                "copy" (default): the profile gets a copy of the host's login. "none": it gets none. "share": the
///                        agent uses the host's login in place. "token": it gets a long-lived token by a variable, read at
///                        each attach and written nowhere; it is then among the handle's env_overrides.
///   token_env            for "token": the variable that holds it; default: the one that the agent itself reads
///   token_file           or the file that holds it: this user's, and nobody else's to read
///   isolation            "standard" (default) or "strict": close also what else the agent's variables can close
///   trusted_directories  list of absolute paths which the agent shall trust without asking, where it would ask
///   load_credentials     false is an older form of login "none"
///   model, reasoning_effort, workspace, extra_argv
///                        for avenv_adapter_argv_json()
///
/// AVENV_INVALID_ENVIRONMENT_SPEC: an unknown adapter or option, a malformed definition, or a login that this agent can't
/// have; the reason says why.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn avenv_spec_for_adapter(
    adapter: *const c_char,
    options_json: *const c_char,
    spec: *mut *mut avenv_spec,
    error: *mut *mut avenv_error,
) -> avenv_status {
    guard!(
        error,
        spec = text(adapter, "adapter")
            .and_then(|adapter| { boxed(Spec::for_adapter(adapter, optional(options_json, "options_json")?)) })
    )
}

/// Set a variable to hand back, or replace it. $EPHEMERAL_HOME in the value becomes the profile's path.
///
/// AVENV_INVALID_ENVIRONMENT_SPEC: the name is empty or holds '='.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn avenv_spec_set_env(
    spec: *mut avenv_spec,
    name: *const c_char,
    value: *const c_char,
    error: *mut *mut avenv_error,
) -> avenv_status {
    guard!(
        error,
        required_mut(spec, "spec").and_then(|spec| spec.0.set_env(text(name, "name")?, text(value, "value")?))
    )
}

/// Add a file that is written when the profile is made, or replace it.
///
/// path  relative to the profile; directories on the way are made.
/// data  the content, len bytes of it; NULL with 0 is an empty file. Copied.
/// mode  POSIX mode bits, at most octal 777; 0: what the spec's file_modes says, else octal 600.
///
/// AVENV_INVALID_ENVIRONMENT_SPEC: a bad path or mode, a path that is a credential's, or a file where another file needs
/// a directory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn avenv_spec_add_seed_file(
    spec: *mut avenv_spec,
    path: *const c_char,
    data: *const c_void,
    len: usize,
    mode: u32,
    error: *mut *mut avenv_error,
) -> avenv_status {
    guard!(
        error,
        required_mut(spec, "spec").and_then(|spec| {
            spec.0.add_seed_file(text(path, "path")?, bytes(data, len, "data")?, (mode != 0).then_some(mode))
        })
    )
}

/// Add a credential, or replace it (mode: what the spec's file_modes says, else octal 600): in place of the host's login where the path is the adapter's own.
///
/// path  relative to the profile.
/// data  the content, len bytes of it. Copied; the copy is wiped from memory when it is let go.
///
/// AVENV_INVALID_ENVIRONMENT_SPEC: as for avenv_spec_add_seed_file().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn avenv_spec_add_credential(
    spec: *mut avenv_spec,
    path: *const c_char,
    data: *const c_void,
    len: usize,
    error: *mut *mut avenv_error,
) -> avenv_status {
    guard!(
        error,
        required_mut(spec, "spec")
            .and_then(|spec| spec.0.add_credential(text(path, "path")?, bytes(data, len, "data")?))
    )
}

/// Free a spec and wipe its credentials from memory; environments made from it keep theirs. NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn avenv_spec_free(spec: *mut avenv_spec) {
    guard!(guard::free(spec))
}
