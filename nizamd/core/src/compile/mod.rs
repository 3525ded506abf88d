//! Model to image records. Pure: what comes out depends on the rows, and on the time that it is told, alone.
//!
//! One file a noun, one function a record. [`Compiler::record`] knows which of them a row needs.

mod condition;
mod destination;
mod did;
mod extension;
mod flow;
mod gateway;
mod group;
mod menu;
mod outbound;
pub(crate) mod prompt;
mod row;
mod schedule;
mod tenant;

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use nizam_wire::image::{ONLY, PLATFORM};
use nizam_wire::{Builder, Kind, Scope};

pub use condition::policy;
pub use destination::destination;
pub use extension::extension;
pub use nizam_wire::image::BuildError;
pub use nizam_wire::record::{Destination, DestinationKind};
pub use prompt::prompt_path;
pub use row::{DidRow, GatewayRow, PolicyRow, Routing, Row};
pub use schedule::{holiday, time_rules, zone_table};
pub use tenant::{emergency, routing, tenant};

use crate::model::{Tenant, Touched};
use crate::resource::Record;

/// Makes records of rows. It holds what rows do not say.
pub struct Compiler {
    /// Seconds since 1970; zones are compiled for the years after it.
    now: i64,
    /// Where the files of uploaded prompts are.
    prompts: String,
    /// Zones that were needed before; they are the same for every tenant.
    zones: BTreeMap<String, Vec<u8>>,
}

impl Compiler {
    /// At that time, in seconds since 1970, with uploaded prompts in files below that directory.
    pub fn new(now: i64, prompts: impl Into<String>) -> Self {
        Self { now, prompts: prompts.into(), zones: BTreeMap::new() }
    }

    /// Adds the records of a row, or in an overlay the deletions of what is no more.
    pub fn record(&mut self, builder: &mut Builder, row: &Row) -> Result<(), BuildError> {
        match row {
            Row::Tenant(row) => tenant(builder, row),
            Row::Routing(row) => {
                self.zone(builder, &row.tenant)?;
                routing(builder, row)
            }
            Row::Extension(row) => extension(builder, row),
            Row::Record { kind, record } => self.by_id(builder, *kind, record),
            Row::Queue { record, members } => {
                let value = record.is("is_active").then(|| group::queue(record, members));
                put(builder, Kind::Queue, record, value)
            }
            Row::Number { tenant_id, number, to, is_active } => {
                destination::number(builder, *tenant_id, number, is_active.then_some(*to))
            }
            Row::Dids { digits, tenants, dids } => did::dids(builder, digits, tenants, dids),
            Row::Patterns { tenant_id, routes } => {
                let scope = tenant_id.into_bytes();
                match outbound::pattern_sets(routes) {
                    Some(value) => builder.put(Kind::Patterns, scope, ONLY, Some(&value)),
                    None => delete(builder, Kind::Patterns, scope, ONLY),
                }
            }
            Row::Address { address, gateways } => gateway::address(builder, *address, gateways),
            Row::Shared(gateways) => gateway::shared(builder, gateways),
            Row::Gone(key) => gone(builder, key),
        }
    }

    /// A row with a record of its own.
    fn by_id(&self, builder: &mut Builder, kind: Kind, record: &Record) -> Result<(), BuildError> {
        let value = match kind {
            Kind::Prompt => Some(prompt_path(&self.prompts, record).into_bytes()),
            _ if !record.is("is_active") => None,
            Kind::RingGroup => Some(group::ring_group(record)),
            Kind::Ivr => Some(menu::ivr(record)),
            Kind::TimeCondition => Some(condition::time_condition(record)),
            Kind::Policy => Some(policy(record)),
            Kind::Flow => Some(flow::flow(record)),
            Kind::Agent => group::agent(record),
            Kind::Holiday => Some(holiday(record)),
            Kind::OutboundRoute => outbound::route(record),
            Kind::Gateway => Some(gateway::gateway(record)),
            // No other kind is found by the id of a row.
            _ => return Ok(()),
        };
        put(builder, kind, record, value)
    }

    /// The zone of a tenant, where it has one. One that nobody uses any more stays until the next base of the database.
    fn zone(&mut self, builder: &mut Builder, tenant: &Tenant) -> Result<(), BuildError> {
        let zone = tenant::zone_of(tenant);
        let Some((zone, name)) = zone.as_ref().and_then(|zone| Some((zone, TimeZone::iana_name(zone)?)))
        else {
            return Ok(());
        };
        let now = self.now;
        let table = self.zones.entry(name.to_owned()).or_insert_with(|| zone_table(zone, now));
        builder.put(Kind::Zone, PLATFORM, name.as_bytes(), Some(table))
    }
}

/// The record of a row, or its deletion.
fn put(builder: &mut Builder, kind: Kind, record: &Record, value: Option<Vec<u8>>) -> Result<(), BuildError> {
    let scope = if kind == Kind::Gateway { PLATFORM } else { record.tenant_id.into_bytes() };
    match value {
        Some(value) => builder.put(kind, scope, record.id.as_bytes(), Some(&value)),
        None => delete(builder, kind, scope, record.id.as_bytes()),
    }
}

/// Adds the deletion of what was touched and is no more.
fn gone(builder: &mut Builder, touched: &Touched) -> Result<(), BuildError> {
    match touched {
        Touched::Domain(domain) => {
            delete(builder, Kind::Domain, PLATFORM, domain.to_ascii_lowercase().as_bytes())
        }
        Touched::TenantGone(id) => delete(builder, Kind::Tenant, id.into_bytes(), ONLY),
        Touched::Extension { tenant_id, extension } => {
            extension::gone(builder, tenant_id.into_bytes(), extension)
        }
        Touched::ExtensionId { tenant_id, id } => {
            delete(builder, Kind::ExtensionId, tenant_id.into_bytes(), id.as_bytes())
        }
        Touched::Row { kind: Kind::Gateway, id, .. } => {
            delete(builder, Kind::Gateway, PLATFORM, id.as_bytes())
        }
        Touched::Row { tenant_id, kind, id } => delete(builder, *kind, tenant_id.into_bytes(), id.as_bytes()),
        Touched::Number { tenant_id, number } => destination::number(builder, *tenant_id, number, None),
        Touched::Did { tenant_id, digits } => did::dids(builder, digits, &[*tenant_id], &[]),
        Touched::Patterns(tenant_id) => delete(builder, Kind::Patterns, tenant_id.into_bytes(), ONLY),
        Touched::Routing(tenant_id) => delete(builder, Kind::Routing, tenant_id.into_bytes(), ONLY),
        Touched::Address(address) => gateway::address(builder, *address, &[]),
        Touched::Shared => gateway::shared(builder, &[]),
        // No single record is meant.
        Touched::Everything => Ok(()),
    }
}

/// A base has nothing below it to delete from.
fn delete(builder: &mut Builder, kind: Kind, scope: Scope, key: &[u8]) -> Result<(), BuildError> {
    if builder.is_overlay() { builder.put(kind, scope, key, None) } else { Ok(()) }
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
