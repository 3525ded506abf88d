//! Directory lookups, one for each way in which FreeSWITCH asks.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

mod common;

use common::{ACME, base, engine, extension, image, put, tenant};
use nizam_engine::{DirectoryAnswer, DirectoryQuestion, Engine};
use nizam_wire::record::{Extension, State};
use nizam_wire::{Builder, Kind};

fn ask(user: &'static str, domain: &'static str, action: &'static str) -> DirectoryQuestion<'static> {
    DirectoryQuestion {
        action: (!action.is_empty()).then_some(action.as_bytes()),
        ..DirectoryQuestion::user(user.as_bytes(), domain.as_bytes())
    }
}

fn about(domain: &'static str) -> DirectoryQuestion<'static> {
    DirectoryQuestion { key: None, user: None, ..ask("", domain, "") }
}

/// The answer as text, whatever form it came in.
fn answer(engine: &Engine, question: &DirectoryQuestion<'_>) -> (&'static str, String) {
    let mut out = Vec::new();
    let name = match engine.directory(question, &mut out) {
        DirectoryAnswer::NotOurs => return ("not ours", String::new()),
        DirectoryAnswer::Found => "found",
        DirectoryAnswer::Unknown => "unknown",
        DirectoryAnswer::Refused => "refused",
        DirectoryAnswer::List(root) => {
            out.clear();
            root.write(&mut out).unwrap();
            "list"
        }
    };
    let text = String::from_utf8(out).unwrap();
    well_formed(&text);
    (name, text)
}

fn well_formed(text: &str) {
    let mut reader = quick_xml::Reader::from_str(text);
    loop {
        match reader.read_event() {
            Ok(quick_xml::events::Event::Eof) => return,
            Ok(quick_xml::events::Event::Start(tag) | quick_xml::events::Event::Empty(tag)) => {
                for attribute in tag.attributes() {
                    attribute.unwrap();
                }
            }
            Ok(_) => {}
            Err(error) => panic!("{error}: {text}"),
        }
    }
}

#[test]
fn each_action_gets_what_it_needs_and_no_more() {
    let engine = engine(vec![base()]);
    let (name, text) = answer(&engine, &ask("1002", "acme.example", "sip_auth"));
    assert_eq!(name, "found");
    assert_eq!(
        text,
        "<document type=\"freeswitch/xml\"><section name=\"directory\"><domain name=\"acme.example\"><groups>\
         <group name=\"default\"><users><user id=\"1002\"><params><param name=\"password\" value=\"s3cret-pass\"/>\
         </params><variables><variable name=\"user_context\" value=\"acme.example\"/>\
         <variable name=\"effective_caller_id_name\" value=\"Front &quot;Desk&quot; &amp; Co\"/>\
         <variable name=\"effective_caller_id_number\" value=\"2000\"/>\
         <variable name=\"outbound_caller_id_name\" value=\"ACME\"/>\
         <variable name=\"outbound_caller_id_number\" value=\"+15551234567\"/></variables></user></users></group>\
         </groups></domain></section></document>"
    );
    let (_, text) = answer(&engine, &ask("1002", "acme.example", "user_call"));
    assert!(text.contains(
        "<param name=\"dial-string\" value=\"{presence_id=1002@acme.example}${sofia_contact(*/1002@acme.example)}\"/>"
    ));
    assert!(!text.contains("password"));
    for action in ["voicemail-lookup", "message-count", "web-vm"] {
        let (_, text) = answer(&engine, &ask("1002", "acme.example", action));
        assert!(
            text.contains("name=\"vm-enabled\" value=\"true\"")
                && text.contains("name=\"vm-password\" value=\"4321\"")
        );
        assert!(!text.contains("s3cret-pass") && !text.contains("dial-string"));
    }
    let (_, text) = answer(&engine, &ask("1002", "acme.example", "reverse-auth-lookup"));
    assert!(text.contains("name=\"reverse-auth-user\" value=\"1002\""));
    assert!(text.contains("name=\"reverse-auth-pass\" value=\"s3cret-pass\""));
    let (_, text) = answer(&engine, &ask("1002", "acme.example", "jsonrpc-authenticate"));
    assert!(text.contains("name=\"password\""));
    let (_, text) = answer(&engine, &ask("1002", "acme.example", ""));
    for part in ["name=\"password\"", "dial-string", "vm-password", "user_context"] {
        assert!(text.contains(part), "{part} for user_data");
    }
}

#[test]
fn a_tenant_sees_its_own_user_of_a_shared_number() {
    let engine = engine(vec![base()]);
    for (domain, own, foreign) in
        [("acme.example", "acme-pass", "other-pass"), ("other.example", "other-pass", "acme-pass")]
    {
        let (name, text) = answer(&engine, &ask("1001", domain, "sip_auth"));
        assert_eq!(name, "found");
        assert!(text.contains(own) && !text.contains(foreign));
    }
    assert_eq!(answer(&engine, &ask("1002", "other.example", "sip_auth")).0, "unknown");
}

#[test]
fn a_pin_that_is_chosen_by_phone_is_judged() {
    let engine = engine(vec![base()]);
    for (pin, verdict) in [
        ("4711", "true"),
        ("12345678", "true"),
        ("123", "false"),
        ("123456789", "false"),
        ("", "false"),
        ("12a4", "false"),
    ] {
        let asked = DirectoryQuestion { new_pin: Some(pin.as_bytes()), ..ask("1001", "acme.example", "") };
        let (found, text) = answer(&engine, &asked);
        assert_eq!(found, "found");
        assert!(
            text.contains(&format!("<user id=\"1001\"><result success=\"{verdict}\"/><params>")),
            "{pin}: {text}"
        );
    }
    assert!(!answer(&engine, &ask("1001", "acme.example", "")).1.contains("<result"));
}

#[test]
fn case_does_not_matter_and_aliases_find_the_number() {
    let engine = engine(vec![base()]);
    assert_eq!(answer(&engine, &ask("BOB", "ACME.Example", "sip_auth")).0, "found");
    assert!(answer(&engine, &ask("bob", "acme.example", "")).1.contains("<user id=\"Bob\">"));
    let alias = DirectoryQuestion { key: Some(b"number-alias"), ..ask("1001", "acme.example", "") };
    assert!(answer(&engine, &alias).1.contains("<user id=\"1001\" number-alias=\"1001\">"));
    let other = DirectoryQuestion { key: Some(b"cidr"), ..ask("1001", "acme.example", "") };
    assert_eq!(answer(&engine, &other).0, "unknown");
}

#[test]
fn unknown_users_get_the_domain_and_unknown_domains_nothing() {
    let engine = engine(vec![base()]);
    let bare = "<document type=\"freeswitch/xml\"><section name=\"directory\"><domain name=\"acme.example\"></domain>\
                </section></document>";
    assert_eq!(answer(&engine, &ask("9999", "acme.example", "sip_auth")), ("unknown", bare.to_owned()));
    for hostile in ["", "a\"b<c", "%s%n", "${x}", "../..", "1001\n"] {
        let mut question = ask("x", "acme.example", "sip_auth");
        question.user = Some(hostile.as_bytes());
        assert_eq!(answer(&engine, &question), ("unknown", bare.to_owned()), "{hostile:?}");
    }
    let long = vec![b'1'; 1 << 16];
    let question = DirectoryQuestion { user: Some(&long), ..ask("x", "acme.example", "sip_auth") };
    assert_eq!(answer(&engine, &question).0, "unknown");
    let question = DirectoryQuestion { user: Some(b"\xff\xfe"), ..ask("x", "acme.example", "sip_auth") };
    assert_eq!(answer(&engine, &question).0, "unknown");
    assert_eq!(answer(&engine, &ask("1001", "nobody.example", "sip_auth")).0, "not ours");
    let question = DirectoryQuestion { domain: Some(&long), ..ask("1001", "x", "") };
    assert_eq!(answer(&engine, &question).0, "not ours");
    assert_eq!(answer(&engine, &DirectoryQuestion { domain: None, ..ask("1001", "x", "") }).0, "not ours");
    assert_eq!(
        answer(&engine, &DirectoryQuestion { tag: Some(b"user"), ..ask("1001", "x", "") }).0,
        "not ours"
    );
    assert_eq!(answer(&Engine::default(), &ask("1001", "acme.example", "sip_auth")).0, "not ours");
}

#[test]
fn suspended_tenants_register_and_closed_ones_do_not() {
    let engine = engine(vec![base()]);
    assert_eq!(answer(&engine, &ask("1001", "late.example", "sip_auth")).0, "found");
    assert_eq!(answer(&engine, &ask("1001", "gone.example", "sip_auth")).0, "unknown");
    assert!(
        !answer(&engine, &DirectoryQuestion { has_params: false, ..about("gone.example") })
            .1
            .contains("<user")
    );
}

#[test]
fn sip_passwords_open_no_console() {
    let engine = engine(vec![base()]);
    assert_eq!(answer(&engine, &ask("1001", "acme.example", "event_socket_auth")).0, "unknown");
    let question = DirectoryQuestion { number_alias: Some(b"check"), ..ask("1001", "acme.example", "") };
    assert_eq!(answer(&engine, &question).0, "unknown");
}

#[test]
fn nobody_registers_or_subscribes_as_somebody_else() {
    let engine = engine(vec![base()]);
    let login = |method: &'static str, to_user: &'static str, to_host: Option<&'static str>| {
        let question = DirectoryQuestion {
            method: Some(method.as_bytes()),
            to_user: Some(to_user.as_bytes()),
            to_host: to_host.map(str::as_bytes),
            from_user: Some(b"1001"),
            from_host: Some(b"acme.example"),
            ..ask("1001", "acme.example", "sip_auth")
        };
        answer(&engine, &question).0
    };
    let message = |user: &'static [u8], host: &'static [u8]| {
        let question = DirectoryQuestion {
            method: Some(b"MESSAGE"),
            to_host: Some(b"acme.example"),
            from_user: Some(user),
            from_host: Some(host),
            ..ask("1001", "acme.example", "sip_auth")
        };
        answer(&engine, &question).0
    };
    assert_eq!(message(b"1001", b"acme.example"), "found");
    assert_eq!(message(b"1009", b"acme.example"), "unknown", "somebody else's name");
    assert_eq!(message(b"1001", b"other.example"), "unknown");
    assert_eq!(login("REGISTER", "1001", Some("ACME.example")), "found");
    assert_eq!(login("REGISTER", "1001", None), "found", "mod_sofia takes the host of From then");
    assert_eq!(login("REGISTER", "1001", Some("other.example")), "unknown", "another tenant's number");
    assert_eq!(login("REGISTER", "1002", Some("acme.example")), "unknown", "another number");
    assert_eq!(login("SUBSCRIBE", "1002", Some("acme.example")), "found");
    for method in ["SUBSCRIBE", "PUBLISH", "MESSAGE"] {
        assert_eq!(login(method, "1001", Some("other.example")), "unknown", "{method}");
    }
    assert_eq!(
        login("INVITE", "1001", Some("other.example")),
        "found",
        "it is routed in the caller's own context"
    );
    let nameless = DirectoryQuestion { method: Some(b"REGISTER"), ..ask("1001", "acme.example", "sip_auth") };
    assert_eq!(answer(&engine, &nameless).0, "unknown");
}

#[test]
fn a_spoofed_purpose_does_not_turn_a_login_into_a_list() {
    let engine = engine(vec![base()]);
    for purpose in ["gateways", "network-list", "publish-vm"] {
        let question = DirectoryQuestion {
            purpose: Some(purpose.as_bytes()),
            group_name: Some(b"default"),
            ..ask("1001", "acme.example", "sip_auth")
        };
        let (name, text) = answer(&engine, &question);
        assert_eq!(name, "found");
        assert_eq!(text.matches("<user ").count(), 1);
    }
}

#[test]
fn groups_mailboxes_gateways_and_networks_are_lists() {
    let engine = engine(vec![base()]);
    let group = DirectoryQuestion {
        group_name: Some(b"default"),
        action: Some(b"group_call"),
        ..about("acme.example")
    };
    let (name, text) = answer(&engine, &group);
    assert_eq!((name, text.matches("<user ").count()), ("list", 3));
    assert!(text.contains("dial-string") && !text.contains("other-pass"));
    let group = DirectoryQuestion { group_name: Some(b"sales"), ..about("acme.example") };
    assert_eq!(answer(&engine, &group).0, "unknown");
    // in_group names its user, and needs no list.
    let group =
        DirectoryQuestion { group_name: Some(b"default"), user: Some(b"1001"), ..about("acme.example") };
    assert_eq!(answer(&engine, &group).0, "found");

    let mailbox = |user: Option<&'static [u8]>, group: Option<&'static [u8]>| DirectoryQuestion {
        purpose: Some(b"publish-vm"),
        user,
        group,
        ..about("acme.example")
    };
    assert_eq!(answer(&engine, &mailbox(Some(b"1002"), None)).0, "found");
    assert!(answer(&engine, &mailbox(Some(b"1002"), None)).1.contains("vm-enabled"));
    assert_eq!(answer(&engine, &mailbox(Some(b"_all_"), None)).1.matches("<user ").count(), 3);
    assert_eq!(answer(&engine, &mailbox(None, Some(b"default"))).1.matches("<user ").count(), 3);
    assert_eq!(answer(&engine, &mailbox(None, Some(b"sales"))).0, "unknown");

    let gateways = DirectoryQuestion { purpose: Some(b"gateways"), ..about("acme.example") };
    let (_, text) = answer(&engine, &gateways);
    assert!(text.contains(
        "<gateways><gateway name=\"acme-carrier\"><param name=\"proxy\" value=\"sip.carrier.example\"/>\
         <param name=\"register\" value=\"true\"/></gateway></gateways>"
    ));
    assert!(!text.contains("acme-pass"));
    let gateways = DirectoryQuestion { purpose: Some(b"gateways"), ..about("other.example") };
    assert!(!answer(&engine, &gateways).1.contains("<user "));

    let networks = DirectoryQuestion { purpose: Some(b"network-list"), ..about("acme.example") };
    assert!(
        answer(&engine, &networks).1.contains("<users><user id=\"1002\" cidr=\"192.0.2.0/24\"/></users>")
    );

    let names = DirectoryQuestion { calling_function: Some(b"populate_database"), ..about("acme.example") };
    let (_, text) = answer(&engine, &names);
    assert!(text.contains("<variable name=\"directory_full_name\" value=\"Ann Lee\"/>"));
    assert!(!text.contains("s3cret-pass"));
}

#[test]
fn a_domain_is_a_domain_and_all_domains_are_all_open_ones() {
    let engine = engine(vec![base()]);
    let (name, text) = answer(&engine, &about("acme.example"));
    assert_eq!(name, "found");
    assert!(text.contains("<domain name=\"acme.example\"><variables>") && !text.contains("<user"));
    let list = DirectoryQuestion { has_params: false, ..about("acme.example") };
    assert_eq!(answer(&engine, &list).1.matches("<user ").count(), 3);
    let all = DirectoryQuestion::default();
    let (name, text) = answer(&engine, &all);
    assert_eq!((name, text.matches("<domain ").count()), ("list", 3));
    let gateways =
        DirectoryQuestion { purpose: Some(b"gateways"), has_params: true, ..DirectoryQuestion::default() };
    assert_eq!(answer(&engine, &gateways).1.matches("<gateway ").count(), 1);
    assert_eq!(answer(&Engine::default(), &all).0, "not ours");
}

#[test]
fn the_newest_layer_counts() {
    let mut overlay = Builder::overlay(41, common::SEED);
    put(&mut overlay, ACME, &Extension { password: "new-password", ..extension("1001") });
    overlay.put(Kind::Extension, ACME, b"1002", None).unwrap();
    put(&mut overlay, ACME, &extension("1003"));
    let engine = engine(vec![image(overlay), base()]);
    assert!(answer(&engine, &ask("1001", "acme.example", "sip_auth")).1.contains("new-password"));
    assert_eq!(answer(&engine, &ask("1002", "acme.example", "sip_auth")).0, "unknown");
    assert_eq!(answer(&engine, &ask("1003", "acme.example", "sip_auth")).0, "found");
    assert_eq!(
        answer(&engine, &DirectoryQuestion { has_params: false, ..about("acme.example") })
            .1
            .matches("<user ")
            .count(),
        3
    );
}

#[test]
fn values_that_freeswitch_would_bend_are_refused_and_others_survive() {
    let hostile = |password: &str| {
        let mut builder = Builder::base(1, common::SEED);
        tenant(&mut builder, ACME, "acme.example", State::Open);
        put(&mut builder, ACME, &Extension { password, ..extension("1001") });
        answer(&engine(vec![image(builder)]), &ask("1001", "acme.example", "sip_auth"))
    };
    for bad in ["a<!b\" x=\"y", "nul\0", "line\n", "\u{1b}[2J"] {
        let (name, text) = hostile(bad);
        assert_eq!(name, "refused", "{bad:?}");
        assert!(!text.contains("<user"));
    }
    let long = "x&\"<>'".repeat(10_000);
    for good in ["${system(rm)}", "quote\"quote", "a<b>&c'", "Zoë Ünï 日本", long.as_str()] {
        let (name, text) = hostile(good);
        assert_eq!(name, "found", "{good:?}");
        let escaped =
            good.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
        assert!(text.contains(&format!("name=\"password\" value=\"{escaped}\"")));
    }
    // FreeSWITCH lets a user without a password in.
    assert_eq!(hostile("").0, "refused");
    for number in ["10}01", "1001,1002", "a b", "1001@x", "a'b", "$1"] {
        let mut builder = Builder::base(1, common::SEED);
        tenant(&mut builder, ACME, "acme.example", State::Open);
        put(&mut builder, ACME, &extension(number));
        let engine = engine(vec![image(builder)]);
        let question =
            DirectoryQuestion { user: Some(number.as_bytes()), ..ask("", "acme.example", "user_call") };
        assert_eq!(answer(&engine, &question).0, "refused", "{number} in a dial string");
    }
}
