//! Calls from trunks and strangers.

use serde_json::{Value, json};

use super::world::{SOON, World, destination, merged};
use crate::support::{Caller, Cases, Manner, until};

/// An address that is no gateway's.
const STRANGER: &str = "127.0.0.9";
const MOBILE: &str = "+4915112345678";

pub(crate) fn run() {
    let mut world = World::start("alpha.test", &json!({"country": "DE"}));
    let mut cases = Cases::default();
    let stranger = Caller::outside(STRANGER, MOBILE);
    let (desk, mut phone) = world.phone("1001", Manner::Answer, &json!({}));
    let with_mailbox = world.extension("1002", &json!({"voicemail_enabled": true, "voicemail_pin": "4711"}));
    world.did("+49 30 1234567", "extension", &desk.id);
    let beta = world.site.tenant("beta.test");
    let desk_of_beta = world.site.extension(&beta, "beta.test", "1001", false);
    let rest = world.site.nizamd.rest();
    let to_beta =
        |number: &str| merged(json!({"number": number}), &destination("", "extension", &desk_of_beta.id));
    rest.create(&beta, "dids", &to_beta("+49 40 2222222"));

    cases.case(
        "Whose call it is 2, From outside 3",
        "a DID in five spellings, from an address that nobody knows",
        || {
            for spelling in
                ["+49301234567", "49301234567", "0049301234567", "+49 (30) 123-4567", "49.30/123 45 67"]
            {
                world.call(&stranger, spelling).expect(200, &["bridge user/1001@alpha.test"]);
                assert_eq!(phone.next_call().user(), "1001", "{spelling}");
            }
        },
    );
    cases.case("From outside 3", "a number that nobody has is left to FreeSWITCH's other dialplans", || {
        for number in ["+49309999999", "0301234567", "1001", "nobody"] {
            let told = world.call(&stranger, number);
            told.expect(404, &["respond 404 Not Found"]);
            assert_eq!(told.variable("nizam_tenant"), "", "{number}");
        }
        phone.expect_no_call();
    });
    cases.case("From outside 3", "a DID of two tenants is nobody's, and an event says so", || {
        let number = "+49 89 3333333";
        let of_alpha = world.did(number, "extension", &desk.id);
        rest.create(&beta, "dids", &to_beta(number));
        let told = world.call(&stranger, "+49893333333");
        told.expect_refused(404, "ambiguous");
        assert!(!told.variable("nizam_generation").is_empty(), "{told:#?}");
        let event = world.events.wait("nizam::ambiguous", |event| event.is("nizam::ambiguous"));
        assert_eq!(event.get("nizam_number"), "49893333333");
        phone.expect_no_call();
        world.delete("dids", &of_alpha);
    });
    cases.case(
        "From outside 3",
        "a confirmed claim goes before others, and another tenant cannot end it",
        || {
            let number = "+49 89 5555555";
            let of_alpha = world.did(number, "extension", &desk.id);
            rest.create(&beta, "dids", &to_beta(number));
            world.call(&stranger, "+49895555555").expect_refused(404, "ambiguous");
            let ours = |more: &Value| {
                let did = merged(json!({"number": number}), &destination("", "extension", &desk.id));
                rest.change(&world.tenant, "dids", &of_alpha, &merged(did, more));
            };
            ours(&json!({"confirmed": true}));
            let told = world.call(&stranger, "+49895555555");
            told.expect(200, &["bridge user/1001@alpha.test"]);
            assert_eq!(told.variable("nizam_tenant"), world.tenant);
            phone.next_call();
            ours(&json!({"is_active": false}));
            assert_eq!(
                world.call(&stranger, "+49895555555").variable("nizam_tenant"),
                beta,
                "no claim any more"
            );
        },
    );
    cases.case("From outside 3", "a closed tenant's DID does not make another tenant's ambiguous", || {
        let closed = world.site.tenant("closed.test");
        let number = "+49 89 4444444";
        rest.create(
            &closed,
            "dids",
            &merged(json!({"number": number}), &destination("", "extension", &desk.id)),
        );
        world.did(number, "extension", &desk.id);
        rest.change_tenant(&closed, &json!({"status": "terminated"}));
        world.call(&stranger, "+49894444444").expect(200, &["bridge user/1001@alpha.test"]);
        phone.next_call();
    });

    let dead = world.site.dead_port();
    let trunk = |address: &str| json!({"addresses": [address]});
    cases.case(
        "From outside 1, Tenant settings country",
        "a trunk known by an address dials as people at home do",
        || {
            world.gateway("by address", dead, &trunk("127.0.0.2"));
            for spelling in ["0301234567", "+49301234567", "030/1234567"] {
                world
                    .call(&Caller::outside("127.0.0.2", MOBILE), spelling)
                    .expect(200, &["bridge user/1001@alpha.test"]);
                phone.next_call();
            }
        },
    );
    cases.case("From outside 1", "a host says nothing on who calls, also where it is an address", || {
        world.gateway("by host", dead, &json!({"host": "127.0.0.7"}));
        let theirs = json!({"name": "of another", "host": "127.0.0.2", "register": false});
        rest.create(&beta, "gateways", &theirs);
        // Nobody's trunk: the number is read without a home.
        assert_eq!(world.call(&Caller::outside("127.0.0.7", MOBILE), "0301234567").status, 404);
        // Still that of whoever has the address.
        world
            .call(&Caller::outside("127.0.0.2", MOBILE), "0301234567")
            .expect(200, &["bridge user/1001@alpha.test"]);
        phone.next_call();
    });
    cases.case("From outside 1", "an address of gateways of two tenants says nothing", || {
        world.gateway("of both, alpha's", dead, &trunk("127.0.0.4"));
        let body = json!({"name": "of both, beta's", "host": "127.0.0.1", "register": false, "addresses": ["127.0.0.4"]});
        rest.create(&beta, "gateways", &body);
        let caller = Caller::outside("127.0.0.4", MOBILE);
        assert_eq!(world.call(&caller, "0301234567").status, 404);
        world.call(&caller, "+49301234567").expect(200, &["bridge user/1001@alpha.test"]);
        phone.next_call();
    });
    cases.case("From outside 2", "a tenant's own trunk reaches that tenant's DIDs only", || {
        let caller = Caller::outside("127.0.0.2", MOBILE);
        for number in ["0309999999", "+49402222222"] {
            let told = world.call(&caller, number);
            told.expect(404, &["respond 404"]);
            assert_eq!(told.variable("nizam_tenant"), world.tenant, "{number}");
        }
    });
    cases.case("From outside 2", "the trunk of a closed tenant is refused", || {
        let closed = world.site.tenant("shut.test");
        let body =
            json!({"name": "shut", "host": "127.0.0.1", "register": false, "addresses": ["127.0.0.3"]});
        rest.create(&closed, "gateways", &body);
        rest.change_tenant(&closed, &json!({"is_active": false}));
        world.call(&Caller::outside("127.0.0.3", MOBILE), "0301234567").expect(403, &["respond 403"]);
    });
    cases.case("From outside 2", "a trunk that tenants share reaches everybody's DIDs", || {
        world.gateway("shared", dead, &json!({"addresses": ["127.0.0.6"], "shared": true}));
        let caller = Caller::outside("127.0.0.6", MOBILE);
        world.call(&caller, "+49301234567").expect(200, &["bridge user/1001@alpha.test"]);
        phone.next_call();
        assert_eq!(world.call(&caller, "+49402222222").variable("nizam_tenant"), beta);
        assert_eq!(world.call(&caller, "0301234567").status, 404);
    });
    let registrar = world.site.callee(Manner::Registrar);
    let login = json!({"register": true, "username": "acme", "password": "secret"});
    let registered = world.gateway("registered", registrar.port(), &login);
    cases.case("From outside 1", "a trunk that registered is known by the contact that it gave", || {
        let contact = until("the gateway has registered", SOON, || {
            let messages = registrar.messages();
            let taken = messages.iter().any(|message| message.sent && message.status() == Some(200));
            let register = messages.into_iter().find(|message| message.is("REGISTER"))?;
            taken.then(|| register.header("Contact").to_owned())
        });
        let (_, user) = contact.split_once("sip:").unwrap();
        let (user, _) = user.split_once('@').unwrap();
        assert!(user.starts_with(&format!("gw+{registered}")), "{contact}");
        let told = world.call(&Caller::outside("127.0.0.5", MOBILE).through(user), "0301234567");
        told.expect(200, &["bridge user/1001@alpha.test"]);
        assert_eq!(told.variable("nizam_gateway"), registered);
        phone.next_call();
    });

    destinations(&world, &mut cases, &desk.id, &with_mailbox.id, &mut phone);

    cases.case("From outside 4", "a DID of a suspended tenant is refused", || {
        assert_eq!(world.call(&stranger, "+49402222222").status, 480, "nobody is registered");
        rest.suspend(&beta);
        world.call(&stranger, "+49402222222").expect_refused(403, "suspended");
    });
    cases.finish();
    world.site.switch.stop();
}

