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
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{
    Connection as _, PgConnection, PgPool, Postgres, Sqlite, SqliteConnection, SqlitePool, Transaction,
};

use crate::error::{StoreError, StoreResult};

/// Takes the write lock at once: see above.
const BEGIN: &str = "BEGIN IMMEDIATE";

/// All statements read one state, and none writes.
const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

static SQLITE_MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/sqlite");
static POSTGRES_MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/postgres");

/// Connections that read.
const READERS: u32 = 6;
/// How long a statement waits for another process's write.
const BUSY: Duration = Duration::from_secs(10);
/// How long a request waits for a connection.
const ACQUIRE: Duration = Duration::from_secs(15);

/// Rows that SQLite's thread may be ahead of ours: each time it has to wait costs a switch between threads.
const ROWS: usize = 1024;

/// Connections of PostgreSQL.
const CONNECTIONS: u32 = 20;
/// How long a request waits for one of them: a server that is started again is back by then, and when it is not, clients
/// hear of it instead of piling up.
const REACH: Duration = Duration::from_secs(3);
/// A connection of PostgreSQL that was not used for so long is asked whether it still is one.
const STALE: Duration = Duration::from_secs(1);

/// The words in which the databases differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

impl Dialect {
    /// Whether a statement over millions of rows is planned once and for all. PostgreSQL plans one that it knows without its values after a while,
    /// and then cannot know that a filter which is `NULL` keeps every row, nor which months there are to read.
    pub(crate) fn keeps_plans(self) -> bool {
        self == Self::Sqlite
    }

    /// After a statement whose row is changed next in the same transaction. SQLite has one writer at a time.
    pub(crate) fn for_update(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            // Others may refer to it meanwhile.
            Self::Postgres => " FOR NO KEY UPDATE",
        }
    }
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
    /// A server.
    Postgres(PgPool),
}

/// A connection, borrowed for one statement.
pub(crate) enum Conn<'c> {
    /// Of SQLite.
    Sqlite(&'c mut SqliteConnection),
    /// Of PostgreSQL.
    Postgres(&'c mut PgConnection),
}

impl Conn<'_> {
    /// For one statement of several.
    pub(crate) fn again(&mut self) -> Conn<'_> {
        match self {
            Self::Sqlite(conn) => Conn::Sqlite(conn),
            Self::Postgres(conn) => Conn::Postgres(conn),
        }
    }

    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }
}

/// A connection that reads, without a transaction.
pub(crate) enum Reader {
    /// Of SQLite.
    Sqlite(PoolConnection<Sqlite>),
    /// Of PostgreSQL.
    Postgres(PoolConnection<Postgres>),
}

