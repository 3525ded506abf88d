//! Time conditions and policies.

use serde_json::{Value, json};

use super::clock::{Today, ZONE};
use super::world::{World, destination, merged};
use crate::support::{Caller, Cases, Manner};

pub(crate) fn run() {
    let mut world = World::start("times.test", &json!({"timezone": ZONE, "country": "DE"}));
    let mut cases = Cases::default();
    let phone = Caller::phone(&world.extension("1001", &json!({})));
    let (yes, _yes) = world.phone("1002", Manner::Answer, &json!({}));
    let (no, _no) = world.phone("1003", Manner::Answer, &json!({}));
    let sides =
        merged(destination("match_", "extension", &yes.id), &destination("no_match_", "extension", &no.id));

    // Each condition has a DID of its own.
    let mut condition_number = 0;
    let mut decide = |rules: Value, sides: &Value| {
        condition_number += 1;
        let number = format!("+4930{}", 1_000_000 + condition_number);
        let body = json!({"name": format!("condition {condition_number}"), "conditions": rules});
        let id = world.make("time-conditions", &merged(body, sides));
        world.did(&number, "time_condition", &id);
        world.call(&phone, &number)
    };
    let (open, closed) = (["bridge user/1002@times.test"], ["bridge user/1003@times.test"]);

    cases.case(
        "Destinations time_condition, Tenant settings timezone",
        "a time of the day in the tenant's zone",
        || {
            let today = Today::now();
            let (hour_ago, in_an_hour, in_two) = (today.time(-60), today.time(60), today.time(120));
            decide(json!([{"time_from": hour_ago, "time_to": in_an_hour}]), &sides).expect(200, &open);
            decide(json!([{"time_from": in_an_hour, "time_to": in_two}]), &sides).expect(200, &closed);
        },
    );
    cases.case(
        "Destinations time_condition",
        "a day of the week, with others that do not hold beside it",
        || {
            let today = Today::now();
            let others =
                json!([{"wday": today.weekday(-2)}, {"wday": today.weekday(2)}, {"wday": today.weekday(3)}]);
            decide(others, &sides).expect(200, &closed);
            // Today and its neighbours: midnight may come while the test runs.
            let week = [-1, 0, 1].map(|days| json!({"wday": today.weekday(days)}));
            decide(json!(week), &sides).expect(200, &open);
            // All that a rule names must hold.
            let rule =
                json!([{"wday": today.weekday(0), "time_from": today.time(60), "time_to": today.time(120)}]);
            decide(rule, &sides).expect(200, &closed);
        },
    );
    cases.case("Destinations time_condition", "a calendar of holidays", || {
        let today = Today::now();
        let calendar = |name: &str, days: &[i64]| {
            let dates: Vec<String> = days.iter().map(|day| today.date(*day)).collect();
            world.make("holidays", &json!({"name": name, "dates": dates}))
        };
        let (now, other) = (calendar("now", &[-1, 0, 1]), calendar("other", &[-9, 9]));
        let body = json!({"name": "holiday", "conditions": [{"holiday_id": now}]});
        let id = world.make("time-conditions", &merged(body, &sides));
        world.did("+49302000001", "time_condition", &id);
        world.call(&phone, "+49302000001").expect(200, &open);
        let body = json!({"name": "no holiday", "conditions": [{"holiday_id": other}]});
        let id = world.make("time-conditions", &merged(body, &sides));
        world.did("+49302000002", "time_condition", &id);
        world.call(&phone, "+49302000002").expect(200, &closed);
    });
    cases.case("Destinations time_condition", "a side that is not set leads nowhere", || {
        let always = json!([{"wday": "mon-sun"}]);
        decide(always, &destination("no_match_", "extension", &no.id)).expect(404, &["respond 404"]);
        let never = json!([{"mon": "2", "mday": "30"}]);
        decide(never, &destination("match_", "extension", &yes.id)).expect(404, &["respond 404"]);
    });
    policies(&world, &mut cases, &phone, &yes.id, &no.id);
    cases.finish();
    world.site.switch.stop();
}

