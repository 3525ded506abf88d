//! Answers from records of any content: well-formed, and every value comes back as it went in, or none is given.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nizam_engine::{DialplanQuestion, DirectoryAnswer, DirectoryQuestion, Engine, Layers, Origin};
use nizam_wire::image::{Image, ONLY, PLATFORM};
use nizam_wire::record::{Classes, Extension, PairsBuf, State, Tenant};
use nizam_wire::{Builder, Kind};
use quick_xml::XmlVersion;
use quick_xml::events::Event;
use std::sync::Arc;

fuzz_target!(|texts: (String, String, String, String, Vec<u8>)| {
    let (password, name, number, variable, asked) = texts;
    let mut variables = PairsBuf::default();
    variables.push("user_context", &variable);
    let Ok(variables_xml) = variables.to_xml("variable") else { return };
    let tenant = Tenant {
        id: [1; 16],
        domain: "d.example",
        state: State::Open,
        ring_timeout: 30,
        dial_string: "{x=\u{1}}",
        variables: variables.as_pairs(),
        variables_xml: &variables_xml,
    };
    let extension = Extension {
        id: [2; 16],
        number: &number,
        password: &password,
        full_name: &name,
        effective_caller_id_name: "",
        effective_caller_id_number: &variable,
        outbound_caller_id_name: &name,
        outbound_caller_id_number: "",
        voicemail: true,
        voicemail_pin: &password,
        toll_allow: Classes::default(),
        max_channels: 0,
        ring_timeout: 0,
    };
    let mut builder = Builder::base(1, 2);
    builder.put(Kind::Domain, PLATFORM, b"d.example", Some(&tenant.id)).unwrap();
    builder.put(Kind::Tenant, tenant.id, ONLY, Some(&tenant.encode())).unwrap();
    if builder.put(Kind::Extension, [1; 16], b"1001", Some(&extension.encode())).is_err() {
        return;
    }
    let engine = Engine::default();
    let image = Image::from_vec(builder.finish().unwrap()).unwrap();
    engine.live.publish(Layers::new(vec![Arc::new(image)], Origin::Daemon));
    for (user, action) in [(&b"1001"[..], None), (b"1001", Some(&b"sip_auth"[..])), (&asked, None)] {
        let question = DirectoryQuestion { action, ..DirectoryQuestion::user(user, b"d.example") };
        let mut out = Vec::new();
        let answer = engine.directory(&question, &mut out);
        let values = values(&out);
        if matches!(answer, DirectoryAnswer::Found) && user == b"1001" {
            assert!(values.contains(&password), "the password is not what was stored");
            assert!(values.contains(&variable) || variable.is_empty());
        }
        assert!(!String::from_utf8_lossy(&out).contains("<!"));
    }
    let question = DialplanQuestion {
        context: Some(b"d.example"),
        number: Some(b"1001"),
        caller: Some(b"1001"),
        caller_domain: Some(b"d.example"),
        ..DialplanQuestion::default()
    };
    if let Some(route) = engine.dialplan(&question) {
        let mut out = Vec::new();
        route.write(&mut out).expect("a route is made of inert texts");
        values(&out);
    }
});

/// All attribute values, as a parser reads them.
fn values(document: &[u8]) -> Vec<String> {
    let mut reader = quick_xml::Reader::from_reader(document);
    let (mut values, mut buffer) = (Vec::new(), Vec::new());
    loop {
        match reader.read_event_into(&mut buffer).expect("an answer is well-formed") {
            Event::Eof => return values,
            Event::Start(tag) | Event::Empty(tag) => {
                for attribute in tag.attributes() {
                    let attribute = attribute.expect("attributes are well-formed");
                    let value = attribute.normalized_value(XmlVersion::Implicit1_0).expect("values are escaped");
                    values.push(value.into_owned());
                }
            }
            _ => {}
        }
        buffer.clear();
    }
}
