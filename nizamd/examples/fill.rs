//! Makes a database of many extensions, for measurements: `fill DATABASE_URL APP_KEY EXTENSIONS [PER_TENANT]`.

use anyhow::{Context, Result, ensure};
use nizam_core::model::{NewExtension, NewTenant, Slug, TenantStatus};
use nizam_store::{Actor, Key, Keyring, Store};
use std::env;

/// Extensions of one tenant where nothing else is asked for.
const PER_TENANT: u32 = 1000;

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [url, key, extensions, rest @ ..] = arguments.as_slice() else {
        anyhow::bail!("fill DATABASE_URL APP_KEY EXTENSIONS [PER_TENANT]");
    };
    let extensions: u32 = extensions.parse().context("EXTENSIONS")?;
    let per_tenant = rest.first().map_or(Ok(PER_TENANT), |text| text.parse()).context("PER_TENANT")?;
    ensure!(per_tenant > 0, "PER_TENANT must not be 0");
    let store = Store::open(url, Keyring::new(&Key::parse(key).context("APP_KEY")?)).await?;
    let actor = Actor::default();
    for n in 0..extensions.div_ceil(per_tenant) {
        let tenant = store.create_tenant(&actor, tenant(n)).await?.value;
        let count = per_tenant.min(extensions - n * per_tenant);
        let new = (0..count).map(extension).collect();
        let _committed = store.insert_extensions(&actor, tenant.id, new).await?;
    }
    store.close().await;
    Ok(())
}

fn tenant(n: u32) -> NewTenant {
    NewTenant {
        name: format!("Example Company {n}"),
        domain: format!("t{n}.bench.test"),
        slug: Slug::Given(format!("t{n}")),
        status: TenantStatus::Active,
        max_extensions: 0,
        max_concurrent_calls: 0,
        max_dids: 0,
        max_ring_groups: 0,
        max_calls_per_minute: 0,
        is_active: true,
    }
}

fn extension(n: u32) -> NewExtension {
    let number = (1000 + n).to_string();
    NewExtension {
        extension: number.clone(),
        password: "kx9TqLw2ZrB7vNsE".to_owned(),
        directory_first_name: "Amina".to_owned(),
        directory_last_name: "Yilmaz".to_owned(),
        effective_caller_id_name: Some("Amina Yilmaz".to_owned()),
        effective_caller_id_number: Some(number),
        outbound_caller_id_name: Some("Example Company".to_owned()),
        outbound_caller_id_number: Some("+15551001000".to_owned()),
        voicemail_enabled: true,
        voicemail_pin: Some("4711".to_owned()),
        cidr: None,
        toll_allow: None,
        max_channels: 0,
        ring_timeout: None,
        is_active: true,
    }
}
