//! Hostile strings in rows and calls on a real FreeSWITCH.

mod calls;
mod corpus;
mod flows;
mod gateways;
mod people;
mod taken;

pub(crate) use calls::call;
pub(crate) use corpus::{CANARY, corpus};
pub(crate) use flows::Flows;
pub(crate) use gateways::Gateways;
pub(crate) use people::People;

/// Whether FreeSWITCH takes a text as it is in the argument of an application.
pub(crate) fn is_inert(text: &str) -> bool {
    !text.contains(['$', '\\']) && !text.contains("<!") && !text.chars().any(|c| c.is_ascii_control())
}

/// What was compared, and what was different.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) compared: usize,
    pub(crate) left_out: usize,
    pub(crate) others: Vec<String>,
}

impl Found {
    /// Notes whether FreeSWITCH has the text.
    pub(crate) fn compare(&mut self, what: &str, want: &str, found: &str) {
        self.compared += 1;
        if found != want {
            self.others.push(format!("{what} is {found:?} instead of {want:?}"));
        }
    }

    pub(crate) fn other(&mut self, what: String) {
        self.others.push(what);
    }
}
