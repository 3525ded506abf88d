//! C strings.

use std::borrow::Cow;
use std::ffi::{CStr, CString, c_char};

/// The bytes of a C string, `None` for NULL.
///
/// # Safety
/// `text` is NULL or a NUL-terminated string that stays as it is for `'a`.
pub(super) unsafe fn bytes<'a>(text: *const c_char) -> Option<&'a [u8]> {
    if text.is_null() {
        return None;
    }
    // SAFETY: by the caller's promise.
    Some(unsafe { CStr::from_ptr(text) }.to_bytes())
}

/// Text of FreeSWITCH's, with anything that is not UTF-8 replaced.
///
/// # Safety
/// As for [`bytes`].
pub(super) unsafe fn lossy<'a>(text: *const c_char) -> Cow<'a, str> {
    // SAFETY: by the caller's promise.
    unsafe { bytes(text) }.map_or(Cow::Borrowed(""), String::from_utf8_lossy)
}

/// A C string with NUL bytes left out: none of our texts has one, and a shortened log line is better than none.
pub(super) fn c_string(text: &str) -> CString {
    CString::new(text).unwrap_or_else(|_| CString::new(text.replace('\0', "")).unwrap_or_default())
}
