//! The guard around every export, and how values go in and out.

use std::ffi::{CStr, CString, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use crate::error::{Error, Result};

use super::error::{AVENV_OK, avenv_error, avenv_status};
use super::text::c_string;

/// The body of an export. Three forms:
///
/// * `guard!(error, output = expression)`: a call with an output. It is set to NULL, then to what the expression answers.
/// * `guard!(error, expression)`: a call that only succeeds or fails.
/// * `guard!(expression)`: a getter or a `_free`; a panic answers NULL, 0 or nothing.
macro_rules! guard {
    ($error:ident, $output:ident = $body:expr) => {{
        // SAFETY: the caller keeps the header's promise: the output is NULL or points to a writable pointer.
        let slot = unsafe { $output.as_mut() };
        let call = |slot: &mut *mut _| {
            *slot = std::ptr::null_mut();
            $crate::ffi::guard::planted!();
            // SAFETY: the caller keeps the header's promise: each argument is NULL or valid for its use here.
            let answer = unsafe { $body };
            answer.map(|value| *slot = $crate::ffi::guard::Output::into_raw(value))
        };
        $crate::ffi::guard::status($error, || match slot {
            Some(slot) => call(slot),
            None => Err($crate::ffi::guard::null(stringify!($output))),
        })
    }};
    ($error:ident, $body:expr) => {{
        $crate::ffi::guard::status($error, || {
            $crate::ffi::guard::planted!();
            // SAFETY: the caller keeps the header's promise: each argument is NULL or valid for its use here.
            unsafe { $body }
        })
    }};
    ($body:expr) => {{
        $crate::ffi::guard::getter(|| {
            $crate::ffi::guard::planted!();
            #[allow(unused_unsafe)] // some getters take no argument
            // SAFETY: the caller keeps the header's promise: each argument is NULL or valid for its use here.
            unsafe {
                $body
            }
        })
    }};
}
pub(super) use guard;

/// Panics in the export that the environment variable `AVENV_TEST_PANIC` names. Only in the library that
/// `tests/abi/guards.py` builds with `--cfg avenv_test_panic`: in any other this is nothing.
macro_rules! planted {
    () => {
        #[cfg(avenv_test_panic)]
        {
            fn here() {}
            let export = std::any::type_name_of_val(&here).rsplit("::").find(|part| part.starts_with("avenv_"));
            let wanted = std::env::var("AVENV_TEST_PANIC").ok();
            assert!(wanted.is_none() || export != wanted.as_deref(), "planted in {export:?}");
        }
    };
}
pub(super) use planted;

/// Runs a call that has a status, and hands its error out.
pub(super) fn status(error: *mut *mut avenv_error, call: impl FnOnce() -> Result<()>) -> avenv_status {
    let _errno = Errno::kept();
    let failure = match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error),
        Err(_) => Some(Error::misuse("a bug in agent-venv (a panic): please report it, with what standard error says")),
    };
    let status = failure.as_ref().map_or(AVENV_OK, |failure| failure.failure().status());
    // SAFETY: the caller keeps the header's promise: `error` is NULL or points to a writable pointer.
    if let Some(error) = unsafe { error.as_mut() } {
        *error = failure.map_or(ptr::null_mut(), |failure| avenv_error::new(&failure).into_raw());
    }
    status
}

/// Runs a getter or a `_free`.
pub(super) fn getter<T: OnPanic>(get: impl FnOnce() -> T) -> T {
    let _errno = Errno::kept();
    catch_unwind(AssertUnwindSafe(get)).unwrap_or(T::ON_PANIC)
}

/// What a getter answers where its code panicked.
pub(super) trait OnPanic {
    const ON_PANIC: Self;
}

impl OnPanic for () {
    const ON_PANIC: Self = ();
}
impl OnPanic for u32 {
    const ON_PANIC: Self = 0;
}
impl OnPanic for i32 {
    const ON_PANIC: Self = 0;
}
impl<T> OnPanic for *const T {
    const ON_PANIC: Self = ptr::null();
}
impl<T> OnPanic for *mut T {
    const ON_PANIC: Self = ptr::null_mut();
}

/// A value that becomes the caller's.
pub(super) trait Output {
    type Raw;
    fn into_raw(self) -> *mut Self::Raw;
}

impl Output for CString {
    type Raw = c_char;
    fn into_raw(self) -> *mut c_char {
        self.into_raw()
    }
}

impl Output for String {
    type Raw = c_char;
    fn into_raw(self) -> *mut c_char {
        c_string(self).into_raw()
    }
}

impl<T> Output for Box<T> {
    type Raw = T;
    fn into_raw(self) -> *mut T {
        Box::into_raw(self)
    }
}

/// Gives a boxed object back; NULL is nothing to give.
///
/// # Safety
/// `object` is NULL or came from [`Output::into_raw`] of a box, and is not used again.
pub(super) unsafe fn free<T>(object: *mut T) {
    if !object.is_null() {
        // SAFETY: as the caller promises.
        drop(unsafe { Box::from_raw(object) });
    }
}

/// The object behind a required pointer.
///
/// # Safety
/// `object` is NULL or valid for as long as the reference is used.
pub(super) unsafe fn required<'a, T>(object: *const T, parameter: &str) -> Result<&'a T> {
    // SAFETY: as the caller promises.
    unsafe { object.as_ref() }.ok_or_else(|| null(parameter))
}

/// The object behind a required pointer, to change it.
///
/// # Safety
/// `object` is NULL or valid, and used by nobody else meanwhile, for as long as the reference is used.
pub(super) unsafe fn required_mut<'a, T>(object: *mut T, parameter: &str) -> Result<&'a mut T> {
    // SAFETY: as the caller promises.
    unsafe { object.as_mut() }.ok_or_else(|| null(parameter))
}

/// A string that an object lends, asked of a pointer that may be NULL.
///
/// # Safety
/// `object` is NULL or valid for as long as the string is used.
pub(super) unsafe fn lent<T>(object: *const T, get: impl FnOnce(&T) -> Option<&CStr>) -> *const c_char {
    // SAFETY: as the caller promises.
    let object = unsafe { object.as_ref() };
    object.and_then(get).map_or(ptr::null(), CStr::as_ptr)
}

pub(super) fn null(parameter: &str) -> Error {
    Error::invalid(parameter, "is NULL, and must not be")
}

/// `errno` as it was before the call, put back after it.
struct Errno(libc::c_int);

impl Errno {
    fn kept() -> Self {
        // SAFETY: the location is this thread's own and always valid.
        Errno(unsafe { *location() })
    }
}

impl Drop for Errno {
    fn drop(&mut self) {
        // SAFETY: the location is this thread's own and always valid.
        unsafe { *location() = self.0 }
    }
}

fn location() -> *mut libc::c_int {
    #[cfg(target_os = "linux")]
    // SAFETY: it has no preconditions.
    unsafe {
        libc::__errno_location()
    }
    #[cfg(target_os = "macos")]
    // SAFETY: it has no preconditions.
    unsafe {
        libc::__error()
    }
}
