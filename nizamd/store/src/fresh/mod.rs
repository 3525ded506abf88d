//! What the compiler of images needs: rows as they are now.

mod export;
mod extensions;
mod lists;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;

use nizam_core::Kind;
use nizam_core::compile::Row;
use nizam_core::model::{Tenant, Touched};
use nizam_core::resource::{OUTBOUND_ROUTE, RESOURCES, Record};
use nizam_core::validate::extension_key;
use uuid::Uuid;

use crate::Store;
use crate::db::Tx;
use crate::error::{StoreError, StoreResult};
use crate::keyring::Keyring;
use crate::records::row;
use crate::tenants;
use crate::write::generation;

/// Rows that belong together.
#[derive(Clone, Debug)]
pub struct Fresh {
    /// The configuration that they are of.
    pub generation: u64,
    /// What is there under the keys that were asked for.
    pub rows: Vec<Row>,
}

impl Store {
    /// What is there under these keys, all of one state of the database. A row that cannot be read is left out.
    pub async fn read_touched(&self, touched: &[Touched]) -> StoreResult<Fresh> {
        let mut tx = self.db.snapshot().await?;
        let generation = generation(tx.conn()).await?;
        let mut reading = Reading::new(tx, &self.keys);
        reading.rows.reserve(touched.len());
        let mut asked = Asked::default();
        for key in touched {
            reading.read(key, &mut asked).await?;
        }
        reading.many(asked).await?;
        Ok(Fresh { generation, rows: reading.rows })
    }
}

/// Keys of which one statement reads many.
#[derive(Default)]
struct Asked<'t> {
    extensions: HashMap<Uuid, Vec<&'t str>>,
    rows: BTreeMap<(Uuid, Kind), Vec<Uuid>>,
    dids: BTreeMap<&'t str, Vec<Uuid>>,
}

/// A state of the database while it is read.
struct Reading<'k> {
    tx: Tx,
    keys: &'k Keyring,
    rows: Vec<Row>,
    /// The tenants whose routing was read.
    routed: HashSet<Uuid>,
}

impl<'k> Reading<'k> {
    fn new(tx: Tx, keys: &'k Keyring) -> Self {
        Self { tx, keys, rows: Vec::new(), routed: HashSet::new() }
    }

