//! Mailboxes: messages that were left, and PINs that were chosen by phone.

use super::said::Said;
use nizam_wire::event::{Event, EventWriter};
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::fmt;

/// The header that holds a PIN.
const PIN: &str = "VM-User-Password";

/// A PIN that somebody has chosen by phone (`mod_voicemail.c:voicemail_check_main`).
#[derive(Clone, PartialEq, Eq)]
pub struct NewPin {
    /// The mailbox: the number of an extension.
    pub user: String,
    /// Its domain.
    pub domain: String,
    /// The PIN.
    pub pin: String,
}

impl fmt::Debug for NewPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewPin")
            .field("user", &self.user)
            .field("domain", &self.domain)
            .finish_non_exhaustive()
    }
}

impl NewPin {
    /// `None`: the event does not say whose, or which.
    pub(super) fn of(said: Said<'_>) -> Option<Self> {
        Some(Self {
            user: said.text("VM-User")?,
            domain: said.text("VM-Domain")?.to_ascii_lowercase(),
            pin: said.text(PIN)?,
        })
    }

    /// As clients get it: without the PIN.
    pub(super) fn metadata(&self) -> Map<String, Value> {
        let fields = [("user", json!(self.user)), ("domain", json!(self.domain))];
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// A message that was left, as clients get it.
pub(super) fn message(said: Said<'_>) -> Map<String, Value> {
    let metadata = [
        ("user", "VM-User"),
        ("domain", "VM-Domain"),
        ("caller_id_number", "VM-Caller-ID-Number"),
        ("caller_id_name", "VM-Caller-ID-Name"),
        ("message_len", "VM-Message-Len"),
        ("message_uuid", "VM-UUID"),
    ];
    metadata.into_iter().map(|(name, header)| (name.to_owned(), json!(said.text(header)))).collect()
}

/// A record that may be kept for the operator to read: without a PIN. One that cannot be read and may hold one is not kept.
pub fn without_pin(record: &[u8]) -> Cow<'_, [u8]> {
    let holds = record.windows(PIN.len()).any(|window| window.eq_ignore_ascii_case(PIN.as_bytes()));
    if !holds {
        return Cow::Borrowed(record);
    }
    let mut out = Vec::with_capacity(record.len());
    let Ok(event) = Event::read(record) else { return Cow::Owned(out) };
    let mut writer = EventWriter::new(&mut out, event.time, event.name.as_bytes(), event.subclass.as_bytes());
    for (name, value) in event.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case(PIN)) {
        writer.header(name, value);
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::without_pin;
    use crate::call::{About, Fact};
    use nizam_wire::event::{Event, EventWriter};

    fn record(headers: &[(&str, &str)]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut writer = EventWriter::new(&mut out, 1_785_153_600_000_000, b"CUSTOM", b"vm::maintenance");
        for (name, value) in headers {
            writer.header(name, value.as_bytes());
        }
        out
    }

    const CHANGE: [(&str, &str); 4] = [
        ("VM-Action", "change-password"),
        ("VM-User", "1001"),
        ("VM-Domain", "ACME.example"),
        ("VM-User-Password", "48151623"),
    ];

    #[test]
    fn a_pin_is_for_the_mailbox_and_for_nobody_to_read() {
        let fact = Fact::read(&record(&CHANGE), 0).unwrap().unwrap();
        assert_eq!((fact.kind.as_deref(), &*fact.subject), (Some("voicemail.pin_changed"), "1001"));
        assert!(!format!("{fact:?}").contains("48151623"));
        let About::Pin(chosen) = fact.about else { panic!() };
        assert_eq!((&*chosen.user, &*chosen.domain, &*chosen.pin), ("1001", "acme.example", "48151623"));
        for missing in 1..CHANGE.len() {
            let mut headers = CHANGE.to_vec();
            headers.remove(missing);
            assert!(Fact::read(&record(&headers), 0).is_err(), "{headers:?}");
        }
    }

    #[test]
    fn what_is_kept_for_the_operator_has_no_pin() {
        let whole = record(&CHANGE);
        let kept = without_pin(&whole);
        assert_eq!(Event::read(&kept).unwrap().headers.len(), 3);
        assert!(!kept.windows(8).any(|window| window == b"48151623"));
        assert!(without_pin(&whole[..whole.len() - 1]).is_empty());
        let other = record(&CHANGE[..3]);
        assert_eq!(&*without_pin(&other), &*other);
        assert_eq!(&*without_pin(b"\x09no event"), b"\x09no event");
    }
}
