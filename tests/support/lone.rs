//! FreeSWITCH with the module, and no nizamd.

use std::path::{Path, PathBuf};

use super::{
    Account, Switch,
    built::Built,
    ports::Ports,
    sipp::{self, Attempt},
};

/// A running switch, and the ports that are its own. The module looks for a daemon at `nizam.sock` in the directory.
pub(crate) struct Lone {
    pub(crate) switch: Switch,
    ports: Ports,
    home: PathBuf,
}

impl Lone {
    pub(crate) fn start(home: &Path) -> Self {
        let ports = Ports::claim();
        let path = |name: &str| home.join(name).to_str().unwrap().to_owned();
        let (socket, snapshot) = (path("nizam.sock"), path("snapshot"));
        let settings = [
            ("nizam_socket", socket.as_str()),
            ("nizam_snapshot", snapshot.as_str()),
            ("nizam_log_level", "debug"),
        ];
        let mut switch = Switch::prepare(&home.join("fs"), &ports, &Built::get().module(), &settings);
        switch.start();
        Self { switch, ports, home: home.to_owned() }
    }

    /// A call from a carrier to the contact of a gateway, that must end with `expect`.
    pub(crate) fn call_gateway(&self, gateway: &str, number: &str, expect: u16) {
        let account = Account {
            tenant: String::new(),
            id: String::new(),
            number: format!("gw+{gateway}"),
            domain: "carrier.example".to_owned(),
            password: String::new(),
        };
        let attempt =
            Attempt { scenario: "invite-gateway", account: &account, callee: number, expect, expires: 300 };
        let outcome =
            sipp::run(&self.home.join("sipp"), self.ports.sip_external(), self.ports.sipp(), &attempt);
        outcome
            .unwrap_or_else(|complaint| panic!("{complaint}\nthe switch says:\n{}", self.switch.log_tail()));
    }
}
