//! Calls of a tenant's own phones to each other.

use serde_json::json;

use super::world::{SOON, World, destination, merged};
use crate::support::{Callee, Caller, Cases, Manner};

const DOMAIN: &str = "inside.test";
const MAILBOX: &str = r#"{"voicemail_enabled": true, "voicemail_pin": "4711", "ring_timeout": 5}"#;

pub(crate) fn run() {
    let world = World::start(DOMAIN, &json!({"country": "DE", "ring_timeout": 9}));
    let mut cases = Cases::default();
    let mailbox = serde_json::from_str(MAILBOX).unwrap();
    let named = json!({"effective_caller_id_name": "Ann", "effective_caller_id_number": "4711"});
    let ann = world.extension("1001", &named);
    let phone = Caller::phone(&ann);
    let (desk, mut desk_phone) = world.phone("1002", Manner::Answer, &json!({}));

    cases.case("Inside 7, What every route begins with", "an extension rings, and is told who calls", || {
        let told = world.call(&phone, "1002");
        let tenant = format!("set nizam_tenant={}", world.tenant);
        let steps = [
            "set nizam_generation=",
            &tenant,
            "set effective_caller_id_name=Ann",
            "set effective_caller_id_number=4711",
            "set dialed_extension=1002",
            "set call_timeout=9",
            "bridge user/1002@inside.test",
        ];
        told.expect(200, &steps);
        assert!(told.steps[0].data.starts_with("nizam_generation="), "{told:#?}");
        let from = desk_phone.next_call().header("From").to_owned();
        assert!(from.starts_with("\"Ann\" <sip:4711@"), "{from}");
    });
    cases.case("Inside 7", "letters of an extension count in either case", || {
        let (_, mut sales) = world.phone("Sales", Manner::Answer, &json!({}));
        world.call(&phone, "sALES").expect(200, &["bridge user/Sales@inside.test"]);
        sales.next_call();
    });
    cases.case(
        "Inside 7, Tenant settings ring_timeout",
        "an extension rings as long as it says itself, else as the tenant says",
        || {
            let (_, mut short) = world.phone("1003", Manner::Ring, &json!({"ring_timeout": 5}));
            let told = world.call(&phone, "1003");
            told.expect(480, &["set call_timeout=5", "bridge user/1003@inside.test", "hangup NO_ANSWER"]);
            let call = short.next_call();
            short.await_cancel(&call);
        },
    );
    cases.case("Destinations extension", "who is busy, or not registered, is said to be", || {
        let (_, mut busy) = world.phone("1004", Manner::Refuse(486), &json!({}));
        world.call(&phone, "1004").expect(486, &["bridge user/1004@inside.test", "hangup USER_BUSY"]);
        busy.next_call();
        world.extension("1005", &json!({}));
        let told = world.call(&phone, "1005");
        assert_eq!((told.status, told.did("bridge user/1005@inside.test")), (480, true), "{told:#?}");
    });
    cases.case(
        "Destinations extension",
        "no answer, busy or not registered: the mailbox, where there is one",
        || {
            let caller = phone.clone().holding(1500);
            let (_, mut absent) = world.phone("1013", Manner::Ring, &mailbox);
            let (_, mut busy) = world.phone("1014", Manner::Refuse(486), &mailbox);
            world.extension("1015", &mailbox);
            let calls = ["1013", "1014", "1015"].map(|number| (number, world.dial(&caller, number)));
            for (number, call) in calls {
                let bridge = format!("bridge user/{number}@inside.test");
                let mailbox = format!("voicemail default inside.test {number}");
                call.told(&world.events).expect(200, &[&bridge, "answer", "sleep 500", &mailbox]);
            }
            absent.next_call();
            busy.next_call();
        },
    );
    cases.case("Inside 7", "an inactive extension is none", || {
        world.extension("1016", &json!({"is_active": false}));
        world.call(&phone, "1016").expect(404, &["respond 404"]);
    });
    cases.case("Inside 6", "a DID of the tenant dialled inside, as people at home do", || {
        world.did("+49 30 1234567", "extension", &desk.id);
        world.call(&phone, "0301234567").expect(200, &["bridge user/1002@inside.test"]);
        desk_phone.next_call();
    });
    cases.case("Inside 10", "a number that leads nowhere", || {
        world.call(&phone, "9999").expect(404, &["respond 404"]);
        world.call(&phone, "nobody").expect(404, &["respond 404"]);
    });
    cases.case("Inside 4", "the own mailbox and any mailbox are asked for messages", || {
        let caller = Caller::phone(&world.extension("1017", &mailbox)).holding(1500);
        world
            .call(&caller, "*97")
            .expect(200, &["answer", "sleep 500", "voicemail check default inside.test 1017"]);
        let told = world.call(&caller, "*98");
        told.expect(200, &["answer", "sleep 500", "voicemail check default inside.test"]);
        assert_eq!(told.steps.last().unwrap().data, "check default inside.test");
        world.call(&phone, "*97").expect(404, &["respond 404"]);
    });

    let to_desk = |prefix: &str| destination(prefix, "extension", &desk.id);
    let group = world.group("600", &[&desk], &json!({}));
    let option = merged(json!({"digit": "1"}), &to_desk(""));
    world.make("ivrs", &json!({"name": "menu", "number": "menU", "options": [option]}));
    world.flow("800", &json!([{"id": "a", "type": "bridge", "data": to_desk("")}]));
    cases.case("Inside 8", "internal numbers of a group, a menu and a flow, dialled", || {
        world.call(&phone, "600").expect(200, &["bridge {ignore_early_media=true}user/1002@inside.test"]);
        desk_phone.next_call();
        world.call(&phone.clone().holding(1500), "MENu").expect(200, &["answer", "sleep 500", "ivr "]);
        world.call(&phone, "800").expect(200, &["answer", "bridge user/1002@inside.test"]);
        desk_phone.next_call();
    });
    cases.case("Inside 3, Continuations nizam:KIND:ID", "a phone dials where only steps lead", || {
        let told = world.call(&phone, &format!("nizam:ring_group:{group}"));
        told.expect(200, &["bridge {ignore_early_media=true}user/1002@inside.test"]);
        desk_phone.next_call();
        for nowhere in [
            "nizam:moon:1",
            "nizam:extension:01a20aae-2581-7493-8338-95384ee213be",
            "nizam:",
            "nizam:flow:1:2:3",
        ] {
            world.call(&phone, nowhere).expect(404, &["hangup UNALLOCATED_NUMBER"]);
        }
    });
    transfers(&world, &mut cases, &phone, &mut desk_phone);
    cases.finish();
    // No orderly stop here: see `Switch::stop` about voicemail.
    assert!(world.api("status").contains("is ready"));
}

