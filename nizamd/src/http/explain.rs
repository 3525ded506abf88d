//! Where a call would go, and why: the very code that routes live calls, on the images that the switches have.

use jiff::Timestamp;
use nizam_core::validate::{Errors, Explanation};
use nizam_engine::{Action, DialplanQuestion, Note, Route};
use serde_json::{Value, json};

use super::call::Call;
use super::gate::Member;
use super::instant;
use super::reply::{Outcome, Reply};

/// The context of calls from outside.
const PUBLIC: &str = "public";

pub(super) async fn explain(call: Call, member: Member, form: Explanation) -> Outcome {
    let tenant = member.tenant();
    let at = match &form.at {
        None => Timestamp::now(),
        Some(text) => {
            instant::parse(text).ok_or_else(|| Errors::one("at", "The at field must be a valid date."))?
        }
    };
    let engine = call.app.publisher.engine();
    let id = tenant.id.into_bytes();
    let of_the_tenant = engine.has_extension(&id, &form.from);
    let context = match form.context.as_deref().map(str::to_ascii_lowercase) {
        None if of_the_tenant => tenant.domain.clone(),
        None => PUBLIC.to_owned(),
        Some(context) if context == PUBLIC || context == tenant.domain => context,
        Some(_) => {
            let text = format!("The context field must be public or {}.", tenant.domain);
            return Err(Errors::one("context", text).into());
        }
    };
    let inside = of_the_tenant && context == tenant.domain;
    let question = DialplanQuestion {
        context: Some(context.as_bytes()),
        number: Some(form.to.as_bytes()),
        caller_number: Some(form.from.as_bytes()),
        caller: inside.then_some(form.from.as_bytes()),
        caller_domain: inside.then_some(tenant.domain.as_bytes()),
        now: at.as_second(),
        ..DialplanQuestion::default()
    };
    let (route, notes) = engine.explain_to(&id, &question);
    let registered = form.registered.as_deref();
    let actions: Vec<Value> = route
        .iter()
        .flat_map(Route::actions)
        .map(|action| present_action(&action, &tenant.domain, registered))
        .collect();
    Ok(Reply::ok(&json!({"data": {
        // Another tenant's call and nobody's are the same.
        "outcome": route.as_ref().map_or("not_ours", |route| route.outcome.name()),
        "generation": engine.live.load().generation(),
        "context": context,
        "at": at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "actions": actions,
        "trace": notes.iter().map(present_note).collect::<Vec<_>>(),
    }})))
}

/// A step; a bridge to extensions also says which of them are registered, where the request did.
fn present_action(action: &Action<'_>, domain: &str, registered: Option<&[String]>) -> Value {
    let mut value = json!({"application": action.application, "data": action.data});
    if let (Some(registered), "bridge", Some(map)) = (registered, action.application, value.as_object_mut()) {
        let legs = action.data.rsplit('}').next().unwrap_or_default().split(',');
        let users: Vec<Value> = legs
            .filter_map(|leg| leg.strip_prefix("user/")?.strip_suffix(domain)?.strip_suffix('@'))
            .map(|number| {
                let there = registered.iter().any(|known| known.eq_ignore_ascii_case(number));
                json!({"extension": number, "registered": there})
            })
            .collect();
        if !users.is_empty() {
            map.insert("rings".to_owned(), Value::Array(users));
        }
    }
    value
}

fn present_note(note: &Note) -> Value {
    json!({"object": note.object, "id": note.id, "said": note.said})
}
