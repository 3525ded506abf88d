//! Where FreeSWITCH is on this machine.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// The parts of an installed FreeSWITCH that a test needs.
pub(crate) struct Installed {
    pub(crate) binary: PathBuf,
    pub(crate) modules: PathBuf,
    /// A library directory that the loader does not know by itself.
    pub(crate) libraries: Option<PathBuf>,
}

impl Installed {
    /// `FREESWITCH_PREFIX`, then pkg-config, then the usual places. The first that is given decides.
    pub(crate) fn find() -> Result<Self, String> {
        if let Some(prefix) = std::env::var_os("FREESWITCH_PREFIX").filter(|prefix| !prefix.is_empty()) {
            let prefix = PathBuf::from(prefix);
            return Self::at(&prefix)
                .ok_or_else(|| format!("FREESWITCH_PREFIX={} holds no FreeSWITCH", prefix.display()));
        }
        let packaged = Command::new("pkg-config").args(["--variable=prefix", "freeswitch"]).output().ok();
        let packaged = packaged.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
        packaged
            .filter(|prefix| !prefix.is_empty())
            .into_iter()
            .chain(["/usr/local/freeswitch", "/opt/freeswitch", "/usr/local", "/usr"].map(str::to_owned))
            .find_map(|prefix| Self::at(Path::new(&prefix)))
            .ok_or_else(|| "no FreeSWITCH (set FREESWITCH_PREFIX to where it is installed)".to_owned())
    }

    fn at(prefix: &Path) -> Option<Self> {
        let binary = [prefix.join("bin/freeswitch"), prefix.join("freeswitch")]
            .into_iter()
            .find(|file| file.is_file())?;
        let modules = ["lib/freeswitch/mod", "mod", "lib/mod", "lib/x86_64-linux-gnu/freeswitch/mod"]
            .map(|dir| prefix.join(dir))
            .into_iter()
            .find(|dir| dir.join("mod_sofia.so").is_file())?;
        let libraries = prefix.join("lib");
        let libraries = libraries.join("libfreeswitch.so.1").exists().then_some(libraries);
        Some(Self { binary, modules, libraries })
    }
}
