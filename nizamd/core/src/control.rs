//! What a client may have FreeSWITCH do with calls, as the command that does it. Pure.
//!
//! Every part of a command is a UUID, a name of a list, or a text that was checked for having nothing that FreeSWITCH takes for more than
//! a part of a word (`mod_commands.c` splits arguments at blanks; `switch_event.c:switch_event_create_brackets` splits variables
//! at commas and takes quotes away).

use nizam_wire::link::Api;
use uuid::Uuid;

/// Which end of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leg {
    /// The channel itself.
    A,
    /// The one that it talks to.
    B,
    /// Both.
    Both,
}

/// On, off, or the other of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// On.
    On,
    /// Off.
    Off,
    /// What it is not now.
    Toggle,
}

/// Something to be done. Channels belong to the tenant: whoever makes one has proved it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Control {
    /// Rings an extension, and connects who answers with a number.
    Originate {
        /// The UUID that the channel gets.
        channel: Uuid,
        /// The extension's number.
        extension: String,
        /// What is dialled for it.
        destination: String,
        /// Whose call the phone shows: name and number.
        caller: (String, String),
    },
    /// Ends a call.
    Hangup {
        /// The channel.
        channel: Uuid,
        /// The cause: `NORMAL_CLEARING`.
        cause: String,
    },
    /// Sends a call elsewhere.
    Transfer {
        /// The channel.
        channel: Uuid,
        /// Which end.
        leg: Leg,
        /// The number that it is sent to.
        destination: String,
    },
    /// Music for one end.
    Hold {
        /// The channel.
        channel: Uuid,
        /// Whether.
        to: Switch,
    },
    /// Records a call.
    Record {
        /// The channel.
        channel: Uuid,
        /// Whether.
        on: bool,
    },
    /// Takes a call out of the hands of whoever has it.
    Park {
        /// The channel.
        channel: Uuid,
    },
    /// Presses keys.
    Dtmf {
        /// The channel that hears them.
        channel: Uuid,
        /// The keys.
        digits: String,
    },
    /// Connects two channels.
    Bridge {
        /// One.
        channel: Uuid,
        /// The other.
        other: Uuid,
    },
    /// Rings an extension that then hears a call.
    Eavesdrop {
        /// The call.
        channel: Uuid,
        /// The UUID that the listener's channel gets.
        listener: Uuid,
        /// The extension's number.
        extension: String,
    },
}

/// The directory of recordings: the module puts that of its FreeSWITCH there.
const RECORDINGS: &str = nizam_wire::link::RECORDINGS;

impl Control {
    /// The command and its argument, for a tenant.
    pub fn command(&self, tenant: Uuid, domain: &str) -> (Api, String) {
        match self {
            Self::Originate { channel, extension, destination, caller: (name, number) } => (
                Api::Originate,
                format!(
                    "{{origination_uuid={channel},nizam_tenant={tenant},origination_caller_id_name='{name}',\
                     origination_caller_id_number={number},user_name={extension},domain_name={domain},\
                     originate_timeout=60}}user/{extension}@{domain} {destination} XML {domain}"
                ),
            ),
            Self::Hangup { channel, cause } => (Api::Kill, format!("{channel} {cause}")),
            Self::Transfer { channel, leg, destination } => {
                let leg = match leg {
                    Leg::A => "",
                    Leg::B => "-bleg ",
                    Leg::Both => "-both ",
                };
                (Api::Transfer, format!("{channel} {leg}{destination} XML {domain}"))
            }
            Self::Hold { channel, to } => {
                let to = match to {
                    Switch::On => "",
                    Switch::Off => "off ",
                    Switch::Toggle => "toggle ",
                };
                (Api::Hold, format!("{to}{channel}"))
            }
            Self::Record { channel, on } => {
                let on = if *on { "start" } else { "stop" };
                (Api::Record, format!("{channel} {on} {RECORDINGS}/{tenant}/{channel}.wav"))
            }
            Self::Park { channel } => (Api::Park, channel.to_string()),
            Self::Dtmf { channel, digits } => (Api::SendDtmf, format!("{channel} {digits}")),
            Self::Bridge { channel, other } => (Api::Bridge, format!("{channel} {other}")),
            Self::Eavesdrop { channel, listener, extension } => (
                Api::Originate,
                format!(
                    "{{origination_uuid={listener},nizam_tenant={tenant},originate_timeout=60}}\
                     user/{extension}@{domain} &eavesdrop({channel})"
                ),
            ),
        }
    }
}

