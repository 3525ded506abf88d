//! A user's params and variables, in the order in which every answer gives them.

use crate::Unwritable;
use nizam_wire::record::{Extension, Tenant, USER_MARK};

/// Which params of a user an answer needs. Small answers matter: FreeSWITCH copies the user by writing and
/// parsing it again (`switch_xml.c:switch_xml_locate_user_merged`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fields(u8);

impl Fields {
    const PASSWORD: u8 = 1;
    const DIAL_STRING: u8 = 2;
    const MAILBOX: u8 = 4;
    const REVERSE: u8 = 8;
    const FULL_NAME: u8 = 16;
    const VARIABLES: u8 = 32;

    /// Everything but what logs us in elsewhere.
    pub(crate) const ALL: Self = Self(Self::PASSWORD | Self::DIAL_STRING | Self::MAILBOX | Self::VARIABLES);
    const LOGIN: Self = Self(Self::PASSWORD | Self::VARIABLES);
    const CALL: Self = Self(Self::DIAL_STRING | Self::VARIABLES);
    const REVERSE_AUTH: Self = Self(Self::REVERSE);
    /// For mod_voicemail.
    pub(crate) const VOICEMAIL: Self = Self(Self::MAILBOX);
    /// For mod_directory's search by name.
    pub(crate) const NAMES: Self = Self(Self::FULL_NAME);

    /// Whether the variables of the tenant's template are among them.
    pub(crate) fn has_template(self) -> bool {
        self.has(Self::VARIABLES)
    }

    fn has(self, field: u8) -> bool {
        self.0 & field != 0
    }

    /// What the action of a single-user lookup needs.
    pub(crate) fn of_action(action: Option<&[u8]>) -> Self {
        match action {
            Some(b"sip_auth" | b"jsonrpc-authenticate") => Self::LOGIN,
            Some(b"user_call") => Self::CALL,
            Some(b"reverse-auth-lookup") => Self::REVERSE_AUTH,
            Some(b"voicemail-lookup" | b"message-count" | b"web-vm") => Self::VOICEMAIL,
            _ => Self::ALL,
        }
    }
}

/// The name of a param or variable of ours, and how its element begins: written in one piece.
#[derive(Clone, Copy)]
pub(crate) struct Label {
    pub(crate) name: &'static str,
    pub(crate) param: &'static str,
    pub(crate) variable: &'static str,
}

macro_rules! label {
    ($name:literal) => {
        Label {
            name: $name,
            param: concat!("<param name=\"", $name, "\" value=\""),
            variable: concat!("<variable name=\"", $name, "\" value=\""),
        }
    };
}

/// A user with its tenant's template.
pub(crate) struct User<'a> {
    pub(crate) tenant: Tenant<'a>,
    pub(crate) extension: Extension<'a>,
}

/// A value, whole or in the pieces it is made of.
#[derive(Clone, Copy)]
pub(crate) enum Value<'a> {
    Text(&'a str),
    /// The tenant's dial string with the user's number.
    Dial {
        template: &'a str,
        number: &'a str,
    },
}

impl<'a> Value<'a> {
    /// The pieces of the value, in order.
    pub(crate) fn pieces(
        self,
        mut piece: impl FnMut(&'a str) -> Result<(), Unwritable>,
    ) -> Result<(), Unwritable> {
        match self {
            Self::Text(text) => piece(text),
            Self::Dial { template, number } => {
                // The number stands between commas and braces that FreeSWITCH takes apart.
                if !is_dialable(number) {
                    return Err(Unwritable);
                }
                let mut parts = template.split(USER_MARK);
                piece(parts.next().unwrap_or_default())?;
                for part in parts {
                    piece(number)?;
                    piece(part)?;
                }
                Ok(())
            }
        }
    }
}

/// Whether a number is inert in a dial string and in an application's argument.
pub(crate) fn is_dialable(number: &str) -> bool {
    !number.is_empty() && number.bytes().all(|b| b.is_ascii_alphanumeric() || b"._+*#-".contains(&b))
}

impl<'a> User<'a> {
    /// The `<param>`s.
    pub(crate) fn params(
        &self,
        fields: Fields,
        mut put: impl FnMut(Label, Value<'a>) -> Result<(), Unwritable>,
    ) -> Result<(), Unwritable> {
        let extension = &self.extension;
        if fields.has(Fields::PASSWORD) {
            put(label!("password"), Value::Text(extension.password))?;
        }
        if fields.has(Fields::DIAL_STRING) {
            let dial = Value::Dial { template: self.tenant.dial_string, number: extension.number };
            put(label!("dial-string"), dial)?;
        }
        if fields.has(Fields::MAILBOX) {
            put(label!("vm-enabled"), Value::Text(if extension.voicemail { "true" } else { "false" }))?;
            if !extension.voicemail_pin.is_empty() {
                put(label!("vm-password"), Value::Text(extension.voicemail_pin))?;
            }
        }
        if fields.has(Fields::REVERSE) {
            put(label!("reverse-auth-user"), Value::Text(extension.number))?;
            put(label!("reverse-auth-pass"), Value::Text(extension.password))?;
        }
        Ok(())
    }

    /// The `<variable>`s of its own; those of the tenant's template come before them.
    pub(crate) fn variables(
        &self,
        fields: Fields,
        mut put: impl FnMut(Label, Value<'a>) -> Result<(), Unwritable>,
    ) -> Result<(), Unwritable> {
        let extension = &self.extension;
        if fields.has(Fields::FULL_NAME) {
            put(label!("directory_full_name"), Value::Text(extension.full_name))?;
        }
        if fields.has(Fields::VARIABLES | Fields::FULL_NAME) {
            put(label!("effective_caller_id_name"), Value::Text(self.caller_id_name()))?;
            put(label!("effective_caller_id_number"), Value::Text(self.caller_id_number()))?;
        }
        if fields.has(Fields::VARIABLES) {
            for (label, value) in [
                (label!("outbound_caller_id_name"), extension.outbound_caller_id_name),
                (label!("outbound_caller_id_number"), extension.outbound_caller_id_number),
            ] {
                if !value.is_empty() {
                    put(label, Value::Text(value))?;
                }
            }
        }
        Ok(())
    }

    /// Caller id name inside the tenant: the configured one, else the person's name, else the number.
    pub(crate) fn caller_id_name(&self) -> &'a str {
        let extension = &self.extension;
        [extension.effective_caller_id_name, extension.full_name]
            .into_iter()
            .find(|name| !name.is_empty())
            .unwrap_or(extension.number)
    }

    /// Caller id number inside the tenant: the configured one, else the extension's.
    pub(crate) fn caller_id_number(&self) -> &'a str {
        let configured = self.extension.effective_caller_id_number;
        if configured.is_empty() { self.extension.number } else { configured }
    }
}
