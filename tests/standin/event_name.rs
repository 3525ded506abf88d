//! The numbers of events, which differ between releases: a module that compiles them in binds the wrong one.

use std::ffi::CStr;
use std::str::FromStr;

/// Releases on both sides of every change of the numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Release {
    V1_10_0,
    V1_10_12,
    V1_11_2,
}

impl FromStr for Release {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "1.10.0" => Ok(Self::V1_10_0),
            "1.10.12" => Ok(Self::V1_10_12),
            "1.11.2" => Ok(Self::V1_11_2),
            _ => Err(format!("--release {text}: one of 1.10.0, 1.10.12, 1.11.2")),
        }
    }
}

impl Release {
    pub(crate) fn version(self) -> &'static CStr {
        match self {
            Self::V1_10_0 => c"1.10.0-release~64bit",
            Self::V1_10_12 => c"1.10.12-release~64bit",
            Self::V1_11_2 => c"1.11.2-release~64bit",
        }
    }

    /// Before 1.10.2 there was no `SHUTDOWN_REQUESTED`, before 1.10.7 no `SEND_RTCP_MESSAGE`, before 1.11.1 no
    /// `CERT_RELOAD`.
    fn has(self, name: &str) -> bool {
        match name {
            "SHUTDOWN_REQUESTED" | "SEND_RTCP_MESSAGE" => self != Self::V1_10_0,
            "CERT_RELOAD" => self == Self::V1_11_2,
            _ => true,
        }
    }

    fn names(self) -> impl Iterator<Item = &'static str> {
        NAMES.iter().copied().filter(move |name| self.has(name))
    }

    /// How many there are, `ALL` included.
    pub(crate) fn count(self) -> usize {
        self.names().count()
    }

    pub(crate) fn name(self, id: u32) -> Option<&'static str> {
        self.names().nth(usize::try_from(id).ok()?)
    }

    /// With or without the prefix `SWITCH_EVENT_`, in any case.
    pub(crate) fn id(self, name: &str) -> Option<u32> {
        let prefix = "SWITCH_EVENT_".len();
        let short = name.get(prefix..).filter(|short| !short.is_empty());
        let found = self.names().position(|known| {
            known.eq_ignore_ascii_case(name) || short.is_some_and(|short| known.eq_ignore_ascii_case(short))
        });
        found.and_then(|index| u32::try_from(index).ok())
    }
}

/// In the order of the newest release.
const NAMES: [&str; 94] = [
    "CUSTOM",
    "CLONE",
    "CHANNEL_CREATE",
    "CHANNEL_DESTROY",
    "CHANNEL_STATE",
    "CHANNEL_CALLSTATE",
    "CHANNEL_ANSWER",
    "CHANNEL_HANGUP",
    "CHANNEL_HANGUP_COMPLETE",
    "CHANNEL_EXECUTE",
    "CHANNEL_EXECUTE_COMPLETE",
    "CHANNEL_HOLD",
    "CHANNEL_UNHOLD",
    "CHANNEL_BRIDGE",
    "CHANNEL_UNBRIDGE",
    "CHANNEL_PROGRESS",
    "CHANNEL_PROGRESS_MEDIA",
    "CHANNEL_OUTGOING",
    "CHANNEL_PARK",
    "CHANNEL_UNPARK",
    "CHANNEL_APPLICATION",
    "CHANNEL_ORIGINATE",
    "CHANNEL_UUID",
    "API",
    "LOG",
    "INBOUND_CHAN",
    "OUTBOUND_CHAN",
    "STARTUP",
    "SHUTDOWN",
    "PUBLISH",
    "UNPUBLISH",
    "TALK",
    "NOTALK",
    "SESSION_CRASH",
    "MODULE_LOAD",
    "MODULE_UNLOAD",
    "DTMF",
    "MESSAGE",
    "PRESENCE_IN",
    "NOTIFY_IN",
    "PRESENCE_OUT",
    "PRESENCE_PROBE",
    "MESSAGE_WAITING",
    "MESSAGE_QUERY",
    "ROSTER",
    "CODEC",
    "BACKGROUND_JOB",
    "DETECTED_SPEECH",
    "DETECTED_TONE",
    "PRIVATE_COMMAND",
    "HEARTBEAT",
    "TRAP",
    "ADD_SCHEDULE",
    "DEL_SCHEDULE",
    "EXE_SCHEDULE",
    "RE_SCHEDULE",
    "RELOADXML",
    "NOTIFY",
    "PHONE_FEATURE",
    "PHONE_FEATURE_SUBSCRIBE",
    "SEND_MESSAGE",
    "RECV_MESSAGE",
    "REQUEST_PARAMS",
    "CHANNEL_DATA",
    "GENERAL",
    "COMMAND",
    "SESSION_HEARTBEAT",
    "CLIENT_DISCONNECTED",
    "SERVER_DISCONNECTED",
    "SEND_INFO",
    "RECV_INFO",
    "RECV_RTCP_MESSAGE",
    "SEND_RTCP_MESSAGE",
    "CALL_SECURE",
    "NAT",
    "RECORD_START",
    "RECORD_STOP",
    "PLAYBACK_START",
    "PLAYBACK_STOP",
    "CALL_UPDATE",
    "FAILURE",
    "SOCKET_DATA",
    "MEDIA_BUG_START",
    "MEDIA_BUG_STOP",
    "CONFERENCE_DATA_QUERY",
    "CONFERENCE_DATA",
    "CALL_SETUP_REQ",
    "CALL_SETUP_RESULT",
    "CALL_DETAIL",
    "DEVICE_STATE",
    "TEXT",
    "SHUTDOWN_REQUESTED",
    "CERT_RELOAD",
    "ALL",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_each_release() {
        for (release, all, record_stop) in
            [(Release::V1_10_0, 90, 75), (Release::V1_10_12, 92, 76), (Release::V1_11_2, 93, 76)]
        {
            assert_eq!(release.id("ALL"), Some(all), "{release:?}");
            assert_eq!(release.id("RECORD_STOP"), Some(record_stop), "{release:?}");
            assert_eq!(release.id("SWITCH_EVENT_custom"), Some(0));
            assert_eq!(release.id("REQUEST_PARAMS"), Some(62));
            assert_eq!(release.name(8), Some("CHANNEL_HANGUP_COMPLETE"));
            assert_eq!(release.name(all), Some("ALL"));
            assert_eq!(release.name(all + 1), None);
        }
    }
}
