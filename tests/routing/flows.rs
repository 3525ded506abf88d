//! Call flows.

use serde_json::{Value, json};

use super::clock::{Today, ZONE};
use super::world::{SOON, World, destination};
use crate::support::{Caller, Cases, Manner, Phone, share_of_tone};

const DOMAIN: &str = "flows.test";

pub(crate) fn run() {
    let mut world = World::start(DOMAIN, &json!({"timezone": ZONE}));
    let mut cases = Cases::default();
    let mut phone = world.site.phone(0, &world.extension("1001", &json!({})), 440);
    let mute = Caller::phone(&world.extension("1000", &json!({})));
    let (desk, mut desk_phone) = world.phone("1002", Manner::Answer, &json!({}));
    let (other, mut other_phone) = world.phone("1003", Manner::Answer, &json!({}));
    let (busy, _busy_phone) = world.phone("1004", Manner::Refuse(486), &json!({}));
    let bridge = |id: &str, to: &str, next: Value| node(id, "bridge", destination("", "extension", to), next);
    let (desk_step, other_step) =
        (bridge("desk", &desk.id, Value::Null), bridge("other", &other.id, Value::Null));
    let busy_step = || node("busy", "hangup", json!({"cause": "USER_BUSY"}), Value::Null);

    cases.case(
        "Flows collect_input, Flows branch, Flows bridge, Continuations nizam:flow:FLOW:INDEX",
        "digits are collected, a branch looks at them, and an extension rings",
        || {
            let cases = json!([{"digits": "12", "next": "other"}, {"digits": "34", "next": "desk"}]);
            let ask = json!({"min_digits": 2, "max_digits": 2, "file": "tone_stream://%(1000,0,1000)"});
            let nodes = json!([
                node("ask", "collect_input", ask, json!("branch")),
                node("branch", "branch", json!({"branches": cases, "default": "busy"}), Value::Null),
                desk_step,
                other_step,
                busy_step(),
            ]);
            let flow = world.flow("800", &nodes);
            let uuid = asked(&world, &mut phone, "800");
            phone.press("34");
            desk_phone.next_call();
            leave(&mut phone);
            world.events.wait_for_step(&uuid, "transfer", &format!("nizam:flow:{flow}:1 XML {DOMAIN}"));
            let uuid = asked(&world, &mut phone, "800");
            phone.press("56");
            world.events.wait_for_step(&uuid, "hangup", "USER_BUSY");
            phone.await_event("CALL_CLOSED", SOON);
        },
    );
    cases.case("Flows collect_input", "a map of digits to steps, and what is neither", || {
        let next = json!({"1": "desk", "2": "other", "default": "busy"});
        let nodes = json!([
            node("ask", "collect_input", json!({"timeout": 2}), next),
            desk_step,
            other_step,
            busy_step()
        ]);
        world.flow("801", &nodes);
        let uuid = asked(&world, &mut phone, "801");
        phone.press("2");
        other_phone.next_call();
        leave(&mut phone);
        world.events.wait_for_step(&uuid, "bridge", "user/1003@flows.test");
        // Nothing is pressed.
        let told = world.call(&mute.clone().holding(20_000), "801");
        told.expect(
            200,
            &[
                "play_and_get_digits 1 1 1 2000 # silence_stream://250",
                "transfer nizam:flow:",
                "hangup USER_BUSY",
            ],
        );
        assert_eq!(told.cause(), "USER_BUSY");
    });
    cases.case("Flows set_variable, Flows branch", "a variable that a step set decides a branch", || {
        let cases = json!([{"variable": "lang", "equals": "de", "next": "desk"}, {"variable": "lang", "equals": "en", "next": "other"}]);
        let nodes = json!([
            node("set", "set_variable", json!({"name": "lang", "value": "en"}), json!("branch")),
            node("branch", "branch", json!({"cases": cases}), json!("busy")),
            desk_step, other_step, busy_step(),
        ]);
        world.flow("802", &nodes);
        let told = world.call(&mute, "802");
        told.expect(200, &["answer", "set flow_lang=en", "bridge user/1003@flows.test"]);
        assert_eq!(told.variable("flow_lang"), "en");
        other_phone.next_call();
    });
    cases.case("Flows branch", "callers and times decide a branch", || {
        let today = Today::now();
        let now = json!({"time_from": today.time(-60), "time_to": today.time(60)});
        let later = json!({"time_from": today.time(60), "time_to": today.time(120)});
        for (number, cases, to) in [
            ("803", json!([{"caller": "10*", "next": "desk"}]), "1002"),
            (
                "804",
                json!([{"caller": "11*", "next": "desk"}, {"conditions": [now], "next": "other"}]),
                "1003",
            ),
            ("805", json!([{"conditions": later, "next": "other"}, {"never": 1, "next": "other"}]), "1002"),
        ] {
            let branch =
                node("branch", "branch", json!({"branches": cases, "default": "desk"}), json!("busy"));
            world.flow(number, &json!([branch, desk_step, other_step, busy_step()]));
            world.call(&mute, number).expect(200, &[&format!("bridge user/{to}@flows.test")]);
        }
        desk_phone.next_call();
        other_phone.next_call();
        desk_phone.next_call();
    });
    cases.case("Flows bridge", "nobody takes the call: the next step", || {
        world.flow("806", &json!([bridge("a", &busy.id, json!("desk")), desk_step]));
        world.call(&mute, "806").expect(200, &["bridge user/1004@flows.test", "bridge user/1002@flows.test"]);
        desk_phone.next_call();
        // Without one the reason why.
        world.flow("807", &json!([bridge("a", &busy.id, Value::Null)]));
        assert_eq!(world.call(&mute, "807").cause(), "USER_BUSY");
    });
    cases.case("Flows play_prompt", "a prompt is heard", || {
        let play = json!({"file": "tone_stream://%(2000,0,1000)"});
        world.flow("808", &json!([node("play", "play_prompt", play, Value::Null)]));
        phone.dial("808", DOMAIN);
        phone.await_event("CALL_CLOSED", SOON);
        let heard = share_of_tone(&phone.heard(), 1000.0);
        assert!(heard > 0.8, "the prompt's tone is {heard} of what was heard");
    });
    cases.case("Flows record", "the caller is recorded, for as long as was said", || {
        world.flow("809", &json!([node("record", "record", json!({"max_seconds": 3}), Value::Null)]));
        let from = world.events.count();
        phone.dial("809", DOMAIN);
        phone.await_event("CALL_CLOSED", SOON);
        let step = world.events.wait_from(from, "record", |event| {
            event.is("CHANNEL_EXECUTE") && event.get("Application") == "record"
        });
        let file = format!("{}/{}.wav", world.tenant, step.get("Unique-ID"));
        let heard = share_of_tone(&world.site.switch.directory("recordings").join(file), 440.0);
        assert!(heard > 0.8, "the caller's tone is {heard} of what was recorded");
    });
    cases.case("Flows webhook", "a webhook and an API call are events", || {
        let url = json!({"url": "https://hooks.example.org/x"});
        let flow = world.flow(
            "810",
            &json!([
                node("one", "webhook", url.clone(), json!("two")),
                node("two", "api_call", url, Value::Null)
            ]),
        );
        world.call(&mute, "810").expect(200, &["answer", "event ", "event ", "hangup NORMAL_CLEARING"]);
        for step in ["one", "two"] {
            let event = world
                .events
                .wait("nizam::flow", |event| event.is("nizam::flow") && event.get("nizam_step") == step);
            assert_eq!(
                (event.get("nizam_flow"), event.get("nizam_tenant")),
                (flow.as_str(), world.tenant.as_str())
            );
        }
    });
    cases.case("Flows hangup", "a flow ends with the cause that it names", || {
        world.flow("811", &json!([busy_step()]));
        let told = world.call(&mute, "811");
        told.expect(200, &["answer", "hangup USER_BUSY"]);
        assert_eq!(told.cause(), "USER_BUSY");
    });
    cases.case("Rules of the road 4", "a flow with a loop ends at the limit, with a clear cause", || {
        let set =
            |id: &str, next: &str| node(id, "set_variable", json!({"name": id, "value": "1"}), json!(next));
        world.flow("812", &json!([set("a", "b"), set("b", "a")]));
        let told = world.call(&mute, "812");
        told.expect(
            200,
            &[
                "answer",
                "set flow_a=1",
                "set flow_b=1",
                "set nizam_refused=loop",
                "hangup EXCHANGE_ROUTING_ERROR",
            ],
        );
        assert_eq!((told.cause(), told.variable("nizam_refused")), ("EXCHANGE_ROUTING_ERROR", "loop"));
        assert!(told.steps.len() < 80, "{}", told.steps.len());
    });
    cases.case(
        "Tenant settings tts_engine",
        "a text is handed to the tenant's speech engine, where it has one",
        || {
            let say = |number: &str| {
                let text = json!({"text": "Good day, and welcome"});
                world.flow(number, &json!([node("say", "play_prompt", text, Value::Null)]));
                world.call(&mute, number)
            };
            let told = say("813");
            told.expect(200, &["answer", "hangup NORMAL_CLEARING"]);
            assert!(!told.did("speak"), "{told:#?}");
            world
                .site
                .nizamd
                .rest()
                .settings(&world.tenant, &json!({"tts_engine": "flite", "tts_voice": "slt"}));
            say("814").expect(200, &["answer", "speak flite|slt|Good day, and welcome"]);
        },
    );
    cases.finish();
    world.site.switch.stop();
}

#[expect(clippy::needless_pass_by_value, reason = "steps are literals")]
fn node(id: &str, kind: &str, data: Value, next: Value) -> Value {
    json!({"id": id, "type": kind, "data": data, "next": next})
}

/// The phone dials a flow, and waits until it is asked for digits; the call's channel.
fn asked(world: &World, phone: &mut Phone, number: &str) -> String {
    let from = world.events.count();
    phone.dial(number, DOMAIN);
    phone.await_event("CALL_ESTABLISHED", SOON);
    let asked = world.events.wait_from(from, "the question", |event| {
        event.is("CHANNEL_EXECUTE") && event.get("Application") == "play_and_get_digits"
    });
    asked.get("Unique-ID").to_owned()
}

fn leave(phone: &mut Phone) {
    phone.hang_up();
    phone.await_event("CALL_CLOSED", SOON);
}
