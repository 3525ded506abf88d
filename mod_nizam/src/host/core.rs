//! Facts about this FreeSWITCH.

use super::text::{bytes, lossy};
use freeswitch_sys::{
    switch_core_get_switchname, switch_core_get_uuid, switch_core_get_variable_dup, switch_version_full,
};

/// Who this FreeSWITCH is.
#[derive(Clone, Debug)]
pub(crate) struct Core {
    /// Its name.
    pub(crate) switch_name: String,
    /// Its core UUID.
    pub(crate) uuid: String,
    /// Its version, as in `1.10.12-release…`.
    pub(crate) version: String,
}

/// Where FreeSWITCH keeps recordings: its global variable `recordings_dir` (`switch_core.c:switch_core_set_globals`).
pub(crate) fn recordings() -> Option<String> {
    // SAFETY: a NUL-terminated name; the answer is NULL or a copy that is ours to free.
    let value = unsafe { switch_core_get_variable_dup(c"recordings_dir".as_ptr()) };
    // SAFETY: as above.
    let text = (unsafe { bytes(value) }).and_then(|text| std::str::from_utf8(text).ok().map(str::to_owned));
    // SAFETY: NULL, or made by `strdup` for us; no reference to it is left.
    unsafe { libc::free(value.cast()) };
    text.filter(|text| !text.is_empty())
}

impl Core {
    pub(crate) fn read() -> Self {
        // SAFETY: no arguments; set before modules are loaded.
        let name = unsafe { switch_core_get_switchname() };
        // SAFETY: as above.
        let uuid = unsafe { switch_core_get_uuid() };
        // SAFETY: as above.
        let version = unsafe { switch_version_full() };
        // SAFETY: static strings of FreeSWITCH.
        let [name, uuid, version] = [name, uuid, version].map(|text| unsafe { lossy(text) });
        Self { switch_name: name.into_owned(), uuid: uuid.into_owned(), version: version.into_owned() }
    }
}