    /// Reads what is under a key, or puts it to those of which many are read at once.
    async fn read<'t>(&mut self, key: &'t Touched, asked: &mut Asked<'t>) -> StoreResult<()> {
        match key {
            Touched::Domain(domain) => {
                let tenant = tenants::by_domain(self.tx.conn(), domain).await?;
                self.tenant(tenant, key).await?;
            }
            Touched::TenantGone(id) => {
                let tenant = tenants::by_id(self.tx.conn(), *id).await?;
                self.tenant(tenant, key).await?;
            }
            Touched::Routing(id) => match tenants::by_id(self.tx.conn(), *id).await? {
                Some(tenant) => self.routing(tenant).await?,
                None => self.rows.push(Row::Gone(key.clone())),
            },
            Touched::Extension { tenant_id, extension } => {
                asked.extensions.entry(*tenant_id).or_default().push(extension);
            }
            Touched::ExtensionId { tenant_id, id } => {
                let row = crate::extensions::by_id(self.tx.conn(), *tenant_id, *id).await?;
                match row {
                    Some(row) => self.rows.extend(readable(*id, row.open(self.keys))?.map(Row::Extension)),
                    None => self.rows.push(Row::Gone(key.clone())),
                }
            }
            Touched::Row { tenant_id, kind, id } => {
                asked.rows.entry((*tenant_id, *kind)).or_default().push(*id);
            }
            Touched::Number { tenant_id, number } => {
                let row = self.number(*tenant_id, number).await?;
                self.rows.push(row.unwrap_or_else(|| Row::Gone(key.clone())));
            }
            Touched::Did { tenant_id, digits } => asked.dids.entry(digits).or_default().push(*tenant_id),
            Touched::Patterns(tenant_id) => self.patterns(*tenant_id).await?,
            Touched::Address(address) => self.address(*address).await?,
            Touched::Shared => {
                let gateways = lists::shared(self.tx.conn()).await?;
                self.rows.push(Row::Shared(gateways));
            }
            // Whoever asks for everything exports.
            Touched::Everything => {}
        }
        Ok(())
    }

    async fn many(&mut self, asked: Asked<'_>) -> StoreResult<()> {
        for ((tenant_id, kind), ids) in asked.rows {
            self.by_ids(tenant_id, kind, &ids).await?;
        }
        if !asked.dids.is_empty() {
            self.dids(asked.dids).await?;
        }
        for (tenant_id, numbers) in asked.extensions {
            self.extensions(tenant_id, &numbers).await?;
        }
        Ok(())
    }

    async fn tenant(&mut self, tenant: Option<Tenant>, key: &Touched) -> StoreResult<()> {
        let Some(tenant) = tenant else {
            self.rows.push(Row::Gone(key.clone()));
            return Ok(());
        };
        self.rows.push(Row::Tenant(tenant.clone()));
        self.routing(tenant).await
    }

    async fn routing(&mut self, tenant: Tenant) -> StoreResult<()> {
        if self.routed.insert(tenant.id) {
            let routing = lists::routing(&mut self.tx, tenant).await?;
            self.rows.push(Row::Routing(routing));
        }
        Ok(())
    }

    async fn by_ids(&mut self, tenant_id: Uuid, kind: Kind, ids: &[Uuid]) -> StoreResult<()> {
        let Some(resource) = RESOURCES.iter().copied().find(|resource| resource.record == Some(kind)) else {
            return Ok(());
        };
        let found = row::by_ids(self.tx.conn(), self.keys, resource, tenant_id, ids).await?;
        let there: HashSet<Uuid> = found.iter().map(|(id, _)| *id).collect();
        for (id, record) in found {
            if let Some(record) = readable(id, record)? {
                self.record(kind, record).await?;
            }
        }
        let gone = ids.iter().filter(|id| !there.contains(id));
        self.rows.extend(gone.map(|&id| Row::Gone(Touched::Row { tenant_id, kind, id })));
        Ok(())
    }

    async fn record(&mut self, kind: Kind, record: Record) -> StoreResult<()> {
        self.rows.push(if kind == Kind::Queue {
            let members = lists::members(self.tx.conn(), record.id).await?;
            Row::Queue { record, members }
        } else {
            Row::Record { kind, record }
        });
        Ok(())
    }

    async fn number(&mut self, tenant_id: Uuid, number: &str) -> StoreResult<Option<Row>> {
        let found = lists::number(self.tx.conn(), tenant_id, number).await?;
        let number = number.to_owned();
        Ok(found.map(|(to, is_active)| Row::Number { tenant_id, number, to, is_active }))
    }

    async fn patterns(&mut self, tenant_id: Uuid) -> StoreResult<()> {
        let conn = self.tx.conn();
        let routes = row::after(conn, self.keys, &OUTBOUND_ROUTE, tenant_id, Uuid::nil(), u32::MAX).await?;
        self.rows.push(Row::Patterns { tenant_id, routes });
        Ok(())
    }

    async fn address(&mut self, address: IpAddr) -> StoreResult<()> {
        let gateways = lists::at_address(self.tx.conn(), address).await?;
        self.rows.push(Row::Address { address, gateways });
        Ok(())
    }

    /// Everybody's DIDs with these digits, and the tenants that ask for theirs.
    async fn dids(&mut self, asked: BTreeMap<&str, Vec<Uuid>>) -> StoreResult<()> {
        let digits: Vec<&str> = asked.keys().copied().collect();
        let mut found = lists::dids(&mut self.tx, &digits).await?;
        for (digits, tenants) in asked {
            let dids = found.remove(digits).unwrap_or_default();
            self.rows.push(Row::Dids { digits: digits.to_owned(), tenants, dids });
        }
        Ok(())
    }
}

/// A row, if it can be read. One that cannot be is told in the log, and stays on the switches as it was: it must not keep the
/// others from them.
fn readable<T>(id: Uuid, row: StoreResult<T>) -> StoreResult<Option<T>> {
    match row {
        Ok(row) => Ok(Some(row)),
        Err(
            error @ (StoreError::Sealed { .. }
            | StoreError::Damaged { .. }
            | StoreError::Sql(sqlx::Error::ColumnDecode { .. })),
        ) => {
            tracing::error!(%id, %error, "a row cannot be read; it is left out");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// What makes an extension the one that a key names.
fn folded(numbers: &[&str]) -> Vec<String> {
    numbers.iter().map(|number| extension_key(number)).collect()
}
