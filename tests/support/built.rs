//! The programs of this workspace that the suites run.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// A directory with `nizamd` and the module.
pub(crate) struct Built {
    dir: PathBuf,
}

impl Built {
    /// `NIZAM_BIN_DIR`, else what cargo builds now, once a process.
    pub(crate) fn get() -> &'static Self {
        static BUILT: OnceLock<Built> = OnceLock::new();
        BUILT.get_or_init(|| {
            if let Some(dir) = std::env::var_os("NIZAM_BIN_DIR").filter(|dir| !dir.is_empty()) {
                return Self { dir: dir.into() };
            }
            let mut cargo = Command::new(env!("CARGO"));
            cargo.current_dir(env!("CARGO_MANIFEST_DIR")).args([
                "build",
                "--quiet",
                "-p",
                "mod_nizam",
                "-p",
                "nizamd",
            ]);
            assert!(cargo.status().unwrap().success(), "cargo build -p mod_nizam -p nizamd failed");
            // The stand-in is a binary of this package, so cargo has put it next to the others.
            Self { dir: Path::new(env!("CARGO_BIN_EXE_nizam-standin")).parent().unwrap().to_owned() }
        })
    }

    pub(crate) fn nizamd(&self) -> PathBuf {
        self.dir.join("nizamd")
    }

    /// The module under the name that FreeSWITCH wants, or the one that cargo gives it.
    pub(crate) fn module(&self) -> PathBuf {
        let installed = self.dir.join("mod_nizam.so");
        if installed.is_file() { installed } else { self.dir.join("libmod_nizam.so") }
    }
}
