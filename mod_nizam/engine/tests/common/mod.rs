//! Images for tests.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "shared by several suites, each of which uses a part"
)]

use nizam_engine::{Engine, Layers, Origin};
use nizam_wire::image::{Image, ONLY, PLATFORM, Scope};
use nizam_wire::record::{Classes, Extension, Gateway, PairsBuf, State, Tenant};
use nizam_wire::{Builder, Kind};
use std::sync::Arc;

pub const ACME: Scope = [1; 16];
pub const OTHER: Scope = [2; 16];
pub const SEED: u64 = 7;

pub fn tenant(builder: &mut Builder, id: Scope, domain: &str, state: State) {
    let mut variables = PairsBuf::default();
    variables.push("user_context", domain);
    let dial_string = format!("{{presence_id=\u{1}@{domain}}}${{sofia_contact(*/\u{1}@{domain})}}");
    let record = Tenant {
        id,
        domain,
        state,
        ring_timeout: 25,
        dial_string: &dial_string,
        variables: variables.as_pairs(),
        variables_xml: &variables.to_xml("variable").unwrap(),
    };
    builder.put(Kind::Domain, PLATFORM, domain.as_bytes(), Some(&id)).unwrap();
    builder.put(Kind::Tenant, id, ONLY, Some(&record.encode())).unwrap();
}

pub fn extension(number: &str) -> Extension<'_> {
    Extension {
        id: [9; 16],
        number,
        password: "s3cret-pass",
        full_name: "Ann Lee",
        effective_caller_id_name: "",
        effective_caller_id_number: "",
        outbound_caller_id_name: "",
        outbound_caller_id_number: "",
        voicemail: false,
        voicemail_pin: "",
        toll_allow: Classes::of(Classes::DEFAULT),
        max_channels: 0,
        ring_timeout: 0,
    }
}

pub fn put(builder: &mut Builder, scope: Scope, extension: &Extension<'_>) {
    let key = extension.number.to_ascii_lowercase();
    builder.put(Kind::Extension, scope, key.as_bytes(), Some(&extension.encode())).unwrap();
}

pub fn image(builder: Builder) -> Arc<Image> {
    Arc::new(Image::from_vec(builder.finish().unwrap()).unwrap())
}

pub fn engine(images: Vec<Arc<Image>>) -> Engine {
    let engine = Engine::default();
    engine.live.publish(Layers::new(images, Origin::Daemon));
    engine
}

/// Two tenants with the same numbers, one suspended, one closed.
pub fn base() -> Arc<Image> {
    let mut builder = Builder::base(40, SEED);
    tenant(&mut builder, ACME, "acme.example", State::Open);
    tenant(&mut builder, OTHER, "other.example", State::Open);
    tenant(&mut builder, [3; 16], "late.example", State::Suspended);
    tenant(&mut builder, [4; 16], "gone.example", State::Closed);
    for (scope, password) in
        [(ACME, "acme-pass"), (OTHER, "other-pass"), ([3; 16], "late-pass"), ([4; 16], "gone-pass")]
    {
        put(&mut builder, scope, &Extension { password, ..extension("1001") });
    }
    let voicemail = Extension {
        voicemail: true,
        voicemail_pin: "4321",
        effective_caller_id_name: "Front \"Desk\" & Co",
        effective_caller_id_number: "2000",
        outbound_caller_id_name: "ACME",
        outbound_caller_id_number: "+15551234567",
        ..extension("1002")
    };
    put(&mut builder, ACME, &voicemail);
    put(&mut builder, ACME, &extension("Bob"));
    builder.put(Kind::Network, ACME, b"1002", Some(b"192.0.2.0/24")).unwrap();
    let mut params = PairsBuf::default();
    params.push("proxy", "sip.carrier.example");
    params.push("register", "true");
    let variables = PairsBuf::default();
    let gateway = Gateway {
        tenant: ACME,
        shared: false,
        name: "acme-carrier",
        params: params.as_pairs(),
        variables: variables.as_pairs(),
    };
    builder.put(Kind::Gateway, PLATFORM, &[7; 16], Some(&gateway.encode())).unwrap();
    image(builder)
}
