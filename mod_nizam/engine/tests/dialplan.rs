//! Dialplan lookups.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod common;

use common::{ACME, OTHER, base, engine, extension, image, put, tenant};
use nizam_engine::{Channel, DialplanQuestion, Engine, Outcome, Route};
use nizam_wire::image::{ONLY, PLATFORM, Scope};
use nizam_wire::record::{
    CallerIdRule, Class, Destination, DestinationKind, Did, Extension, Flow, Ids, Ivr, List, ListBuf,
    OutboundRoute, PatternRow, PatternSets, Patterns, Prompt, RingGroup, State, Step, StepAction,
    TimeCondition,
};
use nizam_wire::{Builder, Kind};

fn call(engine: &Engine, context: &str, number: &str, caller: Option<&str>) -> Option<Route> {
    engine.dialplan(&DialplanQuestion {
        context: Some(context.as_bytes()),
        number: Some(number.as_bytes()),
        caller: caller.map(str::as_bytes),
        caller_domain: caller.map(|_| context.as_bytes()),
        ..DialplanQuestion::default()
    })
}

fn steps(route: &Route) -> Vec<String> {
    route.actions().map(|action| format!("{} {}", action.application, action.data)).collect()
}

#[test]
fn an_extension_rings_and_its_mailbox_takes_over() {
    let route = call(&engine(vec![base()]), "ACME.example", "1002", Some("1001")).unwrap();
    assert_eq!(route.outcome, Outcome::To(DestinationKind::Extension));
    assert_eq!(
        steps(&route),
        [
            "set nizam_generation=40",
            "set nizam_tenant=01010101-0101-0101-0101-010101010101",
            "set effective_caller_id_name=Ann Lee",
            "set effective_caller_id_number=1001",
            "set dialed_extension=1002",
            "set call_timeout=25",
            "set hangup_after_bridge=true",
            "set continue_on_fail=true",
            "set nizam_path=g40 ext:09090909090909090909090909090909",
            "bridge user/1002@acme.example",
            "set nizam_path=g40 ext:09090909090909090909090909090909/unanswered vm:09090909090909090909090909090909",
            "answer ",
            "sleep 500",
            "voicemail default acme.example 1002",
        ]
    );
    let mut text = Vec::new();
    route.write(&mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    assert!(text.starts_with(
        "<document type=\"freeswitch/xml\"><section name=\"dialplan\"><context name=\"acme.example\">\
         <extension name=\"nizam\"><condition><action application=\"set\" data=\"nizam_generation=40\"/>"
    ));
}

#[test]
fn without_a_mailbox_the_caller_hears_why() {
    let route = call(&engine(vec![base()]), "acme.example", "1001", None).unwrap();
    assert_eq!(steps(&route).last().unwrap(), "hangup ${originate_disposition}");
    assert!(
        !steps(&route).iter().any(|step| step.contains("caller_id")),
        "an unknown caller keeps what it has"
    );
}

#[test]
fn unknown_numbers_suspended_and_closed_tenants_and_foreign_contexts() {
    let engine = engine(vec![base()]);
    let huge = "9".repeat(1 << 16);
    for number in ["9999", "", "${x}", "1001'", "<!", huge.as_str()] {
        let route = call(&engine, "acme.example", number, None).unwrap();
        assert_eq!(route.outcome, Outcome::Unknown);
        assert_eq!(steps(&route).len(), 3);
        assert_eq!(steps(&route).last().unwrap(), "respond 404", "{number:.20}");
    }
    assert_eq!(
        call(&engine, "other.example", "1002", None).unwrap().outcome,
        Outcome::Unknown,
        "another tenant's"
    );
    for domain in ["late.example", "gone.example"] {
        let route = call(&engine, domain, "1001", None).unwrap();
        assert_eq!(
            (route.outcome, steps(&route).last().unwrap().as_str()),
            (Outcome::Suspended, "respond 403")
        );
    }
    assert!(call(&engine, "public", "1001", None).is_none());
    assert!(engine.dialplan(&DialplanQuestion::default()).is_none());
    let route =
        engine.dialplan(&DialplanQuestion { context: Some(b"acme.example"), ..DialplanQuestion::default() });
    assert_eq!(route.unwrap().outcome, Outcome::Unknown);
}

#[test]
fn a_caller_of_another_domain_lends_no_caller_id() {
    let question = DialplanQuestion {
        context: Some(b"acme.example"),
        number: Some(b"1001"),
        caller: Some(b"1002"),
        caller_domain: Some(b"other.example"),
        ..DialplanQuestion::default()
    };
    let route = engine(vec![base()]).dialplan(&question).unwrap();
    assert!(!steps(&route).iter().any(|step| step.contains("caller_id")));
}

#[test]
fn names_that_freeswitch_would_expand_are_left_out() {
    for name in ["${system(reboot)}", "$${x}", "it\\'s", "a<!b", "a\\nb"] {
        let mut builder = Builder::base(1, common::SEED);
        tenant(&mut builder, ACME, "acme.example", State::Open);
        put(&mut builder, ACME, &Extension { effective_caller_id_name: name, ..extension("1001") });
        put(&mut builder, ACME, &extension("1002"));
        let route = call(&engine(vec![image(builder)]), "acme.example", "1002", Some("1001")).unwrap();
        assert!(!steps(&route).iter().any(|step| step.contains("caller_id_name")), "{name}");
        assert!(steps(&route).iter().any(|step| step == "bridge user/1002@acme.example"));
        route.write(&mut Vec::new()).unwrap();
    }
}

#[test]
fn a_number_that_cannot_be_dialled_leaves_by_no_route() {
    let mut builder = Builder::overlay(41, common::SEED);
    let gateways = ListBuf::of([[7_u8; 16]]);
    let route = OutboundRoute {
        class: Class::National,
        strip: 0,
        prepend: "",
        gateways: gateways.as_list(),
        caller_id: CallerIdRule::Extension,
        caller_id_number: "",
    };
    builder.put(Kind::OutboundRoute, ACME, &[8; 16], Some(&route.encode())).unwrap();
    let patterns = Patterns::build(&[PatternRow { pattern: "X.", priority: 1, route: [8; 16] }]);
    let sets = PatternSets { all: &patterns, emergency: &[] }.encode();
    builder.put(Kind::Patterns, ACME, ONLY, Some(&sets)).unwrap();
    let engine = engine(vec![image(builder), base()]);
    let last = |number: &str| {
        let route = call(&engine, "acme.example", number, Some("1001")).unwrap();
        steps(&route).iter().rfind(|step| !step.starts_with("hangup")).unwrap().clone()
    };
    assert_eq!(last("5550"), "bridge [leg_progress_timeout=8]sofia/gateway/acme-carrier/5550");
    assert_eq!(
        last("+1 (555) 123-4567"),
        "bridge [leg_progress_timeout=8]sofia/gateway/acme-carrier/+15551234567"
    );
    for hostile in
        ["9,user/1002@acme.example", "9'", "9\n", "9${x}", "9 1", "9/1", "9\u{1f4de}", "9|1", "9[x=1]"]
    {
        assert_eq!(last(hostile), "respond 404", "{hostile:?}");
    }
}

#[test]
fn a_number_is_contested_unless_the_own_claim_is_better() {
    let contested = |of: &[(Scope, bool)]| {
        let mut builder = Builder::base(1, 7);
        for (id, domain) in [(ACME, "acme.example"), (OTHER, "other.example")] {
            tenant(&mut builder, id, domain, State::Open);
        }
        for (tenant, confirmed) in of {
            let destination = Destination { kind: DestinationKind::Ivr, id: [5; 16] };
            let did = Did { id: [6; 16], destination, confirmed: *confirmed };
            builder.put(Kind::Did, *tenant, b"4930123456", Some(&did.encode())).unwrap();
        }
        let ids = Ids(ListBuf::of(of.iter().map(|(id, _)| *id)).as_list()).encode();
        builder.put(Kind::Claim, PLATFORM, b"4930123456", Some(&ids)).unwrap();
        let engine = engine(vec![image(builder)]);
        [ACME, OTHER].map(|tenant| engine.is_contested(&tenant, b"4930123456"))
    };
    assert_eq!(contested(&[(ACME, false)]), [false, true]);
    assert_eq!(contested(&[(ACME, false), (OTHER, false)]), [true, true]);
    assert_eq!(contested(&[(OTHER, true), (ACME, false)]), [true, false]);
    assert_eq!(contested(&[(ACME, true), (OTHER, true)]), [true, true]);
}

#[test]
fn a_menu_without_a_greeting_waits_for_digits() {
    let mut builder = Builder::overlay(41, common::SEED);
    for (id, greet_long) in [([5; 16], Prompt::None), ([6; 16], Prompt::File("ivr/welcome.wav"))] {
        let menu = Ivr {
            greet_long,
            greet_short: Prompt::None,
            timeout: 5,
            max_failures: 3,
            direct_dial: false,
            options: List::default(),
            on_timeout: None,
        };
        builder.put(Kind::Ivr, ACME, &id, Some(&menu.encode())).unwrap();
    }
    let engine = engine(vec![image(builder), base()]);
    for (id, greeting) in [("05", "silence_stream://250"), ("06", "ivr/welcome.wav")] {
        let name = [&"01".repeat(16), ".", &id.repeat(16)].concat();
        let mut text = Vec::new();
        assert!(engine.menu(name.as_bytes(), &mut text));
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains(&format!("greet-long=\"{greeting}\"")), "{text}");
        assert!(!text.contains("greet-short"), "{text}");
    }
}

