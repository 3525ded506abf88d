//! What is read of events is what the module keeps of them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// What has the form of a header's name, and is the value of one.
const VALUES: [&str; 8] = [
    "leave-message",
    "change-password",
    "start-talking",
    "stop-talking",
    "floor-change",
    "energy-level",
    "gain-level",
    "volume-level",
];

/// What asks for one header, and says its name.
const ASKS: [&str; 4] = [".text(", ".number(", ".real(", ".time("];

/// The module's list, as it is written down.
fn kept() -> BTreeSet<String> {
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../mod_nizam/src/host/allowed.rs");
    let list = fs::read_to_string(list).unwrap();
    list.split(", c\"").skip(1).filter_map(|text| Some(text.split_once('"')?.0.to_owned())).collect()
}

/// The names of headers in this directory, tests left out.
fn read() -> BTreeSet<String> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/call");
    let mut names = BTreeSet::new();
    for file in fs::read_dir(here).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if path.extension().is_none_or(|ending| ending != "rs") || name.ends_with("tests") {
            continue;
        }
        let source = fs::read_to_string(&path).unwrap();
        let code = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        let code: String = lines.collect();
        let parts: Vec<&str> = code.split('"').collect();
        // Between two quotes every other part is a text.
        for pair in parts.chunks(2) {
            let [before, text] = pair else { continue };
            if ASKS.iter().any(|ask| before.ends_with(ask)) || looks_like_a_header(text) {
                names.insert((*text).to_owned());
            }
        }
    }
    names
}

fn looks_like_a_header(text: &str) -> bool {
    let known = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    let ours = text.starts_with("variable_") || text.starts_with("nizam_");
    known && !text.ends_with('_') && (ours || text.trim_matches('-').contains('-')) && !VALUES.contains(&text)
}

#[test]
fn every_header_that_is_read_is_kept() {
    let (read, kept) = (read(), kept());
    for known in ["Unique-ID", "variable_billsec", "variable_local_media_port", "CC-Queue", "Gateway"] {
        assert!(read.contains(known), "{known} is read: {read:?}");
    }
    let missing: Vec<&String> = read.difference(&kept).collect();
    assert!(missing.is_empty(), "read, and never there: {missing:?}");
}
