//! Registrations as FreeSWITCH shows them: `show registrations as json` (`show_function` in `mod_commands.c`).

use super::said::plausible;
use super::sip::Registration;
use serde::Deserialize;

/// Longest text that is kept of a column, in bytes; phones choose some of them.
const LONGEST: usize = 1024;

#[derive(Deserialize)]
struct Shown {
    /// Not there when there is none.
    #[serde(default)]
    rows: Vec<Row>,
    #[serde(rename = "row_count")]
    _count: u64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Row {
    reg_user: String,
    realm: String,
    /// The Call-ID of the phone's REGISTER requests (`switch_core_add_registration` in `sofia_reg.c`).
    token: String,
    /// `sofia/` and the profile, `/` and the contact.
    url: String,
    /// Seconds since 1970.
    expires: String,
    network_ip: String,
    network_port: String,
}

impl Registration {
    /// The registrations that FreeSWITCH shows at that time, in microseconds since 1970. Those without a user or a domain are left out.
    ///
    /// # Errors
    /// It is something else, such as an error of FreeSWITCH.
    pub fn shown(text: &str, at: i64) -> Result<Vec<Self>, serde_json::Error> {
        let shown: Shown = serde_json::from_str(text)?;
        Ok(shown.rows.into_iter().filter_map(|row| Self::of_row(row, at)).collect())
    }

    fn of_row(row: Row, at: i64) -> Option<Self> {
        let url = row.url.strip_prefix("sofia/").and_then(|rest| rest.split_once('/'));
        let seconds: Option<i64> = row.expires.trim().parse().ok();
        Some(Self {
            user: text(row.reg_user)?,
            domain: text(row.realm)?.to_ascii_lowercase(),
            call_id: text(row.token).unwrap_or_default(),
            profile: url.and_then(|(profile, _)| text(profile.to_owned())),
            contact: url.and_then(|(_, contact)| text(contact.to_owned())),
            user_agent: None,
            network_ip: text(row.network_ip),
            network_port: text(row.network_port),
            at,
            expires_at: seconds
                .and_then(|seconds| seconds.checked_mul(1_000_000))
                .filter(|time| plausible(*time)),
        })
    }
}

/// What is not empty, without NUL, which no text of PostgreSQL may hold, and not too long.
fn text(mut text: String) -> Option<String> {
    if text.contains('\0') {
        text = text.replace('\0', "\u{fffd}");
    }
    text.truncate(text.floor_char_boundary(LONGEST));
    Some(text).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::Registration;

    #[test]
    fn what_is_shown_becomes_registrations() {
        assert_eq!(Registration::shown("{\"row_count\":0}", 7).unwrap(), []);
        let text = r#"{"row_count":3,"rows":[
            {"reg_user":"1001","realm":"ACME.example","token":"a@b","url":"sofia/internal/sip:1001@127.0.0.1:5070",
             "expires":"1795689806","network_ip":"127.0.0.1","network_port":"5070","network_proto":"udp",
             "hostname":"sw1","metadata":""},
            {"reg_user":"","realm":"acme.example","token":"x"},
            {"reg_user":"1\u0000","realm":"acme.example","expires":"99999999999999999999","url":"nothing"}]}"#;
        let [known, odd] = &Registration::shown(text, 7).unwrap()[..] else { panic!() };
        assert_eq!(
            *known,
            Registration {
                user: "1001".into(),
                domain: "acme.example".into(),
                call_id: "a@b".into(),
                profile: Some("internal".into()),
                contact: Some("sip:1001@127.0.0.1:5070".into()),
                user_agent: None,
                network_ip: Some("127.0.0.1".into()),
                network_port: Some("5070".into()),
                at: 7,
                expires_at: Some(1_795_689_806_000_000),
            }
        );
        assert_eq!((&*odd.user, odd.expires_at, &odd.contact), ("1\u{fffd}", None, &None));
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for text in ["", "-ERR show Command not found!\n", "[]", "{}", "{\"row_count\":1,\"rows\":7}"] {
            assert!(Registration::shown(text, 7).is_err(), "{text}");
        }
    }
}
