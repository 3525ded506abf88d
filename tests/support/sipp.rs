//! sipp: one SIP transaction, bounded, with what it says when the answer is another one than expected, and how it is started.

use std::{fs, net::UdpSocket, path::Path, process::Command, time::Duration};

use super::{process::Process, site::Account};

/// What a scenario of tests/sip does as whom.
pub(crate) struct Attempt<'a> {
    pub(crate) scenario: &'a str,
    pub(crate) account: &'a Account,
    /// The number that an INVITE dials.
    pub(crate) callee: &'a str,
    /// The final status that makes it a success.
    pub(crate) expect: u16,
    /// For how many seconds a REGISTER is.
    pub(crate) expires: u32,
}

/// Runs an attempt in `dir` against the SIP port `remote`, from `local`; sipp's complaint where it fails.
pub(crate) fn run(dir: &Path, remote: u16, local: u16, attempt: &Attempt<'_>) -> Result<(), String> {
    lay_out(dir, attempt);
    let mut command = command(dir, remote, local);
    command.args(["-m", "1", "-timeout", "15s"]);
    let mut process = Process::start("sipp", command, &dir.join("screen"));
    match process.wait(Duration::from_secs(25)) {
        Some(status) if status.success() => Ok(()),
        Some(status) => Err(format!("sipp {} {attempt}: {status}\n{}", attempt.scenario, complaint(dir))),
        None => Err(format!("sipp {} {attempt} hangs", attempt.scenario)),
    }
}

fn lay_out(dir: &Path, attempt: &Attempt<'_>) {
    fs::create_dir_all(dir).unwrap();
    for old in fs::read_dir(dir).unwrap() {
        fs::remove_file(old.unwrap().path()).unwrap();
    }
    let scenario = scenario(attempt.scenario).replace("@STATUS@", &attempt.expect.to_string());
    let scenario = scenario.replace("@EXPIRES@", &attempt.expires.to_string());
    fs::write(dir.join("scenario.xml"), scenario).unwrap();
    fs::write(dir.join("who.csv"), who(attempt.account, attempt.callee)).unwrap();
}

/// sipp on loopback with the scenario and the account in `dir`.
pub(crate) fn command(dir: &Path, remote: u16, local: u16) -> Command {
    let mut command = bare(dir, "127.0.0.1", local);
    command.arg(format!("127.0.0.1:{remote}")).args(["-inf", "who.csv"]);
    command
}

/// sipp on an address of loopback with the scenario in `dir`, that writes down all messages there, and answers requests of a
/// switch that the scenario does not know.
pub(crate) fn traced(dir: &Path, address: &str, local: u16) -> Command {
    let mut command = bare(dir, address, local);
    // In its local time.
    command.env("TZ", "UTC");
    command.args(["-trace_msg", "-message_file", "messages.log", "-aa"]);
    command
}

pub(super) fn bare(dir: &Path, address: &str, local: u16) -> Command {
    let mut command = Command::new("sipp");
    command.current_dir(dir);
    command.args(["-sf", "scenario.xml", "-i", address, "-nostdin", "-trace_err", "-p", &local.to_string()]);
    command
}

/// Tells the sipp at that port to hand the call with that Call-ID on, to that Refer-To.
pub(super) fn hand_on(port: u16, id: &str, target: &str) {
    // It finds the call by its Call-ID, and takes nothing else from the order.
    let order = format!(
        "MESSAGE sip:127.0.0.1:{port} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK-order\r\n\
         From: <sip:test@127.0.0.1>;tag=1\r\nTo: <sip:127.0.0.1:{port}>\r\nCall-ID: {id}\r\nCSeq: 1 MESSAGE\r\n\
         Refer-To: {target}\r\nContent-Length: 0\r\n\r\n"
    );
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.send_to(order.as_bytes(), ("127.0.0.1", port)).unwrap();
}

/// The text of a scenario of tests/sip.
pub(crate) fn scenario(name: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/sip/{name}.xml"));
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// sipp's injection file: user; domain; credentials; callee.
pub(crate) fn who(account: &Account, callee: &str) -> String {
    let Account { number, domain, password, .. } = account;
    format!("SEQUENTIAL\n{number};{domain};[authentication username={number} password={password}];{callee}\n")
}

pub(super) fn complaint(dir: &Path) -> String {
    let errors = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let errors = errors.filter(|file| file.to_string_lossy().ends_with("_errors.log"));
    errors.map(|file| fs::read_to_string(file).unwrap_or_default()).collect()
}

impl std::fmt::Display for Attempt<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Account { number, domain, .. } = self.account;
        write!(f, "as {number}@{domain} to {:?}, expecting {}", self.callee, self.expect)
    }
}
