//! Extensions.

use nizam_wire::record::{self, Classes};
use nizam_wire::{Builder, Kind, Scope};

use super::{BuildError, delete};
use crate::model::Extension;
use crate::validate::extension_key;

/// Adds an extension's records: itself, its network, its number by its id. An inactive one is as good as deleted.
pub fn extension(builder: &mut Builder, extension: &Extension) -> Result<(), BuildError> {
    let scope = extension.tenant_id.into_bytes();
    let key = extension_key(&extension.extension);
    if !extension.is_active {
        gone(builder, scope, &extension.extension)?;
        return delete(builder, Kind::ExtensionId, scope, extension.id.as_bytes());
    }
    let full_name = [extension.directory_first_name.as_str(), &extension.directory_last_name].join(" ");
    let toll_allow = extension.toll_allow.as_deref().unwrap_or(&Classes::DEFAULT);
    let record = record::Extension {
        id: extension.id.into_bytes(),
        number: &extension.extension,
        password: &extension.password,
        full_name: full_name.trim(),
        effective_caller_id_name: extension.effective_caller_id_name.as_deref().unwrap_or_default(),
        effective_caller_id_number: extension.effective_caller_id_number.as_deref().unwrap_or_default(),
        outbound_caller_id_name: extension.outbound_caller_id_name.as_deref().unwrap_or_default(),
        outbound_caller_id_number: extension.outbound_caller_id_number.as_deref().unwrap_or_default(),
        voicemail: extension.voicemail_enabled,
        voicemail_pin: extension.voicemail_pin.as_deref().unwrap_or_default(),
        toll_allow: Classes::of(toll_allow.iter().copied()),
        max_channels: u16::try_from(extension.max_channels).unwrap_or(0),
        ring_timeout: extension.ring_timeout.and_then(|seconds| u16::try_from(seconds).ok()).unwrap_or(0),
    };
    builder.put(Kind::Extension, scope, key.as_bytes(), Some(&record.encode()))?;
    builder.put(Kind::ExtensionId, scope, extension.id.as_bytes(), Some(key.as_bytes()))?;
    match &extension.cidr {
        Some(cidr) => builder.put(Kind::Network, scope, key.as_bytes(), Some(cidr.as_bytes())),
        None => delete(builder, Kind::Network, scope, key.as_bytes()),
    }
}

/// Adds the deletion of the extension with that number.
pub(super) fn gone(builder: &mut Builder, scope: Scope, number: &str) -> Result<(), BuildError> {
    let key = extension_key(number);
    delete(builder, Kind::Extension, scope, key.as_bytes())?;
    delete(builder, Kind::Network, scope, key.as_bytes())
}

#[cfg(test)]
mod tests {
    use nizam_wire::image::Lookup;
    use nizam_wire::record::Class;

    use super::super::testing::{self, ACME, find, row_extension};
    use super::*;

    #[test]
    fn what_an_extension_may_is_in_its_record() {
        let row = row_extension("10A");
        let image = testing::image(|builder| extension(builder, &row).unwrap());
        let scope = ACME.into_bytes();
        let Lookup::Value(value) = find(&image, Kind::Extension, scope, b"10a") else { panic!("not found") };
        let record = record::Extension::decode(value).unwrap();
        assert_eq!((record.number, record.max_channels, record.ring_timeout), ("10A", 0, 0));
        assert_eq!(record.toll_allow, Classes::of(Classes::DEFAULT));
        assert_eq!(find(&image, Kind::ExtensionId, scope, row.id.as_bytes()), Lookup::Value(b"10a"));
        assert_eq!(find(&image, Kind::Network, scope, b"10a"), Lookup::Absent);

        let toll_allow = Some(vec![Class::Premium]);
        let row = Extension { toll_allow, max_channels: 3, ring_timeout: Some(12), ..row };
        let image = testing::image(|builder| extension(builder, &row).unwrap());
        let Lookup::Value(value) = find(&image, Kind::Extension, scope, b"10a") else { panic!("not found") };
        let record = record::Extension::decode(value).unwrap();
        assert_eq!((record.max_channels, record.ring_timeout), (3, 12));
        assert!(record.toll_allow.has(Class::Premium) && !record.toll_allow.has(Class::Local));
    }

    #[test]
    fn an_inactive_one_is_deleted_with_all_that_leads_to_it() {
        let row = Extension { is_active: false, cidr: Some("192.0.2.0/24".into()), ..row_extension("1001") };
        let image = testing::overlay(|builder| extension(builder, &row).unwrap());
        let scope = ACME.into_bytes();
        for (kind, key) in [
            (Kind::Extension, b"1001".as_slice()),
            (Kind::Network, b"1001"),
            (Kind::ExtensionId, row.id.as_bytes()),
        ] {
            assert_eq!(find(&image, kind, scope, key), Lookup::Gone, "{kind:?}");
        }
    }
}