fn policies(world: &World, cases: &mut Cases, phone: &Caller, yes: &str, no: &str) {
    let condition = |kind: &str, params: Value| json!([{"type": kind, "params": params}]);
    let stranger = |number: &str| Caller::outside("127.0.0.9", number);
    let (redirected, plain) = (["bridge user/1003@times.test"], ["bridge user/1002@times.test"]);
    world.did("+49303000000", "extension", yes);
    let other = destination("match_", "extension", no);
    // Each case has its policies to itself.
    let with = |policies: &[Value], check: &dyn Fn()| {
        let make = |(policy, n): (&Value, usize)| {
            world.make("call-routing-policies", &merged(json!({"name": format!("policy {n}")}), policy))
        };
        let ids: Vec<String> = policies.iter().zip(0..).map(make).collect();
        check();
        for id in ids {
            world.delete("call-routing-policies", &id);
        }
    };
    cases.case("Inside 5, Policies 1", "a caller on a blacklist is refused, inside and from outside", || {
        let listed = condition("blacklist", json!({"numbers": ["+4915100000*", "1001"]}));
        with(&[json!({"conditions": listed})], &|| {
            world.call(&stranger("+4915100000123"), "+49303000000").expect_refused(403, "policy");
            world.call(&stranger("+4915100001"), "+49303000000").expect(200, &plain);
            world.call(phone, "1002").expect_refused(403, "policy");
        });
    });
    cases.case("Policies 2", "all conditions hold: where the policy says; else the other side, or as without it", || {
        let mut both = condition("caller_id_pattern", json!({"pattern": "+49151*"}));
        let weekdays = json!({"type": "day_of_week", "params": {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}});
        both.as_array_mut().unwrap().push(weekdays);
        with(&[merged(json!({"conditions": both}), &other)], &|| {
            world.call(&stranger("+49151777"), "+49303000000").expect(200, &redirected);
            world.call(&stranger("+4930777"), "+49303000000").expect(200, &plain);
        });
        let to_other = destination("no_match_", "extension", no);
        with(&[merged(json!({"conditions": both}), &to_other)], &|| {
            world.call(&stranger("+49151777"), "+49303000000").expect(200, &plain);
            world.call(&stranger("+4930777"), "+49303000000").expect(200, &redirected);
        });
    });
    cases.case("Policies 3", "times of the day and days of the week, in the tenant's zone", || {
        let today = Today::now();
        let time = |from: i64, to: i64| {
            condition("time_of_day", json!({"start": today.time(from), "end": today.time(to)}))
        };
        for (conditions, holds) in [
            (time(-60, 60), true),
            (time(60, 120), false),
            (
                condition(
                    "day_of_week",
                    json!({"days": [today.weekday(-1), today.weekday(0), today.weekday(1)]}),
                ),
                true,
            ),
            (condition("day_of_week", json!({"days": [today.weekday(-3), today.weekday(3)]})), false),
        ] {
            with(&[merged(json!({"conditions": conditions}), &other)], &|| {
                world.call(phone, "1002").expect(200, if holds { &redirected } else { &plain });
            });
        }
    });
    cases.case("Policies 4", "numbers of callers, as they come or in E.164 form", || {
        with(
            &[merged(
                json!({"conditions": condition("geo_prefix", json!({"prefixes": ["+4989", "100"]}))}),
                &other,
            )],
            &|| {
                for (from, holds) in [("0891234567", true), ("+49891234567", true), ("0301234567", false)] {
                    world
                        .call(&stranger(from), "+49303000000")
                        .expect(200, if holds { &redirected } else { &plain });
                }
                world.call(phone, "1002").expect(200, &redirected);
            },
        );
    });
    cases.case("Policies", "the lowest priority decides, and one that allows leaves it to the next", || {
        let anybody = condition("caller_id_pattern", json!({"pattern": "*"}));
        let allows = json!({"conditions": anybody, "priority": 1});
        let redirects = merged(json!({"conditions": anybody, "priority": 2}), &other);
        let rejects = json!({"conditions": condition("blacklist", json!({"numbers": ["*"]})), "priority": 3});
        with(&[rejects.clone(), redirects, allows], &|| {
            world.call(phone, "1002").expect(200, &redirected);
        });
        with(&[rejects], &|| {
            world.call(phone, "1002").expect_refused(403, "policy");
        });
        world.call(phone, "1002").expect(200, &plain);
    });
}
