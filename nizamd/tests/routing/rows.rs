//! The rows of a model as the compiler takes them.

use crate::model::{self, Model};
use nizam_core::compile::{DidRow, GatewayRow, PolicyRow, Routing, Row, destination};
use nizam_core::model::{Class, Extension, Tenant, TenantStatus};
use nizam_core::resource::Record;
use nizam_wire::Kind;
use nizam_wire::number::read;
use nizam_wire::record::{Destination, DestinationKind};
use std::collections::BTreeMap;
use std::net::IpAddr;
use uuid::Uuid;

/// Everything of which an image of a model is made.
pub(crate) fn rows(model: &Model) -> Vec<Row> {
    let mut rows = Vec::new();
    for row in &model.tenants {
        let tenant = tenant(row);
        let own = |record: &&Record| record.tenant_id == tenant.id;
        rows.push(Row::Tenant(tenant.clone()));
        rows.push(Row::Routing(Routing {
            tenant: tenant.clone(),
            policies: model
                .policies
                .iter()
                .filter(own)
                .filter(|policy| !has_did(model, policy))
                .map(policy_row)
                .collect(),
            gateways: model.gateways.iter().filter(own).map(gateway_row).collect(),
        }));
        let routes = model.outbound_routes.iter().filter(own).cloned().collect();
        rows.push(Row::Patterns { tenant_id: tenant.id, routes });
    }
    rows.extend(model.extensions.iter().map(|row| Row::Extension(extension(row))));
    let kinds = [
        (Kind::RingGroup, &model.ring_groups),
        (Kind::Ivr, &model.ivrs),
        (Kind::TimeCondition, &model.time_conditions),
        (Kind::Policy, &model.policies),
        (Kind::Flow, &model.flows),
        (Kind::Agent, &model.agents),
        (Kind::Holiday, &model.holidays),
        (Kind::Gateway, &model.gateways),
        (Kind::OutboundRoute, &model.outbound_routes),
        (Kind::Prompt, &model.prompts),
    ];
    for (kind, records) in kinds {
        rows.extend(records.iter().map(|record| Row::Record { kind, record: record.clone() }));
    }
    rows.extend(model.queues.iter().map(|queue| queue_row(model, queue)));
    numbers(model, &mut rows);
    dids(model, &mut rows);
    addresses(model, &mut rows);
    let shared = model.gateways.iter().filter(|gateway| gateway.is("shared"));
    rows.push(Row::Shared(shared.map(gateway_row).collect()));
    rows
}

fn has_did(model: &Model, policy: &Record) -> bool {
    let id = policy.id.to_string();
    model.dids.iter().any(|did| {
        did.tenant_id == policy.tenant_id
            && did.is("is_active")
            && did.text("destination_type") == "call_routing_policy"
            && did.text("destination_id") == id
    })
}

fn policy_row(policy: &Record) -> PolicyRow {
    let priority = policy.value("priority").as_i64().unwrap();
    PolicyRow { id: policy.id, priority, is_active: policy.is("is_active") }
}

fn gateway_row(gateway: &Record) -> GatewayRow {
    GatewayRow { id: gateway.id, name: gateway.text("name").to_owned(), is_active: gateway.is("is_active") }
}

/// A queue with its agents as the store lists them: by priority, name and id.
fn queue_row(model: &Model, queue: &Record) -> Row {
    let members = model.memberships.iter().filter(|member| member.queue_id == queue.id);
    let name = |id: Uuid| model.agents.iter().find(|agent| agent.id == id).map(|agent| agent.text("name"));
    let mut members: Vec<(i64, Uuid)> = members.map(|member| (member.priority, member.agent_id)).collect();
    members.sort_by_key(|(priority, id)| (*priority, name(*id), *id));
    Row::Queue { record: queue.clone(), members }
}

