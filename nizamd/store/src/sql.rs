//! Statements. Each is written once, with `$1, $2…`, and runs on whichever database it is; each is known, so that a test can
//! prepare all of them on both.

use sqlx::{AssertSqlSafe, Executor as _, SqlSafeStr as _};

use crate::Store;
use crate::db::Dialect;
use crate::error::StoreResult;

/// A statement that is written into the code.
pub(crate) struct Written {
    pub(crate) text: &'static str,
    /// The one database that it is for; `None` for both.
    pub(crate) only: Option<Dialect>,
}

inventory::collect!(Written);

/// Runs a statement on the connection of whichever database it is.
macro_rules! on {
    ($conn:expr, $c:ident => $run:expr) => {
        match $conn {
            $crate::db::Conn::Sqlite($c) => $run,
            $crate::db::Conn::Postgres($c) => $run,
        }
    };
}

/// A statement, known to the tests. `sql!(sqlite "…")` and `sql!(postgres "…")` are for one database only.
macro_rules! sql {
    (sqlite $text:expr) => {
        sql!(@ $text, Some($crate::db::Dialect::Sqlite))
    };
    (postgres $text:expr) => {
        sql!(@ $text, Some($crate::db::Dialect::Postgres))
    };
    (@ $text:expr, $only:expr) => {{
        const TEXT: &str = $text;
        inventory::submit! { $crate::sql::Written { text: TEXT, only: $only } }
        TEXT
    }};
    ($text:expr) => {
        sql!(@ $text, None)
    };
}

impl Store {
    /// Prepares every statement that this program has, and gives how many there are: whether program and schema fit.
    pub async fn prepare_statements(&self) -> StoreResult<usize> {
        let all = statements(self.db.dialect());
        let count = all.len();
        let mut reader = self.db.reader().await?;
        for text in all {
            let sql = AssertSqlSafe(text).into_sql_str();
            on!(reader.conn(), c => c.prepare(sql).await.map(drop)?);
        }
        Ok(count)
    }
}

/// Every statement for that database.
///
/// A limit is `$1 + 0`, never `$1` alone: SQLite makes a plan for the very number that is bound to that, and so compiles
/// the statement again each time it runs (sqlite3.c: `sqlite3ExprIsInteger`, `sqlite3VdbeSetVarmask`).
fn statements(dialect: Dialect) -> Vec<String> {
    let written = inventory::iter::<Written>().filter(|w| w.only.is_none_or(|only| only == dialect));
    let mut all: Vec<String> = written.map(|w| w.text.to_owned()).collect();
    all.extend(crate::records::statement::statements(dialect));
    all.extend(crate::rotate::statements());
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_statement_is_compiled_again_for_its_limit() {
        let all = statements(Dialect::Sqlite);
        let limits: Vec<&str> = all.iter().filter_map(|text| Some(text.split_once("LIMIT $")?.1)).collect();
        assert!(limits.len() > 10);
        for limit in limits {
            let after = limit.trim_start_matches(|c: char| c.is_ascii_digit());
            assert!(after.starts_with(" + 0"), "LIMIT ${limit}");
        }
    }
}
