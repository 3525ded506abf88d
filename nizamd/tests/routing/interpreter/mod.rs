//! `docs/routing.md`, read a second time: from the rows as they are to the steps, one rule after the other, with no image, no
//! index and no table that anything was compiled into. It shares no code with the compiler and the resolver, and is slow.

mod admission;
mod caller_id;
mod caller_pattern;
mod continuation;
mod destination;
mod dial_pattern;
mod emergency;
mod extension;
mod flow;
mod flow_case;
mod flow_input;
mod inert;
mod inside;
mod json;
mod menu;
mod number;
mod outbound;
mod outside;
mod policy;
mod prompt;
mod queue;
mod ring_group;
mod schedule;
mod scope;
mod trunk;
mod walk;

use crate::call::Call;
use crate::model::Model;
use scope::Scope;

pub(crate) use menu::menu;
pub(crate) use walk::{MOST_NODES, Walked};

/// A step: the application and its argument.
pub(crate) type Step = (String, String);

/// The steps that a call gets. `None`: the call is not ours.
pub(crate) fn interpret(model: &Model, call: &Call) -> Option<Walked> {
    let context = call.context.as_deref()?;
    if let Some(scope) = Scope::of_domain(model, context) {
        return Some(inside::route(scope, call));
    }
    if context == b"public" { outside::route(model, call) } else { None }
}
