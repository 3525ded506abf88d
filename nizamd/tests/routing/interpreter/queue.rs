//! Callers that wait for an agent.

use super::destination::transfer;
use super::extension;
use super::json::uuid;
use super::prompt::{Prompt, prompt};
use super::ring_group::bridge;
use super::walk::Walk;
use nizam_core::resource::Record;

/// What a caller hears where nothing else can be played.
const RINGING: &str = "tone_stream://%(400,200,400,450);%(400,2200,400,450);loops=-1";
/// How long agents ring at most, in seconds.
const RING: i64 = 20;

/// A call that comes new, or has waited before and does so until some time.
pub(super) fn wait(walk: &mut Walk<'_>, queue: &Record, until: Option<i64>) {
    let now = walk.call.now;
    walk.step("answer", "");
    let most = queue.value("max_wait_time").as_i64().unwrap();
    let left = until.map_or(most, |until| until.saturating_sub(now)).min(most);
    if left <= 0 {
        return overflow(walk, queue);
    }
    let music = match prompt(walk.scope, queue.text("music_on_hold")) {
        Some(Prompt::File(file)) => file,
        _ => RINGING.to_owned(),
    };
    let legs = legs(walk, queue);
    if legs.is_empty() {
        walk.set_variable("playback_timeout_sec", "10");
        walk.step("playback", music);
    } else {
        walk.set_variable("ringback", &music);
        walk.set_variable("call_timeout", left.min(RING).to_string());
        walk.set_variable("hangup_after_bridge", "true");
        walk.set_variable("continue_on_fail", "true");
        bridge(walk, &legs, queue.text("strategy") != "ring_all");
    }
    transfer(walk, &format!("queue:{}:{}", queue.id, now + left));
}

/// An agent that can take a call.
struct Ready<'m> {
    priority: i64,
    agent: &'m Record,
    leg: String,
}

/// The agents that are available, in the order in which they ring.
fn legs(walk: &Walk<'_>, queue: &Record) -> Vec<String> {
    let scope = walk.scope;
    let members = scope.model.memberships.iter().filter(|member| member.queue_id == queue.id);
    let mut ready: Vec<Ready<'_>> = members
        .filter_map(|member| {
            let agent = scope.row_of(&scope.model.agents, member.agent_id)?;
            let extension = scope.extension(uuid(agent.text("extension_id"))?)?;
            let leg = format!("user/{}@{}", extension.number, scope.domain());
            let ready = Ready { priority: member.priority, agent, leg };
            (agent.text("state") == "available").then_some(ready)
        })
        .collect();
    ready.sort_by_key(|ready| (ready.priority, ready.agent.id));
    match queue.text("strategy") {
        "round_robin" if !ready.is_empty() => {
            let turns = walk.call.now.div_euclid(20).rem_euclid(i64::try_from(ready.len()).unwrap());
            ready.rotate_left(usize::try_from(turns).unwrap());
        }
        "least_recent" => ready.sort_by_key(|ready| (ready.priority, since(ready.agent))),
        _ => {}
    }
    ready.into_iter().map(|ready| ready.leg).collect()
}

/// Since when the agent has been in its state: seconds since 1970. One whose state never changed, since it was made.
fn since(agent: &Record) -> i64 {
    agent.value("state_changed_at").as_i64().unwrap_or(agent.created_at).div_euclid(1_000_000)
}

/// What becomes of a call that waited too long.
fn overflow(walk: &mut Walk<'_>, queue: &Record) {
    let action = queue.text("overflow_action");
    if action == "hangup" {
        return walk.step("hangup", "NORMAL_CLEARING");
    }
    let scope = walk.scope;
    let named = queue.text("overflow_destination");
    let row = scope.extension_numbered(named.as_bytes()).or_else(|| scope.extension(uuid(named)?));
    let Some(row) = row else { return walk.nowhere() };
    if !walk.passes() {
        return;
    }
    if action == "extension" { extension::ring(walk, row, None) } else { extension::mailbox(walk, row) }
}
