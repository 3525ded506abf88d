//! Who calls, and how.

use super::{sipp, site::Account};

/// A caller: a phone of a tenant, or somebody outside.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(super) user: String,
    pub(super) domain: String,
    /// The login, as sipp wants it; empty for calls from outside.
    pub(super) login: String,
    /// The name in From, with its quotes.
    pub(super) name: String,
    /// The address that the call comes from.
    pub(super) address: String,
    /// The user in the request's URI, where it is not the number.
    pub(super) through: Option<String>,
    /// How long the call lasts, in milliseconds, where the other side does not end it.
    pub(super) hold: u32,
    /// The scenario of tests/sip that it does.
    pub(super) scenario: &'static str,
    /// The codec that it offers: the payload type of RTP and its name.
    pub(super) codec: (u8, &'static str),
}

impl Caller {
    /// A phone that logs in.
    pub(crate) fn phone(account: &Account) -> Self {
        let Account { number, domain, password, .. } = account;
        Self {
            user: number.clone(),
            domain: domain.clone(),
            login: format!("[authentication username={number} password={password}]"),
            name: String::new(),
            address: "127.0.0.1".to_owned(),
            through: None,
            hold: 300,
            scenario: "call",
            codec: (0, "PCMU"),
        }
    }

    /// Somebody with that number, whose call arrives from that address.
    pub(crate) fn outside(address: &str, number: &str) -> Self {
        Self {
            user: number.to_owned(),
            domain: "carrier.test".to_owned(),
            login: String::new(),
            name: String::new(),
            address: address.to_owned(),
            through: None,
            hold: 300,
            scenario: "call",
            codec: (0, "PCMU"),
        }
    }

    /// With that display name.
    pub(crate) fn named(mut self, name: &str) -> Self {
        self.name = format!("\"{name}\" ");
        self
    }

    /// To the contact that a gateway registered.
    pub(crate) fn through(mut self, contact: &str) -> Self {
        self.through = Some(contact.to_owned());
        self
    }

    /// For so many milliseconds.
    pub(crate) fn holding(mut self, milliseconds: u32) -> Self {
        self.hold = milliseconds;
        self
    }

    /// Gives up so many milliseconds after it rang.
    pub(crate) fn cancelling(self, milliseconds: u32) -> Self {
        Self { scenario: "cancel", hold: milliseconds, ..self }
    }

    /// Puts the call on hold for so many milliseconds, between two seconds of talk.
    pub(crate) fn pausing(self, milliseconds: u32) -> Self {
        Self { scenario: "hold", hold: milliseconds, ..self }
    }

    /// Hands the call on when it is told to.
    pub(crate) fn referring(self) -> Self {
        Self { scenario: "refer-call", ..self }
    }

    /// Offers that codec.
    pub(crate) fn speaking(self, payload: u8, name: &'static str) -> Self {
        Self { codec: (payload, name), ..self }
    }

    /// What sipp shall do.
    pub(super) fn script(&self) -> String {
        let (payload, name) = self.codec;
        sipp::scenario(self.scenario)
            .replace("@HOLD@", &self.hold.to_string())
            .replace("RTP/AVP 0", &format!("RTP/AVP {payload}"))
            .replace("rtpmap:0 PCMU", &format!("rtpmap:{payload} {name}"))
    }

    /// The line of sipp's injection file for a call to that number.
    pub(super) fn line(&self, number: &str) -> String {
        let Self { user, domain, login, name, through, .. } = self;
        let to = escaped(number);
        let uri = through.clone().unwrap_or_else(|| to.clone());
        format!("{user};{domain};{login};{to};{name};{uri}\n")
    }

    pub(super) fn is_outside(&self) -> bool {
        self.login.is_empty()
    }
}

/// A number as the user of a SIP URI (RFC 3261, 25.1).
pub(crate) fn escaped(number: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.!~*+".contains(&byte);
    number
        .bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
