//! A phone that registers and listens to what it is told.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{process::Process, sipp, site::Account, wait::until};

/// A sipp that has registered and writes down every message.
pub(crate) struct Listener {
    messages: PathBuf,
    process: Process,
}

impl Listener {
    /// Registers.
    pub(crate) fn start(dir: &Path, remote: u16, local: u16, account: &Account) -> Self {
        fs::create_dir_all(dir).unwrap();
        fs::write(dir.join("scenario.xml"), sipp::scenario("register-stay")).unwrap();
        fs::write(dir.join("who.csv"), sipp::who(account, "")).unwrap();
        let mut command = sipp::command(dir, remote, local);
        command.args(["-m", "1", "-aa", "-trace_msg", "-message_file", "messages.log"]);
        let process = Process::start("sipp", command, &dir.join("screen"));
        Self { messages: dir.join("messages.log"), process }
    }

    /// Waits for a message that has all of these in it; what was said so far is looked at as well.
    pub(crate) fn await_message(&mut self, parts: &[&str]) {
        until(&format!("a message with {parts:?}"), Duration::from_secs(20), || {
            self.process.assert_alive();
            let messages = fs::read(&self.messages).unwrap_or_default();
            let messages = String::from_utf8_lossy(&messages);
            // Each begins with a line of dashes.
            let mut each = messages.split("-----------------------------------------------");
            each.any(|message| parts.iter().all(|part| message.contains(part))).then_some(())
        });
    }
}
