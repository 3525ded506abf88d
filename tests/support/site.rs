//! A whole site: nizamd, FreeSWITCH with the module, and the accounts of a test.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU16, Ordering},
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{
    Batch, Call, CallLoad, Callee, Caller, Listener, Manner, Phone, RegisterLoad, Switch,
    built::Built,
    freeswitch::Change,
    nizamd::Nizamd,
    ports::Ports,
    sipp::{self, Attempt},
    wait::until,
};

/// An extension as a phone knows it, with the ids that REST needs.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) tenant: String,
    pub(crate) id: String,
    pub(crate) number: String,
    pub(crate) domain: String,
    pub(crate) password: String,
}

/// Which ports the switch's media get.
#[derive(Default)]
pub(crate) enum Media {
    /// A few of the block of the test.
    #[default]
    Own,
    /// Those of the phones as well.
    OfPhones,
    /// From one to the other, outside of all blocks.
    Range(u16, u16),
}

/// How a site differs from the others.
#[derive(Default)]
pub(crate) struct Plan {
    /// Where it lives, if somebody needs to know before.
    pub(crate) home: Option<TempDir>,
    /// nizamd's database, if it is no file.
    pub(crate) database: Option<String>,
    /// The name of the socket in `home` to which the module connects, if it is not nizamd's own.
    pub(crate) socket: Option<&'static str>,
    pub(crate) media: Media,
    /// Variables of conf/freeswitch/vars.xml that are other ones.
    pub(crate) variables: Vec<(&'static str, &'static str)>,
    /// Files in `autoload_configs` that are other ones, and how.
    pub(crate) configuration: Vec<(&'static str, Change)>,
}

/// Everything that runs for one test. Fields are dropped in this order.
pub(crate) struct Site {
    pub(crate) switch: Switch,
    pub(crate) nizamd: Nizamd,
    ports: Ports,
    runs: AtomicU16,
    home: TempDir,
}

impl Site {
    /// Starts nizamd, then FreeSWITCH, and waits until the module is connected.
    pub(crate) fn start() -> Self {
        Self::start_as(Plan::default())
    }

    /// Starts one in which no [`Phone`] is: their media ports are the switch's, which so has many more calls at once.
    pub(crate) fn start_without_phones() -> Self {
        Self::start_as(Plan { media: Media::OfPhones, ..Plan::default() })
    }

    /// Starts one that differs from the others.
    pub(crate) fn start_as(plan: Plan) -> Self {
        let home = plan.home.unwrap_or_else(|| TempDir::with_prefix("nizam-e2e-").unwrap());
        let ports = Ports::claim();
        let nizamd = Nizamd::start(home.path(), &ports, plan.database.as_deref());
        let path = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
        let mut settings: Vec<_> =
            plan.variables.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        settings.extend([
            ("nizam_socket", path(plan.socket.unwrap_or("nizam.sock"))),
            ("nizam_snapshot", path("state/snapshot")),
            ("nizam_log_level", "debug".to_owned()),
        ]);
        match plan.media {
            Media::Own => {}
            Media::OfPhones => settings.push(("rtp_end_port", ports.last_media().to_string())),
            Media::Range(first, last) => {
                settings.push(("rtp_start_port", first.to_string()));
                settings.push(("rtp_end_port", last.to_string()));
            }
        }
        let settings: Vec<_> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let mut switch = Switch::prepare(&home.path().join("fs"), &ports, &Built::get().module(), &settings);
        for (file, change) in &plan.configuration {
            switch.configure(file, change);
        }
        switch.start();
        let mut site = Self { switch, nizamd, ports, runs: AtomicU16::new(0), home };
        site.await_link();
        site
    }

    /// Waits until the module has the daemon's images.
    pub(crate) fn await_link(&mut self) {
        until("mod_nizam is connected", Duration::from_secs(40), || {
            let status = self.switch.api("nizam status json");
            let status: Value = serde_json::from_str(status.trim()).ok()?;
            (status["origin"] == "daemon" && status["link"]["state"] == "up").then_some(())
        });
    }

    pub(crate) fn tenant(&self, domain: &str) -> String {
        self.nizamd.rest().create_tenant(domain)
    }

    /// Creates an extension with a password of its own.
    pub(crate) fn extension(&self, tenant: &str, domain: &str, number: &str, voicemail: bool) -> Account {
        let more =
            if voicemail { json!({"voicemail_enabled": true, "voicemail_pin": "4711"}) } else { json!({}) };
        self.extension_with(tenant, domain, number, &more)
    }

    /// Creates an extension with these further fields.
    pub(crate) fn extension_with(&self, tenant: &str, domain: &str, number: &str, more: &Value) -> Account {
        let password = format!("pass-{number}-{domain}-x");
        let id = self.nizamd.rest().create_extension(tenant, number, &password, more);
        Account {
            tenant: tenant.to_owned(),
            id,
            number: number.to_owned(),
            domain: domain.to_owned(),
            password,
        }
    }

