//! Strings and bytes from and for C.

use std::borrow::Cow;
use std::ffi::{CStr, CString, c_char, c_void};

use crate::error::{Error, Result};

use super::guard::null;

/// The UTF-8 text of a required string.
///
/// # Safety
/// `text` is NULL or ends with NUL, and is not changed while the text is used.
pub(super) unsafe fn text<'a>(text: *const c_char, parameter: &str) -> Result<&'a str> {
    // SAFETY: as the caller promises.
    unsafe { optional(text, parameter) }?.ok_or_else(|| null(parameter))
}

/// The UTF-8 text of a string that may be NULL.
///
/// # Safety
/// As for [`text`].
pub(super) unsafe fn optional<'a>(text: *const c_char, parameter: &str) -> Result<Option<&'a str>> {
    if text.is_null() {
        return Ok(None);
    }
    // SAFETY: it is not NULL, and the caller promises the rest.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_str().map(Some).map_err(|_| Error::invalid(parameter, "is not valid UTF-8"))
}

/// The content of a file.
///
/// # Safety
/// `data` is NULL or valid for `len` bytes, and is not changed while the bytes are used.
pub(super) unsafe fn bytes<'a>(data: *const c_void, len: usize, parameter: &str) -> Result<&'a [u8]> {
    match (data.is_null(), len) {
        (_, 0) => Ok(&[]),
        (true, _) => Err(null(parameter)),
        (false, _) if isize::try_from(len).is_err() => Err(Error::invalid(parameter, "is larger than memory can be")),
        // SAFETY: it is not NULL, no longer than any object can be, and the caller promises the rest.
        (false, _) => Ok(unsafe { std::slice::from_raw_parts(data.cast(), len) }),
    }
}

/// Text for C. NUL can't stand in it: where one does (in a message about a file's name, say), it shows as a replacement.
pub(super) fn c_string(text: String) -> CString {
    CString::new(text).unwrap_or_else(|error| {
        let text = String::from_utf8_lossy(&error.into_vec()).replace('\0', "\u{fffd}");
        CString::new(text).unwrap_or_default()
    })
}

/// A JSON list for C.
pub(super) fn json_list(items: &mut dyn Iterator<Item = &str>) -> CString {
    use serde::Serializer;
    let mut text = Vec::new();
    // Writing to memory can't fail, and JSON is UTF-8.
    _ = serde_json::Serializer::new(&mut text).collect_seq(items);
    c_string(String::from_utf8(text).unwrap_or_default())
}

/// Text for C that mostly is the same: that is not kept for each handle.
pub(super) fn mostly(text: CString, same: &'static CStr) -> Cow<'static, CStr> {
    if *text == *same { Cow::Borrowed(same) } else { Cow::Owned(text) }
}

/// JSON text for C.
pub(super) fn json(value: &impl serde::Serialize) -> CString {
    c_string(serde_json::to_string(value).unwrap_or_default())
}

/// # Safety
/// `string` is NULL or came from [`CString::into_raw`], and is not used again.
pub(super) unsafe fn free(string: *mut c_char) {
    if !string.is_null() {
        // SAFETY: as the caller promises.
        drop(unsafe { CString::from_raw(string) });
    }
}
