//! Everything, in one state of the database.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;

use nizam_core::compile::{DestinationKind, DidRow, GatewayRow, PolicyRow, Routing, Row, destination};
use nizam_core::model::Tenant;
use nizam_core::resource::{RESOURCES, Record, Resource};
use nizam_core::validate::extension_key;
use nizam_core::{Kind, touch};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::lists::{self, DidColumns};
use super::{Reading, readable};
use crate::Store;
use crate::db::Tx;
use crate::error::{StoreError, StoreResult};
use crate::extensions::{ExtensionRow, select_extensions};
use crate::records::row;
use crate::tenants::{self, Homes};
use crate::write::generation;

/// Rows of one statement.
const PAGE: i64 = 5000;
/// Rows of one statement where a row may be large.
const LARGE: i64 = 500;

/// Takes rows.
type Take<'f> = &'f mut (dyn FnMut(Row) + Send);

/// What lists need that rows say which come before them.
#[derive(Default)]
struct Lists {
    policies: HashMap<Uuid, Vec<PolicyRow>>,
    /// The policies to which an active DID leads, with their tenants.
    led: HashSet<(Uuid, Uuid)>,
    gateways: HashMap<Uuid, Vec<GatewayRow>>,
    shared: Vec<GatewayRow>,
    addresses: BTreeMap<IpAddr, Vec<GatewayRow>>,
    /// Tenants with outbound routes.
    outbound: HashSet<Uuid>,
}

impl Store {
    /// Everything that images are made of, all of one state of the database: tenants first, extensions last. Gives the
    /// generation of that state. A row that cannot be read is left out.
    pub async fn export(&self, f: &mut (dyn FnMut(Row) + Send)) -> StoreResult<u64> {
        let mut tx = self.db.snapshot().await?;
        let generation = generation(tx.conn()).await?;
        let mut lists = Lists::default();
        let mut homes = Homes::default();
        tenants(&mut tx, &mut |tenant| {
            homes.put(&tenant);
            f(Row::Tenant(tenant));
        })
        .await?;
        dids(&mut tx, &homes, &mut lists, f).await?;
        let mut reading = Reading::new(tx, &self.keys);
        for resource in RESOURCES.iter().copied() {
            if let Some(kind) = resource.record.filter(|kind| *kind != Kind::Did) {
                rows(&mut reading, resource, kind, &mut lists, f).await?;
            }
        }
        for tenant_id in std::mem::take(&mut lists.outbound) {
            reading.patterns(tenant_id).await?;
            reading.rows.drain(..).for_each(&mut *f);
        }
        let mut tx = reading.tx;
        f(Row::Shared(std::mem::take(&mut lists.shared)));
        for (address, gateways) in std::mem::take(&mut lists.addresses) {
            f(Row::Address { address, gateways });
        }
        tenants(&mut tx, &mut |tenant| {
            let mut policies = lists.policies.remove(&tenant.id).unwrap_or_default();
            policies.retain(|policy| !lists.led.contains(&(tenant.id, policy.id)));
            let gateways = lists.gateways.remove(&tenant.id).unwrap_or_default();
            f(Row::Routing(Routing { tenant, policies, gateways }));
        })
        .await?;
        // The next page is read while this one is decrypted.
        let (sender, mut pages) = mpsc::channel(2);
        let reading = tokio::spawn(read_pages(tx, sender));
        while let Some(rows) = pages.recv().await {
            for row in rows {
                if let Some(extension) = readable(row.id, row.open(&self.keys))? {
                    f(Row::Extension(extension));
                }
            }
        }
        match reading.await {
            Ok(read) => read.map(|()| generation),
            Err(_) => Err(StoreError::Sql(sqlx::Error::WorkerCrashed)),
        }
    }
}

async fn tenants(tx: &mut Tx, f: &mut (dyn FnMut(Tenant) + Send)) -> StoreResult<()> {
    let mut last = Uuid::nil();
    loop {
        let rows = tenants::after(tx.conn(), last, PAGE).await?;
        if rows.is_empty() {
            return Ok(());
        }
        for row in rows {
            last = row.id;
            if let Some(tenant) = readable(last, row.into_tenant())? {
                f(tenant);
            }
        }
    }
}