/// Calls that are handed on while they last.
fn transfers(world: &World, cases: &mut Cases, phone: &Caller, desk_phone: &mut Callee) {
    cases.case("Inside 8", "internal numbers of a group, a menu and a flow, transferred to", || {
        for (number, application, data) in [
            ("600", "bridge", "{ignore_early_media=true}user/1002@inside.test"),
            ("menu", "ivr", ""),
            ("800", "bridge", "user/1002@inside.test"),
        ] {
            let (call, uuid) = world.talk(phone, "1002");
            desk_phone.next_call();
            world.transfer(&uuid, number, DOMAIN);
            if application == "bridge" {
                desk_phone.next_call();
            } else {
                world.events.wait_for_step(&uuid, application, data);
            }
            world.end(call).expect(200, &["bridge user/1002@inside.test", &format!("{application} {data}")]);
        }
    });
    cases.case("Inside 8", "a phone transfers a call to a group (REFER)", || {
        let account = world.extension("1006", &json!({}));
        let mut secretary = world.site.phone(0, &account, 440);
        let (call, _) = world.talk(phone, "1006");
        secretary.await_event("CALL_ESTABLISHED", SOON);
        secretary.transfer("600", DOMAIN);
        desk_phone.next_call();
        let steps = ["bridge user/1006@inside.test", "bridge {ignore_early_media=true}user/1002@inside.test"];
        world.end(call).expect(200, &steps);
    });
    cases.case(
        "Whose call it is 3",
        "a context that is no tenant's is left to FreeSWITCH's other dialplans",
        || {
            let (call, uuid) = world.talk(phone, "1002");
            desk_phone.next_call();
            world.transfer(&uuid, "1002", "nobodys.test");
            let told = call.told(&world.events);
            assert_eq!(told.cause(), "NO_ROUTE_DESTINATION", "{told:#?}");
            assert_eq!(told.steps.last().unwrap().data, "user/1002@inside.test");
        },
    );
    cases.case("Whose call it is 1", "a call that gets into a closed tenant is refused", || {
        let (call, uuid) = world.talk(phone, "1002");
        desk_phone.next_call();
        world.site.nizamd.rest().change_tenant(&world.tenant, &json!({"is_active": false}));
        world.transfer(&uuid, "1002", DOMAIN);
        call.told(&world.events).expect(200, &["bridge user/1002@inside.test", "respond 403"]);
        world.site.nizamd.rest().change_tenant(&world.tenant, &json!({"is_active": true}));
    });
}
