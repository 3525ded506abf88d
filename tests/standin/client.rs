//! For the suites: where the built programs are, and a conversation with the stand-in host.

#![allow(dead_code, unreachable_pub, reason = "each suite includes this file and uses what it needs")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

use std::env;
use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// The stand-in host: from `NIZAM_BIN_DIR`, else as cargo just built it.
pub fn program() -> PathBuf {
    let prebuilt = env::var_os("NIZAM_BIN_DIR").map(|dir| Path::new(&dir).join("nizam-standin"));
    prebuilt.unwrap_or_else(|| env!("CARGO_BIN_EXE_nizam-standin").into())
}

/// The module under its FreeSWITCH name: from `NIZAM_BIN_DIR`, else built now with the profile of this test.
pub fn module() -> PathBuf {
    let dir = env::var_os("NIZAM_BIN_DIR").map_or_else(build_module, PathBuf::from);
    for name in ["mod_nizam.so", "libmod_nizam.so"] {
        if dir.join(name).is_file() {
            return dir.join(name);
        }
    }
    panic!("neither mod_nizam.so nor libmod_nizam.so in {}", dir.display());
}

/// Says loudly that a test does not run, and why; fails where `NIZAM_REQUIRE` (a comma list) names what is missing.
pub fn skip(need: &str, reason: &str) {
    let required = env::var("NIZAM_REQUIRE").unwrap_or_default();
    assert!(!required.split(',').any(|name| name.trim() == need), "NIZAM_REQUIRE={need}, but {reason}");
    eprintln!("SKIPPED {reason}");
    if let Some(path) = env::var_os("NIZAM_SKIPS") {
        let mut list = OpenOptions::new().create(true).append(true).open(path).unwrap();
        // One write, so that lines of tests that run at once do not mix.
        list.write_all(format!("{reason}\n").as_bytes()).unwrap();
    }
}

fn build_module() -> PathBuf {
    // This test is at TARGET/PROFILE/deps/NAME.
    let test = env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).unwrap().to_owned();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR")).args([
        "build",
        "--quiet",
        "-p",
        "mod_nizam",
        "--target-dir",
    ]);
    cargo.arg(profile.parent().unwrap());
    if profile.file_name() == Some(OsStr::new("release")) {
        cargo.arg("--release");
    }
    assert!(cargo.status().unwrap().success(), "cargo build -p mod_nizam failed");
    profile
}

/// A running stand-in host. It is killed when this goes, or when it takes longer than a test may.
pub struct Standin {
    child: Arc<Mutex<Child>>,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    _alive: Sender<()>,
}

const LONGEST: Duration = Duration::from_mins(5);

impl Standin {
    /// Its log is not shown; the command `log` tells it.
    pub fn start<A: AsRef<OsStr>>(options: &[A]) -> Self {
        Self::run(Command::new(program()).args(options).stderr(Stdio::null()))
    }

    /// With another program before it, such as valgrind.
    pub fn run(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let child = Arc::new(Mutex::new(child));
        let watched = Arc::clone(&child);
        let (alive, gone) = mpsc::channel();
        thread::spawn(move || {
            if gone.recv_timeout(LONGEST) == Err(RecvTimeoutError::Timeout) {
                eprintln!("the stand-in host took longer than {LONGEST:?} and is killed");
                let _ = watched.lock().unwrap().kill();
            }
        });
        Self { child, stdin, stdout, _alive: alive }
    }

    /// Sends a command; the answer is its text, and its body if it has one, or the error.
    pub fn try_ask(&mut self, command: &str) -> Result<(String, Vec<u8>), String> {
        writeln!(self.stdin.as_mut().unwrap(), "{command}").map_err(|error| format!("{command}: {error}"))?;
        let mut line = String::new();
        self.stdout.read_line(&mut line).map_err(|error| format!("{command}: {error}"))?;
        let (kind, text) = line.trim_end_matches('\n').split_once(' ').ok_or("the host is gone")?;
        match kind {
            "+OK" => Ok((text.to_owned(), Vec::new())),
            "+BODY" => {
                let (length, text) = text.split_once(' ').ok_or("a body without a length")?;
                let length: usize =
                    length.parse().map_err(|error| format!("{command}: {length}: {error}"))?;
                let mut body = vec![0; length + 1];
                self.stdout.read_exact(&mut body).map_err(|error| format!("{command}: {error}"))?;
                body.pop();
                Ok((text.to_owned(), body))
            }
            _ => Err(text.to_owned()),
        }
    }

    /// As [`Standin::try_ask`] for commands that must succeed; the body where there is one, else the text.
    pub fn ask(&mut self, command: &str) -> String {
        let (text, body) = self.try_ask(command).unwrap_or_else(|error| panic!("{command}: {error}"));
        if body.is_empty() { text } else { String::from_utf8_lossy(&body).into_owned() }
    }

    pub fn error(&mut self, command: &str) -> String {
        match self.try_ask(command) {
            Err(error) => error,
            Ok(answer) => panic!("{command} succeeded: {answer:?}"),
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.lock().unwrap().id()
    }

    /// SIGKILL.
    pub fn kill(self) {
        let mut child = self.child.lock().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Ends it; the answer is whether it ended well.
    pub fn quit(mut self) -> bool {
        self.stdin = None;
        self.child.lock().unwrap().wait().unwrap().success()
    }
}

impl Drop for Standin {
    fn drop(&mut self) {
        self.stdin = None;
        let mut child = self.child.lock().unwrap();
        if !matches!(child.try_wait(), Ok(Some(_))) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
