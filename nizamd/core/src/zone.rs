//! Time zones.

use std::sync::OnceLock;

use jiff::tz::{TimeZone, TimeZoneDatabase};

/// The zone with that name in the IANA database that is built into this program; never one of the machine, so that all nodes
/// agree.
pub fn zone(name: &str) -> Option<TimeZone> {
    static ZONES: OnceLock<TimeZoneDatabase> = OnceLock::new();
    ZONES.get_or_init(TimeZoneDatabase::bundled).get(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_have_names() {
        assert_eq!(zone("Europe/Berlin").unwrap().iana_name(), Some("Europe/Berlin"));
        for name in ["UTC", "America/New_York", "asia/kolkata"] {
            assert!(zone(name).is_some(), "{name}");
        }
        for name in ["", "Mars/Olympus", "../../etc/passwd", "CET+1"] {
            assert!(zone(name).is_none(), "{name}");
        }
    }
}
