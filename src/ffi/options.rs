//! Where and how.

use std::ffi::c_char;
use std::path::PathBuf;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::options::Options;

use super::error::{avenv_error, avenv_status};
use super::guard::{self, Output, guard, required_mut};
use super::text::text;

/// Where and how. NULL wherever it is taken means the defaults. Setting is not for two threads at once.
pub struct avenv_options(Options);

/// The options behind a pointer; the defaults for NULL.
///
/// # Safety
/// `options` is NULL or valid for the call.
pub(super) unsafe fn or_default(options: *const avenv_options) -> Options {
    // SAFETY: as the caller promises.
    unsafe { options.as_ref() }.map(|options| options.0.clone()).unwrap_or_default()
}

/// # Safety
/// As for [`text`].
unsafe fn directory(path: *const c_char, parameter: &str) -> Result<Option<PathBuf>> {
    // SAFETY: as the caller promises.
    match unsafe { text(path, parameter) }? {
        "" => Err(Error::invalid(parameter, "is empty: give a directory, or leave the option unset")),
        path => Ok(Some(path.into())),
    }
}

fn milliseconds(number: i64) -> Result<Option<Duration>> {
    match u64::try_from(number) {
        Ok(number) => Ok(Some(Duration::from_millis(number))),
        Err(_) if number == -1 => Ok(None),
        Err(_) => Err(Error::invalid("lock_timeout_ms", "must be -1, for the default, or more")),
    }
}

/// Options with their defaults; yours, for avenv_options_free().
#[unsafe(no_mangle)]
pub extern "C" fn avenv_options_new() -> *mut avenv_options {
    guard!(Box::new(avenv_options(Options::default())).into_raw())
}

/// The registry of persistent environments. Default: $AGENT_VENV_REGISTRY_ROOT, else $XDG_DATA_HOME/agent-venv/envs, else
/// ~/.local/share/agent-venv/envs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn avenv_options_set_registry_root(
    options: *mut avenv_options,
    registry_root: *const c_char,
    error: *mut *mut avenv_error,
) -> avenv_status {
    guard!(
        error,
        required_mut(options, "options").and_then(|options| {
            options.0.registry_root = directory(registry_root, "registry_root")?;
            Ok(())
        })
    )
}

/// Where ephemeral environments are made. Default: $AGENT_VENV_EPHEMERAL_ROOT, else agent-venv-UID in $TMPDIR, else in
/// /tmp. It is made, mode 0700, where it is missing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn avenv_options_set_ephemeral_root(
    options: *mut avenv_options,
    ephemeral_root: *const c_char,
    error: *mut *mut avenv_error,
) -> avenv_status {
    guard!(
        error,
        required_mut(options, "options").and_then(|options| {
            options.0.ephemeral_root = directory(ephemeral_root, "ephemeral_root")?;
            Ok(())
        })
    )
}

/// The adapter that an environment must have been created for, in avenv_environment_attach(). Default: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn avenv_options_set_expected_adapter(
    options: *mut avenv_options,
    adapter_id: *const c_char,
    error: *mut *mut avenv_error,
) -> avenv_status {
    guard!(
        error,
        required_mut(options, "options").and_then(|options| {
            options.0.expected_adapter = Some(text(adapter_id, "adapter_id")?.to_owned());
            Ok(())
        })
    )
}

/// How long to wait for the registry's lock, in milliseconds. 0: don't wait. -1: the default, 5,000.
///
/// AVENV_INVALID_ENVIRONMENT_SPEC: less than -1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn avenv_options_set_lock_timeout_ms(
    options: *mut avenv_options,
    lock_timeout_ms: i64,
    error: *mut *mut avenv_error,
) -> avenv_status {
    guard!(
        error,
        required_mut(options, "options").and_then(|options| {
            options.0.lock_timeout = milliseconds(lock_timeout_ms)?;
            Ok(())
        })
    )
}

/// Whether files and directories are flushed to the disk before a call answers, so that they outlive a loss of power.
/// Default: false.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn avenv_options_set_durable(
    options: *mut avenv_options,
    durable: bool,
    error: *mut *mut avenv_error,
) -> avenv_status {
    guard!(error, required_mut(options, "options").map(|options| options.0.durable = durable))
}

/// Whether to do what is otherwise refused for safety's sake. Default: false.
///
/// avenv_environment_refresh_credentials(): replace a login in the profile that is newer than the host's, or may be.
/// avenv_reap(): remove also what a process on another machine may still own: on network file systems, where its lock can't
/// be seen from here, directories of another boot are otherwise kept.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn avenv_options_set_force(
    options: *mut avenv_options,
    force: bool,
    error: *mut *mut avenv_error,
) -> avenv_status {
    guard!(error, required_mut(options, "options").map(|options| options.0.force = force))
}

/// Free options. NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn avenv_options_free(options: *mut avenv_options) {
    guard!(guard::free(options))
}
