//! `nizamd seed-demo`: a tenant to try things with. Its passwords are random; running it again prints them again.

use nizam_core::model::{NewExtension, NewTenant, Slug, Tenant, TenantStatus};
use nizam_store::{Actor, Page, Query, Store, StoreResult, random_text};

use super::print;
use crate::config::Config;
use crate::fatal::Fatal;
use crate::{opening, pin};

const DOMAIN: &str = "demo.nizam.local";
const EXTENSIONS: [(&str, &str, &str); 5] = [
    ("1001", "Alice", "Demo"),
    ("1002", "Bob", "Demo"),
    ("1003", "Carol", "Demo"),
    ("1004", "Dave", "Demo"),
    ("1005", "Erin", "Demo"),
];

pub(super) async fn seed(config: &Config) -> Result<(), Fatal> {
    let store = opening::store(config).await?;
    let tenant = match store.tenant_by_domain(DOMAIN).await? {
        Some(tenant) => tenant,
        None => store.create_tenant(&Actor::default(), demo_tenant()).await?.value,
    };
    let extensions = extensions(&store, &tenant).await?;
    store.close().await;
    print(&format!("tenant {} domain {DOMAIN}", tenant.id))?;
    for (number, password, pin) in extensions {
        print(&format!("extension {number} password {password} pin {pin}"))?;
    }
    Ok(())
}

fn demo_tenant() -> NewTenant {
    NewTenant {
        name: "Demo Company".to_owned(),
        domain: DOMAIN.to_owned(),
        slug: Slug::FromName("demo-company".to_owned()),
        status: TenantStatus::Active,
        max_extensions: 50,
        max_concurrent_calls: 0,
        max_dids: 0,
        max_ring_groups: 0,
        max_calls_per_minute: 0,
        is_active: true,
    }
}

/// Number, password and PIN of each demo extension; those that are not there are made.
async fn extensions(store: &Store, tenant: &Tenant) -> StoreResult<Vec<(String, String, String)>> {
    let all = Query { page: Page { number: 1, size: 1000 }, ..Query::default() };
    let listed = store.extensions(tenant.id, &all).await?.rows;
    let mut all = Vec::new();
    for (number, first, last) in EXTENSIONS {
        let found = listed.iter().find(|e| e.extension == number);
        let extension = if let Some(extension) = found {
            extension.clone()
        } else {
            let new = demo_extension(number, first, last)?;
            store.create_extension(&Actor::default(), tenant.id, new).await?.value
        };
        all.push((extension.extension, extension.password, extension.voicemail_pin.unwrap_or_default()));
    }
    Ok(all)
}

fn demo_extension(number: &str, first: &str, last: &str) -> StoreResult<NewExtension> {
    Ok(NewExtension {
        extension: number.to_owned(),
        password: random_text(20)?,
        directory_first_name: first.to_owned(),
        directory_last_name: last.to_owned(),
        effective_caller_id_name: Some(format!("{first} {last}")),
        effective_caller_id_number: Some(number.to_owned()),
        outbound_caller_id_name: None,
        outbound_caller_id_number: None,
        voicemail_enabled: true,
        voicemail_pin: Some(pin::random(6)?),
        cidr: None,
        toll_allow: None,
        max_channels: 0,
        ring_timeout: None,
        is_active: true,
    })
}
