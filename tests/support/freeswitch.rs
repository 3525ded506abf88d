//! A real FreeSWITCH in a directory of its own, with the configuration of this repository.

mod installed;

use std::{
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

pub(crate) use installed::Installed;

use super::{esl::Esl, events::Events, ports::Ports, process::Process, wait::until};

/// The events that tell what became of calls.
const EVENTS: &str = "CHANNEL_CREATE CHANNEL_ANSWER CHANNEL_EXECUTE CHANNEL_HANGUP_COMPLETE DTMF \
    CUSTOM nizam::ambiguous nizam::emergency nizam::flow";

/// How a file of the configuration is another one.
pub(crate) enum Change {
    /// This is all of it.
    New(String),
    /// That text stands before the first place with this one.
    Before(&'static str, String),
}

/// One FreeSWITCH instance: its directories stay over a restart, its process may come and go.
pub(crate) struct Switch {
    home: PathBuf,
    installed: Installed,
    port: u16,
    password: String,
    process: Option<Process>,
}

impl Switch {
    /// Lays out the directories; `settings` are variables of conf/freeswitch/vars.xml that differ from it.
    pub(crate) fn prepare(home: &Path, ports: &Ports, module: &Path, settings: &[(&str, &str)]) -> Self {
        let installed = Installed::find().unwrap();
        for dir in ["log", "run", "db", "storage", "recordings", "temp", "mod"] {
            fs::create_dir_all(home.join(dir)).unwrap();
        }
        copy_tree(&Path::new(env!("CARGO_MANIFEST_DIR")).join("conf/freeswitch"), &home.join("conf"))
            .unwrap();
        for file in fs::read_dir(&installed.modules).unwrap().map(|entry| entry.unwrap().path()) {
            let name = file.file_name().unwrap();
            if file.extension().is_some_and(|extension| extension == "so") && name != "mod_nizam.so" {
                symlink(&file, home.join("mod").join(name)).unwrap();
            }
        }
        fs::copy(module, home.join("mod/mod_nizam.so")).unwrap();
        keep_ring(home);

        let password = format!("{:x}{:x}", std::process::id(), unguessable());
        let (first, last) = ports.switch_media();
        let own = [
            ("nizam_switchname", "e2e".to_owned()),
            ("sip_ip", "127.0.0.1".to_owned()),
            ("rtp_ip", "127.0.0.1".to_owned()),
            ("external_sip_ip", "127.0.0.1".to_owned()),
            ("external_rtp_ip", "127.0.0.1".to_owned()),
            ("internal_sip_port", ports.sip_internal().to_string()),
            ("external_sip_port", ports.sip_external().to_string()),
            ("rtp_start_port", first.to_string()),
            ("rtp_end_port", last.to_string()),
            ("event_socket_port", ports.event_socket().to_string()),
            ("event_socket_password", password.clone()),
            ("codec_prefs", "PCMU".to_owned()),
        ];
        let set =
            |(name, value): (&str, &str)| format!("<X-PRE-PROCESS cmd=\"set\" data=\"{name}={value}\"/>\n");
        let mut vars: String = own.iter().map(|(name, value)| set((name, value))).collect();
        vars.extend(settings.iter().copied().map(set));
        fs::write(home.join("conf/vars.d/instance.xml"), format!("<include>\n{vars}</include>\n")).unwrap();
        Self { home: home.to_owned(), installed, port: ports.event_socket(), password, process: None }
    }

    /// Starts the process and waits until both SIP profiles run.
    pub(crate) fn start(&mut self) {
        let mut command = Command::new(&self.installed.binary);
        command.args(["-nf", "-nc", "-np", "-nonat"]);
        for (option, dir) in [
            ("-conf", "conf"),
            ("-log", "log"),
            ("-run", "run"),
            ("-db", "db"),
            ("-storage", "storage"),
            ("-recordings", "recordings"),
            ("-temp", "temp"),
            ("-mod", "mod"),
        ] {
            command.arg(option).arg(self.home.join(dir));
        }
        command.current_dir(&self.home);
        if let Some(libraries) = &self.installed.libraries {
            command.env("LD_LIBRARY_PATH", libraries);
        }
        let mut process = Process::start("freeswitch", command, &self.home.join("freeswitch.out"));
        until("both SIP profiles run", Duration::from_mins(1), || {
            process.assert_alive();
            let profiles = self.try_api("sofia status").ok()?;
            (profiles.matches("RUNNING").count() >= 2).then_some(())
        });
        self.process = Some(process);
    }

    /// Asks it to stop, as systemd would, and checks that it did so without a crash.
    ///
    /// After a voicemail message this takes FreeSWITCH 1.10 a minute: its mod_sofia keeps a lock on the profile for each
    /// message-waiting event of a domain that is no alias of it (`sofia_presence.c`,
    /// `actual_sofia_presence_mwi_event_handler`), and waits for that lock (`mod_sofia_shutdown_cleanup`).
    pub(crate) fn stop(&mut self) {
        let process = self.process.take().expect("the switch runs");
        let status = process.terminate(Duration::from_secs(90));
        assert!(status.success(), "FreeSWITCH ended with {status}; its log ends:\n{}", self.log_tail());
    }

    /// SIGKILL: all calls are gone.
    pub(crate) fn kill(&mut self) {
        self.process.take().expect("the switch runs").kill();
    }

    /// Changes a file of `autoload_configs`, before the start.
    pub(crate) fn configure(&self, file: &str, change: &Change) {
        let path = self.home.join("conf/autoload_configs").join(file);
        let text = match change {
            Change::New(text) => text.clone(),
            Change::Before(place, text) => {
                let old = fs::read_to_string(&path).unwrap();
                assert!(old.contains(place), "{file} has no {place}");
                old.replacen(place, &format!("{text}{place}"), 1)
            }
        };
        fs::write(path, text).unwrap();
    }

    /// Runs an API command; fails when the switch is gone.
    pub(crate) fn api(&mut self, command: &str) -> String {
        let answer = self.try_api(command);
        answer.unwrap_or_else(|error| {
            if let Some(process) = &mut self.process {
                process.assert_alive();
            }
            panic!("api {command}: {error}; the log ends:\n{}", self.log_tail())
        })
    }

    /// Listens to its events from now on.
    pub(crate) fn events(&self) -> Events {
        self.events_of(EVENTS)
    }

    /// Listens to events of these names from now on.
    pub(crate) fn events_of(&self, names: &str) -> Events {
        Events::subscribe(Esl::connect(self.port, &self.password).unwrap(), names)
    }

    pub(crate) fn try_api(&self, command: &str) -> io::Result<String> {
        Esl::connect(self.port, &self.password)?.api(command)
    }

    /// freeswitch.log of this instance.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.home.join("log/freeswitch.log")).unwrap_or_default())
            .into_owned()
    }

    /// The last lines of the log, for a failure's message.
    pub(crate) fn log_tail(&self) -> String {
        let log = self.log();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    /// A directory of it: `recordings`.
    pub(crate) fn directory(&self, name: &str) -> PathBuf {
        self.home.join(name)
    }

    /// Where voicemail keeps messages of a mailbox (`mod_voicemail.c`, `voicemail_leave_main`).
    pub(crate) fn mailbox(&self, domain: &str, number: &str) -> PathBuf {
        self.home.join("storage/voicemail/default").join(domain).join(number)
    }
}

/// 64 bits that nobody guesses during a test, from the keys of the standard hasher.
fn unguessable() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}

/// Keeps the ring of events in the instance's own directory: what is killed would leave it in /dev/shm for ever.
fn keep_ring(home: &Path) {
    let path = home.join("conf/autoload_configs/nizam.conf.xml");
    let text = fs::read_to_string(&path).unwrap();
    let ring = format!("<param name=\"ring\" value=\"{}\"/>", home.join("events.ring").display());
    let changed = text.replace("<!-- <param name=\"ring\" value=\"/dev/shm/nizam.ring\"/> -->", &ring);
    assert_ne!(text, changed, "nizam.conf.xml names the ring in a comment");
    fs::write(path, changed).unwrap();
}

fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
