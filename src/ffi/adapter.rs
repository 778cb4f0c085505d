//! Adapters.

use std::ffi::c_char;

use super::error::{avenv_error, avenv_status};
use super::guard::guard;
use super::text::{json, optional, text};

static ADAPTERS: [u8; crate::ADAPTERS_JSON.len() + 1] = {
    let mut bytes = [0; crate::ADAPTERS_JSON.len() + 1];
    let mut i = 0;
    while i < crate::ADAPTERS_JSON.len() {
        bytes[i] = crate::ADAPTERS_JSON.as_bytes()[i];
        i += 1;
    }
    bytes
};

/// The definitions of the built-in adapters, as a JSON list. A definition of your own has the same fields
/// (docs/adapters.md). Static: never free it.
#[unsafe(no_mangle)]
pub extern "C" fn avenv_adapters_json() -> *const c_char {
    guard!(ADAPTERS.as_ptr().cast())
}

/// The definition that an adapter's id stands for, as JSON: a built-in one, else the user's document `<id>.json` in
/// $XDG_CONFIG_HOME/agent-venv/adapters (~/.config/agent-venv/adapters). A definition is answered as it is, checked.
///
/// definition_json  receives the text; yours, for avenv_string_free(). NULL on failure.
///
/// AVENV_INVALID_ENVIRONMENT_SPEC: an unknown id, or a malformed document; the field names the place in it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn avenv_adapter_definition_json(
    adapter: *const c_char,
    definition_json: *mut *mut c_char,
    error: *mut *mut avenv_error,
) -> avenv_status {
    guard!(error, definition_json = text(adapter, "adapter").and_then(crate::adapter_definition))
}

/// The command line for an unattended run of an adapter's agent, as a JSON list of strings; the prompt goes to the agent's
/// standard input. The library never runs it.
///
/// adapter       a built-in adapter's id, or a definition as JSON.
/// options_json  a JSON object of options: model (needed by the built-in ones), reasoning_effort, workspace, extra_argv.
/// argv_json     receives the text; yours, for avenv_string_free(). NULL on failure.
///
/// AVENV_INVALID_ENVIRONMENT_SPEC: an unknown adapter or option, or a value that the command line needs is missing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn avenv_adapter_argv_json(
    adapter: *const c_char,
    options_json: *const c_char,
    argv_json: *mut *mut c_char,
    error: *mut *mut avenv_error,
) -> avenv_status {
    guard!(
        error,
        argv_json = text(adapter, "adapter")
            .and_then(|adapter| { Ok(json(&crate::adapter_argv(adapter, optional(options_json, "options_json")?)?)) })
    )
}

/// Check that the program of an adapter's agent is on PATH. The library never does this by itself.
///
/// AVENV_ADAPTER_UNAVAILABLE: it is not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn avenv_adapter_ensure_available(
    adapter: *const c_char,
    error: *mut *mut avenv_error,
) -> avenv_status {
    guard!(error, text(adapter, "adapter").and_then(crate::ensure_available))
}
