//! The registry as a whole, and reclaiming what the dead left.

use std::ffi::c_char;

use super::error::{avenv_error, avenv_status};
use super::guard::guard;
use super::options::{avenv_options, or_default};
use super::text::{json, json_list, text};

/// The root of the registry of persistent environments: absolute, without links where it exists. It need not exist, and
/// is not made.
///
/// path  receives the path; yours, for avenv_string_free(). NULL on failure.
///
/// AVENV_REGISTRY_UNAVAILABLE: no root is known (no home directory), or its path is not UTF-8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn avenv_registry_root(
    options: *const avenv_options,
    path: *mut *mut c_char,
    error: *mut *mut avenv_error,
) -> avenv_status {
    guard!(error, path = crate::registry_root(&or_default(options)))
}

/// The names of all persistent environments, as a sorted JSON list of strings. A registry that does not exist is empty.
///
/// names_json  receives the text; yours, for avenv_string_free(). NULL on failure.
///
/// AVENV_REGISTRY_UNAVAILABLE: the registry can't be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn avenv_registry_list_json(
    options: *const avenv_options,
    names_json: *mut *mut c_char,
    error: *mut *mut avenv_error,
) -> avenv_status {
    guard!(error, names_json = crate::registry::list(&or_default(options), json_list))
}

/// Destroy the persistent environment `name`, also one that another program never finished.
///
/// AVENV_ENVIRONMENT_NOT_FOUND: the name is not registered.
/// AVENV_CLEANUP_FAILED: something could not be removed; the name is free. avenv_reap() takes the rest once it can.
/// AVENV_REGISTRY_UNAVAILABLE: the registry can't be read or written, or was locked for too long.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn avenv_registry_destroy(
    name: *const c_char,
    options: *const avenv_options,
    error: *mut *mut avenv_error,
) -> avenv_status {
    guard!(error, text(name, "name").and_then(|name| crate::destroy_by_name(name, &or_default(options))))
}

/// Make the registry's index agree with what is there, after somebody damaged it. An unreadable index is kept under a name
/// of its own. Safe at any time, and twice.
///
/// report_json  receives what was done; yours, for avenv_string_free(). NULL on failure.
///   root         the registry's root
///   kept_index   where the unreadable index was kept, or null
///   restored     names put into the index again
///   unverified   the same, of other programs' environments: whether these are whole can't be told
///   dropped      names taken out, as nothing stands behind them
///   hostile      names whose entry leads out of the registry; left as they are
///   removed      directories that an unfinished change had left
///   unreadable   directories that could not be read, or whose name another one holds; left as they are
///
/// AVENV_REGISTRY_UNAVAILABLE: the registry can't be written, or was locked for too long.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn avenv_registry_repair(
    options: *const avenv_options,
    report_json: *mut *mut c_char,
    error: *mut *mut avenv_error,
) -> avenv_status {
    guard!(error, report_json = crate::repair(&or_default(options)).map(|report| json(&report)))
}

/// Give this process's own directories for ephemeral environments back, where they are empty. Quick: what a program does at
/// its end that cares for a tidy disk. Otherwise whoever reaps takes them.
#[unsafe(no_mangle)]
pub extern "C" fn avenv_give_back() {
    guard!(crate::give_back())
}

/// Remove the ephemeral environments whose owner died without destroying them, and what unfinished changes left in the
/// registry; give this process's own directories back where they are empty. What a living process owns is kept, and no
/// lock is waited for. Call it when your program starts, or ends, or now and then.
///
/// report_json  receives what was done; yours, for avenv_string_free(). NULL on failure.
///   {"ephemeral":{"root":"...","removed":["..."],"kept":1,"failed":[{"path":"...","reason":"..."}]},"registry":{the same}}
///   root is null where there is no such root yet.
///
/// AVENV_PROFILE_SETUP_FAILED: the ephemeral root is not safe to use; the message says what to do.
/// AVENV_REGISTRY_UNAVAILABLE: the same of the registry's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn avenv_reap(
    options: *const avenv_options,
    report_json: *mut *mut c_char,
    error: *mut *mut avenv_error,
) -> avenv_status {
    guard!(error, report_json = crate::reap(&or_default(options)).map(|report| json(&report)))
}