/// A transaction; dropped without [`Tx::commit`] it is undone.
pub(crate) enum Tx {
    /// Of SQLite.
    Sqlite(Transaction<'static, Sqlite>),
    /// Of PostgreSQL.
    Postgres(Transaction<'static, Postgres>),
}

impl Db {
    /// Opens it, makes it if there is none, migrates it.
    pub(crate) async fn open(url: &str) -> StoreResult<Self> {
        if is_postgres(url) {
            return Self::open_postgres(url).await;
        }
        let path = file(url).ok_or_else(|| StoreError::Url(masked(url)))?;
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
        let mut tx = writer.begin_with(BEGIN).await.map_err(unusable)?;
        migrated(SQLITE_MIGRATIONS.run_direct(None, &mut *tx, false).await, &SQLITE_MIGRATIONS, unusable)?;
        tx.commit().await.map_err(unusable)?;
        let readers = pool().max_connections(READERS).connect_lazy_with(options.pragma("query_only", "true"));
        Ok(Self::Sqlite { writer, readers })
    }

    async fn open_postgres(url: &str) -> StoreResult<Self> {
        let options: PgConnectOptions = url.parse().map_err(|_| StoreError::Url(masked(url)))?;
        let options =
            options.application_name("nizamd").options([("timezone", "UTC"), ("lock_timeout", "10s")]);
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(REACH)
            .test_before_acquire(false)
            .before_acquire(|connection, known| {
                Box::pin(async move {
                    if known.idle_for >= STALE {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .connect_lazy_with(options.clone());
        let unreachable = |e| StoreError::Unreachable(masked(url), e);
        // Not through the pool, which would go on trying and say no more than that it took too long.
        let mut conn = PgConnection::connect_with(&options).await.map_err(unreachable)?;
        let mut tx = conn.begin().await.map_err(unreachable)?;
        // Two daemons that start together: the second waits, however long, and finds everything done.
        sqlx::query(sql!(postgres "SET LOCAL lock_timeout = 0"))
            .execute(&mut *tx)
            .await
            .map_err(unreachable)?;
        sqlx::query(sql!(postgres "SELECT pg_advisory_xact_lock(7310579617)"))
            .execute(&mut *tx)
            .await
            .map_err(unreachable)?;
        migrated(
            POSTGRES_MIGRATIONS.run_direct(None, &mut *tx, false).await,
            &POSTGRES_MIGRATIONS,
            unreachable,
        )?;
        tx.commit().await.map_err(unreachable)?;
        // It is done; a connection that does not close in order is no loss.
        let _closed = conn.close().await;
        Ok(Self::Postgres(pool))
    }

    /// Which words it knows.
    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite { .. } => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    /// A connection for single statements that read.
    pub(crate) async fn reader(&self) -> StoreResult<Reader> {
        match self {
            Self::Sqlite { readers, .. } => Ok(Reader::Sqlite(readers.acquire().await?)),
            Self::Postgres(pool) => Ok(Reader::Postgres(pool.acquire().await?)),
        }
    }

    /// A transaction in which all statements read the same state.
    pub(crate) async fn snapshot(&self) -> StoreResult<Tx> {
        match self {
            Self::Sqlite { readers, .. } => Ok(Tx::Sqlite(readers.begin().await?)),
            Self::Postgres(pool) => Ok(Tx::Postgres(pool.begin_with(SNAPSHOT).await?)),
        }
    }

    /// The same for calls and their events. Rows that move from the rest into their month meanwhile would be in neither: gone from the rest, and
    /// too new in the month. So the move waits for this, or this for the move, before it is settled what is read.
    pub(crate) async fn snapshot_of_calls(&self) -> StoreResult<Tx> {
        let mut tx = self.snapshot().await?;
        if let Conn::Postgres(c) = tx.conn() {
            sqlx::query(
                sql!(postgres "LOCK TABLE call_detail_records_rest, call_events_rest IN ACCESS SHARE MODE"),
            )
            .execute(c)
            .await?;
        }
        Ok(tx)
    }

    /// The transaction that writes. In SQLite the next one waits for its end, in PostgreSQL only for the rows it changes.
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
            Self::Postgres(pool) => match pool.begin().await {
                // The server was started again: every connection of the pool is dead, each says so once.
                Err(sqlx::Error::Io(_)) => Ok(Tx::Postgres(pool.begin().await?)),
                begun => Ok(Tx::Postgres(begun?)),
            },
        }
    }

    /// Closes every connection, that of SQLite which writes last: SQLite then folds its log into the file.
    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

impl Reader {
    /// For one statement.
    pub(crate) fn conn(&mut self) -> Conn<'_> {
        match self {
            Self::Sqlite(conn) => Conn::Sqlite(conn),
            Self::Postgres(conn) => Conn::Postgres(conn),
        }
    }
}

impl Tx {
    /// For one statement.
    pub(crate) fn conn(&mut self) -> Conn<'_> {
        match self {
            Self::Sqlite(tx) => Conn::Sqlite(tx),
            Self::Postgres(tx) => Conn::Postgres(tx),
        }
    }

    /// Makes it last.
    pub(crate) async fn commit(self) -> StoreResult<()> {
        match self {
            Self::Sqlite(tx) => Ok(tx.commit().await?),
            Self::Postgres(tx) => Ok(tx.commit().await?),
        }
    }
}

fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

/// The URL without its password, for messages.
pub fn masked(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (authority, path) = rest.split_once('/').map_or((rest, None), |(a, p)| (a, Some(p)));
    let authority = match authority.rsplit_once('@') {
        Some((account, host)) => {
            let user = account.split_once(':').map_or(account, |(user, _)| user);
            format!("{user}@{host}")
        }
        None => authority.to_owned(),
    };
    // Parameters may hold a password as well.
    let path = path.map(|path| path.split_once('?').map_or(path, |(path, _)| path));
    path.map_or_else(|| format!("{scheme}://{authority}"), |path| format!("{scheme}://{authority}/{path}"))
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

/// What became of the migrations. All of them are in one transaction, so that two processes that start together do not run
/// them twice.
fn migrated(
    run: Result<(), MigrateError>,
    migrations: &Migrator,
    unusable: impl FnOnce(sqlx::Error) -> StoreError,
) -> StoreResult<()> {
    match run {
        Ok(()) => Ok(()),
        Err(MigrateError::VersionMissing(found)) => {
            Err(StoreError::Newer { found, known: migrations.iter().map(|m| m.version).max().unwrap_or(0) })
        }
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
        let Tx::Sqlite(mut tx) = db.write().await.unwrap() else { panic!("not SQLite") };
        sqlx::query("ROLLBACK").execute(&mut *tx).await.unwrap();
        assert!(tx.commit().await.is_err(), "nothing is left to commit");
        for _ in 0..2 {
            let Tx::Sqlite(mut tx) = db.write().await.unwrap() else { panic!("not SQLite") };
            sqlx::query("UPDATE meta SET generation = generation + 1").execute(&mut *tx).await.unwrap();
            tx.commit().await.unwrap();
        }
    }

    #[test]
    fn messages_hold_no_password() {
        for (url, want) in [
            ("postgres://nizam:secret@db:5432/nizam?sslmode=require", "postgres://nizam@db:5432/nizam"),
            ("postgres:///nizam?host=/run/postgresql&password=secret", "postgres:///nizam"),
            ("mysql://a:b@c", "mysql://a@c"),
            ("nonsense", "nonsense"),
        ] {
            assert_eq!(masked(url), want);
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
