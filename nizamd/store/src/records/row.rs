//! Reading and writing rows.

use nizam_core::resource::{Field, Kind, Record, Resource, Values};
use serde_json::{Value, json};
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, Row as _};
use uuid::Uuid;

use super::statement::{self, Source};
use crate::column::Time;
use crate::db::Conn;
use crate::error::{StoreError, StoreResult};
use crate::keyring::Keyring;
use crate::page::{Query, count};
use crate::seal::Place;

/// Columns before those of the fields.
const COMMON: usize = 5;

/// Binds a cell: a macro, because the type of a statement is another one on each database.
macro_rules! bind {
    ($statement:expr, $cell:expr) => {
        match $cell {
            $crate::records::row::Cell::Text(value) => $statement.bind(value),
            $crate::records::row::Cell::Integer(value) => $statement.bind(value),
            $crate::records::row::Cell::Flag(value) => $statement.bind(value),
            $crate::records::row::Cell::Id(value) => $statement.bind(value),
            $crate::records::row::Cell::Json(value) => $statement.bind(value),
            $crate::records::row::Cell::Bytes(value) => $statement.bind(value),
            $crate::records::row::Cell::Time(value) => $statement.bind(value),
        }
    };
}

/// Reads a row: a macro for the same reason.
macro_rules! read {
    ($row:expr, $keys:expr, $resource:expr) => {{
        let row = $row;
        let id: Uuid = row.try_get(0)?;
        let mut values = Values::new();
        for (i, field) in $resource.fields.iter().enumerate() {
            let at = COMMON + i;
            let cell = match field.kind {
                Kind::Text(_) | Kind::Choice(_) => Cell::Text(row.try_get(at)?),
                Kind::Integer(..) => Cell::Integer(row.try_get(at)?),
                Kind::Flag => Cell::Flag(row.try_get(at)?),
                Kind::Id(_) => Cell::Id(row.try_get(at)?),
                Kind::Json(_) => Cell::Json(row.try_get(at)?),
                Kind::Secret(_) => Cell::Bytes(row.try_get(at)?),
                Kind::Time => Cell::Time(row.try_get(at)?),
            };
            values.insert(field.name.to_owned(), cell.into_value($keys, $resource, field, id)?);
        }
        let (created_at, updated_at): (Time, Time) = (row.try_get(3)?, row.try_get(4)?);
        Ok::<_, StoreError>(Record {
            id,
            tenant_id: row.try_get(1)?,
            version: row.try_get(2)?,
            values,
            created_at: created_at.0,
            updated_at: updated_at.0,
        })
    }};
}
pub(crate) use bind;

/// The row of a tenant with that id.
pub(crate) async fn by_id(
    conn: Conn<'_>,
    keys: &Keyring,
    resource: &'static Resource,
    tenant_id: Uuid,
    id: Uuid,
    lock: bool,
) -> StoreResult<Option<Record>> {
    let sql = AssertSqlSafe(statement::by_id(resource, conn.dialect(), lock));
    on!(conn, c => {
        let row = sqlx::query(sql).bind(tenant_id).bind(id).fetch_optional(c).await?;
        row.map(|row| read!(row, keys, resource)).transpose()
    })
}

/// Ids of one statement.
const IDS: usize = 64;

/// A row with its id, which is known even where the rest cannot be read.
pub(crate) type Found = (Uuid, StoreResult<Record>);

/// The rows of a tenant with these ids.
pub(crate) async fn by_ids(
    mut conn: Conn<'_>,
    keys: &Keyring,
    resource: &'static Resource,
    tenant_id: Uuid,
    ids: &[Uuid],
) -> StoreResult<Vec<Found>> {
    let mut all = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(IDS) {
        // Two statements for each resource, and not one for each number of ids: what is not used is the last one again.
        let places = if chunk.len() == 1 { 1 } else { IDS };
        let sql = AssertSqlSafe(statement::by_ids(resource, places));
        let padded = (0..places).filter_map(|i| chunk.get(i).or(chunk.last()));
        on!(conn.again(), c => {
            let mut statement = sqlx::query(sql).bind(tenant_id);
            for id in padded {
                statement = statement.bind(*id);
            }
            for row in statement.fetch_all(c).await? {
                all.push((row.try_get(0)?, (|| read!(row, keys, resource))()));
            }
        });
    }
    Ok(all)
}

/// Rows of all tenants, in the order of their ids, after the one with that id.
pub(crate) async fn all_after(
    conn: Conn<'_>,
    keys: &Keyring,
    resource: &'static Resource,
    id: Uuid,
    most: i64,
) -> StoreResult<Vec<Found>> {
    let sql = AssertSqlSafe(statement::all_after(resource));
    on!(conn, c => {
        let mut all = Vec::new();
        for row in sqlx::query(sql).bind(id).bind(most).fetch_all(c).await? {
            all.push((row.try_get(0)?, (|| read!(row, keys, resource))()));
        }
        Ok(all)
    })
}

/// A page of the rows of a tenant.
pub(super) async fn list(
    conn: Conn<'_>,
    keys: &Keyring,
    resource: &'static Resource,
    tenant_id: Uuid,
    query: &Query,
) -> StoreResult<Vec<Record>> {
    let sql = AssertSqlSafe(Source::of(resource).list(query));
    on!(conn, c => {
        let mut statement = sqlx::query(sql).bind(tenant_id);
        for (field, value) in &query.filters {
            statement = bind!(statement, compared(field, value));
        }
        let rows = statement.bind(query.page.limit()).bind(query.page.offset()).fetch_all(c).await?;
        rows.into_iter().map(|row| read!(row, keys, resource)).collect()
    })
}

