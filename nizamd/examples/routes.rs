//! Times the resolver alone, question to answer's bytes, on images of so many tenants: `routes TENANTS [CALLS]`.
//!
//! Prints a line a kind of call: `NAME p50 p99` in nanoseconds. Every tenant has an extension, and a DID that a time condition leads to
//! a menu; one in a hundred (all, where there are fewer) has 1,000 dialling patterns.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a stopwatch stops at the first surprise"
)]

use nizam_engine::{DialplanQuestion, Engine, Layers, Origin, Outcome};
use nizam_wire::image::{Image, ONLY, PLATFORM};
use nizam_wire::record::{
    ANY_DAY, ANY_MONTH, CallerIdRule, Class, Classes, Destination, DestinationKind, Did, Extension, Gateway,
    Ids, Ivr, List, ListBuf, OutboundRoute, PairsBuf, PatternRow, PatternSets, Patterns, Prompt, Routing,
    State, Tenant, TimeCondition, TimeRule,
};
use nizam_wire::{Builder, Kind};
use std::sync::Arc;
use std::time::Instant;

/// Patterns of a tenant that dials out.
const PATTERNS: u32 = 1000;
/// Calls that are timed.
const CALLS: usize = 200_000;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let tenants: u32 = arguments.next().expect("TENANTS").parse().expect("a number");
    let calls: usize = arguments.next().map_or(CALLS, |text| text.parse().expect("a number"));
    let engine = Engine::default();
    let image = Image::from_vec(image(tenants)).expect("an image");
    engine.live.publish(Layers::new(vec![Arc::new(image)], Origin::Daemon));
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |most: u32| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        u32::try_from(state % u64::from(most)).unwrap()
    };
    let step = step(tenants);
    let questions: [(&str, Ask, Outcome); 3] = [
        ("extension", Box::new(|n| Call::inside(n, "1001")), Outcome::To(DestinationKind::Extension)),
        ("did", Box::new(Call::outside), Outcome::To(DestinationKind::Ivr)),
        (
            "outbound",
            Box::new(move |n| Call::inside(n / step * step, &format!("49{:03}7654321", n % PATTERNS))),
            Outcome::Outbound,
        ),
    ];
    for (name, call, outcome) in questions {
        let mut times = Vec::with_capacity(calls);
        let mut out = Vec::with_capacity(4096);
        for _ in 0..calls {
            let call = call(random(tenants));
            let question = call.question();
            out.clear();
            let start = Instant::now();
            let route = engine.dialplan(&question).expect("a route");
            route.write(&mut out).expect("a document");
            times.push(start.elapsed().as_nanos());
            assert_eq!(route.outcome, outcome, "{name}");
        }
        times.sort_unstable();
        println!("{name} {} {}", times[times.len() / 2], times[times.len() * 99 / 100]);
    }
}

/// The call of a tenant.
type Ask = Box<dyn Fn(u32) -> Call>;

struct Call {
    context: String,
    number: String,
    caller: Option<String>,
}

impl Call {
    fn inside(tenant: u32, number: &str) -> Self {
        Self { context: domain(tenant), number: number.to_owned(), caller: Some(domain(tenant)) }
    }

    fn outside(tenant: u32) -> Self {
        Self { context: "public".to_owned(), number: format!("+{}", did(tenant)), caller: None }
    }

    fn question(&self) -> DialplanQuestion<'_> {
        DialplanQuestion {
            context: Some(self.context.as_bytes()),
            number: Some(self.number.as_bytes()),
            caller_number: Some(b"+4930123456"),
            caller: self.caller.as_ref().map(|_| b"1001".as_slice()),
            caller_domain: self.caller.as_deref().map(str::as_bytes),
            // A Tuesday, 12:30 UTC.
            now: 1_795_523_400,
            ..DialplanQuestion::default()
        }
    }
}

fn domain(tenant: u32) -> String {
    format!("t{tenant}.bench.test")
}

fn did(tenant: u32) -> String {
    format!("1555{tenant:08}")
}

fn step(tenants: u32) -> u32 {
    (tenants / 1000).clamp(1, 100)
}

