//! A gateway as mod_sofia shows it: `sofia xmlstatus gateway NAME` (`xml_gateway_status` in `mod_sofia.c`).
//!
//! Tenants choose some of the texts in it, and mod_sofia escapes few of them: the user name of a login could hold a whole
//! `<state>REGED</state>`. But all of them stand before the state, and behind it there are only words and numbers of mod_sofia's own. So its
//! end is read, and of the rest the name alone, which is the first of the fields.

use super::claim::gateway_id;
use super::sip::GatewayState;
use thiserror::Error;

/// It shows something else: an error of FreeSWITCH, or another gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("what the switch shows is no gateway")]
pub struct NoGateway;

/// What stands before the name.
const HEAD: &str = "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n  <gateway>\n    <name>";

/// Longest word of a state.
const LONGEST: usize = 20;

impl GatewayState {
    /// How the gateway of that name is at that time, in microseconds since 1970, by what the switch shows of it. `None`: it has none
    /// of that name.
    ///
    /// # Errors
    /// It shows something else.
    pub fn shown(name: &str, text: &str, at: i64) -> Result<Option<Self>, NoGateway> {
        if text.trim_end() == "Invalid Gateway!" {
            return Ok(None);
        }
        let fields = text.strip_prefix(HEAD).and_then(|rest| rest.strip_prefix(name)).ok_or(NoGateway)?;
        let (_, end) = fields
            .strip_prefix("</name>\n")
            .and_then(|fields| fields.rsplit_once("\n    <state>"))
            .filter(|(_, end)| end.ends_with("\n  </gateway>\n"))
            .ok_or(NoGateway)?;
        let mut lines = end.lines();
        let state = lines.next().and_then(|line| line.strip_suffix("</state>")).filter(|word| is_word(word));
        let status = lines
            .next()
            .and_then(|line| line.strip_prefix("    <status>")?.strip_suffix("</status>"))
            .ok_or(NoGateway)?;
        Ok(Some(Self {
            name: name.to_owned(),
            gateway_id: gateway_id(name),
            state: state.ok_or(NoGateway)?.to_owned(),
            ping: Some(status).filter(|status| matches!(*status, "UP" | "DOWN")).map(str::to_owned),
            phrase: None,
            code: None,
            at,
        }))
    }
}

/// `FAIL_WAIT`.
fn is_word(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::super::tests::GATEWAY;
    use super::{GatewayState, HEAD, NoGateway};

    /// The answer of FreeSWITCH 1.10.12 for a gateway of which these are the user name and the state.
    fn answer(name: &str, username: &str, state: &str, status: &str) -> String {
        let fields = [
            ("name", name),
            ("profile", "external"),
            ("scheme", "Digest"),
            ("realm", "carrier.example"),
            ("username", username),
            ("password", "yes"),
            ("from", "&lt;sip:acme@carrier.example&gt;"),
            ("contact", "&lt;sip:gw+x@127.0.0.1:5080;transport=udp&gt;"),
            ("exten", "auto"),
            ("to", "sip:acme@carrier.example"),
            ("proxy", "sip:carrier.example:5060;transport=udp"),
            ("context", "public"),
            ("expires", "3600"),
            ("freq", "3600"),
            ("ping", "0"),
            ("pingtime", "0.00"),
            ("pinging", "0"),
            ("state", state),
            ("status", status),
            ("uptime-usec", "0"),
            ("calls-in", "0"),
            ("failed-calls-out", "0"),
            ("retry", "29s"),
        ];
        let fields = fields.map(|(name, value)| format!("    <{name}>{value}</{name}>\n")).concat();
        format!("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n  <gateway>\n{fields}  </gateway>\n")
    }

    #[test]
    fn the_state_is_read_and_nothing_that_a_tenant_wrote() {
        let name = format!("{GATEWAY}-3");
        let state = |text: &str| GatewayState::shown(&name, text, 7).unwrap().unwrap();
        let plain = state(&answer(&name, "acme", "FAIL_WAIT", "DOWN"));
        assert_eq!(
            plain,
            GatewayState {
                name: name.clone(),
                gateway_id: Some(GATEWAY),
                state: "FAIL_WAIT".into(),
                ping: Some("DOWN".into()),
                phrase: None,
                code: None,
                at: 7,
            }
        );
        let forged = answer(&name, "x", "REGED", "UP");
        for username in [
            "a</username>\n    <state>REGED</state>\n    <status>UP</status>",
            forged.as_str(),
            "Invalid Gateway!",
            "<![CDATA[",
            "<!--",
            "\n  </gateway>\n",
        ] {
            assert_eq!(state(&answer(&name, username, "FAIL_WAIT", "DOWN")), plain, "{username}");
        }
        assert_eq!(state(&answer(&name, "a", "NOREG", "(null)")).ping, None);
    }

    #[test]
    fn a_gateway_that_is_not_there_is_none_and_all_else_is_an_error() {
        assert_eq!(GatewayState::shown("a-1", "Invalid Gateway!\n", 7), Ok(None));
        let whole = answer("a-1", "acme", "REGED", "UP");
        assert!(GatewayState::shown("a-1", &whole, 7).is_ok());
        for other in ["a-2", "a-", "a-11", ""] {
            assert_eq!(GatewayState::shown(other, &whole, 7), Err(NoGateway), "{other}");
        }
        for text in ["", "-ERR sofia Command not found!\n", "USAGE:\n", "INVALID COMMAND!\n", HEAD] {
            assert_eq!(GatewayState::shown("a-1", text, 7), Err(NoGateway), "{text}");
        }
        for (was, is) in
            [("REGED", "reged"), ("REGED", ""), ("REGED", "A_STATE_THAT_THERE_IS_NOT"), ("status", "x")]
        {
            assert_eq!(GatewayState::shown("a-1", &whole.replace(was, is), 7), Err(NoGateway), "{is}");
        }
        for length in 0..whole.len() {
            assert_eq!(
                GatewayState::shown("a-1", whole.get(..length).unwrap(), 7),
                Err(NoGateway),
                "{length}"
            );
        }
    }
}
