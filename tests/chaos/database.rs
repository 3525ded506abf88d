//! PostgreSQL, killed now and then.

use std::{
    process::Child,
    time::{Duration, Instant},
};

use nizam_test_postgres::Server;

/// A server.
pub(crate) struct Database {
    server: Server,
    process: Option<Child>,
    every: Duration,
    last: Instant,
    pub(crate) kills: u32,
}

impl Database {
    /// Starts one, every commit of which is on the disk. It is to be used by this thread alone, and ends with it.
    pub(crate) fn start(every: Duration) -> Self {
        let (server, process) = Server::start(false);
        Self { server, process: Some(process), every, last: Instant::now(), kills: 0 }
    }

    /// The URL of a new database.
    pub(crate) fn url(&self) -> String {
        self.server.database()
    }

    /// Kills it and starts it again, if it is time to.
    pub(crate) fn kill_if_due(&mut self) {
        if self.last.elapsed() >= self.every {
            self.server.crash(self.process.take().expect("PostgreSQL runs"));
            self.process = Some(self.server.run(false));
            self.last = Instant::now();
            self.kills += 1;
        }
    }
}
