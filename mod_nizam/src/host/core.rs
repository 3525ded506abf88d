//! Facts about this FreeSWITCH.

use super::text::lossy;
use freeswitch_sys::{switch_core_get_switchname, switch_core_get_uuid, switch_version_full};

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
