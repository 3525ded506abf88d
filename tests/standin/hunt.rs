//! Calls that look for their way: in the dialplan interface of a module (`switch_core_standard_on_routing`,
//! `switch_core_session_execute_exten`), or in the XML registry as mod_dialplan_xml does.

use crate::event::{Caller, Event};
use crate::interface;
use crate::locate::{self, Question};
use crate::session::{Profile, Session, Step};
use crate::words::{c_string, decode};
use crate::xml_tree::Node;
use std::ptr;

/// Whose profile is hunted with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// The channel's: the module is given none.
    Channel,
    /// One that says where `execute_extension` leads.
    Execute,
}

/// The steps of a call. `headers` are those of [`xml`]: `Hunt-…` for the profile, `variable_…` for the channel.
pub(crate) fn interface(
    dialplan: Option<&str>,
    whose: Whose,
    [context, number]: [&str; 2],
    headers: &[&str],
) -> Result<Vec<Step>, String> {
    let target = [("context", c_string(context)?), ("destination_number", c_string(number)?)];
    let mut profile = Profile::default();
    let mut variables = Vec::new();
    for header in headers {
        let (name, value) = header.split_once('=').ok_or_else(|| format!("{header}: no '='"))?;
        let value = c_string(value)?;
        if let Some(variable) = name.strip_prefix("variable_") {
            variables.push((decode(variable), value));
        } else if let Some(field) = name.strip_prefix("Hunt-") {
            profile.set(&field.replace('-', "_"), value);
        } else {
            return Err(format!("{header}: neither Hunt-… nor variable_…"));
        }
    }
    if whose == Whose::Channel {
        for (field, value) in &target {
            profile.set(field, value.clone());
        }
    }
    let mut session = Session::new(profile);
    for (name, value) in variables {
        session.set_variable(&name, value);
    }
    let profile = match whose {
        Whose::Channel => ptr::null_mut(),
        Whose::Execute => session.execute(target),
    };
    let found = interface::hunt(dialplan, session.as_ptr(), profile)?;
    if found.is_null() {
        return Err("no route".to_owned());
    }
    session.steps(found).ok_or_else(|| "an extension that nobody made for this call".to_owned())
}

/// The steps of the first extension of the context that a call would run: the context, or `global`
/// (`mod_dialplan_xml.c:dialplan_hunt`).
pub(crate) fn xml([context, number]: [&str; 2], headers: &[&str]) -> Result<Vec<u8>, String> {
    let caller = Caller::new("mod_dialplan_xml.c", "dialplan_xml_locate");
    let mut event = Event::new("REQUEST_PARAMS", &caller)?;
    for (name, value) in [
        ("Hunt-Direction", "inbound"),
        ("Hunt-Dialplan", "XML"),
        ("Hunt-Context", context),
        ("Hunt-Destination-Number", number),
        ("Caller-Context", context),
        ("Caller-Destination-Number", number),
    ] {
        event.add(name, c_string(value)?.to_bytes());
    }
    crate::command::headers(&mut event, headers)?;
    let found = locate::locate(&Question::section(c"dialplan"), Some(&event)).ok_or("no dialplan")?;
    let named = |name: &[u8]| -> Option<Node> { locate::find_child(found.node, b"context", b"name", name) };
    let node =
        named(&decode(context)).or_else(|| named(b"global")).ok_or(format!("Context {context} not found"))?;
    Ok(crate::xml_write::to_text(node))
}
