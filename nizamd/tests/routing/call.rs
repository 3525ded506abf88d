//! A call that asks where it goes.

use std::collections::BTreeMap;
use std::fmt;

/// What is known of a call. Bytes: much of it is what a stranger sent.
#[derive(Clone, Default)]
pub(crate) struct Call {
    pub(crate) context: Option<Vec<u8>>,
    pub(crate) number: Option<Vec<u8>>,
    pub(crate) caller_number: Option<Vec<u8>>,
    pub(crate) address: Option<Vec<u8>>,
    /// `user_name`.
    pub(crate) caller: Option<Vec<u8>>,
    /// `domain_name`.
    pub(crate) caller_domain: Option<Vec<u8>>,
    /// `nizam_gateway`.
    pub(crate) gateway: Option<Vec<u8>>,
    /// `nizam_admitted`.
    pub(crate) admitted: Option<Vec<u8>>,
    /// The channel's other variables.
    pub(crate) variables: BTreeMap<String, Vec<u8>>,
    /// Seconds since 1970, UTC.
    pub(crate) now: i64,
}

impl Call {
    /// What was dialled; empty where it is not known.
    pub(crate) fn number(&self) -> &[u8] {
        self.number.as_deref().unwrap_or_default()
    }

    /// The caller's number, where there is one.
    pub(crate) fn caller_number(&self) -> Option<&[u8]> {
        self.caller_number.as_deref().filter(|number| !number.is_empty())
    }
}

/// As a Rust expression, near enough to make a test of it.
impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Call");
        let parts = [
            ("context", &self.context),
            ("number", &self.number),
            ("caller_number", &self.caller_number),
            ("address", &self.address),
            ("caller", &self.caller),
            ("caller_domain", &self.caller_domain),
            ("gateway", &self.gateway),
            ("admitted", &self.admitted),
        ];
        for (name, value) in parts {
            if let Some(value) = value {
                out.field(name, &value.escape_ascii().to_string());
            }
        }
        for (name, value) in &self.variables {
            out.field(name, &value.escape_ascii().to_string());
        }
        out.field("now", &self.now).finish()
    }
}
