//! Ring groups.

use serde_json::json;

use super::world::{World, destination};
use crate::support::{Caller, Cases, Manner};

pub(crate) fn run() {
    let mut world = World::start("groups.test", &json!({}));
    let mut cases = Cases::default();
    let phone = Caller::phone(&world.extension("1001", &json!({})));
    let (desk, mut desk_phone) = world.phone("1002", Manner::AnswerAfter(700), &json!({}));
    let (silent, mut silent_phone) = world.phone("1003", Manner::Ring, &json!({}));
    let (busy, mut busy_phone) = world.phone("1004", Manner::Refuse(486), &json!({}));
    let (last, mut last_phone) = world.phone("1005", Manner::Answer, &json!({}));
    let unregistered = world.extension("1006", &json!({}));
    let inactive = world.extension("1007", &json!({"is_active": false}));

    cases.case(
        "Destinations ring_group",
        "all members ring at once, and one that answers ends it for the others",
        || {
            world.group("600", &[&silent, &desk], &json!({}));
            let told = world.call(&phone, "600");
            told.expect(
                200,
                &[
                    "set call_timeout=30",
                    "bridge {ignore_early_media=true}user/1003@groups.test,user/1002@groups.test",
                ],
            );
            desk_phone.next_call();
            let call = silent_phone.next_call();
            silent_phone.await_cancel(&call);
        },
    );
    cases.case("Destinations ring_group", "members ring one after another, in order", || {
        world.group(
            "601",
            &[&busy, &silent, &desk, &last],
            &json!({"strategy": "sequential", "ring_timeout": 5}),
        );
        let told = world.call(&phone, "601");
        let steps = [
            "set call_timeout=5",
            "bridge user/1004@groups.test",
            "bridge user/1003@groups.test",
            "bridge user/1002@groups.test",
        ];
        told.expect(200, &steps);
        assert!(!told.did("bridge user/1005@"), "{told:#?}");
        busy_phone.next_call();
        let call = silent_phone.next_call();
        silent_phone.await_cancel(&call);
        desk_phone.next_call();
        last_phone.expect_no_call();
    });
    cases.case(
        "Destinations ring_group",
        "after no answer, busy, nobody registered or no member: the fallback",
        || {
            let mut more = destination("fallback_", "extension", &last.id);
            more["ring_timeout"] = json!(5);
            for (number, member) in
                [("610", &silent), ("611", &busy), ("612", &unregistered), ("613", &inactive)]
            {
                world.group(number, &[member], &more);
            }
            let calls = ["610", "611", "612", "613"].map(|number| (number, world.dial(&phone, number)));
            for (number, call) in calls {
                let told = call.told(&world.events);
                told.expect(200, &["set dialed_extension=1005", "bridge user/1005@groups.test"]);
                assert_eq!(told.did("bridge {ignore_early_media=true}"), number != "613", "{told:#?}");
                last_phone.next_call();
            }
            silent_phone.next_call();
            busy_phone.next_call();
        },
    );
    cases.case(
        "Destinations ring_group",
        "without a fallback the reason, and nowhere without a member",
        || {
            world.group("620", &[&busy], &json!({}));
            world
                .call(&phone, "620")
                .expect(486, &["bridge {ignore_early_media=true}user/1004@", "hangup USER_BUSY"]);
            world.group("621", &[&inactive], &json!({}));
            world.call(&phone, "621").expect(404, &["respond 404"]);
            world.group("622", &[&desk], &json!({"is_active": false}));
            world.call(&phone, "622").expect(404, &["respond 404"]);
        },
    );
    cases.case("Destinations", "a group's own fallback hands on the one that it was given", || {
        let own = world.group("630", &[&busy], &json!({}));
        let outer = world.group("631", &[&unregistered], &destination("fallback_", "ring_group", &own));
        let nodes = json!([
            {"id": "a", "type": "bridge", "data": destination("", "ring_group", &outer), "next": "b"},
            {"id": "b", "type": "bridge", "data": destination("", "extension", &last.id)},
        ]);
        world.flow("632", &nodes);
        let told = world.call(&phone, "632");
        let ring = "bridge {ignore_early_media=true}user/";
        told.expect(200, &[&format!("{ring}1006@"), &format!("{ring}1004@"), "bridge user/1005@"]);
        last_phone.next_call();
    });
    cases.finish();
    world.site.switch.stop();
}