    /// A digest REGISTER that must end with `expect`.
    pub(crate) fn register(&self, account: &Account, expect: u16) {
        // The contact is the same in every run, as a phone's is: an extension may have ten of them, and nobody calls this one.
        self.attempt("register", account, "9", expect);
    }

    /// A digest REGISTER with the account's name and password for another address, that must end with `expect`.
    pub(crate) fn register_as(&self, account: &Account, address: &str, expect: u16) {
        self.attempt("register-as", account, address, expect);
    }

    /// An authenticated INVITE to `callee` that must end with `expect`.
    pub(crate) fn invite(&self, account: &Account, callee: &str, expect: u16) {
        self.attempt("invite", account, callee, expect);
    }

    /// An INVITE to `callee` that is asked for a password and does not come again.
    pub(crate) fn give_up(&self, account: &Account, callee: &str) {
        self.attempt("give-up", account, callee, 407);
    }

    /// A phone at that port says that it goes.
    pub(crate) fn unregister_at(&self, account: &Account, port: u16) {
        let callee = port.to_string();
        self.run(&Attempt { scenario: "register", account, callee: &callee, expect: 200, expires: 0 });
    }

    fn attempt(&self, scenario: &str, account: &Account, callee: &str, expect: u16) {
        self.run(&Attempt { scenario, account, callee, expect, expires: 300 });
    }

    fn run(&self, attempt: &Attempt<'_>) {
        let local = self.ports.sipp();
        let outcome = sipp::run(&self.home.path().join("sipp"), self.ports.sip_internal(), local, attempt);
        outcome
            .unwrap_or_else(|complaint| panic!("{complaint}\nthe switch says:\n{}", self.switch.log_tail()));
    }

    /// A phone that plays `tone` Hz, registered.
    pub(crate) fn phone(&self, n: u16, account: &Account, tone: u32) -> Phone {
        Phone::start(&self.home.path().join(format!("phone{n}")), &self.ports, n, account, tone)
    }

    /// A steady load of REGISTERs.
    pub(crate) fn register_load(&self, account: &Account, rate: u32) -> RegisterLoad {
        let local = self.ports.sipp();
        RegisterLoad::start(&self.home.path().join("load"), self.ports.sip_internal(), local, account, rate)
    }

    /// A phone that registers and writes down what it is told.
    pub(crate) fn listener(&self, account: &Account) -> Listener {
        let local = self.ports.sipp();
        let dir = self.home.path().join(format!("listener-{local}"));
        Listener::start(&dir, self.ports.sip_internal(), local, account)
    }

    /// A phone or carrier at a port of its own, that nobody registered.
    pub(crate) fn callee(&self, manner: Manner) -> Callee {
        Callee::start(&self.next_dir(), self.ports.sipp(), manner)
    }

    /// A registered phone that does that with calls.
    pub(crate) fn phone_that(&self, account: &Account, manner: Manner) -> Callee {
        let callee = self.callee(manner);
        self.register_at(account, callee.port());
        callee
    }

    /// Registers a phone that waits for calls at that port.
    pub(crate) fn register_at(&self, account: &Account, port: u16) {
        self.attempt("register", account, &port.to_string(), 200);
    }

    /// Dials.
    pub(crate) fn call(&self, caller: &Caller, number: &str) -> Call {
        let remote = if caller.is_outside() { self.ports.sip_external() } else { self.ports.sip_internal() };
        let dir = self.next_dir();
        let id = dir.file_name().unwrap().to_string_lossy().into_owned();
        Call::start(&dir, id, remote, self.ports.sipp(), caller, number)
    }

    /// Begins many calls, `rate` a second.
    pub(crate) fn batch(&self, name: &str, calls: &[(Caller, &str)], rate: u32) -> Batch {
        let outside = calls.first().is_some_and(|(caller, _)| caller.is_outside());
        let remote = if outside { self.ports.sip_external() } else { self.ports.sip_internal() };
        Batch::start(&self.next_dir(), name, remote, self.ports.sipp(), calls, rate)
    }

    /// Begins to dial so many times, `rate` a second, and writes down what becomes of it.
    pub(crate) fn call_load(&self, calls: &[(&Account, &str)], count: usize, rate: u32) -> CallLoad {
        CallLoad::start(&self.next_dir(), self.ports.sip_internal(), self.ports.sipp(), calls, count, rate)
    }

    /// A port where nobody listens.
    pub(crate) fn dead_port(&self) -> u16 {
        self.ports.dead()
    }

    fn next_dir(&self) -> PathBuf {
        self.home.path().join(format!("sipp-{}", self.runs.fetch_add(1, Ordering::Relaxed)))
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Every file and directory in it.
    pub(crate) fn files(&self) -> Vec<String> {
        files(self.home.path())
    }
}

fn files(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    entries
        .flat_map(|path| {
            let below = if path.is_dir() && !path.is_symlink() { files(&path) } else { Vec::new() };
            below.into_iter().chain([path.to_string_lossy().into_owned()])
        })
        .collect()
}