/// Whether a text can be the value of a variable in a dial string. No `:`, wherever it stands and whatever is around it: `:_:` begins another
/// call (`switch_ivr_originate.c:switch_ivr_originate`), and `ARRAY::` is taken away (`switch_event.c:switch_event_add_array`).
pub fn fits_dial_string(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(|c| c.is_control() || "'\"\\,{}[]()<>|^&;:$`".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: Uuid = Uuid::from_u128(7);
    const OTHER: Uuid = Uuid::from_u128(8);
    const TENANT: Uuid = Uuid::from_u128(9);

    #[test]
    fn commands() {
        let all = [
            (Control::Hangup { channel: ID, cause: "USER_BUSY".into() }, "uuid_kill I USER_BUSY"),
            (
                Control::Transfer { channel: ID, leg: Leg::A, destination: "1002".into() },
                "uuid_transfer I 1002 XML acme.example",
            ),
            (
                Control::Transfer { channel: ID, leg: Leg::Both, destination: "+1555".into() },
                "uuid_transfer I -both +1555 XML acme.example",
            ),
            (Control::Hold { channel: ID, to: Switch::On }, "uuid_hold I"),
            (Control::Hold { channel: ID, to: Switch::Off }, "uuid_hold off I"),
            (Control::Hold { channel: ID, to: Switch::Toggle }, "uuid_hold toggle I"),
            (Control::Record { channel: ID, on: true }, "uuid_record I start {recordings_dir}/T/I.wav"),
            (Control::Record { channel: ID, on: false }, "uuid_record I stop {recordings_dir}/T/I.wav"),
            (Control::Park { channel: ID }, "uuid_park I"),
            (Control::Dtmf { channel: ID, digits: "12#".into() }, "uuid_send_dtmf I 12#"),
            (Control::Bridge { channel: ID, other: OTHER }, "uuid_bridge I O"),
            (
                Control::Eavesdrop { channel: ID, listener: OTHER, extension: "1001".into() },
                "originate {origination_uuid=O,nizam_tenant=T,originate_timeout=60}user/1001@acme.example &eavesdrop(I)",
            ),
            (
                Control::Originate {
                    channel: OTHER,
                    extension: "1001".into(),
                    destination: "1002".into(),
                    caller: ("Front desk".into(), "1002".into()),
                },
                "originate {origination_uuid=O,nizam_tenant=T,origination_caller_id_name='Front desk',\
                 origination_caller_id_number=1002,user_name=1001,domain_name=acme.example,originate_timeout=60}\
                 user/1001@acme.example 1002 XML acme.example",
            ),
        ];
        for (control, want) in all {
            let (api, argument) = control.command(TENANT, "acme.example");
            let said = format!("{} {argument}", api.name());
            let short = [(ID, "I"), (OTHER, "O"), (TENANT, "T")]
                .iter()
                .fold(said, |said, (id, short)| said.replace(&id.to_string(), short));
            assert_eq!(short, want);
        }
    }

    #[test]
    fn a_value_is_one_value() {
        for text in ["Front desk", "+4930123", "Zoë #1", "a.b-c_d"] {
            assert!(fits_dial_string(text), "{text}");
        }
        for text in [
            "",
            "O'Brien",
            "a,b=c",
            "x}y",
            "a\nb",
            "${x}",
            "\\",
            "a|b",
            "[x]",
            "a;b",
            "x:_:user/1",
            "ARRAY::a",
            ":",
        ] {
            assert!(!fits_dial_string(text), "{text}");
        }
    }
}
