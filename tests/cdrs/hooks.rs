//! Every event that the module keeps, and where it is stored.

use std::{collections::BTreeSet, fs, path::Path};

use reqwest::Method;
use serde_json::{Value, json};

use super::office::{Office, SOON};
use crate::support::{Caller, Change, Manner, Plan, until};

/// Where an event is found.
#[derive(Clone, Copy)]
enum Kept {
    /// Among the tenant's events, of that type.
    Event(&'static str),
    /// Among those of no tenant, of that type.
    Stray(&'static str),
    /// Nowhere by itself: it changes what is known of the switch.
    Nowhere,
}

/// All of them (`mod_nizam/src/host/hook.rs`).
const HOOKS: [(&str, Kept); 27] = [
    ("CHANNEL_CREATE", Kept::Event("call.created")),
    ("CHANNEL_PROGRESS", Kept::Event("call.progress")),
    ("CHANNEL_PROGRESS_MEDIA", Kept::Event("call.early_media")),
    ("CHANNEL_ANSWER", Kept::Event("call.answered")),
    ("CHANNEL_BRIDGE", Kept::Event("call.bridged")),
    ("CHANNEL_UNBRIDGE", Kept::Event("call.unbridged")),
    ("CHANNEL_HOLD", Kept::Event("call.held")),
    ("CHANNEL_UNHOLD", Kept::Event("call.resumed")),
    ("CHANNEL_HANGUP_COMPLETE", Kept::Event("call.hangup")),
    ("CALL_UPDATE", Kept::Event("call.updated")),
    ("CHANNEL_UUID", Kept::Event("call.renamed")),
    ("RECORD_START", Kept::Event("recording.started")),
    ("RECORD_STOP", Kept::Event("recording.stopped")),
    ("HEARTBEAT", Kept::Nowhere),
    ("SHUTDOWN", Kept::Nowhere),
    ("sofia::register", Kept::Event("device.registered")),
    ("sofia::unregister", Kept::Event("device.unregistered")),
    ("sofia::expire", Kept::Event("device.unregistered")),
    ("sofia::register_failure", Kept::Event("device.register_failed")),
    ("sofia::gateway_state", Kept::Event("gateway.state")),
    ("sofia::gateway_add", Kept::Nowhere),
    ("vm::maintenance", Kept::Event("voicemail.received")),
    ("conference::maintenance", Kept::Event("conference.add_member")),
    ("callcenter::info", Kept::Event("callcenter.agent_status_change")),
    // Our own.
    ("nizam::flow", Kept::Event("call.flow")),
    ("nizam::emergency", Kept::Event("call.emergency")),
    ("nizam::ambiguous", Kept::Stray("routing.ambiguous")),
];

const CONFERENCE: &str = r#"<configuration name="conference.conf" description="">
  <profiles><profile name="default"><param name="rate" value="8000"/><param name="interval" value="20"/></profile></profiles>
</configuration>"#;
const CENTER: &str =
    r#"<configuration name="callcenter.conf" description=""><settings/><queues/></configuration>"#;

pub(crate) fn run() {
    the_list_is_complete();
    let load = ["mod_conference", "mod_callcenter", "mod_loopback"]
        .map(|name| format!("<load module=\"{name}\"/>"))
        .concat();
    let plan = Plan {
        configuration: vec![
            ("conference.conf.xml", Change::New(CONFERENCE.to_owned())),
            ("callcenter.conf.xml", Change::New(CENTER.to_owned())),
            ("modules.conf.xml", Change::Before("<load module=\"mod_sofia\"/>", load)),
        ],
        ..Plan::default()
    };
    let office = Office::open("hooks.test", plan);
    phones(&office);
    calls(&office);
    others(&office);
    for (hook, kept) in HOOKS {
        match kept {
            Kept::Event(kind) => {
                let stored = until(&format!("{hook} is stored as {kind}"), SOON, || {
                    let listed = office.get(&format!("call-events?event_type={kind}"));
                    listed["data"].as_array()?.first().cloned()
                });
                assert_eq!(stored["event_type"], kind);
                assert_eq!(stored["payload"]["tenant_id"], office.tenant.as_str(), "{hook}");
                println!("{hook}: {kind}, {}", stored["payload"]["metadata"]);
            }
            Kept::Stray(kind) => {
                let (_, strays) =
                    office.site.nizamd.rest().attempt(&Method::GET, "/admin/stray-events", &json!({}));
                let strays = strays["data"].as_array().unwrap().iter();
                let found: Vec<&Value> = strays.filter(|event| event["event_type"] == kind).collect();
                assert!(!found.is_empty(), "{hook}");
                println!("{hook}: {kind} of no tenant, {}", found[0]["payload"]["metadata"]);
            }
            Kept::Nowhere => println!("{hook}: no event of a tenant"),
        }
    }
}

/// The list here is that of the module.
fn the_list_is_complete() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("mod_nizam/src/host/hook.rs");
    let source = fs::read_to_string(source).unwrap();
    let texts = source.split('"').skip(1).step_by(2);
    let hooks: BTreeSet<&str> =
        texts.filter(|text| *text != "CUSTOM" && !text.starts_with("nizam::")).collect();
    let known: BTreeSet<&str> =
        HOOKS.iter().map(|(hook, _)| *hook).filter(|hook| !hook.starts_with("nizam::")).collect();
    assert_eq!(hooks, known);
}

/// Phones that come and go.
fn phones(office: &Office) {
    let [stays, goes] = ["1011", "1012"].map(|number| office.extension(number, &json!({})));
    office.site.register_at(&stays, 9);
    office.site.register_at(&goes, 9);
    let mut thief = stays.clone();
    "not-the-password".clone_into(&mut thief.password);
    office.site.register(&thief, 403);
    let gone = |number: &str, action: &str| {
        until(&format!("{number} is gone by {action}"), SOON, || {
            let events =
                office.get(&format!("call-events?event_type=device.unregistered&call_uuid={number}"));
            let action = events["data"]
                .as_array()?
                .iter()
                .find(|event| event["payload"]["metadata"]["action"] == action);
            action.map(|_| ())
        });
    };
    let registered = || office.get("registrations")["total"].as_u64();
    until("both are registered", SOON, || (registered() == Some(2)).then_some(()));
    office.site.unregister_at(&goes, 9);
    gone("1012", "unregister");
    office.api("sofia profile internal flush_inbound_reg 1011@hooks.test");
    gone("1011", "expire");
    assert_eq!(registered(), Some(0));
}

/// Calls with everything that can happen in them.
fn calls(office: &Office) {
    let (one, _phone) = office.phone("1001", Manner::AnswerAfter(500), &json!({}));
    let (_, _desk) = office.phone("1002", Manner::AnswerAfter(2000), &json!({}));
    let call = office.site.call(&Caller::phone(&one).holding(30_000), "1002");
    let uuid = office.channel(&call);
    office.await_event(&uuid, "call.progress");
    office.api(&format!("uuid_pre_answer {uuid}"));
    office.await_event(&uuid, "call.bridged");
    for (action, kind) in [("start", "recording.started"), ("stop", "recording.stopped")] {
        office.control("recording", &json!({"uuid": uuid, "action": action}));
        office.await_event(&uuid, kind);
    }
    office.api(&format!("uuid_transfer {uuid} conference:room@default inline"));
    office.await_event(&uuid, "conference.add_member");
    office.control("hangup", &json!({"uuid": uuid}));
    call.over();
    office.site.call(&Caller::phone(&one).pausing(500), "1002").over();
    // One that the switch itself makes.
    let made = office.control("originate", &json!({"extension": "1001", "destination": "1002"}));
    let uuid = made["call_uuid"].as_str().unwrap();
    office.await_event(uuid, "call.bridged");
    office.control("hangup", &json!({"uuid": uuid}));
    // A channel gets another id where the endpoint that makes it takes none (`switch_core_session_outgoing_channel`).
    let id = office.api("create_uuid");
    let variables = format!("origination_uuid={},nizam_tenant={}", id.trim(), office.tenant);
    office.api(&format!("originate {{{variables}}}null/1002 &park"));
    office.await_event(id.trim(), "call.renamed");
    office.api(&format!("uuid_kill {}", id.trim()));
}

/// What is no call between phones.
fn others(office: &Office) {
    let carrier = office.site.callee(Manner::Answer);
    let registrar = office.site.callee(Manner::Registrar);
    let gateway = |name: &str, port: u16, register: bool| {
        let body = json!({"name": name, "host": "127.0.0.1", "port": port, "register": register,
            "username": "u", "password": "a-long-password"});
        let id = office.make("gateways", &body);
        office.await_gateway(&id);
    };
    gateway("carrier", carrier.port(), false);
    gateway("registers", registrar.port(), true);
    let one = Caller::phone(&office.extension("1021", &json!({})));
    let nodes = json!([{"id": "tell", "type": "webhook", "data": {"url": "https://example.test/"}}]);
    office.make("call-flows", &json!({"name": "flow", "number": "800", "nodes": nodes}));
    for number in ["800", "112"] {
        office.site.call(&one, number).over();
    }
    // A number that two tenants have.
    let rest = office.site.nizamd.rest();
    let other = office.site.tenant("other.test");
    for tenant in [&office.tenant, &other] {
        let desk = rest.create_extension(tenant, "1031", "a-long-password", &json!({}));
        let body = json!({"number": "+49893333333", "destination_type": "extension", "destination_id": desk});
        rest.create(tenant, "dids", &body);
    }
    office.site.call(&Caller::outside("127.0.0.9", "+4940999"), "+49893333333").over();
    office.api("callcenter_config agent add 1001@hooks.test callback");
    office.api("callcenter_config agent set status 1001@hooks.test Available");
    office.extension("1041", &json!({"voicemail_enabled": true, "voicemail_pin": "4711"}));
    let message = office.site.home().join("message.wav");
    crate::support::write_silence(&message, 3);
    let left = office.api(&format!("voicemail_inject 1041@hooks.test {}", message.display()));
    assert!(left.contains("+OK"), "{left}");
}
