//! The statements of a resource, made from its fields. Names come from the tables of `nizam-core` alone; what clients send
//! is always bound.

use std::borrow::Cow;
use std::fmt::Write as _;

use nizam_core::resource::{Field, Quota, RESOURCES, Resource};
use serde_json::Value;

use crate::db::Dialect;
use crate::page::Query;

/// Columns of every row, before those of the fields.
const COMMON: &str = "id, tenant_id, version, created_at, updated_at";

/// The row of a tenant with an id; `$1` is the tenant, `$2` the id.
pub(super) fn by_id(resource: &Resource, dialect: Dialect, lock: bool) -> String {
    let mut sql = select(resource);
    sql.push_str(" WHERE tenant_id = $1 AND id = $2");
    if lock {
        sql.push_str(dialect.for_update());
    }
    sql
}

/// The rows of the tenant.
pub(crate) const OF_TENANT: &str = "tenant_id = $1";

/// Where a list comes from.
pub(crate) struct Source {
    /// `SELECT … FROM …`.
    pub(crate) select: Cow<'static, str>,
    /// The table.
    pub(crate) table: &'static str,
    /// Which rows of it: `$1` is whose, mostly a tenant's.
    pub(crate) scope: &'static str,
    /// The column of the tenant that counts its rows, where there is one.
    pub(crate) count: Option<&'static str>,
    /// The order where the query does not say: field and whether descending.
    pub(crate) order: (&'static str, bool),
    /// The fields by which it can be filtered and sorted.
    pub(crate) fields: &'static [Field],
}

impl Source {
    pub(super) fn of(resource: &'static Resource) -> Self {
        Self {
            select: select(resource).into(),
            table: resource.table,
            scope: OF_TENANT,
            count: match resource.quota {
                Some(Quota::OfTenant { count, .. }) => Some(count),
                _ => None,
            },
            order: resource.order,
            fields: resource.fields,
        }
    }

    /// A page of the list; `$1` is the tenant, then the filters, then limit and offset.
    pub(crate) fn list(&self, query: &Query) -> String {
        let mut sql = self.select.to_string();
        self.filter(&mut sql, query);
        let (name, descending) = query.sort.unwrap_or(self.order);
        let field = self.fields.iter().find(|field| field.name == name);
        let column = field.map_or_else(|| name.to_owned(), key_column);
        let direction = if descending { " DESC" } else { "" };
        let next = query.filters.len() + 2;
        // The id makes the order of equal rows the same on every page.
        let _infallible = write!(
            sql,
            " ORDER BY {column}{direction}, id{direction} LIMIT ${next} + 0 OFFSET ${}",
            next + 1
        );
        sql
    }

    /// How many rows the list has; `$1` is the tenant, then the filters.
    pub(crate) fn total(&self, query: &Query) -> String {
        if let (true, Some(count)) = (query.filters.is_empty(), self.count) {
            return format!("SELECT {count} FROM tenants WHERE id = $1");
        }
        let mut sql = format!("SELECT count(*) FROM {}", self.table);
        self.filter(&mut sql, query);
        sql
    }

    fn filter(&self, sql: &mut String, query: &Query) {
        let _infallible = write!(sql, " WHERE {}", self.scope);
        for (i, (field, _)) in query.filters.iter().enumerate() {
            let _infallible = write!(sql, " AND {} = ${}", key_column(field), i + 2);
        }
    }

