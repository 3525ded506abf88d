//! Limits, which FreeSWITCH itself counts, and emergency calls, which none of them stops.

use serde_json::json;

use super::world::{World, merged};
use crate::support::{Callee, Caller, Cases, Manner};

const DOMAIN: &str = "limits.test";

pub(crate) fn run() {
    let mut world = World::start(DOMAIN, &json!({"country": "DE", "class_limits": {"premium": 1}}));
    let mut cases = Cases::default();
    let rest = world.site.nizamd.rest();
    rest.change_tenant(&world.tenant, &json!({"max_concurrent_calls": 3}));
    let mut carrier = world.site.callee(Manner::Answer);
    let live = world.gateway("live", carrier.port(), &json!({}));
    world.await_gateway(&live, true);
    world.route("premium", &["0900."], &[&live], &json!({"class": "premium"}));
    let allowed = json!({"toll_allow": ["premium"]});
    let one = Caller::phone(&world.extension("1001", &allowed));
    let single = Caller::phone(&world.extension("1002", &merged(json!({"max_channels": 1}), &allowed)));
    let (_, mut desk) = world.phone("1003", Manner::Answer, &json!({}));

    // A tenant of its own for what is counted by the minute.
    let brisk = world.site.tenant("brisk.test");
    rest.change_tenant(&brisk, &json!({"max_calls_per_minute": 2}));
    let hasty = Caller::phone(&world.site.extension(&brisk, "brisk.test", "1001", false));

    for nizamd in ["alive", "dead"] {
        if nizamd == "dead" {
            world.site.nizamd.kill();
        }
        let alive = nizamd == "alive";
        cases.case(
            "Admission concurrent_calls",
            if alive { "calls at once" } else { "calls at once, with nizamd killed" },
            || {
                let calls: Vec<_> = (0..3).map(|_| world.talk(&one, "1003")).collect();
                let refused = world.call(&one, "1003");
                refused.expect_refused(503, "concurrent_calls");
                assert!(
                    refused.did("limit hash limits.test calls 3 !NORMAL_TEMPORARY_FAILURE"),
                    "{refused:#?}"
                );
                for (call, _) in calls {
                    desk.next_call();
                    let told = world.end(call);
                    told.expect(
                        200,
                        &["set nizam_admitted=true", "limit hash limits.test calls 3", "unset nizam_refused"],
                    );
                    assert_eq!(told.variable("nizam_refused"), "");
                }
                desk.expect_no_call();
                world.call(&one, "1003").expect(200, &["bridge "]);
                desk.next_call();
            },
        );
        cases.case(
            "Admission extension_channels",
            if alive {
                "calls at once of an extension"
            } else {
                "calls at once of an extension, with nizamd killed"
            },
            || {
                let (call, _) = world.talk(&single, "1003");
                desk.next_call();
                world.call(&single, "1003").expect_refused(503, "extension_channels");
                world.call(&one, "1003").expect(200, &["bridge "]);
                desk.next_call();
                world
                    .end(call)
                    .expect(200, &["limit hash limits.test channels-1002 1 !NORMAL_TEMPORARY_FAILURE"]);
            },
        );
        cases.case(
            "Outbound 3, Tenant settings class_limits",
            if alive { "calls at once to a class" } else { "calls at once to a class, with nizamd killed" },
            || {
                let (call, _) = world.talk(&one, "0900123");
                carrier.next_call();
                world.call(&one, "0900124").expect_refused(503, "class_limit");
                carrier.expect_no_call();
                world.call(&one, "1003").expect(200, &["bridge "]);
                desk.next_call();
                let told = world.end(call);
                told.expect(
                    200,
                    &[
                        "limit hash limits.test class-premium 1 !NORMAL_TEMPORARY_FAILURE",
                        "unset nizam_refused",
                    ],
                );
            },
        );
        if alive {
            cases.case("Admission", "a call that is transferred is counted once", || {
                let calls: Vec<_> = (0..3).map(|_| world.talk(&one, "1003")).collect();
                for (_, uuid) in &calls {
                    desk.next_call();
                    world.transfer(uuid, "1003", DOMAIN);
                    desk.next_call();
                }
                for (call, _) in calls {
                    let told = world.end(call);
                    told.expect(200, &["set nizam_admitted=true", "bridge user/1003@", "bridge user/1003@"]);
                    let limits = told.steps.iter().filter(|step| step.application == "limit");
                    assert_eq!(limits.count(), 1, "{told:#?}");
                }
            });
            cases.case("Admission calls_per_minute", "calls in a minute", || {
                for _ in 0..2 {
                    world
                        .call(&hasty, "1999")
                        .expect(404, &["limit hash brisk.test rate 2/60 !NORMAL_TEMPORARY_FAILURE"]);
                }
                world.call(&hasty, "1999").expect_refused(503, "calls_per_minute");
            });
        } else {
            // They are counted from where they were.
            cases.case("Admission calls_per_minute", "calls in a minute, with nizamd killed", || {
                let refused = (0..3).map(|_| world.call(&hasty, "1999")).last().unwrap();
                refused.expect_refused(503, "calls_per_minute");
            });
        }
    }
    world.site.nizamd.serve();
    world.site.await_link();
    emergency(&mut world, &mut cases, &mut carrier, &mut desk);
    cases.finish();
    world.site.switch.stop();
}

