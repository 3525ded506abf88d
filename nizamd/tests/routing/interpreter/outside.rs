//! Calls from outside: whose are they?

use super::scope::Scope;
use super::walk::{Walk, Walked};
use super::{admission, destination, number, policy, trunk};
use crate::call::Call;
use crate::model::Model;
use nizam_core::resource::Record;

pub(super) fn route(model: &Model, call: &Call) -> Option<Walked> {
    if let Some(owner) = trunk::owner(model, call) {
        let mut walk = Walk::begin(owner, call);
        let dialled = number::digits(call.number(), owner.home());
        if owner.is_closed() {
            walk.step("respond", "403");
        } else if let Some(did) = dialled.and_then(|digits| did_of(owner, &digits)) {
            arrive(&mut walk, did);
        } else {
            walk.step("respond", "404");
        }
        return Some(walk.end());
    }
    let digits = number::digits(call.number(), None)?;
    let open = Scope::all(model).filter(|scope| !scope.is_closed());
    let claims: Vec<_> = open.filter_map(|scope| Some((scope, did_of(scope, &digits)?))).collect();
    let confirmed: Vec<_> = claims.iter().filter(|(_, did)| did.is("confirmed")).collect();
    let better = if confirmed.is_empty() { claims.iter().collect() } else { confirmed };
    match better.as_slice() {
        [] => None,
        [(scope, did)] => {
            let mut walk = Walk::begin(*scope, call);
            arrive(&mut walk, did);
            Some(walk.end())
        }
        _ => Some(ambiguous(model, &digits)),
    }
}

/// The active DID with these E.164 digits; the confirmed one, else the oldest, if there are several.
pub(super) fn did_of<'m>(scope: Scope<'m>, digits: &str) -> Option<&'m Record> {
    let is_it = |did: &&Record| {
        number::digits(did.text("number").as_bytes(), scope.home()).is_some_and(|number| number == digits)
    };
    let all: Vec<_> = scope.own(&scope.model.dids).into_iter().filter(is_it).collect();
    all.iter().find(|did| did.is("confirmed")).or(all.first()).copied()
}

fn arrive<'m>(walk: &mut Walk<'m>, did: &'m Record) {
    if walk.scope.is_suspended() {
        return walk.refuse("suspended", 403);
    }
    admission::admit(walk, None);
    if !policy::before_routing(walk) {
        destination::go(walk, destination::of_row(did, "destination"), None);
    }
}

/// Several tenants claim the number as well as each other, so it is nobody's.
fn ambiguous(model: &Model, digits: &str) -> Walked {
    let step = |application: &str, argument: String| (application.to_owned(), argument);
    let steps = vec![
        step("set", format!("nizam_generation={}", model.generation)),
        step("event", format!("Event-Name=CUSTOM,Event-Subclass=nizam::ambiguous,nizam_number={digits}")),
        step("set", "nizam_refused=ambiguous".to_owned()),
        step("respond", "404".to_owned()),
    ];
    Walked { steps, nodes: 0 }
}
