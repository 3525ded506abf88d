//! CDRs and call events in PostgreSQL: a table for each month (UTC), so that indexes which are written stay small, and what is old
//! goes as a whole. What belongs into none is in the rest, and moves as soon as its month is made; nothing is refused for want of one.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Postgres, Transaction};

use crate::Store;
use crate::clock;
use crate::column::Time;
use crate::db::{Db, Tx};
use crate::error::StoreResult;

/// Tables that are cut into months, and the column that says to which a row belongs.
const TABLES: [(&str, &str); 2] = [("call_detail_records", "start_stamp"), ("call_events", "occurred_at")];

/// Months that are made before they begin.
const AHEAD: usize = 2;

/// No call was before: what says so comes from a clock that was wrong, and stays in the rest.
const FIRST_YEAR: i16 = 2000;

/// A month, by its first day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Month(Date);

impl Month {
    /// In which a time lies, microseconds since 1970.
    fn of(micros: i64) -> Option<Self> {
        let time = Timestamp::from_microsecond(micros).ok()?;
        Some(Self(TimeZone::UTC.to_datetime(time).date().first_of_month()))
    }

    fn next(self) -> Self {
        Self(self.0.saturating_add(1.month()))
    }

    /// Its part of a table.
    fn part(self, table: &str) -> String {
        format!("{table}_y{:04}m{:02}", self.0.year(), self.0.month())
    }
}

impl Store {
    /// Makes this month and the next ones, and those of rows that are in the rest; takes away months of which nothing is left.
    /// SQLite has none.
    pub async fn keep_months(&self) -> StoreResult<()> {
        let Db::Postgres(_) = &self.db else { return Ok(()) };
        let Some(this) = Month::of(clock::now()) else { return Ok(()) };
        let mut failed = None;
        for (table, column) in TABLES {
            let mut wanted: Vec<Month> =
                std::iter::successors(Some(this), |month| Some(month.next())).take(AHEAD + 1).collect();
            let last = wanted.last().copied().unwrap_or(this);
            // Those to come first: they are empty, whatever becomes of those that are not.
            wanted.reverse();
            wanted.extend(self.rest(table, column).await?.into_iter().filter(|month| *month <= last));
            for month in wanted {
                if let Err(error) = self.make(table, column, month).await {
                    failed = Some(error);
                }
            }
            if let Err(error) = self.drop_empty(table, this).await {
                failed = Some(error);
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// The months of the rows that have none.
    async fn rest(&self, table: &str, column: &str) -> StoreResult<Vec<Month>> {
        let mut reader = self.db.reader().await?;
        let crate::db::Conn::Postgres(c) = reader.conn() else { return Ok(Vec::new()) };
        let text = format!("SELECT DISTINCT date_trunc('month', {column}, 'UTC') FROM {table}_rest");
        let rows: Vec<(Time,)> = sqlx::query_as(AssertSqlSafe(text)).fetch_all(c).await?;
        let months = rows.into_iter().filter_map(|(time,)| Month::of(time.0));
        Ok(months.filter(|month| month.0.year() >= FIRST_YEAR).collect())
    }

    /// Makes the part of a month, with the rows of it that are in the rest.
    async fn make(&self, table: &str, column: &str, month: Month) -> StoreResult<()> {
        let part = month.part(table);
        let mut tx = self.alone().await?;
        if is_part(&mut tx, table, &part).await? {
            return Ok(());
        }
        let (from, to) = (month.0, month.next().0);
        // Nobody writes a row of the month into the rest between its rows are moved and it is a part. A table that is attached keeps
        // nobody waiting who reads or writes others; one that is made as a part would.
        for text in [
            // Behind whoever reads for long everybody else would wait as well: then it is for the next time.
            "SET LOCAL lock_timeout = '2s'".to_owned(),
            format!("LOCK TABLE {table}_rest IN ACCESS EXCLUSIVE MODE"),
            format!("CREATE TABLE {part} (LIKE {table} INCLUDING ALL)"),
            format!(
                "WITH moved AS (DELETE FROM {table}_rest WHERE {column} >= '{from} 00:00+00' AND {column} < '{to} 00:00+00' \
                 RETURNING *) INSERT INTO {part} SELECT * FROM moved"
            ),
            format!(
                "ALTER TABLE {table} ATTACH PARTITION {part} FOR VALUES FROM ('{from} 00:00+00') TO ('{to} 00:00+00')"
            ),
        ] {
            run(&mut tx, text).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Takes away past months of which nothing is left.
    async fn drop_empty(&self, table: &str, this: Month) -> StoreResult<()> {
        let parts: Vec<(String,)> = {
            let mut reader = self.db.reader().await?;
            let crate::db::Conn::Postgres(c) = reader.conn() else { return Ok(()) };
            let query = sqlx::query_as(sql!(postgres
                "SELECT CAST(inhrelid AS regclass)::text FROM pg_inherits WHERE inhparent = CAST($1 AS regclass) ORDER BY 1"
            ));
            query.bind(table).fetch_all(c).await?
        };
        let current = this.part(table);
        for (part,) in
            parts.into_iter().filter(|(part,)| part.starts_with(&format!("{table}_y")) && *part < current)
        {
            let mut tx = self.alone().await?;
            let text = format!("SELECT EXISTS (SELECT 1 FROM {part})");
            let (rows,): (bool,) = sqlx::query_as(AssertSqlSafe(text)).fetch_one(&mut *tx).await?;
            if rows {
                continue;
            }
            // Whoever would write into it waits now; and it is looked at again.
            run(&mut tx, format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")).await?;
            let text = format!("SELECT EXISTS (SELECT 1 FROM {part})");
            let (rows,): (bool,) = sqlx::query_as(AssertSqlSafe(text)).fetch_one(&mut *tx).await?;
            if !rows {
                run(&mut tx, format!("DROP TABLE {part}")).await?;
                tx.commit().await?;
            }
        }
        Ok(())
    }

    /// A transaction that changes months while no other daemon does.
    async fn alone(&self) -> StoreResult<Transaction<'static, Postgres>> {
        match self.db.write().await? {
            Tx::Postgres(mut tx) => {
                sqlx::query(sql!(postgres "SELECT pg_advisory_xact_lock(7310579618)"))
                    .execute(&mut *tx)
                    .await?;
                Ok(tx)
            }
            Tx::Sqlite(_) => Err(sqlx::Error::WorkerCrashed.into()),
        }
    }
}

/// Whether a month has its part. A table of that name which is none, for instance because somebody detached it, is an error when it is made.
async fn is_part(conn: &mut PgConnection, table: &str, part: &str) -> StoreResult<bool> {
    let (is_part,): (bool,) = sqlx::query_as(sql!(postgres
        "SELECT EXISTS (SELECT 1 FROM pg_inherits \
         WHERE inhparent = CAST($1 AS regclass) AND inhrelid = CAST(to_regclass($2) AS oid))"
    ))
    .bind(table)
    .bind(part)
    .fetch_one(conn)
    .await?;
    Ok(is_part)
}

/// Runs a statement that is made of names and dates of this file alone.
async fn run(conn: &mut PgConnection, text: String) -> StoreResult<()> {
    sqlx::query(AssertSqlSafe(text)).execute(conn).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months() {
        let month = Month::of(1_798_761_599_999_999).unwrap();
        assert_eq!(month.part("call_events"), "call_events_y2026m12");
        assert_eq!(month.next().part("call_events"), "call_events_y2027m01");
        assert_eq!(Month::of(1_798_761_600_000_000), Some(month.next()));
    }
}
