//! What this switch says about itself: names, version, global variables.

use crate::memory;
use crate::options;
use libc::c_char;
use std::ffi::{CStr, CString};
use std::sync::OnceLock;

/// New with every process, as FreeSWITCH's is.
pub(crate) fn core_uuid() -> &'static CStr {
    static UUID: OnceLock<CString> = OnceLock::new();
    UUID.get_or_init(|| {
        let mut random = [0_u8; 16];
        // SAFETY: the buffer has as many bytes as are asked for; so few never come short (getrandom(2)).
        unsafe { libc::getrandom(random.as_mut_ptr().cast(), random.len(), 0) };
        let number = u128::from_ne_bytes(random);
        // Version 4, variant 1 (RFC 9562, section 5.4).
        let number = number & !(0xf << 76) | 0x4 << 76;
        let number = number & !(0x3 << 62) | 0x2 << 62;
        let digits = format!("{number:032x}");
        let groups = [0..8, 8..12, 12..16, 16..20, 20..32].map(|range| digits.get(range).unwrap_or_default());
        CString::new(groups.join("-")).unwrap_or_default()
    })
}

pub(crate) fn switchname() -> &'static CStr {
    &options::get().name
}

fn version() -> &'static CStr {
    options::get().release.version()
}

/// A global variable, as `vars.xml` and the core set them.
pub(crate) fn variable(name: &str) -> Option<String> {
    match name {
        "core_uuid" => Some(core_uuid().to_string_lossy().into_owned()),
        "switchname" | "hostname" => Some(switchname().to_string_lossy().into_owned()),
        "local_ip_v4" => Some("127.0.0.1".to_owned()),
        _ => options::get().variables.get(name).cloned(),
    }
}

#[unsafe(no_mangle)]
extern "C" fn switch_core_get_uuid() -> *mut c_char {
    core_uuid().as_ptr().cast_mut()
}

#[unsafe(no_mangle)]
extern "C" fn switch_core_get_switchname() -> *const c_char {
    switchname().as_ptr()
}

#[unsafe(no_mangle)]
extern "C" fn switch_version_full() -> *const c_char {
    version().as_ptr()
}

/// The caller frees the answer; null if there is no such variable.
#[unsafe(no_mangle)]
unsafe extern "C" fn switch_core_get_variable_dup(name: *const c_char) -> *mut c_char {
    // SAFETY: a C string of the caller.
    let name = String::from_utf8_lossy(unsafe { memory::bytes(name) });
    variable(&name).map_or(std::ptr::null_mut(), |value| memory::string(value.as_bytes()))
}