/// Some rows of a tenant, in the order of their ids.
pub(crate) async fn after(
    conn: Conn<'_>,
    keys: &Keyring,
    resource: &'static Resource,
    tenant_id: Uuid,
    id: Uuid,
    most: u32,
) -> StoreResult<Vec<Record>> {
    let sql = AssertSqlSafe(statement::after(resource));
    on!(conn, c => {
        let rows = sqlx::query(sql).bind(tenant_id).bind(id).bind(i64::from(most)).fetch_all(c).await?;
        rows.into_iter().map(|row| read!(row, keys, resource)).collect()
    })
}

impl Source {
    /// How many rows the whole list has.
    pub(crate) async fn count(
        &self,
        conn: Conn<'_>,
        tenant_id: impl Into<Option<Uuid>>,
        query: &Query,
    ) -> StoreResult<u64> {
        let tenant_id = tenant_id.into();
        let sql = AssertSqlSafe(self.total(query));
        // The column of the tenant counts a list without filters.
        let row: Option<(i64,)> = on!(conn, c => {
            let mut statement = sqlx::query_as(sql).bind(tenant_id);
            for (field, value) in &query.filters {
                statement = bind!(statement, compared(field, value));
            }
            statement.fetch_optional(c).await?
        });
        Ok(row.map_or(0, |(n,)| count(n)))
    }
}

/// Writes a new row.
pub(crate) async fn insert(
    conn: Conn<'_>,
    keys: &Keyring,
    resource: &'static Resource,
    record: &Record,
) -> StoreResult<()> {
    let sql = AssertSqlSafe(statement::insert(resource));
    let cells = cells(keys, resource, record)?;
    on!(conn, c => {
        let mut statement = sqlx::query(sql)
            .bind(record.id)
            .bind(record.tenant_id)
            .bind(record.version)
            .bind(Time(record.created_at))
            .bind(Time(record.updated_at));
        for cell in cells {
            statement = bind!(statement, cell);
        }
        statement.execute(c).await?;
    });
    Ok(())
}

/// Writes every column of a row.
pub(super) async fn update(
    conn: Conn<'_>,
    keys: &Keyring,
    resource: &'static Resource,
    record: &Record,
) -> StoreResult<()> {
    let sql = AssertSqlSafe(statement::update(resource));
    let cells = cells(keys, resource, record)?;
    on!(conn, c => {
        let mut statement = sqlx::query(sql)
            .bind(record.tenant_id)
            .bind(record.id)
            .bind(record.version)
            .bind(Time(record.updated_at));
        for cell in cells {
            statement = bind!(statement, cell);
        }
        statement.execute(c).await?;
    });
    Ok(())
}

/// Deletes a row.
pub(super) async fn delete(
    conn: Conn<'_>,
    resource: &Resource,
    tenant_id: Uuid,
    id: Uuid,
) -> StoreResult<()> {
    let sql = AssertSqlSafe(statement::delete(resource));
    on!(conn, c => { sqlx::query(sql).bind(tenant_id).bind(id).execute(c).await?; });
    Ok(())
}

/// A value in the type of its column.
pub(crate) enum Cell {
    Text(Option<String>),
    Integer(Option<i64>),
    Flag(Option<bool>),
    Id(Option<Uuid>),
    Json(Option<Json<Value>>),
    Bytes(Option<Vec<u8>>),
    Time(Option<Time>),
}

impl Cell {
    /// The value of a field in a row.
    fn into_value(self, keys: &Keyring, resource: &Resource, field: &Field, id: Uuid) -> StoreResult<Value> {
        Ok(match self {
            Self::Text(text) => json!(text),
            Self::Integer(number) => json!(number),
            Self::Flag(flag) => json!(flag),
            Self::Id(id) => json!(id),
            Self::Json(value) => value.map_or(Value::Null, |Json(value)| value),
            Self::Time(time) => json!(time.map(|Time(micros)| micros)),
            Self::Bytes(sealed) => {
                let open = |sealed: Vec<u8>| keys.open(place(resource, field, id), &sealed);
                json!(sealed.map(open).transpose()?)
            }
        })
    }
}

/// The cells of a row in the order of the statements that write it.
fn cells(keys: &Keyring, resource: &'static Resource, record: &Record) -> StoreResult<Vec<Cell>> {
    let mut cells = Vec::with_capacity(resource.fields.len() + 1);
    for field in resource.fields {
        let value = record.value(field.name);
        cells.push(match field.kind {
            Kind::Secret(_) => {
                let seal = |text: &str| keys.seal(place(resource, field, record.id), text.as_bytes());
                Cell::Bytes(value.as_str().map(seal).transpose()?)
            }
            _ => cell(field, value),
        });
        if let Some(fold) = field.fold {
            cells.push(Cell::Text(value.as_str().map(fold)));
        }
    }
    Ok(cells)
}

fn cell(field: &Field, value: &Value) -> Cell {
    match field.kind {
        Kind::Text(_) | Kind::Choice(_) | Kind::Secret(_) => Cell::Text(value.as_str().map(str::to_owned)),
        Kind::Integer(..) => Cell::Integer(value.as_i64()),
        Kind::Flag => Cell::Flag(value.as_bool()),
        Kind::Id(_) => Cell::Id(value.as_str().and_then(|text| Uuid::try_parse(text).ok())),
        Kind::Json(_) => Cell::Json((!value.is_null()).then(|| Json(value.clone()))),
        Kind::Time => Cell::Time(value.as_i64().map(Time)),
    }
}

/// What a filter compares a column with.
pub(crate) fn compared(field: &Field, value: &Value) -> Cell {
    match field.fold {
        Some(fold) => Cell::Text(value.as_str().map(fold)),
        None => cell(field, value),
    }
}

fn place(resource: &Resource, field: &Field, id: Uuid) -> Place {
    Place { table: resource.table, column: field.name, id }
}
