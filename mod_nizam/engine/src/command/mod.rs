//! The commands of `nizam …` in fs_cli: words in, text out.

mod explain;
mod lookup;
mod spool;
mod status;

use crate::Engine;
use std::time::Duration;

/// What a command says besides the engine's own state.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Version of mod_nizam.
    pub module_version: String,
    /// `switch_version_full()`.
    pub freeswitch_version: String,
    /// FreeSWITCH's switch name.
    pub switch_name: String,
    /// `authoritative` or `shadow`.
    pub mode: &'static str,
    /// The daemon's socket.
    pub socket: String,
    /// The snapshot's directory.
    pub snapshot: String,
    /// How long the module has been loaded.
    pub uptime: Duration,
    /// How many panics were caught.
    pub panics: u64,
    /// Whether every lookup is logged.
    pub debug: bool,
}

/// What a command leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// What to print; starts with `+OK`, `-ERR` or `-USAGE`.
    pub text: String,
    /// What to switch.
    pub debug: Option<bool>,
}

/// The usage line.
pub const USAGE: &str = "-USAGE: nizam status [json] | spool | generation | lookup directory USER@DOMAIN | \
     lookup dialplan CONTEXT NUMBER [CALLER] | explain FROM TO [at TIME] | bench [COUNT] | debug on|off\n";

/// What fs_cli completes, without the leading `nizam`. [`TENANTS`] stands for a list of domains.
pub const COMPLETIONS: [&str; 10] = [
    "status",
    "status json",
    "spool",
    "generation",
    "lookup directory",
    "lookup dialplan ::nizam::domains",
    "explain",
    "bench",
    "debug on",
    "debug off",
];

/// The name of the completion that lists domains.
pub const TENANTS: &str = "::nizam::domains";

const BENCH_DEFAULT: usize = 100_000;
const BENCH_MOST: usize = 5_000_000;

/// Runs a command line without its first word `nizam`.
pub fn run(engine: &Engine, facts: &Facts, line: &str) -> Reply {
    let words: Vec<&str> = line.split_whitespace().collect();
    let text = match words.as_slice() {
        ["status"] => status::text(engine, facts),
        ["status", "json"] => status::json(engine, facts),
        ["spool"] => spool::text(engine),
        ["generation"] => format!("+OK {}\n", engine.live.load().generation()),
        ["lookup", "directory", address] => lookup::directory(engine, address),
        ["lookup", "dialplan", context, number] => lookup::dialplan(engine, context, number, None),
        ["lookup", "dialplan", context, number, caller] => {
            lookup::dialplan(engine, context, number, Some(caller))
        }
        ["explain", from, to] => explain::explain(engine, from, to, None),
        ["explain", from, to, "at", time @ ..] if !time.is_empty() => {
            explain::explain(engine, from, to, Some(&time.join(" ")))
        }
        ["bench"] => bench(engine, BENCH_DEFAULT),
        ["bench", count] => match count.parse() {
            Ok(count @ 1..=BENCH_MOST) => bench(engine, count),
            _ => format!("-ERR COUNT must be a number from 1 to {BENCH_MOST}, not {count}\n"),
        },
        ["debug", word @ ("on" | "off")] => {
            let debug = *word == "on";
            return Reply { text: format!("+OK every lookup is logged: {word}\n"), debug: Some(debug) };
        }
        _ => USAGE.to_owned(),
    };
    Reply { text, debug: None }
}

fn bench(engine: &Engine, count: usize) -> String {
    let Some((directory, dialplan)) = crate::bench(engine, count) else {
        return "-ERR there is no user to look up: no image, or an empty one\n".to_owned();
    };
    let mut text = format!("+OK {count} lookups of each kind, key to bytes\n");
    for (name, measured) in [("directory", directory), ("dialplan", dialplan)] {
        text.push_str(name);
        for (label, nanoseconds) in [("p50", measured.p50), ("p99", measured.p99), ("max", measured.max)] {
            text.push_str(&[" ", label, "=", &nanoseconds.to_string(), "ns"].concat());
        }
        text.push('\n');
    }
    text
}
