//! What a sipp sent and received, as it writes it down while it runs (`-trace_msg`).

use std::{fs, path::Path};

use jiff::Timestamp;

/// One SIP message.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// When that was; microseconds since 1970.
    pub(crate) at: i64,
    /// Whether this sipp sent it.
    pub(crate) sent: bool,
    /// Its first line.
    pub(crate) start: String,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Message {
    /// The first header of that name; empty where there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value)
    }

    /// Whether it is a request of that method.
    pub(crate) fn is(&self, method: &str) -> bool {
        self.start.split(' ').next() == Some(method)
    }

    /// The status of a response.
    pub(crate) fn status(&self) -> Option<u16> {
        self.start.strip_prefix("SIP/2.0 ")?.split(' ').next()?.parse().ok()
    }

    /// The user in the URI of a request.
    pub(crate) fn user(&self) -> &str {
        let uri = self.start.split(' ').nth(1).unwrap_or_default();
        uri.strip_prefix("sip:").and_then(|rest| rest.split_once('@')).map_or("", |(user, _)| user)
    }

    /// Whether it is a response to a request of that method.
    pub(crate) fn answers(&self, method: &str) -> bool {
        self.status().is_some() && self.header("CSeq").ends_with(method)
    }

    /// `block` is the time, a line on what follows, and the message.
    fn parse(block: &str) -> Option<Self> {
        let (time, text) = block.split_once('\n')?;
        let at = format!("{}Z", time.trim()).parse::<Timestamp>().ok()?.as_microsecond();
        let (kind, rest) = text.split_once('\n')?;
        let sent = kind.contains(" message sent ");
        if !sent && !kind.contains(" message received ") {
            return None;
        }
        let rest = rest.trim_start_matches(['\r', '\n']);
        let (head, body) = rest.split_once("\r\n\r\n").or_else(|| rest.split_once("\n\n"))?;
        let mut lines = head.lines();
        let start = lines.next()?.to_owned();
        let headers = lines.filter_map(|line| line.split_once(':'));
        let headers = headers.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()));
        Some(Self { at, sent, start, headers: headers.collect(), body: body.trim_end().to_owned() })
    }
}

/// The messages in the file so far.
pub(crate) fn read(file: &Path) -> Vec<Message> {
    let text = fs::read(file).unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    // A line of dashes and the time stands before each.
    let blocks = text.split("-----------------------------------------------");
    blocks.filter_map(Message::parse).collect()
}
