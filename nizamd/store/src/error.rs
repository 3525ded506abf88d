//! What can go wrong with the database.

use std::path::PathBuf;

use nizam_core::validate::Errors;

use crate::constraint::{self, Violation};

/// The result of everything here.
pub type StoreResult<T> = Result<T, StoreError>;

/// What went wrong. [`Self::Invalid`], [`Self::Quota`] and [`Self::NotFound`] are for the caller of the API; the others
/// are for the operator and the log.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A value is taken, or names something that is not there.
    #[error("{}", .0.message())]
    Invalid(Errors),
    /// The tenant has as many as it may have.
    #[error("{thing} quota exceeded. Maximum allowed: {max}")]
    Quota {
        /// What there are too many of.
        thing: &'static str,
        /// How many there may be.
        max: i64,
    },
    /// There is no such row in that tenant.
    #[error("no such row")]
    NotFound,
    /// The row is not the version that the caller expects.
    #[error("the row has changed")]
    Stale,
    /// Another request with this Idempotency-Key is under way.
    #[error("another request with this key is under way")]
    Underway,
    /// The URL is of no database that is supported.
    #[error(
        "the database URL {0:?} is not supported; it must be sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/DATABASE"
    )]
    Url(String),
    /// The file or its directory cannot be made or written.
    #[error("cannot write the database file {path}: {1}", path = .0.display())]
    File(PathBuf, #[source] std::io::Error),
    /// It is no database, or it cannot be opened.
    #[error("cannot open the database {path}: {1}", path = .0.display())]
    Unusable(PathBuf, #[source] sqlx::Error),
    /// The server cannot be reached, or lets nobody in.
    #[error(
        "cannot use the database {0}: {1}; check that PostgreSQL runs there, and the user, password and database name"
    )]
    Unreachable(String, #[source] sqlx::Error),
    /// A newer nizamd has written it.
    #[error(
        "the database has schema {found}, this nizamd knows schemas up to {known}; \
         run the newer nizamd that wrote it, or restore a backup made before the upgrade"
    )]
    Newer {
        /// Schema of the database.
        found: i64,
        /// Newest schema that is known.
        known: i64,
    },
    /// A migration failed.
    #[error("cannot migrate the database: {0}")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    /// The key is not the one that sealed the secrets of this database.
    #[error(
        "the key does not fit the database: its secrets were encrypted with another one; \
         restore the app.key, or set NIZAM_APP_KEY to the key that was used when the database was made"
    )]
    WrongKey,
    /// A sealed value cannot be opened.
    #[error("a secret of {table} {id} cannot be decrypted")]
    Sealed {
        /// The table.
        table: &'static str,
        /// The row.
        id: uuid::Uuid,
    },
    /// A row holds what this program never wrote.
    #[error("a row of {table} is damaged: {what}")]
    Damaged {
        /// The table.
        table: &'static str,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The system gives no random numbers.
    #[error("the system gives no random numbers")]
    Random,
    /// All connections are in use for too long.
    #[error("the database is busy")]
    Busy,
    /// Anything else.
    #[error("database: {0}")]
    Sql(#[source] sqlx::Error),
}

impl StoreError {
    /// Whether it is worth to try again by itself: the database is away, or too busy.
    pub fn passes(&self) -> bool {
        match self {
            Self::Busy | Self::Underway => true,
            Self::Sql(error) => {
                !self.is_of_the_data()
                    && !matches!(error, sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_))
            }
            _ => false,
        }
    }

    /// Whether what was to be written is the reason, so that it fails again whenever it is tried.
    pub fn is_of_the_data(&self) -> bool {
        match self {
            Self::Invalid(_) | Self::NotFound | Self::Sql(sqlx::Error::Encode(_)) => true,
            Self::Sql(sqlx::Error::Database(error)) => error.code().is_some_and(|code| unfit(&code)),
            _ => false,
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::PoolTimedOut | sqlx::Error::Io(_) | sqlx::Error::PoolClosed => Self::Busy,
            sqlx::Error::Database(e) if e.code().is_some_and(|code| passes(&code)) => Self::Busy,
            // The month of a row was made while the row was on its way (`months.rs`); no constraint of ours is without a name.
            sqlx::Error::Database(e) if e.code().as_deref() == Some("23514") && e.constraint().is_none() => {
                Self::Busy
            }
            sqlx::Error::Database(e) => match constraint::violation(&*e) {
                Some(Violation::Field(errors)) => Self::Invalid(errors),
                Some(Violation::Underway) => Self::Underway,
                Some(Violation::Gone) => Self::NotFound,
                None => Self::Sql(sqlx::Error::Database(e)),
            },
            other => Self::Sql(other),
        }
    }
}

/// Codes of PostgreSQL for what will pass (appendix A of its manual): serialization failures, deadlocks, locks that were
/// waited for too long, a server that starts or stops, or has
/// no room at the moment.
fn passes(code: &str) -> bool {
    matches!(code, "40001" | "40P01" | "55P03" | "57P01" | "57P02" | "57P03" | "53200" | "53300")
        || code.starts_with("08")
}

/// Codes for data that does not fit: of PostgreSQL data exceptions, violated constraints and exceeded limits; of SQLite
/// `SQLITE_TOOBIG`, `SQLITE_CONSTRAINT` and `SQLITE_MISMATCH` with their extended codes.
fn unfit(code: &str) -> bool {
    match code.parse::<u32>() {
        Ok(number) if code.len() < 5 => matches!(number & 0xff, 18..=20),
        _ => ["22", "23", "54"].iter().any(|class| code.starts_with(class)),
    }
}