/// What has an internal number.
fn numbers(model: &Model, rows: &mut Vec<Row>) {
    let kinds = [
        (DestinationKind::RingGroup, &model.ring_groups),
        (DestinationKind::Ivr, &model.ivrs),
        (DestinationKind::Flow, &model.flows),
    ];
    for (kind, records) in kinds {
        for record in records.iter().filter(|record| !record.text("number").is_empty()) {
            rows.push(Row::Number {
                tenant_id: record.tenant_id,
                number: record.text("number").to_ascii_lowercase(),
                to: Destination { kind, id: record.id.into_bytes() },
                is_active: record.is("is_active"),
            });
        }
    }
}

/// Everybody's DIDs, by their digits.
fn dids(model: &Model, rows: &mut Vec<Row>) {
    let mut claims: BTreeMap<String, Vec<DidRow>> = BTreeMap::new();
    for did in &model.dids {
        let home =
            model.tenants.iter().find(|row| row.id == did.tenant_id).and_then(|row| tenant(row).home());
        let Some(number) = read(did.text("number").as_bytes(), home.as_ref()) else { continue };
        let digits = String::from_utf8(number.as_bytes().to_vec()).unwrap();
        let to = Uuid::parse_str(did.text("destination_id")).ok();
        let to = to.and_then(|id| destination(did.text("destination_type"), id));
        let (confirmed, is_active) = (did.is("confirmed"), did.is("is_active"));
        let row = DidRow { id: did.id, tenant_id: did.tenant_id, to, confirmed, is_active };
        claims.entry(digits).or_default().push(row);
    }
    for (digits, mut dids) in claims {
        dids.sort_by_key(|did| did.id);
        let mut tenants: Vec<Uuid> = dids.iter().map(|did| did.tenant_id).collect();
        tenants.sort_unstable();
        tenants.dedup();
        rows.push(Row::Dids { digits, tenants, dids });
    }
}

/// The gateways behind each address.
fn addresses(model: &Model, rows: &mut Vec<Row>) {
    let mut behind: BTreeMap<IpAddr, Vec<GatewayRow>> = BTreeMap::new();
    for gateway in &model.gateways {
        let listed = gateway.value("addresses").as_array().map(Vec::as_slice).unwrap_or_default();
        let mut addresses: Vec<IpAddr> =
            listed.iter().filter_map(|text| text.as_str()?.parse().ok()).collect();
        addresses.sort_unstable();
        addresses.dedup();
        for address in addresses {
            behind.entry(address).or_default().push(gateway_row(gateway));
        }
    }
    rows.extend(behind.into_iter().map(|(address, gateways)| Row::Address { address, gateways }));
}

fn tenant(row: &model::Tenant) -> Tenant {
    Tenant {
        id: row.id,
        name: row.domain.clone(),
        domain: row.domain.clone(),
        slug: row.id.to_string(),
        settings: row.settings.clone(),
        status: TenantStatus::parse(row.status).unwrap(),
        max_extensions: 0,
        max_concurrent_calls: row.max_concurrent_calls,
        max_calls_per_minute: row.max_calls_per_minute,
        max_dids: 0,
        max_ring_groups: 0,
        is_active: row.is_active,
        version: 1,
        created_at: 0,
        updated_at: 0,
    }
}

fn extension(row: &model::Extension) -> Extension {
    let class = |name: &&str| Class::parse(name).unwrap();
    Extension {
        id: row.id,
        tenant_id: row.tenant_id,
        extension: row.number.clone(),
        password: "a-password-of-sip".to_owned(),
        directory_first_name: row.first_name.clone(),
        directory_last_name: row.last_name.clone(),
        effective_caller_id_name: row.effective_caller_id_name.clone(),
        effective_caller_id_number: row.effective_caller_id_number.clone(),
        outbound_caller_id_name: row.outbound_caller_id_name.clone(),
        outbound_caller_id_number: row.outbound_caller_id_number.clone(),
        voicemail_enabled: row.voicemail_enabled,
        voicemail_pin: None,
        cidr: None,
        toll_allow: row.toll_allow.as_ref().map(|classes| classes.iter().map(class).collect()),
        max_channels: row.max_channels,
        ring_timeout: row.ring_timeout,
        is_active: row.is_active,
        version: 1,
        created_at: 0,
        updated_at: 0,
    }
}
