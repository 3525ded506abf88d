//! Many calls of many callers, at a steady rate.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{caller::Caller, process::Process, sipp};

/// A sipp that makes one call after the other. The SIP Call-ID of the first is `NAME-1`.
pub(crate) struct Batch {
    process: Process,
    dir: PathBuf,
    limit: Duration,
}

impl Batch {
    /// Begins; `calls` are callers and numbers, all of the same domain of addresses.
    pub(super) fn start(
        dir: &Path,
        name: &str,
        remote: u16,
        local: u16,
        calls: &[(Caller, &str)],
        rate: u32,
    ) -> Self {
        fs::create_dir_all(dir).unwrap();
        let (first, _) = calls.first().expect("a batch has calls");
        let scenario = sipp::scenario("call").replace("@HOLD@", &first.hold.to_string());
        fs::write(dir.join("scenario.xml"), scenario).unwrap();
        let lines: String = calls.iter().map(|(caller, number)| caller.line(number)).collect();
        fs::write(dir.join("who.csv"), format!("SEQUENTIAL\n{lines}")).unwrap();
        let mut command = sipp::bare(dir, &first.address, local);
        let (count, rate_text) = (calls.len().to_string(), rate.to_string());
        command
            .arg(format!("127.0.0.1:{remote}"))
            .args(["-inf", "who.csv", "-aa", "-m", &count, "-l", "500"]);
        command.args(["-r", &rate_text, "-cid_str", &format!("{name}-%u")]);
        let seconds = u32::try_from(calls.len()).unwrap() / rate;
        let limit = Duration::from_secs(u64::from(3 * seconds) + 120);
        Self { process: Process::start("sipp", command, &dir.join("screen")), dir: dir.to_owned(), limit }
    }

    /// Waits until all are over.
    pub(crate) fn over(mut self) {
        let ended = self.process.wait(self.limit);
        let complaint = || format!("{}\n{}", self.process.tail(), sipp::complaint(&self.dir));
        assert!(ended.is_some_and(|ended| ended.success()), "sipp: {ended:?}\n{}", complaint());
    }
}