fn image(tenants: u32) -> Vec<u8> {
    let mut builder = Builder::base(1, 0x6e69_7a61_6d62_656e);
    let rows: Vec<(String, [u8; 16])> =
        (0..PATTERNS).map(|n| (format!("49{n:03}."), id(n % 20, 7))).collect();
    let rows: Vec<PatternRow<'_>> =
        rows.iter().map(|(pattern, route)| PatternRow { pattern, priority: 100, route: *route }).collect();
    let all = Patterns::build(&rows);
    let patterns = PatternSets { all: &all, emergency: &[] }.encode();
    for n in 0..tenants {
        tenant(&mut builder, n, n % step(tenants) == 0, &patterns);
    }
    builder.finish().expect("an image")
}

/// The id of something of a tenant.
fn id(tenant: u32, what: u8) -> [u8; 16] {
    let mut id = [what; 16];
    id[..4].copy_from_slice(&tenant.to_be_bytes());
    id
}

fn tenant(builder: &mut Builder, n: u32, dials_out: bool, patterns: &[u8]) {
    let (scope, domain, number) = (id(n, 1), domain(n), did(n));
    let mut put = |kind, scope, key: &[u8], value: &[u8]| builder.put(kind, scope, key, Some(value)).unwrap();
    let variables = PairsBuf::default();
    let tenant = Tenant {
        id: scope,
        domain: &domain,
        state: State::Open,
        ring_timeout: 30,
        dial_string: "",
        variables: variables.as_pairs(),
        variables_xml: "",
    };
    put(Kind::Domain, PLATFORM, domain.as_bytes(), &scope);
    put(Kind::Tenant, scope, ONLY, &tenant.encode());
    let emergency = ListBuf::of(["112", "110"]);
    let routing = Routing {
        zone: "",
        home: None,
        max_calls: 100,
        calls_per_minute: 0,
        caller_id_number: "",
        caller_id_name: "",
        emergency: emergency.as_list(),
        class_limits: List::default(),
        policies: List::default(),
        gateways: List::default(),
        tts_engine: "",
        tts_voice: "",
    };
    put(Kind::Routing, scope, ONLY, &routing.encode());
    let extension = Extension {
        id: id(n, 2),
        number: "1001",
        password: "secret-password",
        full_name: "Ann Lee",
        effective_caller_id_name: "",
        effective_caller_id_number: "",
        outbound_caller_id_name: "",
        outbound_caller_id_number: "",
        voicemail: true,
        voicemail_pin: "4711",
        toll_allow: Classes::of([Class::National]),
        max_channels: 0,
        ring_timeout: 0,
    };
    put(Kind::Extension, scope, b"1001", &extension.encode());
    put(Kind::ExtensionId, scope, &extension.id, b"1001");
    let ivr = Destination { kind: DestinationKind::Ivr, id: id(n, 3) };
    let office =
        TimeRule { weekdays: 0x1f, days: ANY_DAY, months: ANY_MONTH, from: 540, to: 1020, holiday: None };
    let rules = ListBuf::of([office]);
    let hours = TimeCondition { rules: rules.as_list(), matched: Some(ivr), otherwise: None };
    put(Kind::TimeCondition, scope, &id(n, 4), &hours.encode());
    let menu = Ivr {
        greet_long: Prompt::File("ivr/welcome.wav"),
        greet_short: Prompt::None,
        timeout: 5,
        max_failures: 3,
        direct_dial: false,
        options: List::default(),
        on_timeout: None,
    };
    put(Kind::Ivr, scope, &ivr.id, &menu.encode());
    let hours = Destination { kind: DestinationKind::TimeCondition, id: id(n, 4) };
    put(
        Kind::Did,
        scope,
        number.as_bytes(),
        &Did { id: id(n, 5), destination: hours, confirmed: false }.encode(),
    );
    let claims = ListBuf::of([scope]);
    put(Kind::Claim, PLATFORM, number.as_bytes(), &Ids(claims.as_list()).encode());
    if !dials_out {
        return;
    }
    let gateway = Gateway {
        tenant: scope,
        shared: false,
        name: &format!("carrier-{n}"),
        params: variables.as_pairs(),
        variables: variables.as_pairs(),
    };
    put(Kind::Gateway, PLATFORM, &id(n, 6), &gateway.encode());
    put(Kind::Patterns, scope, ONLY, patterns);
    let gateways = ListBuf::of([id(n, 6)]);
    let route = OutboundRoute {
        class: Class::National,
        strip: 0,
        prepend: "",
        gateways: gateways.as_list(),
        caller_id: CallerIdRule::Extension,
        caller_id_number: "",
    };
    for route_number in 0..20 {
        put(Kind::OutboundRoute, scope, &id(route_number, 7), &route.encode());
    }
}
