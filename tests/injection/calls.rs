//! Calls by SIP: hostile numbers are dialled by people with hostile names, whose phones say hostile names.

use std::collections::BTreeMap;
use std::time::Duration;

use super::people::{People, Person};
use super::{Found, is_inert};
use crate::support::{Caller, Event, Events, Site, until};

/// Calls a second.
const RATE: u32 = 25;
/// Longer numbers do not fit into a message of one datagram.
const LONGEST: usize = 255;

/// Dials each text; what the switch did for each call is nothing but what such a call gets.
pub(crate) fn call(site: &Site, events: &Events, people: &People, found: &mut Found) -> usize {
    let callers: Vec<&Person> = people.all.iter().filter(|person| !person.has_odd_password).collect();
    let texts: Vec<&str> = people.all.iter().map(|person| person.text.as_str()).collect();
    let texts: Vec<&str> =
        texts.into_iter().filter(|text| !text.is_empty() && text.len() <= LONGEST).collect();
    let calls: Vec<(&Person, &str)> = callers.iter().copied().cycle().zip(texts).collect();
    let lines: Vec<(Caller, &str)> =
        calls.iter().map(|(person, text)| (caller(person, text), *text)).collect();
    site.batch("hostile", &lines, RATE).over();
    let ended =
        |event: &Event| event.is("CHANNEL_HANGUP_COMPLETE") && event.get("Call-Direction") == "inbound";
    let mut known = events.count_of(ended);
    until("no more calls end", Duration::from_mins(1), || {
        std::thread::sleep(Duration::from_secs(1));
        let now = events.count_of(ended);
        std::mem::replace(&mut known, now).eq(&now).then_some(())
    });
    let mut channels: BTreeMap<String, Vec<Event>> = BTreeMap::new();
    let mut ids: BTreeMap<String, String> = BTreeMap::new();
    for event in events.all(|_| true) {
        let (uuid, id) = (event.get("Unique-ID").to_owned(), event.variable("sip_call_id").to_owned());
        if id.starts_with("hostile-") {
            ids.insert(id, uuid.clone());
        }
        channels.entry(uuid).or_default().push(event);
    }
    let mut made = 0;
    for ((person, text), n) in calls.iter().zip(1..) {
        // What is no address is refused before there is a channel.
        let Some(events) = ids.get(&format!("hostile-{n}")).and_then(|uuid| channels.get(uuid)) else {
            continue;
        };
        made += 1;
        if let Err(why) = look(person, text, events, people, found) {
            found.other(format!("{text:?} dialled by {:?}: {why}", person.text));
        }
    }
    made
}

/// A phone that says the text for a name, where an injection file of sipp can hold it.
fn caller(person: &Person, text: &str) -> Caller {
    let caller = Caller::phone(&person.account).holding(0);
    if text.contains([';', '[', ']']) || text.chars().any(char::is_control) {
        return caller;
    }
    caller.named(&text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn look(
    person: &Person,
    text: &str,
    events: &[Event],
    people: &People,
    found: &mut Found,
) -> Result<(), String> {
    let steps: Vec<(&str, &str)> = events
        .iter()
        .filter(|event| event.is("CHANNEL_EXECUTE"))
        .map(|event| (event.get("Application"), event.get("Application-Data")))
        .collect();
    let mut rest = steps.as_slice();
    let mut take = |wanted: &str| match rest {
        [(application, data), after @ ..] if *application == "set" && data.starts_with(wanted) => {
            rest = after;
            Some((*data).to_owned())
        }
        _ => None,
    };
    take("nizam_generation=").ok_or_else(|| format!("{steps:?}"))?;
    let tenant = format!("nizam_tenant={}", people.tenant);
    take(&tenant).filter(|data| *data == tenant).ok_or_else(|| format!("{steps:?}"))?;
    for name in ["effective_caller_id_name", "effective_caller_id_number"] {
        let want = &person.variables[name];
        let step = take(&format!("{name}="));
        match step {
            Some(step) => found.compare(&format!("a step of {text:?}"), &format!("{name}={want}"), &step),
            None if is_inert(want) => return Err(format!("no {name}: {steps:?}")),
            None => found.left_out += 1,
        }
        // Outside another one is shown. FreeSWITCH itself keeps no user's variable that looks as if it held one
        // (`switch_channel.c:switch_channel_set_variable_var_check`).
        let again = steps.iter().filter(|(_, data)| data.starts_with(&format!("{name}="))).count() > 1;
        if let Some(end) = events.iter().find(|event| event.is("CHANNEL_HANGUP_COMPLETE")).filter(|_| !again)
        {
            let has = end.variable(name);
            let want = if has.is_empty() && !is_inert(want) { "" } else { want };
            found.compare(&format!("{name} after {text:?}"), want, has);
        }
    }
    let ours = text.chars().all(|c| c.is_ascii_alphanumeric() || "+*#._-".contains(c));
    match rest {
        [("respond", "404") | ("hangup", "UNALLOCATED_NUMBER")] => Ok(()),
        // It may be a number of somebody.
        _ if ours => Ok(()),
        _ => Err(format!("{rest:?}")),
    }
}
