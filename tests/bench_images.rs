//! Images of many extensions, as `make bench` and a switch without its daemon use them. Each tenant also has a DID that a time
//! condition, which always holds, leads to a menu.
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
use nizam_engine::{DialplanQuestion, DirectoryAnswer, DirectoryQuestion, Engine, Outcome, snapshot};
use nizam_wire::image::{ONLY, PLATFORM};
use nizam_wire::record::{
    ANY_DAY, ANY_MONTH, Destination, DestinationKind, Did, Ids, Ivr, List, ListBuf, Prompt, Routing,
    TimeCondition, TimeRule,
};
use nizam_wire::{Builder, Image, Kind};

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
        let (inside, outside) = (domain(last / PER_TENANT), format!("+{}", did(last / PER_TENANT)));
        assert_eq!(led(&engine, &inside, &number), Some(Outcome::To(DestinationKind::Extension)), "{size}");
        assert_eq!(led(&engine, &inside, "9999"), Some(Outcome::Unknown), "{size}");
        assert_eq!(led(&engine, "public", &outside), Some(Outcome::To(DestinationKind::Ivr)), "{size}");
    }
}

fn led(engine: &Engine, context: &str, number: &str) -> Option<Outcome> {
    let question = DialplanQuestion {
        context: Some(context.as_bytes()),
        number: Some(number.as_bytes()),
        now: 1_795_523_400,
        ..DialplanQuestion::default()
    };
    Some(engine.dialplan(&question)?.outcome)
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
        way_to_a_menu(&mut builder, tenant.id.into_bytes(), &did(n));
        for extension in 0..PER_TENANT.min(size - n * PER_TENANT) {
            compile::extension(&mut builder, &extension_of(&tenant, n * PER_TENANT + extension)).unwrap();
        }
    }
    let image = Image::from_vec(builder.finish().unwrap()).unwrap();
    snapshot::Writer::new(directory).unwrap().write(&[Arc::new(image)]).unwrap();
}

/// A DID, the time condition that it leads to, and the menu that this one leads to.
fn way_to_a_menu(builder: &mut Builder, tenant: [u8; 16], digits: &str) {
    let mut put = |kind, scope, key: &[u8], value: &[u8]| builder.put(kind, scope, key, Some(value)).unwrap();
    let routing = Routing {
        zone: "",
        home: None,
        max_calls: 0,
        calls_per_minute: 0,
        caller_id_number: "",
        caller_id_name: "",
        emergency: List::default(),
        class_limits: List::default(),
        policies: List::default(),
        gateways: List::default(),
        tts_engine: "",
        tts_voice: "",
    };
    put(Kind::Routing, tenant, ONLY, &routing.encode());
    // Ids need to differ within their tenant and kind only.
    let hours = Destination { kind: DestinationKind::TimeCondition, id: tenant };
    let menu = Destination { kind: DestinationKind::Ivr, id: tenant };
    put(
        Kind::Did,
        tenant,
        digits.as_bytes(),
        &Did { id: tenant, destination: hours, confirmed: true }.encode(),
    );
    put(Kind::Claim, PLATFORM, digits.as_bytes(), &Ids(ListBuf::of([tenant]).as_list()).encode());
    let always =
        TimeRule { weekdays: 0x7f, days: ANY_DAY, months: ANY_MONTH, from: 0, to: 24 * 60, holiday: None };
    let rules = ListBuf::of([always]);
    let condition = TimeCondition { rules: rules.as_list(), matched: Some(menu), otherwise: None };
    put(Kind::TimeCondition, tenant, &hours.id, &condition.encode());
    let ivr = Ivr {
        greet_long: Prompt::File("ivr/welcome.wav"),
        greet_short: Prompt::None,
        timeout: 5,
        max_failures: 3,
        direct_dial: false,
        options: List::default(),
        on_timeout: None,
    };
    put(Kind::Ivr, tenant, &menu.id, &ivr.encode());
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

fn did(tenant: u32) -> String {
    format!("1555{tenant:08}")
}

fn number(extension: u32) -> String {
    (1000 + extension).to_string()
}
