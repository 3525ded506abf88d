//! `nizam.conf.xml`.

use crate::host::{self, Level, log};
use nizam_engine::gateways::is_name;
use std::ops::RangeInclusive;
use std::path::PathBuf;

const MIB: u64 = 1 << 20;

/// A number of MiB in bytes.
fn mib(text: &str, range: RangeInclusive<u64>) -> Option<u64> {
    text.parse().ok().filter(|number| range.contains(number)).map(|number: u64| number * MIB)
}

/// Whether answers are given or only logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Our answer counts for our tenants.
    Authoritative,
    /// Nothing is answered; what would have been is logged.
    Shadow,
}

impl Mode {
    /// Its name in the file.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Authoritative => "authoritative",
            Self::Shadow => "shadow",
        }
    }
}

/// The settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Config {
    pub(crate) socket: PathBuf,
    pub(crate) snapshot: PathBuf,
    pub(crate) mode: Mode,
    pub(crate) level: Level,
    /// The profile of mod_sofia that reads gateways from the directory.
    pub(crate) gateway_profile: String,
    pub(crate) events: Events,
}

/// Where events are kept on their way to the daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Events {
    /// The directory; `None`: beside the snapshot.
    pub(crate) directory: Option<PathBuf>,
    /// Most bytes in it.
    pub(crate) limit: u64,
    /// The file in memory; `None`: the usual one of this switch.
    pub(crate) ring: Option<PathBuf>,
    /// Its size.
    pub(crate) ring_size: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            socket: "/run/nizam/nizam.sock".into(),
            snapshot: "/var/lib/nizam/snapshot".into(),
            mode: Mode::Authoritative,
            level: Level::Info,
            gateway_profile: "external".to_owned(),
            events: Events { directory: None, limit: 1024 * MIB, ring: None, ring_size: 16 * MIB },
        }
    }
}

impl Config {
    /// Reads the file. What is missing or wrong is logged and keeps its default: a switch must come up.
    pub(crate) fn read() -> Self {
        let mut config = Self::default();
        let Some(settings) = host::settings(c"nizam.conf") else {
            log(Level::Warning, "nizam.conf.xml is missing, using defaults");
            return config;
        };
        for (name, value) in settings {
            if let Err(wanted) = config.set(&name, &value) {
                log(Level::Warning, &format!("nizam.conf.xml: param {name} = \"{value}\" ignored: {wanted}"));
            }
        }
        config
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), &'static str> {
        match name {
            "socket" | "snapshot" | "spool" | "ring" if !value.starts_with('/') => {
                return Err("it must be an absolute path");
            }
            "socket" => self.socket = value.into(),
            "snapshot" => self.snapshot = value.into(),
            "spool" => self.events.directory = Some(value.into()),
            "ring" => self.events.ring = Some(value.into()),
            "spool-limit" => {
                self.events.limit = mib(value, 8..=1 << 20).ok_or("it must be MiB, 8 to 1048576")?;
            }
            "ring-size" => self.events.ring_size = mib(value, 1..=1024).ok_or("it must be MiB, 1 to 1024")?,
            "mode" => {
                self.mode = match value {
                    "authoritative" => Mode::Authoritative,
                    "shadow" => Mode::Shadow,
                    _ => return Err("it must be authoritative or shadow"),
                }
            }
            "log-level" => {
                self.level = Level::parse(value).ok_or("it must be error, warning, notice, info or debug")?;
            }
            "gateway-profile" if !is_name(value) => return Err("it must be the name of a SIP profile"),
            "gateway-profile" => value.clone_into(&mut self.gateway_profile),
            _ => {
                return Err(
                    "known are socket, snapshot, spool, spool-limit, ring, ring-size, mode, log-level and \
                     gateway-profile",
                );
            }
        }
        Ok(())
    }
}
