//! Sealing every secret anew, with another key.

use nizam_core::resource::{Kind, RESOURCES};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::Store;
use crate::error::{StoreError, StoreResult};
use crate::idempotency;
use crate::keyring::WrongKey;
use crate::seal::{CHECK_PLACE, Place};
use crate::write;

/// Rows of one transaction.
const ROWS: i64 = 500;

/// A column of sealed values.
#[derive(Clone, Copy)]
struct Column {
    table: &'static str,
    name: &'static str,
}

/// Every column of sealed values in a row with an id.
fn columns() -> Vec<Column> {
    let extensions = ["password", "voicemail_pin"].map(|name| Column { table: "extensions", name });
    let mut all = extensions.to_vec();
    for resource in RESOURCES {
        let secrets = resource.fields.iter().filter(|field| matches!(field.kind, Kind::Secret(_)));
        all.extend(secrets.map(|field| Column { table: resource.table, name: field.name }));
    }
    all
}

impl Column {
    /// Sealed values after an id, `$1`, at most `$2`.
    fn select(self) -> String {
        let Self { table, name } = self;
        format!(
            "SELECT id, {name} FROM {table} WHERE id > $1 AND {name} IS NOT NULL ORDER BY id LIMIT $2 + 0"
        )
    }

    /// Puts a new value, `$2`, into a row, `$1`, unless the old one, `$3`, was changed meanwhile.
    fn update(self) -> String {
        let Self { table, name } = self;
        format!("UPDATE {table} SET {name} = $2 WHERE id = $1 AND {name} = $3")
    }
}

/// Every statement, for a test that prepares them.
pub(crate) fn statements() -> Vec<String> {
    columns().into_iter().flat_map(|column| [column.select(), column.update()]).collect()
}

impl Store {
    /// Seals every secret that an older key has sealed with the key that seals now, and gives how many there were. When it
    /// has ended, the older keys are needed no more. It may be run again after an interruption.
    pub async fn rotate(&self) -> StoreResult<u64> {
        let mut resealed = 0;
        for column in columns() {
            resealed += self.rotate_column(column).await?;
        }
        resealed += self.rotate_answers().await?;
        let mut tx = self.db.write().await?;
        if let Some(sealed) = write::key_check(tx.conn()).await? {
            self.keys.check(&sealed).map_err(|WrongKey| StoreError::WrongKey)?;
            let anew = self.keys.reseal(CHECK_PLACE, &sealed)?;
            write::set_key_check(tx.conn(), &anew).await?;
        }
        tx.commit().await?;
        Ok(resealed)
    }

    async fn rotate_column(&self, column: Column) -> StoreResult<u64> {
        let mut resealed = 0;
        let mut after = Uuid::nil();
        loop {
            let mut tx = self.db.write().await?;
            let rows: Vec<(Uuid, Vec<u8>)> = on!(tx.conn(), c => {
                sqlx::query_as(AssertSqlSafe(column.select())).bind(after).bind(ROWS).fetch_all(c).await?
            });
            let Some((last, _)) = rows.last() else { return Ok(resealed) };
            after = *last;
            for (id, sealed) in rows {
                if self.keys.is_current(&sealed) {
                    continue;
                }
                let anew =
                    self.keys.reseal(Place { table: column.table, column: column.name, id }, &sealed)?;
                resealed += on!(tx.conn(), c => {
                    sqlx::query(AssertSqlSafe(column.update()))
                        .bind(id).bind(anew).bind(sealed).execute(c).await?.rows_affected()
                });
            }
            tx.commit().await?;
        }
    }

    /// Answers to requests with an Idempotency-Key: at most those of a day.
    async fn rotate_answers(&self) -> StoreResult<u64> {
        let mut tx = self.db.write().await?;
        let rows: Vec<(i64, String, Vec<u8>)> = on!(tx.conn(), c => {
            sqlx::query_as(sql!("SELECT user_id, key, answer FROM idempotency_keys WHERE answer IS NOT NULL"))
                .fetch_all(c).await?
        });
        let mut resealed = 0;
        for (user_id, key, sealed) in rows {
            if self.keys.is_current(&sealed) {
                continue;
            }
            let anew = self.keys.reseal(idempotency::place(user_id, &key), &sealed)?;
            resealed += on!(tx.conn(), c => {
                sqlx::query(sql!("UPDATE idempotency_keys SET answer = $3 WHERE user_id = $1 AND key = $2"))
                    .bind(user_id).bind(&key).bind(anew).execute(c).await?.rows_affected()
            });
        }
        tx.commit().await?;
        Ok(resealed)
    }
}
