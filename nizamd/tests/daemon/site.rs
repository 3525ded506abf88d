//! The real program in a directory of its own, with an admin's token, and short ways to ask it.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use reqwest::blocking::{Client, RequestBuilder};
use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use serde_json::Value;
use tempfile::TempDir;

pub(crate) struct Site {
    pub(crate) directory: TempDir,
    pub(crate) database: String,
    pub(crate) token: String,
    pub(crate) client: Client,
    listen: String,
    environment: Vec<(String, String)>,
}

/// A daemon that runs until it is dropped, and what it has logged.
pub(crate) struct Daemon {
    pub(crate) child: Child,
    pub(crate) log: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Daemon {
    /// Ends it as a crash would; gives all that it has logged, which a reader that is behind would not have seen before.
    pub(crate) fn end(mut self) -> String {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.reader.take().unwrap().join().unwrap();
        self.log.lock().unwrap().clone()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    #[track_caller]
    pub(crate) fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        self
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("no JSON ({e}): {self:?}"))
    }
}

impl Site {
    /// On a database with a first admin, whose password this is.
    pub(crate) fn new(
        database: impl FnOnce(&Path) -> String,
        environment: &[(&str, &str)],
        password: &str,
    ) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut site = Self::at(database(directory.path()), directory, environment);
        let made = site
            .command(&["admin", "create", "--email", "a@example.org", "--password", password])
            .output()
            .unwrap();
        String::from_utf8(made.stdout).unwrap().trim().clone_into(&mut site.token);
        assert!(site.token.contains('|'), "{}", String::from_utf8_lossy(&made.stderr));
        site
    }

    fn at(database: String, directory: TempDir, environment: &[(&str, &str)]) -> Self {
        nizamd::tls::provide();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self {
            database,
            token: String::new(),
            client: Client::builder().timeout(Duration::from_mins(2)).build().unwrap(),
            listen: format!("127.0.0.1:{port}"),
            environment: environment.iter().map(|&(name, value)| (name.into(), value.into())).collect(),
            directory,
        }
    }

    /// Another one on the same database, with the same key.
    pub(crate) fn beside(&self) -> Self {
        let key = std::fs::read_to_string(self.directory.path().join("state/app.key")).unwrap();
        let environment = [("NIZAM_APP_KEY", key.trim())];
        let mut site = Self::at(self.database.clone(), tempfile::tempdir().unwrap(), &environment);
        site.token.clone_from(&self.token);
        site
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.path().join("nizam.sock")
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nizamd"));
        command
            .args(arguments)
            .env_clear()
            .env("NIZAM_STATE_DIR", self.directory.path().join("state"))
            .env("NIZAM_SNAPSHOT_DIR", self.directory.path().join("snapshot"))
            .env("NIZAM_SOCKET", self.socket())
            .env("NIZAM_DATABASE_URL", &self.database)
            .env("NIZAM_LISTEN", &self.listen)
            .env("NIZAM_RATE_LIMIT", "0")
            .env("NIZAM_LOGIN_RATE_LIMIT", "0")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Starts it, and waits until it says that it is ready.
    pub(crate) fn serve(&self) -> Daemon {
        let child = self.command(&["serve"]).spawn().unwrap();
        let mut daemon = Daemon { child, log: Arc::default(), reader: None };
        let mut lines = BufReader::new(daemon.child.stderr.take().unwrap()).lines();
        let log = Arc::clone(&daemon.log);
        loop {
            let Some(Ok(line)) = lines.next() else {
                panic!("nizamd did not start: {}", log.lock().unwrap());
            };
            note(&log, &line);
            if line.contains("nizamd is ready") {
                break;
            }
        }
        daemon.reader =
            Some(std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| note(&log, &line))));
        daemon
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.url(path)).bearer_auth(&self.token)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}/api/v1{path}", self.listen)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        answer(self.request(Method::GET, path))
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        answer(self.request(Method::POST, path).json(body))
    }

    pub(crate) fn put(&self, path: &str, body: &Value) -> Answer {
        answer(self.request(Method::PUT, path).json(body))
    }

    /// Every row of a list.
    pub(crate) fn all(&self, path: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        for page in 1.. {
            let separator = if path.contains('?') { '&' } else { '?' };
            let body = self.get(&format!("{path}{separator}per_page=100&page={page}")).is(200).json();
            rows.extend(body["data"].as_array().unwrap().clone());
            let last = body["meta"]["last_page"].as_u64().or_else(|| body["last_page"].as_u64()).unwrap();
            if page >= last {
                break;
            }
        }
        rows
    }

    /// Makes a row, gives its id.
    #[track_caller]
    pub(crate) fn make(&self, path: &str, body: &Value) -> String {
        let made = self.post(path, body);
        made.is(201).json()["data"]["id"].as_str().unwrap().to_owned()
    }
}

fn note(log: &Mutex<String>, line: &str) {
    let mut log = log.lock().unwrap();
    log.push_str(line);
    log.push('\n');
}

pub(crate) fn answer(request: RequestBuilder) -> Answer {
    let response = request.send().unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    Answer { status, headers, text: response.text().unwrap() }
}
