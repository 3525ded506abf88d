//! What proves that a client was authorised for a channel, on whichever node it was.
//!
//! `auth` is what the Pusher protocol has: the key, and the HMAC-SHA-256 of the socket and the channel. It does not say who was authorised,
//! and nothing that is kept in a process could: the socket may be another node's. So that goes with it, in `channel_data`, which clients
//! hand back as it is: the token, and from where on, with a signature of its own over all of it.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use super::channel::Channel;

/// What an authorisation consists of.
#[derive(Debug, Serialize)]
pub(crate) struct Authorisation {
    auth: String,
    channel_data: String,
}

/// Who was authorised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Ticket {
    /// The id of the token.
    pub(crate) token: i64,
    /// The sequence of the event behind which it is to begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) since: Option<i64>,
}

/// A ticket with its signature, as it travels.
#[derive(Deserialize, Serialize)]
struct Sealed {
    #[serde(flatten)]
    ticket: Ticket,
    seal: String,
}

/// The key by which programs name this installation, and the secret that signs.
pub(super) struct Signer {
    pub(super) key: String,
    pub(super) secret: String,
}

impl Signer {
    /// An authorisation of that socket for that channel.
    pub(super) fn authorise(&self, socket: &str, channel: Channel, ticket: Ticket) -> Authorisation {
        let sealed = Sealed { ticket, seal: self.seal(socket, channel, ticket) };
        Authorisation {
            auth: format!("{}:{}", self.key, self.sign(&format!("{socket}:{channel}"))),
            // Our own values in memory: this cannot fail.
            channel_data: serde_json::to_string(&sealed).unwrap_or_default(),
        }
    }

    /// Who was authorised, if it was that socket for that channel.
    pub(super) fn verify(
        &self,
        socket: &str,
        channel: Channel,
        auth: &str,
        channel_data: &str,
    ) -> Option<Ticket> {
        let (key, signature) = auth.split_once(':')?;
        let Sealed { ticket, seal } = serde_json::from_str(channel_data).ok()?;
        let good = same(signature, &self.sign(&format!("{socket}:{channel}")))
            & same(&seal, &self.seal(socket, channel, ticket));
        (key == self.key && good).then_some(ticket)
    }

    fn seal(&self, socket: &str, channel: Channel, ticket: Ticket) -> String {
        let since = ticket.since.map(|since| since.to_string()).unwrap_or_default();
        // No name of a socket begins like this: it is no `auth` of anything.
        self.sign(&format!("nizam ticket:{socket}:{channel}:{}:{since}", ticket.token))
    }

    fn sign(&self, text: &str) -> String {
        // A key of any length is one.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes()) else {
            return String::new();
        };
        mac.update(text.as_bytes());
        let mut hex = String::with_capacity(64);
        for byte in mac.finalize().into_bytes() {
            // Writing into memory cannot fail.
            let _written = write!(hex, "{byte:02x}");
        }
        hex
    }
}

fn same(given: &str, good: &str) -> bool {
    !good.is_empty() && bool::from(given.as_bytes().ct_eq(good.as_bytes()))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::super::channel::Kind;
    use super::*;

    fn signer(secret: &str) -> Signer {
        Signer { key: "nizam".into(), secret: secret.into() }
    }

    fn channel(kind: Kind) -> Channel {
        Channel { tenant: Uuid::from_u128(1), kind }
    }

    #[test]
    fn a_signature_that_openssl_makes_as_well() {
        // printf '1.2:private-tenant.00000000-0000-0000-0000-000000000001.calls' | openssl dgst -sha256 -hmac 'a secret of ours'
        let made = signer("a secret of ours").authorise(
            "1.2",
            channel(Kind::Calls(None)),
            Ticket { token: 7, since: None },
        );
        assert_eq!(made.auth, "nizam:695bef03b248d2e80298835ac0736cd3fc25759a45b734538514722e5870de20");
    }

    #[test]
    fn only_what_was_signed_is_good() {
        let (ours, kind) = (signer("a secret of ours"), Kind::Events);
        let ticket = Ticket { token: 7, since: Some(5) };
        let Authorisation { auth, channel_data } = ours.authorise("1.2", channel(kind), ticket);
        let verify = |signer: &Signer, socket, kind, auth: &str, data: &str| {
            signer.verify(socket, channel(kind), auth, data)
        };
        assert_eq!(verify(&ours, "1.2", kind, &auth, &channel_data), Some(ticket));
        assert_eq!(verify(&signer("another"), "1.2", kind, &auth, &channel_data), None);
        assert_eq!(verify(&ours, "1.3", kind, &auth, &channel_data), None);
        assert_eq!(verify(&ours, "1.2", Kind::Calls(None), &auth, &channel_data), None);
        for (from, to) in
            [("\"token\":7", "\"token\":8"), ("\"since\":5", "\"since\":4"), (",\"since\":5", "")]
        {
            let forged = channel_data.replace(from, to);
            assert_ne!(forged, channel_data);
            assert_eq!(verify(&ours, "1.2", kind, &auth, &forged), None, "{forged}");
        }
        for auth in ["", ":", "nizam:", "nizam", &auth.replace("nizam", "other"), &format!("{auth}0")] {
            assert_eq!(verify(&ours, "1.2", kind, auth, &channel_data), None, "{auth}");
        }
        for data in ["", "{}", "[]", "null", "{\"token\":7}"] {
            assert_eq!(verify(&ours, "1.2", kind, &auth, data), None, "{data}");
        }
    }
}
