//! Menus, walked by telephone-events of RFC 2833, and what is played in them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::world::{SOON, World, destination, merged};
use crate::support::{Caller, Cases, Manner, Phone, share_of_tone, tone, until};

const DOMAIN: &str = "menus.test";

pub(crate) fn run() {
    let mut world = World::start(DOMAIN, &json!({}));
    let mut cases = Cases::default();
    let mut phone = world.site.phone(0, &world.extension("1001", &json!({})), 440);
    let mute = Caller::phone(&world.extension("1000", &json!({}))).holding(20_000);
    let (desk, mut desk_phone) = world.phone("1002", Manner::Answer, &json!({}));
    let (operator, mut operator_phone) = world.phone("1003", Manner::Answer, &json!({}));
    let gone = world.extension("1004", &json!({}));

    let second = menu(&world, "701", &[option("2", "extension", &desk.id)], &json!({}));
    let options = [option("1", "ivr", &second), option("9", "extension", &gone.id)];
    let more = merged(destination("timeout_", "extension", &operator.id), &json!({"direct_dial": true}));
    let first = menu(&world, "700", &options, &more);
    world.delete("extensions", &gone.id);

    cases.case("Menus, Destinations ivr", "a menu two levels deep, by digits of RFC 2833", || {
        let uuid = enter(&world, &mut phone, "700", &first);
        phone.press("1");
        world.events.wait_for_step(&uuid, "ivr", &name(&world, &second));
        phone.press("2");
        desk_phone.next_call();
        leave(&mut phone);
        let digits = world.events.all(|event| event.is("DTMF") && event.get("Unique-ID") == uuid);
        let digits: Vec<_> =
            digits.iter().map(|event| (event.get("DTMF-Digit"), event.get("DTMF-Source"))).collect();
        assert_eq!(digits, [("1", "RTP"), ("2", "RTP")]);
    });
    cases.case("Continuations nizam:direct:IVR:DIGITS", "an extension dialled in a menu", || {
        let uuid = enter(&world, &mut phone, "700", &first);
        phone.press("1002");
        desk_phone.next_call();
        leave(&mut phone);
        let direct = format!("nizam:direct:{first}:1002 XML {DOMAIN}");
        world.events.wait_for_step(&uuid, "transfer", &direct);
    });
    cases.case(
        "Continuations nizam:direct:IVR:DIGITS",
        "no extension has the digits: the menu again",
        || {
            let uuid = enter(&world, &mut phone, "700", &first);
            phone.press("1999");
            until("the menu begins again", SOON, || {
                let steps = world.events.steps(&uuid);
                let menus = steps
                    .iter()
                    .filter(|step| step.application == "ivr" && step.data == name(&world, &first));
                (menus.count() == 2).then_some(())
            });
            leave(&mut phone);
        },
    );
    cases.case("Menus", "a wrong digit too many: where the menu gives up to", || {
        enter(&world, &mut phone, "700", &first);
        phone.press("5");
        operator_phone.next_call();
        leave(&mut phone);
    });
    cases.case("Menus", "nothing is pressed: where the menu gives up to, or the end", || {
        let [with, without] = ["700", "701"].map(|number| world.dial(&mute, number));
        operator_phone.next_call();
        let step = format!("ivr {}", name(&world, &first));
        world.end(with).expect(200, &[&step, "transfer nizam:extension:", "bridge user/1003@menus.test"]);
        let told = without.told(&world.events);
        told.expect(200, &["ivr ", "hangup NORMAL_CLEARING"]);
        assert_eq!(told.cause(), "NORMAL_CLEARING");
    });
    cases.case("Menus", "an option that leads nowhere", || {
        let uuid = enter(&world, &mut phone, "700", &first);
        phone.press("9");
        world.events.wait_for_step(&uuid, "hangup", "UNALLOCATED_NUMBER");
        phone.await_event("CALL_CLOSED", SOON);
    });
    prompts(&world, &mut cases, &mut phone, &mute, &option("1", "extension", &desk.id));
    cases.finish();
    world.site.switch.stop();
}

fn prompts(world: &World, cases: &mut Cases, phone: &mut Phone, mute: &Caller, option: &Value) {
    cases.case("Menus prompt", "the greeting is heard", || {
        let greeting = json!({"greet_long": "tone_stream://%(1500,0,1000)"});
        let id = menu(world, "710", std::slice::from_ref(option), &greeting);
        let heard = hear(world, phone, "710", &id);
        assert!(heard > 0.8, "the greeting's tone is {heard} of what was heard");
    });
    let uploaded = json!({"name": "Welcome", "content": STANDARD.encode(tone(1000.0))});
    let uploaded = world.make("prompts", &uploaded);
    cases.case("Menus prompt", "an uploaded prompt is heard, in a menu and in a flow", || {
        let id = menu(world, "711", std::slice::from_ref(option), &json!({"greet_long": uploaded}));
        let heard = hear(world, phone, "711", &id);
        assert!(heard > 0.8, "the prompt's tone is {heard} of what was heard in the menu");
        let play = json!({"id": "a", "type": "play_prompt", "data": {"prompt_id": uploaded}});
        world.flow("712", &json!([play]));
        phone.dial("712", DOMAIN);
        phone.await_event("CALL_ESTABLISHED", SOON);
        phone.await_event("CALL_CLOSED", SOON);
        let heard = share_of_tone(&phone.heard(), 1000.0);
        assert!(heard > 0.8, "the prompt's tone is {heard} of what was heard in the flow");
    });
    cases.case("Menus prompt", "a file of another place plays nothing, and the menu goes on", || {
        for (n, prompt) in ["/etc/passwd", "../x.wav", "{loops=3}x.wav"].into_iter().enumerate() {
            let number = format!("72{n}");
            menu(world, &number, std::slice::from_ref(option), &json!({"greet_long": prompt}));
            world.call(mute, &number).expect(200, &["ivr ", "hangup NORMAL_CLEARING"]);
        }
        let log = world.site.switch.log();
        assert!(!log.contains("passwd") && !log.contains("x.wav"), "{}", world.site.switch.log_tail());
    });
}

/// What a phone hears of 1000 Hz when it calls that menu, until the switch hangs up.
fn hear(world: &World, phone: &mut Phone, number: &str, id: &str) -> f64 {
    enter(world, phone, number, id);
    phone.await_event("CALL_CLOSED", SOON);
    share_of_tone(&phone.heard(), 1000.0)
}

fn menu(world: &World, number: &str, options: &[Value], more: &Value) -> String {
    let body = json!({
        "name": format!("menu {number}"), "number": number, "options": options, "timeout": 2, "max_failures": 1,
    });
    world.make("ivrs", &merged(body, more))
}

fn option(digit: &str, kind: &str, id: &str) -> Value {
    merged(json!({"digit": digit}), &destination("", kind, id))
}

/// What a menu is called in the switch.
fn name(world: &World, id: &str) -> String {
    format!("{}.{id}", world.tenant).replace('-', "")
}

/// The phone dials a menu's number, and waits until it is in the menu; the call's channel.
fn enter(world: &World, phone: &mut Phone, number: &str, id: &str) -> String {
    let (from, menu) = (world.events.count(), name(world, id));
    phone.dial(number, DOMAIN);
    phone.await_event("CALL_ESTABLISHED", SOON);
    let entered = world.events.wait_from(from, "the menu", |event| {
        event.is("CHANNEL_EXECUTE") && event.get("Application-Data") == menu
    });
    entered.get("Unique-ID").to_owned()
}

fn leave(phone: &mut Phone) {
    phone.hang_up();
    phone.await_event("CALL_CLOSED", SOON);
}
