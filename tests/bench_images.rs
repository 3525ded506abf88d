//! Images of many extensions, as `make bench` and a switch without its daemon use them.
//!
//! With `NIZAM_BENCH_IMAGES=DIR` and `NIZAM_BENCH_SIZES=10,100000` the snapshots stay in `DIR/10` and so on.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use nizam_core::{
    compile,
    model::{Extension, Tenant, TenantStatus},
};
use nizam_engine::{DirectoryAnswer, DirectoryQuestion, Engine, snapshot};
use nizam_wire::{Builder, Image};

/// Extensions of one tenant; a larger image has more tenants.
const PER_TENANT: u32 = 1000;

#[test]
fn the_last_extension_of_a_snapshot_is_found() {
    let temporary = tempfile::tempdir().unwrap();
    let home =
        std::env::var_os("NIZAM_BENCH_IMAGES").map_or_else(|| temporary.path().to_owned(), PathBuf::from);
    let sizes = std::env::var("NIZAM_BENCH_SIZES").unwrap_or_else(|_| "10,2500".to_owned());
    for size in
        sizes.split(',').map(|size| size.trim().parse::<u32>().expect("NIZAM_BENCH_SIZES holds numbers"))
    {
        let directory = home.join(size.to_string());
        write(&directory, size);
        let engine = Engine::default();
        let said = engine.load_snapshot(&directory);
        assert!(said.contains("serving generation 1"), "{said}");
        let last = size - 1;
        let number = number(last % PER_TENANT);
        assert!(found(&engine, &domain(last / PER_TENANT), &number), "{size}: {number} is missing");
        assert!(!found(&engine, &domain(last / PER_TENANT), "999999"), "{size}: a user that nobody made");
        assert!(!found(&engine, &domain(last / PER_TENANT + 1), "1000"), "{size}: a tenant that nobody made");
    }
}

fn found(engine: &Engine, domain: &str, user: &str) -> bool {
    let mut question = DirectoryQuestion::user(user.as_bytes(), domain.as_bytes());
    question.action = Some(b"sip_auth");
    let mut out = Vec::new();
    matches!(engine.directory(&question, &mut out), DirectoryAnswer::Found)
}

fn write(directory: &Path, size: u32) {
    let mut builder = Builder::base(1, 0x6e69_7a61_6d62_656e);
    for n in 0..size.div_ceil(PER_TENANT) {
        let tenant = tenant(n);
        compile::tenant(&mut builder, &tenant).unwrap();
        for extension in 0..PER_TENANT.min(size - n * PER_TENANT) {
            compile::extension(&mut builder, &extension_of(&tenant, n * PER_TENANT + extension)).unwrap();
        }
    }
    let image = Image::from_vec(builder.finish().unwrap()).unwrap();
    snapshot::Writer::new(directory).unwrap().write(&[Arc::new(image)]).unwrap();
}

fn tenant(n: u32) -> Tenant {
    Tenant {
        id: format!("{:032x}", u128::from(n) + (1 << 64)).parse().unwrap(),
        name: "Example Company".to_owned(),
        domain: domain(n),
        slug: format!("t{n}"),
        settings: serde_json::Map::new(),
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

fn extension_of(tenant: &Tenant, n: u32) -> Extension {
    let number = number(n % PER_TENANT);
    Extension {
        id: format!("{:032x}", u128::from(n) + (2 << 64)).parse().unwrap(),
        tenant_id: tenant.id,
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
        version: 1,
        created_at: 0,
        updated_at: 0,
    }
}

fn domain(tenant: u32) -> String {
    format!("t{tenant}.bench.test")
}

fn number(extension: u32) -> String {
    (1000 + extension).to_string()
}