#[test]
fn a_recording_has_its_directory() {
    let mut builder = Builder::overlay(41, common::SEED);
    let steps_of_flow = ListBuf::of([Step { name: "a", action: StepAction::Record(60), next: None }]);
    let flow = Flow { steps: steps_of_flow.as_list() };
    builder.put(Kind::Flow, ACME, &[5; 16], Some(&flow.encode())).unwrap();
    let to = Destination { kind: DestinationKind::Flow, id: [5; 16] };
    builder.put(Kind::Number, ACME, b"800", Some(&to.encode())).unwrap();
    let route = call(&engine(vec![image(builder), base()]), "acme.example", "800", None).unwrap();
    let directory = "${recordings_dir}/01010101-0101-0101-0101-010101010101";
    let want = [
        format!("set nizam_path=g41 flow:{}", "05".repeat(16)),
        "answer ".to_owned(),
        format!("mkdir {directory}"),
        format!("record {directory}/${{uuid}}.wav 60"),
        "hangup NORMAL_CLEARING".to_owned(),
    ];
    assert_eq!(steps(&route)[2..], want);
}

/// A channel that is a tenant's.
struct Of(&'static str);

impl Channel for Of {
    fn variable(&self, name: &str) -> Option<&[u8]> {
        (name == "nizam_tenant").then_some(self.0.as_bytes())
    }
}

const OF_ACME: Of = Of("01010101-0101-0101-0101-010101010101");

/// A number 800 that leads over a time condition that never holds to a ring group, and from there to the mailbox of 1002; a menu 5.
fn office() -> Engine {
    let mut builder = Builder::overlay(41, common::SEED);
    let to = |kind, id| Destination { kind, id: [id; 16] };
    let closed = TimeCondition {
        rules: List::default(),
        matched: None,
        otherwise: Some(to(DestinationKind::RingGroup, 3)),
    };
    builder.put(Kind::TimeCondition, ACME, &[2; 16], Some(&closed.encode())).unwrap();
    let members = ListBuf::of([[9_u8; 16]]);
    let group = RingGroup {
        sequential: false,
        ring_timeout: 20,
        members: members.as_list(),
        fallback: Some(to(DestinationKind::Voicemail, 9)),
    };
    builder.put(Kind::RingGroup, ACME, &[3; 16], Some(&group.encode())).unwrap();
    builder.put(Kind::ExtensionId, ACME, &[9; 16], Some(b"1002")).unwrap();
    let did = Did { id: [1; 16], destination: to(DestinationKind::TimeCondition, 2), confirmed: true };
    builder.put(Kind::Did, ACME, b"4930123456", Some(&did.encode())).unwrap();
    let twice = to(DestinationKind::Extension, 9);
    let options = ListBuf::of([("1", did.destination), ("2", twice), ("3", twice)]);
    let menu = Ivr {
        greet_long: Prompt::None,
        greet_short: Prompt::None,
        timeout: 5,
        max_failures: 3,
        direct_dial: true,
        options: options.as_list(),
        on_timeout: Some(twice),
    };
    builder.put(Kind::Ivr, ACME, &[5; 16], Some(&menu.encode())).unwrap();
    engine(vec![image(builder), base()])
}

/// The paths that a call is told to have taken, in their order.
fn paths(engine: &Engine, number: &str, path: &str, channel: &dyn Channel) -> Vec<String> {
    let question = DialplanQuestion {
        context: Some(b"acme.example"),
        number: Some(number.as_bytes()),
        path: Some(path.as_bytes()),
        channel,
        ..DialplanQuestion::default()
    };
    let told = steps(&engine.dialplan(&question).unwrap());
    told.iter().filter_map(|step| step.strip_prefix("set nizam_path=")).map(str::to_owned).collect()
}

fn id(byte: u8) -> String {
    format!("{byte:02x}").repeat(16)
}

#[test]
fn a_route_says_which_rows_a_call_passed_and_what_was_decided_there() {
    let engine = office();
    let (did, tc, rg, vm) = (id(1), id(2), id(3), id(9));
    let ringing = format!("g41 did:{did} tc:{tc}/no_match rg:{rg}");
    let paths = |number: &str, path: &str| paths(&engine, number, path, &OF_ACME);
    assert_eq!(paths("+4930123456", ""), [ringing.clone(), format!("{ringing}/unanswered vm:{vm}")]);
    assert_eq!(paths("nobody", "g1"), [""; 0], "nothing was passed");

    // What was pressed in a menu, if only one option leads there; and when nothing was.
    let (menu, hyphenated) = (id(5), |byte: u8| uuid::Uuid::from_bytes([byte; 16]).to_string());
    let asked = format!("g40 ivr:{menu}");
    let pressed = paths(&format!("nizam:time_condition:{}", hyphenated(2)), &asked);
    assert_eq!(pressed[0], format!("g40 ivr:{menu}/1 g41 tc:{tc}/no_match rg:{rg}"));
    let either = paths(&format!("nizam:extension:{}", hyphenated(9)), &asked);
    assert_eq!(either[0], format!("g40 ivr:{menu} g41 ext:{vm}"));
    let direct = paths(&format!("nizam:direct:{}:1002", hyphenated(5)), &asked);
    assert_eq!(direct[0], format!("g40 ivr:{menu}/direct g41 ext:{vm}"));
    let given_up = paths(&format!("nizam:ivr:{}", hyphenated(5)), "");
    assert_eq!(given_up, [format!("g41 ivr:{menu}"), format!("g41 ivr:{menu}/timeout")]);
    let after = paths(&format!("nizam:extension:{}", hyphenated(9)), &given_up[1]);
    assert_eq!(after[0], format!("g41 ivr:{menu}/timeout ext:{vm}"));
}

#[test]
fn a_path_goes_on_only_where_it_is_one_of_that_tenant_and_ends_where_there_is_no_room() {
    let engine = office();
    let own = format!("g41 ext:{}", id(9));
    let before = format!("g40 did:{}", id(0x77));
    assert_eq!(paths(&engine, "1002", &before, &OF_ACME)[0], format!("{before} {own}"));
    // Of another tenant, of nobody, and what somebody made up.
    let other = Of("02020202-0202-0202-0202-020202020202");
    assert_eq!(paths(&engine, "1002", &before, &other)[0], own);
    assert_eq!(paths(&engine, "1002", &before, &Of(""))[0], own);
    for hostile in ["${system(reboot)}", "did:1", "g40 did:x\\'", "<!", &"a".repeat(1 << 16)] {
        assert_eq!(paths(&engine, "1002", hostile, &OF_ACME)[0], own, "{hostile:.20}");
    }
    let mut path = String::from("g1");
    while path.len() < 470 {
        path.extend([" did:", &id(u8::try_from(path.len() % 256).unwrap())]);
    }
    let told = paths(&engine, "1002", &path, &OF_ACME);
    assert_eq!(told, [format!("{path} +")], "and it is said once");
    assert!(told[0].len() <= nizam_wire::path::MOST);
}
