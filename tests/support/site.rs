//! A whole site: nizamd, FreeSWITCH with the module, and the accounts of a test.

use std::{
    path::Path,
    sync::atomic::{AtomicU16, Ordering},
    time::Duration,
};

use tempfile::TempDir;

use super::{
    Listener, Phone, RegisterLoad, Switch,
    built::Built,
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
        let home = TempDir::with_prefix("nizam-e2e-").unwrap();
        let ports = Ports::claim();
        let nizamd = Nizamd::start(home.path(), &ports);
        let path = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
        let settings = [
            ("nizam_socket", path("nizam.sock")),
            ("nizam_snapshot", path("state/snapshot")),
            ("nizam_log_level", "debug".to_owned()),
        ];
        let settings = settings.each_ref().map(|(name, value)| (*name, value.as_str()));
        let mut switch = Switch::prepare(&home.path().join("fs"), &ports, &Built::get().module(), &settings);
        switch.start();
        let mut site = Self { switch, nizamd, ports, runs: AtomicU16::new(0), home };
        site.await_link();
        site
    }

    /// Waits until the module has the daemon's images.
    pub(crate) fn await_link(&mut self) {
        until("mod_nizam is connected", Duration::from_secs(40), || {
            let status = self.switch.api("nizam status json");
            let status: serde_json::Value = serde_json::from_str(status.trim()).ok()?;
            (status["origin"] == "daemon").then_some(())
        });
    }

    pub(crate) fn tenant(&self, domain: &str) -> String {
        self.nizamd.rest().create_tenant(domain)
    }

    /// Creates an extension with a password of its own.
    pub(crate) fn extension(&self, tenant: &str, domain: &str, number: &str, voicemail: bool) -> Account {
        let password = format!("pass-{number}-{domain}-x");
        let id = self.nizamd.rest().create_extension(tenant, number, &password, voicemail);
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
        self.attempt("register", account, "", expect);
    }

    /// A digest REGISTER with the account's name and password for another address, that must end with `expect`.
    pub(crate) fn register_as(&self, account: &Account, address: &str, expect: u16) {
        self.attempt("register-as", account, address, expect);
    }

    /// An authenticated INVITE to `callee` that must end with `expect`.
    pub(crate) fn invite(&self, account: &Account, callee: &str, expect: u16) {
        self.attempt("invite", account, callee, expect);
    }

    fn attempt(&self, scenario: &str, account: &Account, callee: &str, expect: u16) {
        let local = self.ports.sipp(self.runs.fetch_add(1, Ordering::Relaxed));
        let attempt = Attempt { scenario, account, callee, expect };
        let outcome = sipp::run(&self.home.path().join("sipp"), self.ports.sip_internal(), local, &attempt);
        outcome
            .unwrap_or_else(|complaint| panic!("{complaint}\nthe switch says:\n{}", self.switch.log_tail()));
    }

    /// A phone that plays `tone` Hz, registered.
    pub(crate) fn phone(&self, n: u16, account: &Account, tone: u32) -> Phone {
        Phone::start(&self.home.path().join(format!("phone{n}")), &self.ports, n, account, tone)
    }

    /// A steady load of REGISTERs.
    pub(crate) fn register_load(&self, account: &Account, rate: u32) -> RegisterLoad {
        let local = self.ports.sipp(self.runs.fetch_add(1, Ordering::Relaxed));
        RegisterLoad::start(&self.home.path().join("load"), self.ports.sip_internal(), local, account, rate)
    }

    /// A phone that registers and writes down what it is told.
    pub(crate) fn listener(&self, account: &Account) -> Listener {
        let local = self.ports.sipp(self.runs.fetch_add(1, Ordering::Relaxed));
        let dir = self.home.path().join(format!("listener-{local}"));
        Listener::start(&dir, self.ports.sip_internal(), local, account)
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }
}
