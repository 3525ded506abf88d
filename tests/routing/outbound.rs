//! Calls that leave through gateways.

use std::net::UdpSocket;

use serde_json::{Value, json};

use super::world::{World, merged};
use crate::support::{Callee, Caller, Cases, Manner};

const DOMAIN: &str = "out.test";

pub(crate) fn run() {
    let mut world = World::start(DOMAIN, &json!({"country": "DE"}));
    let mut cases = Cases::default();
    let everything =
        json!(["local", "national", "mobile", "toll_free", "international", "premium", "emergency"]);
    let phone = Caller::phone(&world.extension("1001", &json!({"toll_allow": everything})));
    let mut carrier = world.site.callee(Manner::Answer);
    let live = world.gateway("live", carrier.port(), &json!({}));
    world.await_gateway(&live, true);

    cases.case("Inside 9, Outbound 4", "a number that a pattern takes leaves in E.164 form", || {
        world.route("national", &["0."], &[&live], &json!({}));
        let told = world.call(&phone, "0301234567");
        let bridge = format!("bridge [leg_progress_timeout=8]sofia/gateway/{live}-1/+49301234567");
        let goes_on = "set continue_on_fail=NETWORK_OUT_OF_ORDER,";
        told.expect(200, &["set call_timeout=60", "set hangup_after_bridge=true", goes_on, &bridge]);
        assert_eq!(carrier.next_call().user(), "+49301234567");
    });
    cases.case(
        "Outbound 1",
        "three forms of a number, priorities, literal digits, lengths, final dots",
        || {
            for (name, patterns, more) in [
                ("by digits", json!(["4940XXXXX"]), json!({"prepend": "1"})),
                ("by plus", json!(["+4941XXXXX"]), json!({"prepend": "2"})),
                ("by what is dialled", json!(["042XXXXX"]), json!({"prepend": "3"})),
                ("literal", json!(["0421XXXX"]), json!({"prepend": "4"})),
                ("prefix", json!(["0421111."]), json!({"prepend": "5"})),
                ("urgent", json!(["0430."]), json!({"prepend": "6", "priority": 1})),
                ("literal, not urgent", json!(["04301111"]), json!({"prepend": "7"})),
                ("inactive", json!(["04301111"]), json!({"prepend": "8", "priority": 0, "is_active": false})),
            ] {
                world.route(name, &strings(&patterns), &[&live], &more);
            }
            for (dialled, wire) in [
                ("04012345", "14940".to_owned() + "12345"),
                ("04112345", "2+494112345".to_owned()),
                ("04222222", "304222222".to_owned()),
                ("04212222", "404212222".to_owned()),
                ("04211111", "504211111".to_owned()),
                ("04301111", "604301111".to_owned()),
            ] {
                world.call(&phone, dialled).expect(200, &["bridge [leg_progress_timeout=8]sofia/gateway/"]);
                assert_eq!(carrier.next_call().user(), wire, "{dialled}");
            }
        },
    );
    cases.case("Outbound 4", "digits are taken off the front, and put there", || {
        world.route("strip", &["9."], &[&live], &json!({"strip": 1, "prepend": "00"}));
        world.call(&phone, "9301234").expect(200, &["bridge "]);
        assert_eq!(carrier.next_call().user(), "00301234");
        world.route("short", &["8X"], &[&live], &json!({}));
        world.call(&phone, "81").expect(200, &["bridge "]);
        assert_eq!(carrier.next_call().user(), "81", "no number of seven digits: as dialled");
    });
    cases.case("Outbound 2", "a class that an extension may not dial", || {
        world.route("abroad", &["001."], &[&live], &json!({"class": "international"}));
        let modest = Caller::phone(&world.extension("1002", &json!({})));
        world.call(&modest, "0015551234567").expect_refused(403, "class");
        world.call(&modest, "0301234567").expect(200, &["bridge "]);
        carrier.next_call();
        world.call(&phone, "0015551234567").expect(200, &["bridge "]);
        assert_eq!(carrier.next_call().user(), "+15551234567");
    });
    cases.case("Outbound 5", "a route without a gateway", || {
        let inactive = world.gateway("inactive", carrier.port(), &json!({"is_active": false}));
        world.route("nowhere", &["77."], &[&inactive], &json!({}));
        world.call(&phone, "771").expect_refused(503, "no_gateway");
    });
    cases.case("Inside 9", "nobody who is not of the tenant calls out", || {
        let (desk, mut desk_phone) = world.phone("1003", Manner::Answer, &json!({}));
        world.did("+49301111111", "extension", &desk.id);
        let (call, uuid) = world.talk(&Caller::outside("127.0.0.9", "+4915112345678"), "+49301111111");
        desk_phone.next_call();
        world.transfer(&uuid, "0301234567", DOMAIN);
        call.told(&world.events).expect(200, &["bridge user/1003@out.test", "respond 404"]);
        carrier.expect_no_call();
    });
    caller_ids(&world, &mut cases, &live, &mut carrier);
    failover(&world, &mut cases, &phone, &live, &mut carrier);
    lives_of_gateways(&world, &mut cases, &mut carrier);
    cases.finish();
    world.site.switch.stop();
}