/// A DID to each kind of destination, and to nothing of each kind.
fn destinations(
    world: &World,
    cases: &mut Cases,
    desk: &str,
    with_mailbox: &str,
    phone: &mut crate::support::Callee,
) {
    let caller = Caller::outside(STRANGER, MOBILE).holding(1500);
    let to_desk = |prefix: &str| destination(prefix, "extension", desk);
    cases.case("Destinations voicemail", "a DID to a mailbox", || {
        world.did("+49302000001", "voicemail", with_mailbox);
        let steps = ["answer", "sleep 500", "voicemail default alpha.test 1002"];
        world.call(&caller, "+49302000001").expect(200, &steps);
    });
    cases.case("Destinations ring_group", "a DID to a ring group", || {
        let group = world.make("ring-groups", &json!({"name": "all", "members": [desk]}));
        world.did("+49302000002", "ring_group", &group);
        world
            .call(&caller, "+49302000002")
            .expect(200, &["bridge {ignore_early_media=true}user/1001@alpha.test"]);
        phone.next_call();
    });
    cases.case("Destinations time_condition", "a DID to a time condition", || {
        let always = json!({"name": "always", "conditions": [{"time_from": "00:00", "time_to": "23:59"}]});
        let condition = world.make("time-conditions", &merged(always, &to_desk("match_")));
        world.did("+49302000003", "time_condition", &condition);
        world.call(&caller, "+49302000003").expect(200, &["bridge user/1001@alpha.test"]);
        phone.next_call();
    });
    cases.case(
        "Destinations call_routing_policy",
        "a DID to a policy, which then is none for other calls",
        || {
            let conditions = json!([{"type": "caller_id_pattern", "params": {"pattern": "+49151*"}}]);
            let policy = json!({"name": "mobiles", "conditions": conditions});
            let policy = world.make("call-routing-policies", &merged(policy, &to_desk("match_")));
            world.did("+49302000004", "call_routing_policy", &policy);
            world.call(&caller, "+49302000004").expect(200, &["bridge user/1001@alpha.test"]);
            phone.next_call();
            // It allows this one, and so leads nowhere.
            world
                .call(&Caller::outside(STRANGER, "+4930111111"), "+49302000004")
                .expect(404, &["respond 404"]);
        },
    );
    cases.case("Destinations ivr", "a DID to a menu", || {
        let options = json!([merged(json!({"digit": "1"}), &to_desk(""))]);
        let menu = world.make("ivrs", &json!({"name": "menu", "options": options}));
        world.did("+49302000005", "ivr", &menu);
        let name = format!("ivr {}.{}", world.tenant, menu).replace('-', "");
        world.call(&caller, "+49302000005").expect(200, &["answer", "sleep 500", &name]);
    });
    cases.case("Destinations queue", "a DID to a queue", || {
        let account = world.extension("1009", &json!({}));
        let queue = world.queue("support", &json!({}), &[(&account, "available")]);
        world.did("+49302000006", "queue", &queue.id);
        let steps = ["answer", "bridge user/1009@alpha.test"];
        world.call(&caller, "+49302000006").expect(200, &steps);
    });
    cases.case("Destinations call_flow", "a DID to a call flow", || {
        let nodes = json!([{"id": "a", "type": "bridge", "data": to_desk("")}]);
        let flow = world.make("call-flows", &json!({"name": "flow", "nodes": nodes}));
        world.did("+49302000007", "call_flow", &flow);
        world.call(&caller, "+49302000007").expect(200, &["answer", "bridge user/1001@alpha.test"]);
        phone.next_call();
    });
    cases.case("Destinations extension", "a DID to an extension that was deleted leads nowhere", || {
        let gone = world.extension("1008", &json!({}));
        world.did("+49302000008", "extension", &gone.id);
        assert_eq!(world.call(&caller, "+49302000008").status, 480, "nobody is registered");
        world.delete("extensions", &gone.id);
        world.call(&caller, "+49302000008").expect(404, &["respond 404"]);
    });
    cases.case("From outside 4", "a DID to what is not there leads nowhere, of whatever kind it is", || {
        let kinds = [
            "extension",
            "voicemail",
            "ring_group",
            "time_condition",
            "call_routing_policy",
            "ivr",
            "queue",
            "call_flow",
        ];
        for (kind, n) in kinds.into_iter().zip(1..) {
            let number = format!("+4930210000{n}");
            world.did(&number, kind, "01a20aae-2581-7493-8338-95384ee213be");
            world.call(&caller, &number).expect(404, &["set nizam_tenant=", "respond 404"]);
        }
    });
}
