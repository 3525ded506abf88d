//! A telephone: baresip that registers, plays a tone of its own and records what it hears.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{ports::Ports, process::Process, site::Account, wait::until};

/// A running baresip and its control connection.
pub(crate) struct Phone {
    process: Process,
    home: PathBuf,
    control: TcpStream,
    unread: Vec<u8>,
}

impl Phone {
    /// Starts it and waits until it is registered.
    pub(crate) fn start(home: &Path, ports: &Ports, n: u16, account: &Account, tone: u32) -> Self {
        fs::create_dir_all(home.join("heard")).unwrap();
        let (sip, control_port) = (ports.phone(n), ports.phone(n) + 2);
        fs::write(home.join("config"), config(home, sip, control_port, ports.phone_media(n), tone)).unwrap();
        fs::write(home.join("accounts"), line(account, ports.sip_internal())).unwrap();
        fs::write(home.join("contacts"), "").unwrap();
        let mut command = Command::new("baresip");
        command.arg("-f").arg(home);
        let mut process = Process::start("baresip", command, &home.join("log"));
        let registered = format!("{}@{}", account.number, account.domain);
        let control = until("the phone is registered", Duration::from_secs(30), || {
            process.assert_alive();
            // The control socket tells only those who are connected, so the log says what came before.
            let log = fs::read_to_string(home.join("log")).ok()?;
            log.lines().find(|line| line.contains(&registered) && line.contains("200 OK"))?;
            TcpStream::connect(("127.0.0.1", control_port)).ok()
        });
        control.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        Self { process, home: home.to_owned(), control, unread: Vec::new() }
    }

    /// Dials a number; returns at once.
    pub(crate) fn dial(&mut self, number: &str, domain: &str) {
        self.command("dial", &format!("sip:{number}@{domain}"));
    }

    /// Ends the call.
    pub(crate) fn hang_up(&mut self) {
        self.command("hangup", "");
    }

    /// Presses digits: telephone-events of RFC 2833 (4733).
    pub(crate) fn press(&mut self, digits: &str) {
        self.command("sndcode", digits);
    }

    /// Transfers the call that it has, without asking whoever it goes to (REFER).
    pub(crate) fn transfer(&mut self, number: &str, domain: &str) {
        self.command("transfer", &format!("sip:{number}@{domain}"));
    }

    /// Waits for an event such as `CALL_ESTABLISHED`; its `param`.
    pub(crate) fn await_event(&mut self, kind: &str, limit: Duration) -> String {
        let deadline = Instant::now() + limit;
        loop {
            while let Some(event) = self.next_message() {
                if event["type"] == kind {
                    return event["param"].as_str().unwrap_or_default().to_owned();
                }
            }
            self.process.assert_alive();
            assert!(Instant::now() < deadline, "no {kind} within {limit:?}:\n{}", self.process.tail());
            let mut chunk = [0; 4096];
            if let Ok(length) = self.control.read(&mut chunk) {
                assert!(length > 0, "baresip closed its control socket:\n{}", self.process.tail());
                self.unread.extend_from_slice(&chunk[..length]);
            }
        }
    }

    /// The recording of what this phone heard in its last call; complete once the call is closed.
    pub(crate) fn heard(&self) -> PathBuf {
        let files = fs::read_dir(self.home.join("heard")).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> = files.filter(|file| file.to_string_lossy().ends_with("-dec.wav")).collect();
        files.sort();
        files.pop().unwrap_or_else(|| panic!("nothing recorded:\n{}", self.process.tail()))
    }

    fn command(&mut self, command: &str, params: &str) {
        let body = json!({"command": command, "params": params, "token": "e2e"}).to_string();
        // baresip's modules/ctrl_tcp: JSON in netstrings (LENGTH:BODY,).
        write!(self.control, "{}:{body},", body.len()).unwrap();
    }

    fn next_message(&mut self) -> Option<Value> {
        let colon = self.unread.iter().position(|byte| *byte == b':')?;
        let length: usize = std::str::from_utf8(&self.unread[..colon]).unwrap().parse().unwrap();
        let end = colon + 1 + length;
        if self.unread.len() <= end {
            return None;
        }
        let message = serde_json::from_slice(&self.unread[colon + 1..end]).unwrap();
        self.unread.drain(..=end);
        Some(message)
    }
}

fn config(home: &Path, sip: u16, control: u16, (first, last): (u16, u16), tone: u32) -> String {
    let home = home.display();
    let modules = [
        "/usr/lib/baresip/modules",
        "/usr/local/lib/baresip/modules",
        "/usr/lib/x86_64-linux-gnu/baresip/modules",
    ];
    let modules =
        modules.into_iter().find(|dir| Path::new(dir).is_dir()).unwrap_or("/usr/lib/baresip/modules");
    // The sine source knows 48 kHz stereo only (modules/ausine); baresip resamples.
    format!(
        "poll_method epoll\nsip_listen 127.0.0.1:{sip}\nnet_interface 127.0.0.1\nrtp_ports {first}-{last}\n\
         call_max_calls 4\naudio_source ausine,{tone}\naudio_player aubridge,nil\naudio_alert aubridge,nil\n\
         ausrc_srate 48000\nauplay_srate 48000\nausrc_channels 2\nauplay_channels 2\naudio_txmode thread\n\
         module_path {modules}\nmodule g711.so\nmodule ausine.so\nmodule aubridge.so\nmodule sndfile.so\n\
         module_tmp account.so\nmodule_app menu.so\nmodule_app ctrl_tcp.so\n\
         snd_path {home}/heard\nctrl_tcp_listen 127.0.0.1:{control}\n"
    )
}

fn line(account: &Account, proxy: u16) -> String {
    let Account { number, domain, password, .. } = account;
    format!(
        "<sip:{number}@{domain}>;auth_user={number};auth_pass={password};outbound=\"sip:127.0.0.1:{proxy}\";\
         answermode=auto;regint=600;audio_codecs=PCMU\n"
    )
}
