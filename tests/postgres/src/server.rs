//! A PostgreSQL server that belongs to one process.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// How long the server may take to answer.
const START: Duration = Duration::from_mins(1);

/// A server with its data in a directory of its own.
#[derive(Debug)]
pub struct Server {
    directory: PathBuf,
    databases: AtomicU32,
}

impl Server {
    /// The server of this process, started when it is first asked for. It ends when the process does.
    pub fn of_process() -> &'static Self {
        static SERVER: OnceLock<Server> = OnceLock::new();
        SERVER.get_or_init(|| {
            let (sender, started) = mpsc::channel();
            // The kernel ends the server when the thread that started it ends: this one lives as long as the process.
            thread::spawn(move || {
                let (server, _child) = Self::start(true);
                sender.send(server).unwrap();
                loop {
                    thread::park();
                }
            });
            started.recv().expect("PostgreSQL has not started")
        })
    }

    /// Starts one. Without `fsync` nothing is safe from a crash of the machine, and all is faster.
    pub fn start(relaxed: bool) -> (Self, Child) {
        remove_old();
        let directory =
            std::env::temp_dir().join(format!("nizam-postgres-{}-{}", std::process::id(), number()));
        fs::create_dir(&directory).unwrap();
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).unwrap();
        if let Some((user, group)) = other_user() {
            chown(&directory, Some(user), Some(group)).unwrap();
        }
        let data = directory.join("data");
        let made = as_other_user("initdb")
            .args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "-N", "-D"])
            .arg(&data)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let server = Self { directory, databases: AtomicU32::new(0) };
        let child = server.run(relaxed);
        (server, child)
    }

    /// Runs the server on its data; also again, after its process has ended.
    pub fn run(&self, relaxed: bool) -> Child {
        let log = fs::File::options().create(true).append(true).open(self.directory.join("log")).unwrap();
        let mut command = as_other_user("postgres");
        command.arg("-D").arg(self.directory.join("data")).arg("-k").arg(&self.directory);
        command.args(["-h", "", "-c", "max_connections=300", "-c", "shared_buffers=128MB"]);
        if relaxed {
            command.args(["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]);
        }
        let child =
            command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        let end = Instant::now() + START;
        while !self.answers() {
            let log = fs::read_to_string(self.directory.join("log")).unwrap_or_default();
            assert!(Instant::now() < end, "PostgreSQL does not answer: {log}");
            thread::sleep(Duration::from_millis(50));
        }
        child
    }

    /// Ends the server as a crash would, with all its processes; [`Server::run`] starts it again on what is on the disk.
    pub fn crash(&self, mut child: Child) {
        let processes = children(child.id());
        child.kill().unwrap();
        child.wait().unwrap();
        // Those that are left would go by themselves, and until then keep another from starting.
        let ids: Vec<String> = processes.iter().map(u32::to_string).collect();
        let _gone = Command::new("kill").arg("-9").args(&ids).stderr(Stdio::null()).status();
        let end = Instant::now() + START;
        while processes.iter().any(|id| Path::new("/proc").join(id.to_string()).exists()) {
            assert!(Instant::now() < end, "PostgreSQL's processes do not end");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// The rows of a query on a database, whose URL this is: fields with tabs between, a null is nothing.
    pub fn rows(url: &str, query: &str) -> Vec<Vec<String>> {
        let mut command = Command::new(Self::program("psql").expect("PostgreSQL is installed"));
        let asked = command.args(["-X", "-q", "-A", "-t", "-F", "\t", "-c", query, url]).output().unwrap();
        assert!(asked.status.success(), "{query}: {}", String::from_utf8_lossy(&asked.stderr));
        let text = String::from_utf8(asked.stdout).unwrap();
        text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
    }

    /// The URL of a new, empty database.
    pub fn database(&self) -> String {
        let name = format!("nizam_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let made = self.client("createdb").arg(&name).output().unwrap();
        assert!(made.status.success(), "createdb: {}", String::from_utf8_lossy(&made.stderr));
        self.url(&name)
    }

    /// The URL of a database.
    pub fn url(&self, name: &str) -> String {
        format!("postgres://postgres@localhost/{name}?host={}", self.directory.display())
    }

    /// Where one of PostgreSQL's programs is.
    pub fn program(name: &str) -> Option<PathBuf> {
        let mut versions: Vec<PathBuf> =
            fs::read_dir("/usr/lib/postgresql").ok()?.filter_map(|entry| Some(entry.ok()?.path())).collect();
        versions.sort();
        versions.into_iter().rev().map(|version| version.join("bin").join(name)).find(|path| path.is_file())
    }

    fn answers(&self) -> bool {
        self.client("pg_isready").stdout(Stdio::null()).status().is_ok_and(|status| status.success())
    }

    fn client(&self, name: &str) -> Command {
        let mut command = Command::new(Self::program(name).expect("PostgreSQL is installed"));
        command.args(["-U", "postgres", "-h"]).arg(&self.directory);
        command
    }
}

/// The processes that a process has started (proc(5), `/proc/pid/task/tid/children`).
fn children(id: u32) -> Vec<u32> {
    let list = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
    list.split_whitespace().filter_map(|id| id.parse().ok()).collect()
}

/// A program of the server, in the account that may run it: PostgreSQL does not run as root.
fn as_other_user(name: &str) -> Command {
    let program = Server::program(name).expect("PostgreSQL is installed");
    let mut command = Command::new("setpriv");
    if other_user().is_some() {
        command.args(["--reuid", "postgres", "--regid", "postgres", "--clear-groups"]);
    }
    // SIGINT is PostgreSQL's fast shutdown.
    command.args(["--pdeathsig", "INT", "--"]).arg(program);
    command
}

/// User and group of Debian's account for PostgreSQL, where this process is root's.
fn other_user() -> Option<(u32, u32)> {
    let own = fs::metadata("/proc/self").ok()?;
    if std::os::unix::fs::MetadataExt::uid(&own) != 0 {
        return None;
    }
    let accounts = fs::read_to_string("/etc/passwd").ok()?;
    let line = accounts.lines().find(|line| line.starts_with("postgres:"))?;
    let mut fields = line.split(':').skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

/// Removes the directories of processes that are gone.
fn remove_old() {
    let Ok(entries) = fs::read_dir(std::env::temp_dir()) else { return };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let Some(rest) = name.strip_prefix("nizam-postgres-") else { continue };
        let gone = rest.split('-').next().is_some_and(|pid| !Path::new("/proc").join(pid).exists());
        if gone {
            // Another process may be at it as well.
            let _removed = fs::remove_dir_all(&path);
        }
    }
}

fn number() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
