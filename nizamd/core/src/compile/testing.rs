//! Rows for tests, and images of them.

use nizam_wire::image::{self, Image, Lookup};
use nizam_wire::{Builder, Kind, Scope};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::model::{Extension, NewExtension, Tenant, TenantStatus};
use crate::resource::Record;

pub(super) const ACME: Uuid = Uuid::from_u128(1);
const SEED: u64 = 2;

pub(super) fn row_tenant() -> Tenant {
    Tenant {
        id: ACME,
        name: "Acme".to_owned(),
        domain: "acme.example".to_owned(),
        slug: "acme".to_owned(),
        settings: Map::new(),
        status: TenantStatus::Active,
        max_extensions: 0,
        max_concurrent_calls: 0,
        max_dids: 0,
        max_ring_groups: 0,
        max_calls_per_minute: 0,
        is_active: true,
        version: 1,
        created_at: 0,
        updated_at: 0,
    }
}

pub(super) fn row_extension(number: &str) -> Extension {
    let new = NewExtension {
        extension: number.to_owned(),
        password: "secret-pass".to_owned(),
        directory_first_name: "Ada".to_owned(),
        directory_last_name: "Acme".to_owned(),
        effective_caller_id_name: None,
        effective_caller_id_number: None,
        outbound_caller_id_name: None,
        outbound_caller_id_number: None,
        voicemail_enabled: false,
        voicemail_pin: None,
        cidr: None,
        toll_allow: None,
        max_channels: 0,
        ring_timeout: None,
        is_active: true,
    };
    new.into_extension(Uuid::from_u128(77), ACME, 0)
}

/// A row of a resource of the tenant, active unless it says otherwise.
pub(super) fn record(values: Value) -> Record {
    let Value::Object(mut values) = values else { panic!("no map") };
    values.entry("is_active").or_insert(json!(true));
    let created_at = 1_600_000_000_000_000;
    Record { id: Uuid::from_u128(5), tenant_id: ACME, version: 1, values, created_at, updated_at: created_at }
}

/// A base of what is put into it.
pub(super) fn image(put: impl FnOnce(&mut Builder)) -> Image {
    finished(Builder::base(1, SEED), put)
}

/// An overlay of what is put into it.
pub(super) fn overlay(put: impl FnOnce(&mut Builder)) -> Image {
    finished(Builder::overlay(1, SEED), put)
}

fn finished(mut builder: Builder, put: impl FnOnce(&mut Builder)) -> Image {
    put(&mut builder);
    Image::from_vec(builder.finish().unwrap()).unwrap()
}

pub(super) fn find<'i>(image: &'i Image, kind: Kind, scope: Scope, key: &[u8]) -> Lookup<'i> {
    image.get(image::hash(SEED, kind, &scope, key).unwrap(), kind, &scope, key)
}
