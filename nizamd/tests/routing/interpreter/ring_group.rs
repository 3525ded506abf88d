//! Several extensions that ring for one call.

use super::destination::{self, Fallback, of_row};
use super::flow;
use super::json::{list, uuid};
use super::walk::Walk;
use nizam_core::resource::Record;

pub(super) fn ring<'m>(walk: &mut Walk<'m>, group: &'m Record, given: Option<Fallback<'m>>) {
    let scope = walk.scope;
    let members = list(group.value("members")).iter();
    let ids = members.filter_map(|id| uuid(id.as_str()?));
    let legs: Vec<String> = ids
        .filter_map(|id| scope.extension(id))
        .map(|row| format!("user/{}@{}", row.number, scope.domain()))
        .collect();
    if !legs.is_empty() {
        walk.set_variable("call_timeout", group.value("ring_timeout").to_string());
        walk.set_variable("hangup_after_bridge", "true");
        walk.set_variable("continue_on_fail", "true");
        bridge(walk, &legs, group.text("strategy") == "sequential");
    }
    let own = of_row(group, "fallback_destination");
    match (own, given) {
        (Some(own), given) => destination::go(walk, Some(own), given),
        (None, Some(given)) => flow::go_on(walk, given.flow, Some(given.step)),
        (None, None) if legs.is_empty() => walk.nowhere(),
        (None, None) => walk.step("hangup", "${originate_disposition}"),
    }
}

/// One after another, or all at once.
pub(super) fn bridge(walk: &mut Walk<'_>, legs: &[String], one_by_one: bool) {
    if one_by_one {
        for leg in legs {
            walk.step("bridge", leg);
        }
    } else {
        walk.step("bridge", format!("{{ignore_early_media=true}}{}", legs.join(",")));
    }
}
