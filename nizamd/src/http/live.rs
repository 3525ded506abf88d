//! What is so now: registered phones, gateways.

use nizam_store::{GatewayStatus, Registered};
use serde_json::{Value, json};

use super::call::Call;
use super::gate::Member;
use super::reply::{Outcome, Reply};
use super::{paginate, present};

/// Registrations of a page unless the request says otherwise.
const PER_PAGE: u64 = 50;

pub(super) async fn registrations(call: Call, member: Member, (): ()) -> Outcome {
    let page = paginate::page_of(&call.input, PER_PAGE);
    let listed = call.app.store.registrations(member.tenant().id, page).await?;
    Ok(paginate::flat(&call.request, page, &listed, registration))
}

pub(super) async fn gateways(call: Call, member: Member, (): ()) -> Outcome {
    let states = call.app.store.gateway_states(member.tenant().id).await?;
    Ok(Reply::ok(&json!({"data": states.iter().map(gateway).collect::<Vec<_>>()})))
}

fn registration(registered: &Registered) -> Value {
    json!({
        "user": registered.user,
        "domain": registered.domain,
        "contact": registered.contact,
        "user_agent": registered.user_agent,
        "network_ip": registered.network_ip,
        "network_port": registered.network_port,
        "profile": registered.profile,
        "switch": registered.switch_name,
        "registered_at": present::time(registered.registered_at),
        "expires_at": registered.expires_at.map(present::time),
    })
}

fn gateway(status: &GatewayStatus) -> Value {
    json!({
        "gateway_id": status.gateway_id,
        "name": status.name,
        "switch_gateway": status.switch_gateway,
        "switch": status.switch_name,
        "state": status.state,
        "ping_status": status.ping_status,
        "phrase": status.phrase,
        "status": status.code,
        "changed_at": present::time(status.changed_at),
    })
}
