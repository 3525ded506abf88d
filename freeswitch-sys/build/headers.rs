//! Where FreeSWITCH's headers come from.

use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

/// The directories for the compiler, and the words by which a person recognises them.
pub(crate) struct Headers {
    pub(crate) source: String,
    pub(crate) dirs: Vec<PathBuf>,
}

/// `FREESWITCH_INCLUDE_DIR`, pkg-config, `FREESWITCH_PREFIX`, then the crate fswtch-src.
pub(crate) fn find(out_dir: &Path) -> Result<Headers, Box<dyn Error>> {
    for name in ["FREESWITCH_INCLUDE_DIR", "FREESWITCH_PREFIX"] {
        println!("cargo:rerun-if-env-changed={name}");
    }
    if let Some(dir) = variable("FREESWITCH_INCLUDE_DIR") {
        return installed(format!("FREESWITCH_INCLUDE_DIR={}", dir.display()), dir);
    }
    if let Some(found) = from_pkg_config() {
        return Ok(found);
    }
    if let Some(prefix) = variable("FREESWITCH_PREFIX") {
        let dir = prefix.join("include/freeswitch");
        return installed(format!("FREESWITCH_PREFIX={}", prefix.display()), dir);
    }
    shipped(out_dir)
}

fn variable(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

fn installed(source: String, dir: PathBuf) -> Result<Headers, Box<dyn Error>> {
    if dir.join("switch.h").is_file() {
        return Ok(Headers { source, dirs: vec![dir] });
    }
    Err(format!("{source}: {} has no switch.h", dir.display()).into())
}

/// Only include directories are taken: a module must not name libfreeswitch as a dependency of its own, the
/// `freeswitch` program brings it in, and the stand-in host has none.
fn from_pkg_config() -> Option<Headers> {
    let library =
        pkg_config::Config::new().cargo_metadata(false).env_metadata(true).probe("freeswitch").ok()?;
    let has_header = library.include_paths.iter().any(|dir| dir.join("switch.h").is_file());
    has_header.then(|| Headers {
        source: format!("pkg-config freeswitch {}", library.version),
        dirs: library.include_paths,
    })
}

/// The crate ships the headers as they are in git, so the one that `configure` generates is missing.
fn shipped(out_dir: &Path) -> Result<Headers, Box<dyn Error>> {
    let generated = out_dir.join("include");
    fs::create_dir_all(&generated)?;
    fs::write(generated.join("switch_am_config.h"), AM_CONFIG)?;
    let mut dirs = vec![generated];
    dirs.extend(fswtch_src::include_dirs());
    Ok(Headers { source: "fswtch-src 0.1.8".to_owned(), dirs })
}

/// What `configure` decides on 64-bit Linux; nothing in the bindings depends on the prefix.
const AM_CONFIG: &str = r#"#ifndef SWITCH_AM_CONFIG_H
#define SWITCH_AM_CONFIG_H
#define SWITCH_INT_16 short
#define SWITCH_INT_32 int
#define SWITCH_INT_64 long
#define SWITCH_SIZE_T size_t
#define SWITCH_SSIZE_T ssize_t
#define SWITCH_SIZEOF_VOIDP 8
#define SWITCH_PREFIX_DIR "/usr"
#define SWITCH_SSIZE_T_FMT "ld"
#define SWITCH_SIZE_T_FMT "ld"
#define SWITCH_INT64_T_FMT "ld"
#define SWITCH_UINT64_T_FMT "lu"
#endif
"#;
