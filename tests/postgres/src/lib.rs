//! The database of a suite. `NIZAM_TEST_DATABASE=postgres` runs it on PostgreSQL: on a private server from Debian's package,
//! which listens on a Unix socket in a directory of its own and ends with the test process.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a test may stop at the first surprise"
)]

mod server;

use std::env;
use std::path::Path;

pub use server::Server;

/// Which database a suite runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    /// A file for each test.
    Sqlite,
    /// A database for each test, on one server.
    Postgres,
}

impl Database {
    /// What `NIZAM_TEST_DATABASE` says; SQLite if it says nothing.
    pub fn chosen() -> Self {
        match env::var("NIZAM_TEST_DATABASE").as_deref() {
            Ok("postgres") => Self::Postgres,
            Ok("sqlite") | Err(_) => Self::Sqlite,
            Ok(other) => panic!("NIZAM_TEST_DATABASE={other}: it must be sqlite or postgres"),
        }
    }

    /// The URL of a new, empty database; a file of SQLite is in that directory.
    pub fn fresh(self, directory: &Path) -> String {
        match self {
            Self::Sqlite => format!("sqlite:{}", directory.join("nizam.db").display()),
            Self::Postgres => Server::of_process().database(),
        }
    }
}

/// Whether there is a PostgreSQL to run on; a test returns at once where this says no. See `tests/support/require.rs` for
/// what a skip is.
#[track_caller]
pub fn there_is_postgres() -> bool {
    if Server::program("postgres").is_some() {
        return true;
    }
    let why = "no postgres (apt-get install postgresql)";
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    let demanded = env::var("NIZAM_REQUIRE").unwrap_or_default();
    assert!(!demanded.split(',').any(|name| name.trim() == "postgres"), "{test}: {why}");
    eprintln!("SKIPPED {test}: {why}");
    if let Some(list) = env::var_os("NIZAM_SKIPS") {
        let mut list = std::fs::OpenOptions::new().create(true).append(true).open(list).unwrap();
        std::io::Write::write_all(&mut list, format!("{test}: {why}\n").as_bytes()).unwrap();
    }
    false
}
