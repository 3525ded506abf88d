//! Everything that FreeSWITCH asks about a tenant, with the module's own engine for an answer.

use nizam_engine::{DialplanQuestion, DirectoryAnswer, DirectoryQuestion, Engine};
use uuid::Uuid;

use crate::document::Node;
use crate::town::{ABROAD, Town};

/// What was answered to a question; nothing where it is left to FreeSWITCH's other sources.
pub(crate) type Seen = (String, Option<Node>);

/// When everything is asked: a Monday of 2030, at noon.
const NOW: i64 = 1_893_758_400;

/// The row that is asked about.
#[derive(Clone, Debug)]
pub(crate) struct Place<'p> {
    pub(crate) town: &'p Town,
    pub(crate) domain: &'p str,
    /// Its id; for a tenant that of a row that is not there.
    pub(crate) id: &'p str,
    /// What it is found by.
    pub(crate) number: &'p str,
    /// Steps of a flow.
    pub(crate) steps: usize,
}

/// Asks for a document of the directory.
pub(crate) fn directory(engine: &Engine, question: &DirectoryQuestion<'_>) -> Result<Option<Node>, String> {
    let mut out = Vec::new();
    match engine.directory(question, &mut out) {
        DirectoryAnswer::NotOurs => return Ok(None),
        DirectoryAnswer::List(root) => {
            out.clear();
            root.write(&mut out).map_err(|error| error.to_string())?;
        }
        DirectoryAnswer::Refused => return Err("a record that cannot be written".to_owned()),
        DirectoryAnswer::Found | DirectoryAnswer::Unknown => {}
    }
    document(out).map(Some)
}

/// Asks for the way of a call; the document for mod_dialplan_xml and the list of the dialplan interface are the same.
pub(crate) fn dialplan(engine: &Engine, question: &DialplanQuestion<'_>) -> Result<Option<Node>, String> {
    let Some(route) = engine.dialplan(question) else { return Ok(None) };
    let mut out = Vec::new();
    route.write(&mut out).map_err(|error| error.to_string())?;
    let root = document(out)?;
    let condition = &root.children[0].children[0].children[0].children[0];
    let listed: Vec<(&str, &str)> = route.actions().map(|action| (action.application, action.data)).collect();
    let written: Vec<(&str, &str)> = condition
        .children
        .iter()
        .map(|action| (action.attribute("application"), action.attribute("data")))
        .collect();
    if listed != written || !listed.iter().all(|(_, data)| nizam_engine::is_taken(data)) {
        return Err(format!("{listed:?} is not {written:?}"));
    }
    Ok(Some(root))
}

/// Asks for a menu.
pub(crate) fn menu(engine: &Engine, name: &[u8]) -> Result<Option<Node>, String> {
    let mut out = Vec::new();
    if engine.menu(name, &mut out) { document(out).map(Some) } else { Ok(None) }
}

fn document(out: Vec<u8>) -> Result<Node, String> {
    let root = Node::parse(&String::from_utf8(out).map_err(|error| error.to_string())?)?;
    root.harmless()?;
    Ok(root)
}

/// Everything, in one order.
pub(crate) fn everything(engine: &Engine, place: &Place<'_>) -> Result<Vec<Seen>, String> {
    let mut seen = Vec::new();
    let mut add = |name: String, answer: Result<Option<Node>, String>| {
        seen.push((name.clone(), answer.map_err(|error| format!("{name}: {error}"))?));
        Ok::<(), String>(())
    };
    let domain = place.domain.as_bytes();
    for (name, number) in [("number", place.number), ("7001", "7001")] {
        for key in ["id", "number-alias"] {
            for action in
                ["", "sip_auth", "user_call", "reverse-auth-lookup", "voicemail-lookup", "message-count"]
            {
                let question = DirectoryQuestion {
                    key: Some(key.as_bytes()),
                    action: (!action.is_empty()).then_some(action.as_bytes()),
                    ..DirectoryQuestion::user(number.as_bytes(), domain)
                };
                add(format!("user {name} by {key} for {action:?}"), directory(engine, &question))?;
            }
        }
    }
    let of_domain = DirectoryQuestion { key: None, user: None, ..DirectoryQuestion::user(b"", domain) };
    let lists = [
        ("domain", of_domain),
        ("users", DirectoryQuestion { has_params: false, ..of_domain }),
        ("group", DirectoryQuestion { group_name: Some(b"default"), ..of_domain }),
        ("mailboxes", DirectoryQuestion { purpose: Some(b"publish-vm"), ..of_domain }),
        ("gateways", DirectoryQuestion { purpose: Some(b"gateways"), ..of_domain }),
        ("networks", DirectoryQuestion { purpose: Some(b"network-list"), ..of_domain }),
        ("names", DirectoryQuestion { calling_function: Some(b"populate_database"), ..of_domain }),
    ];
    for (name, question) in lists {
        add(name.to_owned(), directory(engine, &question))?;
    }
    for (name, number) in numbers(place) {
        for (caller_name, caller) in [("7001", "7001"), ("the number", place.number)] {
            let question = DialplanQuestion {
                context: Some(domain),
                number: Some(number.as_bytes()),
                caller_number: Some(caller.as_bytes()),
                caller: Some(caller.as_bytes()),
                caller_domain: Some(domain),
                now: NOW,
                ..DialplanQuestion::default()
            };
            add(format!("{caller_name} dials {name}"), dialplan(engine, &question))?;
        }
    }
    let outside = DialplanQuestion {
        context: Some(b"public"),
        number: Some(place.number.as_bytes()),
        caller_number: Some(b"+15550001111"),
        address: Some(b"198.51.100.44"),
        now: NOW,
        ..DialplanQuestion::default()
    };
    add("somebody outside dials the number".to_owned(), dialplan(engine, &outside))?;
    let simple = |id: &str| Uuid::try_parse(id).map(|id| id.simple().to_string()).unwrap_or_default();
    for (name, id) in [("its menu", place.id), ("the base menu", &place.town.menu)] {
        let of = format!("{}.{}", simple(&place.town.tenant), simple(id));
        add(name.to_owned(), menu(engine, of.as_bytes()))?;
    }
    Ok(seen)
}

/// What is dialled, and what to call it.
fn numbers(place: &Place<'_>) -> Vec<(String, String)> {
    let fixed = ["7002", ABROAD, "88881234", "112", "*97", "*98", "7999"]
        .map(|number| (number.to_owned(), number.to_owned()));
    let mut numbers: Vec<_> = fixed.into();
    numbers.push(("the number".to_owned(), place.number.to_owned()));
    for kind in [
        "extension",
        "voicemail",
        "ring_group",
        "ivr",
        "time_condition",
        "call_routing_policy",
        "queue",
        "call_flow",
    ] {
        numbers.push((kind.to_owned(), format!("nizam:{kind}:{}", place.id)));
    }
    numbers.push(("waiting too long".to_owned(), format!("nizam:queue:{}:1", place.id)));
    numbers.push(("the base flow".to_owned(), format!("nizam:call_flow:{}", place.town.flow)));
    numbers.push(("direct".to_owned(), format!("nizam:direct:{}:{}", place.id, place.number)));
    for step in 0..place.steps {
        numbers.push((format!("step {step}"), format!("nizam:flow:{}:{step}", place.id)));
    }
    numbers
}
