//! Queues: their agents, and how they do.

use std::collections::BTreeMap;

use jiff::Timestamp;
use nizam_core::resource::{AGENT, AGENT_STATES, QUEUE, Record};
use nizam_core::validate::{AgentState, Membership};
use nizam_store::{Joined, QueueCounts, QueueMember, QueueMetric};
use serde_json::{Value, json};
use uuid::Uuid;
use warp::http::StatusCode;

use super::call::Call;
use super::failure::Failure;
use super::gate::Member;
use super::present::{Shown, time};
use super::reply::{Outcome, Reply};
use super::{extras, paginate};

/// Microseconds of an hour.
const HOUR: i64 = 3_600_000_000;

pub(super) async fn members(call: Call, member: Member, queue: Record, (): ()) -> Outcome {
    let members = call.app.store.queue_members(member.tenant().id, queue.id).await?;
    Ok(Reply::ok(&json!({"data": members.iter().map(present_member).collect::<Vec<_>>()})))
}

pub(super) async fn join(call: Call, member: Member, queue: Record, form: Membership) -> Outcome {
    let (store, actor) = (&call.app.store, call.actor());
    match store.join_queue(&actor, member.tenant().id, queue.id, form.agent_id, form.priority).await? {
        Joined::New(committed) => {
            let reply = Reply::created(&json!({"message": "Agent added to queue."}));
            Ok(call.written(reply, committed).await)
        }
        Joined::NoAgent => Err(Failure::NotFound("Agent")),
        Joined::Before => {
            let text = "Agent is already a member of this queue.".to_owned();
            Err(Failure::Answer(StatusCode::UNPROCESSABLE_ENTITY, text))
        }
    }
}

pub(super) async fn leave(call: Call, member: Member, queue: Record, (): ()) -> Outcome {
    let agent = call.id("agent", "Agent")?;
    let committed = call.app.store.leave_queue(&call.actor(), member.tenant().id, queue.id, agent).await?;
    Ok(call.written(Reply::no_content(), committed).await)
}

pub(super) async fn realtime(call: Call, _: Member, queue: Record, (): ()) -> Outcome {
    let metrics = last_hour(&call, &queue).await?;
    Ok(Reply::ok(&json!({"data": metrics})))
}

pub(super) async fn aggregate(call: Call, member: Member, queue: Record, period: &'static str) -> Outcome {
    let length = if period == "daily" { 24 * HOUR } else { HOUR };
    // Hours and days of UTC.
    let from = Timestamp::now().as_microsecond().div_euclid(length) * length;
    let store = &call.app.store;
    let counts = store.queue_counts(queue.id, threshold(&queue), from, from + length).await?;
    let metric = QueueMetric {
        id: Uuid::nil(),
        tenant_id: member.tenant().id,
        queue_id: queue.id,
        period: period.to_owned(),
        period_start: from,
        calls: [counts.offered, counts.answered, counts.abandoned],
        figures: figures(&counts),
        created_at: 0,
        updated_at: 0,
    };
    let committed = store.keep_queue_metric(&call.actor(), metric).await?;
    let reply = Reply::ok(&json!({"data": present_metric(&committed.value)}));
    Ok(call.written(reply, committed).await)
}

pub(super) async fn history(call: Call, member: Member, queue: Record, (): ()) -> Outcome {
    let page = paginate::page(&call.input);
    let period = call.input.query_text("period");
    if period.is_some_and(|period| !matches!(period, "hourly" | "daily")) {
        return Err(nizam_core::validate::Errors::one("period", "The selected period is invalid.").into());
    }
    let listed = call.app.store.queue_metrics(member.tenant().id, queue.id, period, page).await?;
    Ok(paginate::flat(&call.request, page, &listed, present_metric))
}

pub(super) async fn set_state(call: Call, member: Member, agent: Record, form: AgentState) -> Outcome {
    let now = Timestamp::now().as_microsecond();
    let tenant = member.tenant().id;
    let store = &call.app.store;
    let committed =
        store.set_agent_state(&call.actor(), tenant, agent.id, form.state, form.pause_reason, now).await?;
    let record = &committed.value.record;
    let extras = extras::of(&AGENT, &call, &[record]).await?;
    let shown = Shown { resource: &AGENT, record, also: &[], extra: extras.get(&record.id) };
    let reply = Reply::ok(&json!({"data": shown})).etag(record.version);
    Ok(call.written(reply, committed).await)
}

pub(super) async fn states(call: Call, member: Member, (): ()) -> Outcome {
    let states = call.app.store.agent_states(member.tenant().id).await?;
    Ok(Reply::ok(&json!({"data": all_states(&states)})))
}

