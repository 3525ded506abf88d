//! The fields of an extension.

use super::rule::{CIDR, NUMBER, PIN, PLAIN, SIP_PASSWORD};
use super::{Errors, Fields, rows};
use crate::model::{ExtensionChange, NewExtension};

/// The fields of a new extension.
pub fn new_extension(f: &mut Fields<'_>) -> Result<NewExtension, Errors> {
    let new = NewExtension {
        extension: f.text("extension", NUMBER),
        password: f.text("password", SIP_PASSWORD),
        directory_first_name: f.text("directory_first_name", PLAIN),
        directory_last_name: f.text("directory_last_name", PLAIN),
        effective_caller_id_name: f.nullable("effective_caller_id_name", PLAIN),
        effective_caller_id_number: f.nullable("effective_caller_id_number", PLAIN),
        outbound_caller_id_name: f.nullable("outbound_caller_id_name", PLAIN),
        outbound_caller_id_number: f.nullable("outbound_caller_id_number", PLAIN),
        voicemail_enabled: f.flag("voicemail_enabled").unwrap_or(false),
        voicemail_pin: f.nullable("voicemail_pin", PIN),
        cidr: f.nullable("cidr", CIDR),
        toll_allow: f.classes("toll_allow"),
        max_channels: f.integer("max_channels", 0, 1000).unwrap_or(0),
        ring_timeout: f.nullable_integer("ring_timeout", 5, 300),
        is_active: f.flag("is_active").unwrap_or(true),
    };
    f.finish(new)
}

/// The fields of many new extensions.
pub fn new_extensions(f: &mut Fields<'_>) -> Result<Vec<NewExtension>, Errors> {
    rows(f, "extensions", new_extension)
}

/// The fields of a change to an extension: the same ones are required, the others keep their values.
pub fn change_extension(f: &mut Fields<'_>) -> Result<ExtensionChange, Errors> {
    let change = ExtensionChange {
        extension: f.text("extension", NUMBER),
        password: f.text("password", SIP_PASSWORD),
        directory_first_name: f.text("directory_first_name", PLAIN),
        directory_last_name: f.text("directory_last_name", PLAIN),
        effective_caller_id_name: f.nullable_change("effective_caller_id_name", PLAIN),
        effective_caller_id_number: f.nullable_change("effective_caller_id_number", PLAIN),
        outbound_caller_id_name: f.nullable_change("outbound_caller_id_name", PLAIN),
        outbound_caller_id_number: f.nullable_change("outbound_caller_id_number", PLAIN),
        voicemail_enabled: f.flag("voicemail_enabled"),
        voicemail_pin: f.nullable_change("voicemail_pin", PIN),
        cidr: f.nullable_change("cidr", CIDR),
        toll_allow: f.classes_change("toll_allow"),
        max_channels: f.integer("max_channels", 0, 1000),
        ring_timeout: f.nullable_integer_change("ring_timeout", 5, 300),
        is_active: f.flag("is_active"),
    };
    f.finish(change)
}

#[cfg(test)]
mod tests {
    use super::super::Input;
    use super::*;

    #[test]
    fn defaults_and_required_fields() {
        let input = Input::json(
            br#"{"extension":"1001","password":"secret-1","directory_first_name":"A","directory_last_name":"B"}"#,
        )
        .unwrap();
        let new = new_extension(&mut Fields::new(&input)).ok().unwrap();
        assert!(new.is_active && !new.voicemail_enabled && new.voicemail_pin.is_none());

        let errors = new_extension(&mut Fields::new(&Input::default())).err().unwrap();
        for field in ["extension", "password", "directory_first_name", "directory_last_name"] {
            assert!(errors.has(field), "{field}");
        }
        assert_eq!(errors.message(), "The extension field is required. (and 3 more errors)");
    }

    #[test]
    fn a_change_tells_absent_from_null() {
        let input = Input::json(
            br#"{"extension":"1","password":"secret-1","directory_first_name":"A","directory_last_name":"B",
                "voicemail_pin":null,"outbound_caller_id_name":""}"#,
        )
        .unwrap();
        let change = change_extension(&mut Fields::new(&input)).ok().unwrap();
        assert_eq!(change.voicemail_pin, Some(None));
        assert_eq!(change.outbound_caller_id_name, Some(None));
        assert_eq!(change.effective_caller_id_name, None);
        assert_eq!(change.is_active, None);
    }
}
