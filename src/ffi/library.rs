//! The library itself.

use std::ffi::c_char;

use crate::capabilities::capabilities;
use crate::error::kind_of_status;

use super::error::avenv_status;
use super::guard::guard;
use super::text;

/// The version of this header: what `avenv_version()` begins with.
pub const AVENV_VERSION_MAJOR: u32 = 0;
/// See `AVENV_VERSION_MAJOR`.
pub const AVENV_VERSION_MINOR: u32 = 1;
/// See `AVENV_VERSION_MAJOR`.
pub const AVENV_VERSION_PATCH: u32 = 0;

/// The binary interface that this header describes. A program runs with a library whose `avenv_abi_version()` is the same.
pub const AVENV_ABI_VERSION: u32 = 0;

/// The library's version, such as "0.1.0". Static: never free it.
#[unsafe(no_mangle)]
pub extern "C" fn avenv_version() -> *const c_char {
    guard!(concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast())
}

/// The number of the library's binary interface. Whoever loads the library at run time compares it with
/// AVENV_ABI_VERSION before anything else.
#[unsafe(no_mangle)]
pub extern "C" fn avenv_abi_version() -> u32 {
    guard!(AVENV_ABI_VERSION)
}

/// What this library offers, as a JSON object: "spec_version", "package_version", "language", "operations" and
/// "platforms". Static: never free it.
#[unsafe(no_mangle)]
pub extern "C" fn avenv_capabilities_json() -> *const c_char {
    guard!(concat!(capabilities!("c"), "\0").as_ptr().cast())
}

/// The kind that a status stands for, such as "EnvironmentNotFound". Static: never free it. "" for AVENV_OK and for
/// numbers that this version does not know.
#[unsafe(no_mangle)]
pub extern "C" fn avenv_status_kind(status: avenv_status) -> *const c_char {
    guard!(kind_of_status(status).as_ptr())
}

/// Free a string that a function handed out as `char *`. NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn avenv_string_free(string: *mut c_char) {
    guard!(text::free(string))
}

#[cfg(test)]
mod tests {
    #[test]
    fn header_version_is_the_package_version() {
        let header =
            format!("{}.{}.{}", super::AVENV_VERSION_MAJOR, super::AVENV_VERSION_MINOR, super::AVENV_VERSION_PATCH);
        assert_eq!(header, env!("CARGO_PKG_VERSION"));
        assert_eq!(super::AVENV_ABI_VERSION.to_string(), env!("AGENT_VENV_ABI_VERSION"));
    }
}
