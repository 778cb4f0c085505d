//! The registry's place, and reclaiming what the dead left.

use std::ffi::c_char;

use super::error::{avenv_error, avenv_status};
use super::guard::guard;
use super::options::{avenv_options, or_default};
use super::text::json;

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

/// Remove the ephemeral environments whose owner died without destroying them, and give back this process's own directory
/// if it is empty. What a living process owns is kept. Call it when your program starts, or ends, or now and then.
///
/// report_json  receives what was done; yours, for avenv_string_free(). NULL on failure.
///   {"ephemeral":{"root":"...","removed":["..."],"kept":1,"failed":[{"path":"...","reason":"..."}]}}
///   root is null where there is no ephemeral root yet.
///
/// AVENV_PROFILE_SETUP_FAILED: the ephemeral root is not safe to use; the message says what to do.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn avenv_reap(
    options: *const avenv_options,
    report_json: *mut *mut c_char,
    error: *mut *mut avenv_error,
) -> avenv_status {
    guard!(error, report_json = crate::reap(&or_default(options)).map(|report| json(&report)))
}