    /// Every statement that it can make, one filter or order at a time.
    fn statements(&self) -> Vec<String> {
        let plain = Query::default();
        let mut all = vec![self.list(&plain), self.total(&plain)];
        for field in self.fields {
            if field.sort {
                all.push(self.list(&Query { sort: Some((field.name, true)), ..Query::default() }));
            }
            if field.filter {
                let query = Query { filters: vec![(field, Value::Null)], ..Query::default() };
                all.extend([self.list(&query), self.total(&query)]);
            }
        }
        all
    }
}

/// Rows of a tenant, `$1`, after an id, `$2`, at most `$3`.
pub(super) fn after(resource: &Resource) -> String {
    let mut sql = select(resource);
    sql.push_str(" WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3 + 0");
    sql
}

/// Rows of a tenant, `$1`, with so many ids, `$2` and on.
pub(super) fn by_ids(resource: &Resource, ids: usize) -> String {
    let mut sql = select(resource);
    let places: Vec<String> = (2..ids + 2).map(|n| format!("${n}")).collect();
    let _infallible = write!(sql, " WHERE tenant_id = $1 AND id IN ({})", places.join(", "));
    sql
}

/// Rows of all tenants after an id, `$1`, at most `$2`.
pub(super) fn all_after(resource: &Resource) -> String {
    let mut sql = select(resource);
    sql.push_str(" WHERE id > $1 ORDER BY id LIMIT $2 + 0");
    sql
}

/// A new row; the common columns, then for each field its column, and its key where it has one.
pub(super) fn insert(resource: &Resource) -> String {
    let columns: Vec<String> = resource.fields.iter().flat_map(columns).collect();
    let places: Vec<String> = (1..=columns.len() + 5).map(|n| format!("${n}")).collect();
    format!(
        "INSERT INTO {} ({COMMON}, {}) VALUES ({})",
        resource.table,
        columns.join(", "),
        places.join(", ")
    )
}

/// Every column of a row; `$1` is the tenant, `$2` the id, `$3` the version, `$4` the time.
pub(super) fn update(resource: &Resource) -> String {
    let columns = resource.fields.iter().flat_map(columns);
    let set: Vec<String> = columns.enumerate().map(|(i, column)| format!("{column} = ${}", i + 5)).collect();
    format!(
        "UPDATE {} SET version = $3, updated_at = $4, {} WHERE tenant_id = $1 AND id = $2",
        resource.table,
        set.join(", ")
    )
}

/// `$1` is the tenant, `$2` the id.
pub(super) fn delete(resource: &Resource) -> String {
    format!("DELETE FROM {} WHERE tenant_id = $1 AND id = $2", resource.table)
}

/// Every statement, for a test that prepares them.
pub(crate) fn statements(dialect: Dialect) -> Vec<String> {
    let own = [crate::extensions::EXTENSIONS, crate::tenants::TENANTS, crate::users::USERS];
    let mut all: Vec<String> = own.iter().flat_map(Source::statements).collect();
    for resource in RESOURCES.iter().copied() {
        all.extend(Source::of(resource).statements());
        all.extend([
            by_id(resource, dialect, false),
            by_id(resource, dialect, true),
            after(resource),
            by_ids(resource, 1),
            by_ids(resource, 64),
            all_after(resource),
            insert(resource),
            update(resource),
            delete(resource),
        ]);
        match resource.quota {
            Some(Quota::OfTenant { most, count }) => all.extend([add(most, count), subtract(count)]),
            Some(Quota::Fixed(_)) => all.push(how_many(resource)),
            None => {}
        }
    }
    for table in TABLES {
        all.push(present(table, 2));
    }
    all
}

/// Tables that rows refer to.
const TABLES: &[&str] = &[
    "extensions",
    "ring_groups",
    "ivrs",
    "time_conditions",
    "call_routing_policies",
    "call_flows",
    "queues",
    "gateways",
    "holidays",
];

/// Counts `$2` new rows of a tenant, `$1`.
pub(super) fn add(most: &str, count: &str) -> String {
    format!("UPDATE tenants SET {count} = {count} + $2 WHERE id = $1 RETURNING {count}, {most}")
}

/// Counts a row that a tenant, `$1`, has no more.
pub(super) fn subtract(count: &str) -> String {
    format!("UPDATE tenants SET {count} = {count} - 1 WHERE id = $1")
}

/// How many rows a tenant, `$1`, has.
pub(super) fn how_many(resource: &Resource) -> String {
    format!("SELECT count(*) FROM {} WHERE tenant_id = $1", resource.table)
}

/// Which of so many ids, `$2` and on, a tenant, `$1`, has, or may use.
pub(super) fn present(table: &str, ids: usize) -> String {
    let places: Vec<String> = (2..ids + 2).map(|n| format!("${n}")).collect();
    let own = if table == "gateways" { "(tenant_id = $1 OR shared = TRUE)" } else { "tenant_id = $1" };
    format!("SELECT id FROM {table} WHERE {own} AND id IN ({})", places.join(", "))
}

fn select(resource: &Resource) -> String {
    let names: Vec<&str> = resource.fields.iter().map(|field| field.name).collect();
    format!("SELECT {COMMON}, {} FROM {}", names.join(", "), resource.table)
}

/// The column in which a field is found and by which it is sorted.
fn key_column(field: &Field) -> String {
    if field.fold.is_some() { format!("{}_key", field.name) } else { field.name.to_owned() }
}

/// The columns that a field fills.
fn columns(field: &Field) -> Vec<String> {
    let mut columns = vec![field.name.to_owned()];
    if field.fold.is_some() {
        columns.push(key_column(field));
    }
    columns
}
