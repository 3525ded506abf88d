//! nizamd on a state directory of its own.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use super::{built::Built, ports::Ports, process::Process, rest::Rest, wait::until};

/// A running daemon, its directory, and an administrator's REST client.
pub(crate) struct Nizamd {
    home: PathBuf,
    port: u16,
    process: Option<Process>,
    rest: Rest,
}

impl Nizamd {
    /// Makes the database and an administrator, then serves.
    pub(crate) fn start(home: &Path, ports: &Ports) -> Self {
        fs::create_dir_all(home.join("state")).unwrap();
        let admin = command(home, ports.rest())
            .args(["admin", "create", "--email", "admin@e2e.test", "--password", "an-e2e-password-1"])
            .output()
            .unwrap();
        let printed = String::from_utf8_lossy(&admin.stdout).into_owned();
        assert!(admin.status.success(), "admin create: {printed}{}", String::from_utf8_lossy(&admin.stderr));
        let token =
            printed.split_whitespace().find(|word| is_token(word)).expect("admin create prints a token");
        let rest = Rest::new(ports.rest(), token);
        let mut nizamd = Self { home: home.to_owned(), port: ports.rest(), process: None, rest };
        nizamd.serve();
        nizamd
    }

    /// Starts the process and waits until it answers.
    pub(crate) fn serve(&mut self) {
        let mut serve = command(&self.home, self.port);
        serve.arg("serve");
        let mut process = Process::start("nizamd", serve, &self.home.join("nizamd.log"));
        until("nizamd answers /health", Duration::from_secs(30), || {
            process.assert_alive();
            self.rest.health().then_some(())
        });
        self.process = Some(process);
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.process.take().expect("nizamd runs").kill();
    }

    /// Moves the database out of the way, so that nobody can start on it or read it.
    pub(crate) fn lose_database(&self) {
        let lost = self.home.join("lost");
        fs::create_dir(&lost).unwrap();
        let mut moved = 0;
        for entry in fs::read_dir(self.home.join("state")).unwrap() {
            let entry = entry.unwrap();
            if entry.file_name().to_string_lossy().contains(".db") {
                fs::rename(entry.path(), lost.join(entry.file_name())).unwrap();
                moved += 1;
            }
        }
        assert!(moved > 0, "no database in the state directory");
    }

    pub(crate) fn rest(&self) -> &Rest {
        &self.rest
    }
}

fn command(home: &Path, port: u16) -> Command {
    let mut command = Command::new(Built::get().nizamd());
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("NIZAM_")) {
        command.env_remove(name);
    }
    command
        .env("NIZAM_LISTEN", format!("127.0.0.1:{port}"))
        .env("NIZAM_SOCKET", home.join("nizam.sock"))
        .env("NIZAM_STATE_DIR", home.join("state"))
        .env("NIZAM_RATE_LIMIT", "0");
    command
}

/// `id|secret`.
fn is_token(word: &str) -> bool {
    word.split_once('|').is_some_and(|(id, secret)| id.parse::<u64>().is_ok() && secret.len() >= 40)
}