fn strings(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

impl World {
    /// An outbound route of these patterns, through these gateways.
    pub(super) fn route(&self, name: &str, patterns: &[&str], gateways: &[&str], more: &Value) -> String {
        let body = json!({"name": name, "patterns": patterns, "gateways": gateways});
        self.make("outbound-routes", &merged(body, more))
    }
}

/// The caller ids that the carrier sees.
fn caller_ids(world: &World, cases: &mut Cases, live: &str, carrier: &mut Callee) {
    let own = json!({"outbound_caller_id_number": "0302222222", "outbound_caller_id_name": "Ann"});
    let (with, without) = (world.extension("1011", &own), world.extension("1012", &json!({})));
    let mut shown = |account: &crate::support::Account, number: &str| {
        world
            .call(&Caller::phone(account), number)
            .expect(200, &["set effective_caller_id_number=", "bridge "]);
        let from = carrier.next_call().header("From").to_owned();
        let (name, rest) = from.split_once('<').unwrap();
        let (user, _) = rest.trim_start_matches("sip:").split_once('@').unwrap();
        (name.trim().trim_matches('"').to_owned(), user.to_owned())
    };
    let pair = |name: &str, number: &str| (name.to_owned(), number.to_owned());
    world.route("extension's", &["11X"], &[live], &json!({"caller_id": "extension"}));
    world.route("tenant's", &["12X"], &[live], &json!({"caller_id": "tenant"}));
    let trunk = json!({"caller_id": "trunk", "caller_id_number": "+49304444444"});
    world.route("trunk's", &["13X"], &[live], &trunk);
    world.route("trunk's without one", &["14X"], &[live], &json!({"caller_id": "trunk"}));
    cases.case("Outbound caller id", "with nothing set, the number of the extension", || {
        assert_eq!(shown(&without, "111").1, "1012");
        assert_eq!(shown(&without, "121").1, "1012");
    });
    cases.case("Outbound caller id", "the extension's own number and name, in E.164 form", || {
        assert_eq!(shown(&with, "111"), pair("Ann", "+49302222222"));
    });
    let settings = json!({"caller_id_number": "+49 30 3333333", "caller_id_name": "Out Ltd"});
    world.site.nizamd.rest().settings(&world.tenant, &settings);
    cases.case(
        "Outbound caller id, Tenant settings caller_id_number",
        "the tenant's, or the trunk's",
        || {
            assert_eq!(shown(&without, "112"), pair("Out Ltd", "+49303333333"));
            assert_eq!(shown(&with, "122"), pair("Ann", "+49303333333"));
            assert_eq!(shown(&with, "132"), pair("Ann", "+49304444444"));
            assert_eq!(shown(&without, "142"), pair("Out Ltd", "+49303333333"));
        },
    );
}

/// What happens where the first carrier does not take the call.
fn failover(world: &World, cases: &mut Cases, phone: &Caller, live: &str, carrier: &mut Callee) {
    let mut refusing = world.site.callee(Manner::Refuse(503));
    let mut busy = world.site.callee(Manner::Refuse(486));
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let silent_port = silent.local_addr().unwrap().port();
    let [dead, refuses, says_busy, mute] = [
        ("dead", world.site.dead_port()),
        ("refuses", refusing.port()),
        ("busy", busy.port()),
        ("mute", silent_port),
    ]
    .map(|(name, port)| {
        let id = world.gateway(name, port, &json!({}));
        world.await_gateway(&id, true);
        id
    });
    let bridge = |id: &str| format!("bridge [leg_progress_timeout=8]sofia/gateway/{id}-1/");
    cases.case("Outbound 5", "from a dead gateway to a live one", || {
        world.route("dead first", &["61X"], &[&dead, live], &json!({}));
        world.call(phone, "611").expect(200, &[&bridge(&dead), &bridge(live)]);
        assert_eq!(carrier.next_call().user(), "611");
    });
    cases.case("Outbound 5", "from one that answers 503 to a live one", || {
        world.route("refused first", &["62X"], &[&refuses, &dead, live], &json!({}));
        world.call(phone, "621").expect(200, &[&bridge(&refuses), &bridge(&dead), &bridge(live)]);
        refusing.next_call();
        assert_eq!(carrier.next_call().user(), "621");
    });
    cases.case("Outbound 5", "from one that says nothing to a live one", || {
        world.route("mute first", &["63X"], &[&mute, live], &json!({}));
        world.call(phone, "631").expect(200, &[&bridge(&mute), &bridge(live)]);
        assert_eq!(carrier.next_call().user(), "631");
        assert!(silent.recv(&mut [0; 4096]).is_ok_and(|length| length > 0));
    });
    cases.case("Outbound 5", "who is busy at the carrier is not tried at the next one", || {
        world.route("busy first", &["64X"], &[&says_busy, live], &json!({}));
        let told = world.call(phone, "641");
        told.expect(486, &[&bridge(&says_busy)]);
        assert!(!told.did(&bridge(live)), "{told:#?}");
        busy.next_call();
        carrier.expect_no_call();
    });
    cases.case("Outbound 5", "no gateway takes the call", || {
        world.route("none", &["65X"], &[&dead, &refuses], &json!({}));
        let told = world.call(phone, "651");
        assert!(told.status >= 480, "{told:#?}");
        assert!(told.did(&bridge(&dead)) && told.did(&bridge(&refuses)), "{told:#?}");
    });
}

/// Gateways come and go with their rows.
fn lives_of_gateways(world: &World, cases: &mut Cases, carrier: &mut Callee) {
    cases.case(
        "Outbound gateways",
        "a gateway made by REST is there, and one that was deleted is gone",
        || {
            let id = world.gateway("for a while", carrier.port(), &json!({}));
            let line = world.await_gateway(&id, true);
            assert!(line.contains(&format!("external::{id}-1")), "{line}");
            world.site.nizamd.rest().change(&world.tenant, "gateways", &id, &json!({"port": 5099}));
            let line = world.await_gateway(&format!("{id}-2"), true);
            assert!(line.contains("NOREG"), "{line}");
            world.await_gateway(&format!("{id}-1"), false);
            world.delete("gateways", &id);
            world.await_gateway(&id, false);
        },
    );
    let other = world.site.tenant("other.test");
    let caller = Caller::phone(&world.site.extension(&other, "other.test", "1001", false));
    let rest = world.site.nizamd.rest();
    let body = json!({"name": "own", "host": "127.0.0.1", "port": carrier.port(), "register": false});
    let own = rest.create(&other, "gateways", &body);
    let shared = world.gateway("shared", carrier.port(), &json!({"shared": true}));
    let foreign = world.gateway("not shared any more", carrier.port(), &json!({"shared": true}));
    world.await_gateway(&own, true);
    world.await_gateway(&shared, true);
    cases.case("Outbound 5", "a tenant uses its own gateways and shared ones, and no others", || {
        let rest = world.site.nizamd.rest();
        let route = |name: &str, pattern: &str, gateways: &[&String]| {
            let body = json!({"name": name, "patterns": [pattern], "gateways": gateways});
            rest.create(&other, "outbound-routes", &body);
        };
        route("both", "71X", &[&foreign, &shared]);
        route("none", "72X", &[&foreign]);
        rest.change(&world.tenant, "gateways", &foreign, &json!({"shared": false}));
        let told = world.call(&caller, "711");
        told.expect(200, &[&format!("bridge [leg_progress_timeout=8]sofia/gateway/{shared}-1/711")]);
        assert!(!told.steps.iter().any(|step| step.data.contains(&foreign)), "{told:#?}");
        carrier.next_call();
        world.call(&caller, "721").expect_refused(503, "no_gateway");
    });
    cases.case("Outbound gateways", "a tenant that is deleted takes its gateways with it", || {
        world.site.nizamd.rest().call(&reqwest::Method::DELETE, &format!("/tenants/{other}"), &Value::Null);
        world.await_gateway(&own, false);
        world.await_gateway(&shared, true);
    });
}