fn emergency(world: &mut World, cases: &mut Cases, carrier: &mut Callee, desk: &mut Callee) {
    let caller = Caller::phone(&world.extension("1010", &json!({})));
    let raised = |world: &World, number: &str| {
        let event = world.events.wait("nizam::emergency", |event| {
            event.is("nizam::emergency") && event.get("nizam_number") == number
        });
        assert_eq!(
            (event.get("nizam_tenant"), event.get("nizam_extension")),
            (world.tenant.as_str(), "1010")
        );
    };
    cases.case(
        "Inside 1, Inside 2, Outbound Emergency",
        "an emergency call of a suspended tenant, over one that is at its limit",
        || {
            let calls: Vec<_> = (0..3).map(|_| world.talk(&caller, "1003")).collect();
            for _ in &calls {
                desk.next_call();
            }
            world.call(&caller, "1003").expect_refused(503, "concurrent_calls");
            world.site.nizamd.rest().suspend(&world.tenant);
            world.call(&caller, "1003").expect_refused(403, "suspended");
            let told = world.call(&caller, "112");
            told.expect(
                200,
                &[
                    "event Event-Name=CUSTOM,Event-Subclass=nizam::emergency,",
                    "bridge [leg_progress_timeout=8]sofia/gateway/",
                ],
            );
            assert!(!told.did("limit"), "{told:#?}");
            assert_eq!(carrier.next_call().user(), "112");
            raised(world, "112");
            for (call, _) in calls {
                world.end(call);
            }
        },
    );
    cases.case("Outbound Emergency", "the same with nizamd killed", || {
        world.site.nizamd.kill();
        world.call(&caller, "1003").expect_refused(403, "suspended");
        world.call(&caller, "110").expect(200, &["event ", "bridge "]);
        assert_eq!(carrier.next_call().user(), "110");
        raised(world, "110");
        world.site.nizamd.serve();
        world.site.await_link();
    });
    world.site.nizamd.rest().change_tenant(&world.tenant, &json!({"status": "active"}));
    cases.case("Outbound Emergency", "a route of the class takes emergency calls", || {
        let mut authority = world.site.callee(Manner::Answer);
        let gateway = world.gateway("authority", authority.port(), &json!({}));
        world.await_gateway(&gateway, true);
        let route =
            world.route("emergency", &["112"], &[&gateway], &json!({"class": "emergency", "prepend": "9"}));
        world
            .call(&caller, "112")
            .expect(200, &[&format!("bridge [leg_progress_timeout=8]sofia/gateway/{gateway}-1/9112")]);
        assert_eq!(authority.next_call().user(), "9112");
        carrier.expect_no_call();
        world.delete("outbound-routes", &route);
        world.delete("gateways", &gateway);
    });
    cases.case(
        "Inside 1, Tenant settings emergency_numbers",
        "emergency numbers of a tenant's own, digit for digit",
        || {
            world.site.nizamd.rest().settings(&world.tenant, &json!({"emergency_numbers": ["9119"]}));
            world.call(&caller, "9119").expect(200, &["event ", "bridge "]);
            assert_eq!(carrier.next_call().user(), "9119");
            raised(world, "9119");
            // Those of the country stay.
            world.call(&caller, "112").expect(200, &["event ", "bridge "]);
            assert_eq!(carrier.next_call().user(), "112");
            for number in ["09119", "91190", "911"] {
                world.call(&caller, number).expect(404, &["respond 404"]);
            }
        },
    );
    cases.case("Outbound Emergency", "without a gateway of its own, through one that tenants share", || {
        let poor = world.site.tenant("poor.test");
        let caller = Caller::phone(&world.site.extension(&poor, "poor.test", "1001", false));
        world.call(&caller, "911").expect_refused(503, "no_gateway");
        let shared = world.gateway("shared", carrier.port(), &json!({"shared": true}));
        world.await_gateway(&shared, true);
        world
            .call(&caller, "911")
            .expect(200, &[&format!("bridge [leg_progress_timeout=8]sofia/gateway/{shared}-1/911")]);
        assert_eq!(carrier.next_call().user(), "911");
    });
}
