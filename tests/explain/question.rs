//! A call, as explanations are asked about it.

use crate::support::{Account, Caller};

/// Who calls, and what is dialled.
#[derive(Clone)]
pub(crate) struct Question {
    /// The tenant whose administrator asks.
    pub(super) tenant: String,
    /// The phone; none where the call comes from outside.
    pub(crate) account: Option<Account>,
    /// The caller's number.
    pub(super) from: String,
    pub(crate) to: String,
}

impl Question {
    pub(crate) fn caller(&self) -> Caller {
        let caller = match &self.account {
            Some(account) => Caller::phone(account),
            None => Caller::outside("127.0.0.9", &self.from),
        };
        // Long enough for what comes after the half second before a menu or a mailbox.
        caller.holding(1200)
    }
}

impl std::fmt::Debug for Question {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.account {
            Some(account) => write!(f, "{}@{} to {}", account.number, account.domain, self.to),
            None => write!(f, "{} to {}", self.from, self.to),
        }
    }
}
