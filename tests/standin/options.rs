//! The options of the program.

use crate::event_name::Release;
use std::collections::HashMap;
use std::ffi::CString;
use std::path::PathBuf;
use std::sync::OnceLock;

pub(crate) const USAGE: &str = "\
usage: nizam-standin [--conf DIR] [--release 1.10.0|1.10.12|1.11.2] [--name SWITCHNAME]
                     [--event-threads N] [--event-queue N] [--var NAME=VALUE]...";

pub(crate) struct Options {
    /// Where `nizam.conf.xml` and the rest of the static XML is.
    pub(crate) conf: Option<PathBuf>,
    /// Whose event ids and version to have.
    pub(crate) release: Release,
    pub(crate) name: CString,
    pub(crate) event_threads: usize,
    pub(crate) event_queue: usize,
    pub(crate) variables: HashMap<String, String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            conf: None,
            release: Release::V1_10_12,
            name: c"standin".to_owned(),
            event_threads: 1,
            // 10 000 for each of the two threads that a small machine may have (switch_event.c).
            event_queue: 20_000,
            variables: HashMap::new(),
        }
    }
}

static OPTIONS: OnceLock<Options> = OnceLock::new();

pub(crate) fn get() -> &'static Options {
    OPTIONS.get_or_init(Options::default)
}

/// Reads the command line; the options are fixed from then on.
pub(crate) fn read(mut words: impl Iterator<Item = String>) -> Result<(), String> {
    let mut options = Options::default();
    while let Some(name) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{name} needs a value\n{USAGE}"));
        match name.as_str() {
            "--conf" => options.conf = Some(value()?.into()),
            "--release" => options.release = value()?.parse()?,
            "--name" => options.name = CString::new(value()?).map_err(|error| error.to_string())?,
            "--event-threads" => options.event_threads = count(&name, &value()?)?,
            "--event-queue" => options.event_queue = count(&name, &value()?)?,
            "--var" => {
                let text = value()?;
                let (name, value) = text.split_once('=').ok_or_else(|| format!("--var {text}: no '='"))?;
                options.variables.insert(name.to_owned(), value.to_owned());
            }
            _ => return Err(format!("unknown option {name}\n{USAGE}")),
        }
    }
    OPTIONS.set(options).map_err(|_| "the options were read twice".to_owned())
}

fn count(name: &str, text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|count| *count > 0)
        .ok_or_else(|| format!("{name} {text}: not a number above zero"))
}
