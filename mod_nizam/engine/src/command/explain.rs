//! `nizam explain`: where a call would go, and why.

use crate::civil::parse_moment;
use crate::{DialplanQuestion, Engine};
use std::time::{SystemTime, UNIX_EPOCH};

/// Where a call from `from` to `to` would go, at that moment or now. A caller with a domain is a phone of that tenant; another
/// one calls from outside.
pub(super) fn explain(engine: &Engine, from: &str, to: &str, at: Option<&str>) -> String {
    let now = match at {
        None => {
            SystemTime::now().duration_since(UNIX_EPOCH).ok().and_then(|d| i64::try_from(d.as_secs()).ok())
        }
        Some(text) => parse_moment(text),
    };
    let Some(now) = now else {
        return "-ERR TIME must be as 2026-12-25T09:30:00Z, with an offset such as +01:00, or seconds since 1970\n".to_owned();
    };
    let inside = from.split_once('@');
    let question = DialplanQuestion {
        context: Some(inside.map_or(b"public".as_slice(), |(_, domain)| domain.as_bytes())),
        number: Some(to.as_bytes()),
        caller_number: Some(inside.map_or(from, |(user, _)| user).as_bytes()),
        caller: inside.map(|(user, _)| user.as_bytes()),
        caller_domain: inside.map(|(_, domain)| domain.as_bytes()),
        now,
        ..DialplanQuestion::default()
    };
    let generation = engine.live.load().generation();
    let (route, notes) = engine.explain(&question);
    let mut text = match &route {
        Some(route) => format!("+OK {} (generation {generation})\n", route.outcome.name()),
        None => format!("+OK not one of ours: FreeSWITCH asks its other sources (generation {generation})\n"),
    };
    for note in notes {
        let id = note.id.map_or_else(String::new, |id| format!(" {id}"));
        text.push_str(&["# ", note.object, &id, ": ", &note.said, "\n"].concat());
    }
    for action in route.iter().flat_map(crate::Route::actions) {
        text.push_str(&[action.application, " ", action.data, "\n"].concat());
    }
    text
}
