//! FreeSWITCH with the module, and no nizamd.

use std::path::Path;

use super::{Switch, built::Built, ports::Ports};

/// A running switch, and the ports that are its own. The module looks for a daemon at `nizam.sock` in the directory.
pub(crate) struct Lone {
    pub(crate) switch: Switch,
    _ports: Ports,
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
        Self { switch, _ports: ports }
    }
}