pub(super) async fn wallboard(call: Call, member: Member, (): ()) -> Outcome {
    let tenant = member.tenant().id;
    let store = &call.app.store;
    let mut queues = Vec::new();
    for queue in active(&call, &QUEUE, tenant).await? {
        queues.push(last_hour(&call, &queue).await?);
    }
    let states = store.agent_states(tenant).await?;
    let agents = active(&call, &AGENT, tenant).await?;
    let numbers = store.agent_numbers(&agents.iter().collect::<Vec<_>>()).await?;
    let agents: Vec<Value> = agents
        .iter()
        .map(|agent| {
            json!({
                "id": agent.id,
                "name": agent.value("name"),
                "role": agent.value("role"),
                "state": agent.value("state"),
                "pause_reason": agent.value("pause_reason"),
                "state_changed_at": agent.value("state_changed_at").as_i64().map(time),
                "extension": numbers.get(&agent.id).map(|(number, _)| number),
            })
        })
        .collect();
    let body = json!({"queues": queues, "agent_states": all_states(&states), "agents": agents});
    Ok(Reply::ok(&json!({"data": body})))
}

/// Every active row of a tenant.
async fn active(
    call: &Call,
    resource: &'static nizam_core::resource::Resource,
    tenant: Uuid,
) -> Result<Vec<Record>, Failure> {
    let mut all: Vec<Record> = Vec::new();
    loop {
        let after = all.last().map_or_else(Uuid::nil, |record| record.id);
        let page = call.app.store.records_after(resource, tenant, after, 1000).await?;
        if page.is_empty() {
            break;
        }
        all.extend(page);
    }
    all.retain(|record| record.is("is_active"));
    Ok(all)
}

/// How a queue does: of the last hour, and now.
async fn last_hour(call: &Call, queue: &Record) -> Result<Value, Failure> {
    let now = Timestamp::now().as_microsecond();
    let counts = call.app.store.queue_counts(queue.id, threshold(queue), now - HOUR, now + 1).await?;
    let [average, longest, level, rate, occupancy] = figures(&counts).map(super::usage::number);
    Ok(json!({
        "queue_id": queue.id,
        "queue_name": queue.value("name"),
        "waiting_count": counts.waiting,
        "calls_offered": counts.offered,
        "calls_answered": counts.answered,
        "calls_abandoned": counts.abandoned,
        "average_wait_time": average,
        "max_wait_time": longest,
        "service_level": level,
        "abandon_rate": rate,
        "agent_occupancy": occupancy,
    }))
}

/// Average wait, longest wait, service level, abandon rate and agent occupancy; rates in percent, two digits.
fn figures(counts: &QueueCounts) -> [f64; 5] {
    #[expect(clippy::cast_precision_loss, reason = "counts of calls are far below 2^53")]
    let ratio = |part: u64, whole: u64, none: f64| {
        if whole == 0 { none } else { (part as f64 / whole as f64 * 100.0).round() / 100.0 }
    };
    #[expect(clippy::cast_precision_loss, reason = "counts of calls are far below 2^53")]
    let percent = |part: u64, whole: u64, none: f64| {
        if whole == 0 { none } else { (part as f64 / whole as f64 * 10_000.0).round() / 100.0 }
    };
    #[expect(clippy::cast_precision_loss, reason = "a wait in seconds")]
    let longest = counts.longest_wait as f64;
    [
        ratio(counts.waited, counts.answered, 0.0),
        longest,
        percent(counts.in_time, counts.offered, 100.0),
        percent(counts.abandoned, counts.offered, 0.0),
        percent(counts.busy_agents, counts.agents, 0.0),
    ]
}

fn threshold(queue: &Record) -> i64 {
    queue.value("service_level_threshold").as_i64().unwrap_or(20)
}

fn all_states(states: &BTreeMap<String, u64>) -> Value {
    let count = |name: &&str| ((*name).to_owned(), json!(states.get(*name).copied().unwrap_or(0)));
    Value::Object(AGENT_STATES.iter().map(count).collect())
}

fn present_member(member: &QueueMember) -> Value {
    json!({
        "agent_id": member.agent_id,
        "name": member.name,
        "role": member.role,
        "state": member.state,
        "priority": member.priority,
        "extension": member.extension,
    })
}

/// Clients know the figures that are kept as texts with two digits.
fn present_metric(metric: &QueueMetric) -> Value {
    let [offered, answered, abandoned] = metric.calls;
    let [average, longest, level, rate, occupancy] = metric.figures.map(|figure| format!("{figure:.2}"));
    json!({
        "id": metric.id,
        "tenant_id": metric.tenant_id,
        "queue_id": metric.queue_id,
        "period": metric.period,
        "period_start": time(metric.period_start),
        "calls_offered": offered,
        "calls_answered": answered,
        "calls_abandoned": abandoned,
        "average_wait_time": average,
        "max_wait_time": longest,
        "service_level": level,
        "abandon_rate": rate,
        "agent_occupancy": occupancy,
        "created_at": time(metric.created_at),
        "updated_at": time(metric.updated_at),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_offered_is_all_in_time() {
        let texts = |counts| figures(&counts).map(|figure| format!("{figure:.2}"));
        assert_eq!(texts(QueueCounts::default()), ["0.00", "0.00", "100.00", "0.00", "0.00"]);
        let counts = QueueCounts {
            offered: 3,
            answered: 2,
            abandoned: 1,
            waited: 25,
            longest_wait: 20,
            in_time: 1,
            agents: 4,
            busy_agents: 1,
            waiting: 0,
        };
        assert_eq!(texts(counts), ["12.50", "20.00", "33.33", "33.33", "25.00"]);
    }
}