/// All DIDs, those with the same digits together.
async fn dids(tx: &mut Tx, homes: &Homes, lists: &mut Lists, f: Take<'_>) -> StoreResult<()> {
    let mut all: Vec<(String, DidRow)> = Vec::new();
    let mut last = Uuid::nil();
    loop {
        let rows: Vec<DidColumns> = on!(tx.conn(), c => {
            sqlx::query_as(sql!(
                "SELECT id, tenant_id, number_key, destination_type, destination_id, confirmed, is_active FROM dids \
                 WHERE id > $1 ORDER BY id LIMIT $2 + 0"
            ))
            .bind(last).bind(PAGE).fetch_all(c).await?
        });
        let Some(row) = rows.last() else { break };
        last = row.0;
        all.extend(rows.into_iter().filter_map(|row| lists::did(row, homes)));
    }
    let policies = all.iter().filter(|(_, did)| did.is_active).filter_map(|(_, did)| {
        let to = did.to.filter(|to| to.kind == DestinationKind::Policy)?;
        Some((did.tenant_id, Uuid::from_bytes(to.id)))
    });
    lists.led.extend(policies);
    all.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    for group in all.chunk_by(|(a, _), (b, _)| a == b) {
        let Some((digits, _)) = group.first() else { continue };
        let dids: Vec<DidRow> = group.iter().map(|(_, did)| *did).collect();
        let mut tenants: Vec<Uuid> = dids.iter().map(|did| did.tenant_id).collect();
        tenants.sort_unstable();
        tenants.dedup();
        f(Row::Dids { digits: digits.clone(), tenants, dids });
    }
    Ok(())
}

/// All rows of a resource with records of that kind, and what lists need of them.
async fn rows(
    reading: &mut Reading<'_>,
    resource: &'static Resource,
    kind: Kind,
    lists: &mut Lists,
    f: Take<'_>,
) -> StoreResult<()> {
    let mut last = Uuid::nil();
    loop {
        let page = row::all_after(reading.tx.conn(), reading.keys, resource, last, LARGE).await?;
        let (Some((first, _)), Some((end, _))) = (page.first(), page.last()) else { return Ok(()) };
        let (first, end) = (*first, *end);
        last = end;
        let mut members = match kind {
            Kind::Queue => lists::members_between(reading.tx.conn(), first, end).await?,
            _ => HashMap::new(),
        };
        for (id, record) in page {
            let Some(record) = readable(id, record)? else { continue };
            lists.note(kind, &record);
            f_number(kind, &record, f);
            f(match kind {
                Kind::Queue => Row::Queue { members: members.remove(&id).unwrap_or_default(), record },
                _ => Row::Record { kind, record },
            });
        }
    }
}

/// The internal number of a row that has one.
fn f_number(kind: Kind, record: &Record, f: Take<'_>) {
    let name = match kind {
        Kind::RingGroup => "ring_group",
        Kind::Ivr => "ivr",
        Kind::Flow => "call_flow",
        _ => return,
    };
    if let (Some(number), Some(to)) = (record.value("number").as_str(), destination(name, record.id)) {
        let number = extension_key(number);
        f(Row::Number { tenant_id: record.tenant_id, number, to, is_active: record.is("is_active") });
    }
}

impl Lists {
    fn note(&mut self, kind: Kind, record: &Record) {
        let (id, is_active) = (record.id, record.is("is_active"));
        match kind {
            Kind::Policy => {
                let priority = record.value("priority").as_i64().unwrap_or_default();
                let policy = PolicyRow { id, priority, is_active };
                self.policies.entry(record.tenant_id).or_default().push(policy);
            }
            Kind::OutboundRoute => drop(self.outbound.insert(record.tenant_id)),
            Kind::Gateway => {
                let gateway = GatewayRow { id, name: record.text("name").to_owned(), is_active };
                self.gateways.entry(record.tenant_id).or_default().push(gateway.clone());
                if record.is("shared") {
                    self.shared.push(gateway.clone());
                }
                for address in touch::addresses(record) {
                    self.addresses.entry(address).or_default().push(gateway.clone());
                }
            }
            _ => {}
        }
    }
}

/// Sends every extension, in pages, until nobody wants more.
async fn read_pages(mut tx: Tx, pages: mpsc::Sender<Vec<ExtensionRow>>) -> StoreResult<()> {
    let mut last = Uuid::nil();
    loop {
        let rows: Vec<ExtensionRow> = on!(tx.conn(), c => {
            sqlx::query_as(sql!(select_extensions!("WHERE id > $1 ORDER BY id LIMIT $2 + 0")))
                .bind(last).bind(PAGE).fetch_all(c).await?
        });
        let Some(row) = rows.last() else { return Ok(()) };
        last = row.id;
        if pages.send(rows).await.is_err() {
            return Ok(());
        }
    }
}
