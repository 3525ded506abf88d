//! A leg of a call as the sipp at its end wrote it down: the truth that a CDR must agree with.

use super::office::SOON;
use crate::support::{Call, Callee, Message, until};

/// How a dialog ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Bye,
    Cancel,
    Refuse,
}

/// One dialog. Times are microseconds since 1970.
#[derive(Clone, Debug)]
pub(super) struct Dialog {
    /// Its Call-ID.
    pub(super) id: String,
    /// Who called, and what was dialled: the users of From and To.
    pub(super) from: String,
    pub(super) to: String,
    pub(super) begun: i64,
    pub(super) rang: Option<i64>,
    pub(super) taken: Option<i64>,
    pub(super) ended: i64,
    /// How long it was on hold.
    pub(super) held: i64,
    pub(super) end: End,
    /// Whether this sipp ended it.
    pub(super) ended_here: bool,
    /// The first codec of the answer, or of the offer where there was none.
    pub(super) codec: String,
}

impl Dialog {
    /// The dialog of a caller, when it is over.
    pub(super) fn of_caller(call: &Call) -> Self {
        until("the caller's dialog is over", SOON, || Self::read(&call.messages(), call.id()))
    }

    /// The dialog of a call that a callee got, when it is over.
    pub(super) fn of_callee(callee: &Callee, call: &Message) -> Self {
        until("the callee's dialog is over", SOON, || Self::read(&callee.messages(), call.header("Call-ID")))
    }

    /// `None`: it has not begun yet, or goes on.
    fn read(messages: &[Message], id: &str) -> Option<Self> {
        let own: Vec<&Message> = messages.iter().filter(|message| message.header("Call-ID") == id).collect();
        let first = |fits: &dyn Fn(&Message) -> bool| own.iter().find(|message| fits(message)).copied();
        // That which was asked for a login made no channel.
        let login = own.iter().position(|message| message.answers("INVITE") && message.status() == Some(407));
        let rest = own.get(login.unwrap_or_default()..).unwrap_or_default();
        let begun = rest.iter().find(|message| message.is("INVITE"))?;
        let answered = |low: u16, high: u16| {
            first(&|message: &Message| {
                message.answers("INVITE")
                    && message.status().is_some_and(|s| (low..=high).contains(&s) && s != 407)
            })
        };
        let (rang, taken) = (answered(180, 199), answered(200, 299));
        let (end, ended) = [(End::Bye, "BYE"), (End::Cancel, "CANCEL")]
            .into_iter()
            .find_map(|(end, method)| Some((end, first(&|message| message.is(method))?)))
            .or_else(|| Some((End::Refuse, answered(300, 699)?)))?;
        let codec = taken.unwrap_or(begun).body.lines().find_map(|line| line.strip_prefix("a=rtpmap:"));
        let codec = codec.and_then(|codec| codec.split([' ', '/']).nth(1)).unwrap_or_default().to_owned();
        Some(Self {
            id: id.to_owned(),
            from: user(begun.header("From")),
            to: user(begun.header("To")),
            begun: begun.at,
            rang: rang.map(|message| message.at),
            taken: taken.map(|message| message.at),
            ended: ended.at,
            held: held(&own, ended.at),
            end,
            ended_here: ended.sent,
            codec,
        })
    }
}

/// The user of an address.
fn user(address: &str) -> String {
    let uri = address.split_once("<sip:").map_or("", |(_, uri)| uri);
    uri.split('@').next().unwrap_or_default().to_owned()
}

/// From each INVITE that puts the call on hold to the next one that does not, or to the end.
fn held(messages: &[&Message], ended: i64) -> i64 {
    let (mut held, mut since) = (0, None);
    for message in messages.iter().filter(|message| message.is("INVITE")) {
        match (message.body.contains("a=sendonly"), since) {
            (true, None) => since = Some(message.at),
            (false, Some(begun)) => {
                held += message.at - begun;
                since = None;
            }
            _ => {}
        }
    }
    held + since.map_or(0, |begun| ended - begun)
}
