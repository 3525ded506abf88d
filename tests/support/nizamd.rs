//! nizamd on a state directory of its own.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use reqwest::Method;
use serde_json::json;

use super::{built::Built, ports::Ports, process::Process, rest::Rest};

/// A running daemon, its directory, and an administrator's REST client.
pub(crate) struct Nizamd {
    home: PathBuf,
    port: u16,
    database: Option<String>,
    /// Locked, so that one thread may kill it again and again while another asks it.
    process: Mutex<Option<Process>>,
    rest: Rest,
}

impl Nizamd {
    /// Makes the database and an administrator, then serves. Without a database's URL it is a file in its own directory.
    pub(crate) fn start(home: &Path, ports: &Ports, database: Option<&str>) -> Self {
        fs::create_dir_all(home.join("state")).unwrap();
        let admin = command(home, ports.rest(), database)
            .args(["admin", "create", "--email", "admin@e2e.test", "--password", "an-e2e-password-1"])
            .output()
            .unwrap();
        let printed = String::from_utf8_lossy(&admin.stdout).into_owned();
        assert!(admin.status.success(), "admin create: {printed}{}", String::from_utf8_lossy(&admin.stderr));
        let token =
            printed.split_whitespace().find(|word| is_token(word)).expect("admin create prints a token");
        let nizamd = Self {
            home: home.to_owned(),
            port: ports.rest(),
            database: database.map(str::to_owned),
            process: Mutex::default(),
            rest: Rest::new(ports.rest(), token),
        };
        nizamd.serve();
        nizamd
    }

    /// Starts the process and waits until it answers.
    pub(crate) fn serve(&self) {
        assert!(self.try_serve(), "nizamd ended:\n{}", self.log_tail());
    }

    /// The same; false if it ends instead, as it does while there is no database.
    pub(crate) fn try_serve(&self) -> bool {
        let mut serve = command(&self.home, self.port, self.database.as_deref());
        serve.arg("serve");
        let mut process = Process::start("nizamd", serve, &self.log_file());
        let deadline = Instant::now() + Duration::from_secs(30);
        while !self.rest.health() {
            if process.wait(Duration::from_millis(20)).is_some() {
                return false;
            }
            assert!(Instant::now() < deadline, "nizamd does not answer:\n{}", self.log_tail());
        }
        *self.process.lock().unwrap_or_else(PoisonError::into_inner) = Some(process);
        true
    }

    /// SIGKILL.
    pub(crate) fn kill(&self) {
        let process = self.process.lock().unwrap_or_else(PoisonError::into_inner).take();
        process.expect("nizamd runs").kill();
    }

    fn log_file(&self) -> PathBuf {
        self.home.join("nizamd.log")
    }

    /// The last lines of what it logged.
    fn log_tail(&self) -> String {
        let log = fs::read_to_string(self.log_file()).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }

    /// Moves the database out of the way, so that nobody can start on it or read it.
    pub(crate) fn lose_database(&self) {
        let (files, lost) = (self.database_files(), self.home.join("lost"));
        fs::create_dir(&lost).unwrap();
        for file in files {
            fs::rename(&file, lost.join(file.file_name().unwrap())).unwrap();
        }
    }

    /// Copies the database, as it is now that the daemon is killed.
    pub(crate) fn back_up(&self) {
        let copy = self.home.join("copy");
        fs::create_dir(&copy).unwrap();
        for file in self.database_files() {
            fs::copy(&file, copy.join(file.file_name().unwrap())).unwrap();
        }
    }

    /// Puts the copy in the database's place.
    pub(crate) fn restore(&self) {
        for file in self.database_files() {
            fs::remove_file(file).unwrap();
        }
        for entry in fs::read_dir(self.home.join("copy")).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), self.home.join("state").join(entry.file_name())).unwrap();
        }
    }

    fn database_files(&self) -> Vec<PathBuf> {
        let all = fs::read_dir(self.home.join("state")).unwrap().map(|entry| entry.unwrap().path());
        let files: Vec<PathBuf> =
            all.filter(|path| path.file_name().unwrap().to_string_lossy().contains(".db")).collect();
        assert!(!files.is_empty(), "no database in the state directory");
        files
    }

    /// The port of its REST API on loopback.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn rest(&self) -> &Rest {
        &self.rest
    }

    /// The client of somebody who signs in.
    pub(crate) fn sign_in(&self, email: &str, password: &str) -> Rest {
        let body = json!({"email": email, "password": password});
        let (status, answer) = self.rest.attempt(&Method::POST, "/auth/login", &body);
        assert_eq!(status, 200, "{answer}");
        Rest::new(self.port, answer["token"].as_str().expect("a login gives a token"))
    }
}

fn command(home: &Path, port: u16, database: Option<&str>) -> Command {
    let mut command = Command::new(Built::get().nizamd());
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("NIZAM_")) {
        command.env_remove(name);
    }
    command
        .env("NIZAM_LISTEN", format!("127.0.0.1:{port}"))
        .env("NIZAM_SOCKET", home.join("nizam.sock"))
        .env("NIZAM_STATE_DIR", home.join("state"))
        .env("NIZAM_RATE_LIMIT", "0")
        .envs(database.map(|url| ("NIZAM_DATABASE_URL", url)));
    command
}

/// `id|secret`.
fn is_token(word: &str) -> bool {
    word.split_once('|').is_some_and(|(id, secret)| id.parse::<u64>().is_ok() && secret.len() >= 40)
}
