//! The databases behind one enum. A statement is written once, with `$1, $2…`, and [`on!`] runs it on whichever it is.
//!
//! SQLite has one connection that writes, and every write begins with `BEGIN IMMEDIATE`: a transaction that first reads
//! and then wants to write would fail at once with `SQLITE_BUSY_SNAPSHOT`, whatever the timeout.

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Sqlite, SqliteConnection, SqlitePool, Transaction};

use crate::error::{StoreError, StoreResult};

/// Takes the write lock at once: see above.
const BEGIN: &str = "BEGIN IMMEDIATE";

static SQLITE_MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/sqlite");

/// Connections that read.
const READERS: u32 = 6;
/// How long a statement waits for another process's write.
const BUSY: Duration = Duration::from_secs(10);
/// How long a request waits for a connection.
const ACQUIRE: Duration = Duration::from_secs(15);

/// Rows that SQLite's thread may be ahead of ours: each time it has to wait costs a switch between threads.
const ROWS: usize = 1024;

/// Runs a statement on the connection of whichever database it is.
macro_rules! on {
    ($conn:expr, $c:ident => $run:expr) => {
        match $conn {
            $crate::db::Conn::Sqlite($c) => $run,
        }
    };
}

/// An open database.
#[derive(Debug)]
pub(crate) enum Db {
    /// A file.
    Sqlite {
        /// One connection.
        writer: SqlitePool,
        /// Several, which cannot write.
        readers: SqlitePool,
    },
}

/// A connection, borrowed for one statement.
pub(crate) enum Conn<'c> {
    /// Of SQLite.
    Sqlite(&'c mut SqliteConnection),
}

/// A connection that reads, without a transaction.
pub(crate) enum Reader {
    /// Of SQLite.
    Sqlite(PoolConnection<Sqlite>),
}

/// A transaction; dropped without [`Tx::commit`] it is undone.
pub(crate) enum Tx {
    /// Of SQLite.
    Sqlite(Transaction<'static, Sqlite>),
}

impl Db {
    /// Opens it, makes it if there is none, migrates it.
    pub(crate) async fn open(url: &str) -> StoreResult<Self> {
        let path = file(url).ok_or_else(|| StoreError::Url(url.to_owned()))?;
        create(&path).map_err(|e| StoreError::File(path.clone(), e))?;
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY)
            .row_buffer_size(ROWS)
            .pragma("cache_size", "-16384");
        let pool = || {
            SqlitePoolOptions::new()
                .acquire_timeout(ACQUIRE)
                .max_lifetime(None)
                .idle_timeout(None)
                .test_before_acquire(false)
        };
        let unusable = |e| StoreError::Unusable(path.clone(), e);
        let writer = pool().max_connections(1).connect_with(options.clone()).await.map_err(unusable)?;
        migrate(&writer, &path).await?;
        let readers = pool().max_connections(READERS).connect_lazy_with(options.pragma("query_only", "true"));
        Ok(Self::Sqlite { writer, readers })
    }

    /// A connection for single statements that read.
    pub(crate) async fn reader(&self) -> StoreResult<Reader> {
        match self {
            Self::Sqlite { readers, .. } => Ok(Reader::Sqlite(readers.acquire().await?)),
        }
    }

    /// A transaction in which all statements read the same state.
    pub(crate) async fn snapshot(&self) -> StoreResult<Tx> {
        match self {
            Self::Sqlite { readers, .. } => Ok(Tx::Sqlite(readers.begin().await?)),
        }
    }

    /// The transaction that writes; the next one waits for its end.
    pub(crate) async fn write(&self) -> StoreResult<Tx> {
        match self {
            Self::Sqlite { writer, .. } => match writer.begin_with(BEGIN).await {
                // On a full disk SQLite undoes the transaction by itself (lang_transaction.html, "Response To Errors
                // Within A Transaction"), and the driver's count of open ones is wrong from then on: a new connection.
                Err(sqlx::Error::InvalidSavePointStatement) => {
                    writer.acquire().await?.close().await?;
                    Ok(Tx::Sqlite(writer.begin_with(BEGIN).await?))
                }
                begun => Ok(Tx::Sqlite(begun?)),
            },
        }
    }

    /// Closes every connection, the writing one last: SQLite then folds its log into the file.
    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
        }
    }
}

impl Reader {
    /// For one statement.
    pub(crate) fn conn(&mut self) -> Conn<'_> {
        match self {
            Self::Sqlite(conn) => Conn::Sqlite(conn),
        }
    }
}

impl Tx {
    /// For one statement.
    pub(crate) fn conn(&mut self) -> Conn<'_> {
        match self {
            Self::Sqlite(tx) => Conn::Sqlite(tx),
        }
    }

    /// Makes it last.
    pub(crate) async fn commit(self) -> StoreResult<()> {
        match self {
            Self::Sqlite(tx) => Ok(tx.commit().await?),
        }
    }
}

/// The file that `sqlite:PATH` or `sqlite://PATH` names.
pub(crate) fn file(url: &str) -> Option<PathBuf> {
    let path = url.strip_prefix("sqlite:")?;
    let path = path.strip_prefix("//").unwrap_or(path);
    (!path.is_empty() && !path.contains(['?', ':'])).then(|| PathBuf::from(path))
}

/// Makes the file and its directory, for the owner only. SQLite gives its log the mode of the file.
fn create(path: &Path) -> io::Result<()> {
    if let Some(directory) = path.parent().filter(|d| !d.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o750).create(directory)?;
    }
    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path).map(drop)
}

/// All migrations in one transaction, so that two processes that start together do not run them twice.
async fn migrate(writer: &SqlitePool, path: &Path) -> StoreResult<()> {
    let unusable = |e| StoreError::Unusable(path.to_owned(), e);
    let mut tx = writer.begin_with(BEGIN).await.map_err(unusable)?;
    match SQLITE_MIGRATIONS.run_direct(None, &mut *tx, false).await {
        Ok(()) => tx.commit().await.map_err(unusable),
        Err(MigrateError::VersionMissing(found)) => Err(StoreError::Newer {
            found,
            known: SQLITE_MIGRATIONS.iter().map(|m| m.version).max().unwrap_or(0),
        }),
        Err(MigrateError::Execute(e)) => Err(unusable(e)),
        Err(e) => Err(StoreError::Migrate(e)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What SQLite does by itself when the disk is full, the test does by hand: it undoes the transaction behind the
    /// driver's back.
    #[tokio::test]
    async fn a_transaction_that_sqlite_undid_does_not_keep_others_from_writing() {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(&format!("sqlite:{}", dir.path().join("t.db").display())).await.unwrap();
        let Tx::Sqlite(mut tx) = db.write().await.unwrap();
        sqlx::query("ROLLBACK").execute(&mut *tx).await.unwrap();
        assert!(tx.commit().await.is_err(), "nothing is left to commit");
        for _ in 0..2 {
            let Tx::Sqlite(mut tx) = db.write().await.unwrap();
            sqlx::query("UPDATE meta SET generation = generation + 1").execute(&mut *tx).await.unwrap();
            tx.commit().await.unwrap();
        }
    }

    #[test]
    fn urls() {
        assert_eq!(file("sqlite:/a/b.db"), Some("/a/b.db".into()));
        assert_eq!(file("sqlite:///a/b.db"), Some("/a/b.db".into()));
        assert_eq!(file("sqlite:b.db"), Some("b.db".into()));
        for url in ["postgres://x", "/a/b.db", "sqlite:", "sqlite::memory:", "sqlite:a.db?mode=ro"] {
            assert_eq!(file(url), None, "{url}");
        }
    }
}
