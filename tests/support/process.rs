//! A child process that never outlives its test.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

/// A running program whose output goes to a file; killed when dropped, also by a panic.
pub(crate) struct Process {
    child: Child,
    name: String,
    output: PathBuf,
}

impl Process {
    /// Starts `command` with both outputs in `output`.
    pub(crate) fn start(name: &str, mut command: Command, output: &Path) -> Self {
        let log = File::options().create(true).append(true).open(output).unwrap();
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let child = command.spawn().unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        Self { child, name: name.to_owned(), output: output.to_owned() }
    }

    /// Fails with the program's own words when it has ended.
    pub(crate) fn assert_alive(&mut self) {
        if let Some(status) = self.child.try_wait().unwrap() {
            panic!("{} ended with {status}:\n{}", self.name, self.tail());
        }
    }

    /// SIGTERM, then the exit status; SIGKILL and a failure when it takes longer than `limit`.
    pub(crate) fn terminate(mut self, limit: Duration) -> ExitStatus {
        signal(self.child.id(), libc::SIGTERM);
        match self.wait(limit) {
            Some(status) => status,
            None => panic!("{} did not end within {limit:?} of SIGTERM:\n{}", self.name, self.tail()),
        }
    }

    /// SIGKILL: what a power cut looks like to the others.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for the end, at most `limit`.
    pub(crate) fn wait(&mut self, limit: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return Some(status);
            }
            if Instant::now() > deadline {
                return None;
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// The last lines of its output, for a failure's message.
    pub(crate) fn tail(&self) -> String {
        let bytes = std::fs::read(&self.output).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail harmlessly on a child that has been waited for.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn signal(pid: u32, signal: libc::c_int) {
    let pid = libc::pid_t::try_from(pid).unwrap();
    // SAFETY: kill takes no memory, and the pid is a child that has not been waited for, so it is still ours.
    let sent = unsafe { libc::kill(pid, signal) };
    assert_eq!(sent, 0, "kill({pid}, {signal}): {}", std::io::Error::last_os_error());
}
