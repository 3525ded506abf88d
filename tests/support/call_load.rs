//! Many calls, and a ledger of what their caller saw of each.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{Account, process::Process, sipp};

/// A running sipp that dials one number after the other.
pub(crate) struct CallLoad {
    process: Process,
    dir: PathBuf,
}

impl CallLoad {
    /// Begins; `calls` are dialled in turns.
    pub(super) fn start(
        dir: &Path,
        remote: u16,
        local: u16,
        calls: &[(&Account, &str)],
        count: usize,
        rate: u32,
    ) -> Self {
        fs::create_dir_all(dir).unwrap();
        fs::write(dir.join("scenario.xml"), sipp::scenario("call-load")).unwrap();
        let lines: Vec<String> = calls.iter().map(|(account, number)| line(account, number)).collect();
        fs::write(dir.join("who.csv"), format!("SEQUENTIAL\n{}", lines.concat())).unwrap();
        let mut command = sipp::command(dir, remote, local);
        let (count, rate) = (count.to_string(), rate.to_string());
        command.args(["-aa", "-m", &count, "-l", "3000", "-r", &rate, "-cid_str", "load-%u"]);
        // What it gets no answer to it gives up after some ten seconds: a switch that was killed is back by then.
        command.args(["-max_invite_retrans", "4", "-max_non_invite_retrans", "4", "-recv_timeout", "10000"]);
        command.args(["-trace_logs", "-log_file", "ledger.log"]);
        Self { process: Process::start("sipp", command, &dir.join("screen")), dir: dir.to_owned() }
    }

    /// Waits until all calls are over, at most `limit`: whether they are. sipp's status says only that some had no answer.
    pub(crate) fn wait(&mut self, limit: Duration) -> bool {
        self.process.wait(limit).is_some()
    }

    /// What the caller saw: a line for each thing that came to pass.
    pub(crate) fn ledger(&self) -> String {
        fs::read_to_string(self.dir.join("ledger.log")).unwrap_or_default()
    }
}

fn line(account: &Account, number: &str) -> String {
    let Account { number: own, domain, password, .. } = account;
    format!("{own};{domain};[authentication username={own} password={password}];{number}\n")
}
