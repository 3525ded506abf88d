//! REGISTERs at a steady rate, each of which says when it was refused.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{process::Process, sipp, site::Account, wait::until};

/// A sipp that registers `rate` times a second until stopped.
pub(crate) struct RegisterLoad {
    dir: PathBuf,
    process: Process,
}

/// What came back.
pub(crate) struct Outcome {
    pub(crate) accepted: usize,
    /// Seconds since the epoch of each refusal.
    pub(crate) refused: Vec<f64>,
    /// Calls that ended in neither: a timeout or an answer that the scenario does not know.
    pub(crate) failed: usize,
}

impl RegisterLoad {
    pub(crate) fn start(dir: &Path, remote: u16, local: u16, account: &Account, rate: u32) -> Self {
        fs::create_dir_all(dir).unwrap();
        fs::write(dir.join("scenario.xml"), sipp::scenario("register-load")).unwrap();
        fs::write(dir.join("who.csv"), sipp::who(account, "")).unwrap();
        let mut command = sipp::command(dir, remote, local);
        command.args([
            "-r",
            &rate.to_string(),
            "-trace_logs",
            "-log_file",
            "outcome.log",
            "-timeout",
            "600s",
        ]);
        Self { dir: dir.to_owned(), process: Process::start("sipp", command, &dir.join("screen")) }
    }

    /// Waits until `more` further registrations were accepted.
    pub(crate) fn await_accepted(&mut self, more: usize) {
        let before = self.read().accepted;
        until("registrations are accepted", Duration::from_secs(20), || {
            self.process.assert_alive();
            (self.read().accepted >= before + more).then_some(())
        });
    }

    /// What the log says so far.
    pub(crate) fn read(&self) -> Outcome {
        let log = fs::read_to_string(self.dir.join("outcome.log")).unwrap_or_default();
        let mut outcome = Outcome { accepted: 0, refused: Vec::new(), failed: self.complaints() };
        for line in log.lines() {
            // `accepted DATE TIME SECONDS`: sipp's [timestamp] ends with the seconds since the epoch.
            let mut words = line.split_whitespace();
            match (words.next(), words.last().and_then(|seconds| seconds.parse().ok())) {
                (Some("accepted"), Some(_)) => outcome.accepted += 1,
                (Some("refused"), Some(when)) => outcome.refused.push(when),
                _ => {}
            }
        }
        outcome
    }

    /// Stops the load and says what came of it.
    pub(crate) fn stop(self) -> Outcome {
        let outcome = self.read();
        self.process.kill();
        outcome
    }

    fn complaints(&self) -> usize {
        let files = fs::read_dir(&self.dir).unwrap().map(|entry| entry.unwrap().path());
        let files = files.filter(|file| file.to_string_lossy().ends_with("_errors.log"));
        let texts = files.map(|file| fs::read_to_string(file).unwrap_or_default());
        texts.map(|text| text.matches("Aborting call").count()).sum()
    }
}
