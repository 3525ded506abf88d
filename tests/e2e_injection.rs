//! Injection on a real FreeSWITCH: rows with hostile texts as it finds them, calls with hostile numbers and names, and commands
//! with hostile words. What it holds is the text, byte for byte, or no text; and nothing was executed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first surprise"
)]

mod injection;
mod support;

use std::{collections::BTreeSet, io::Write as _};

use injection::{CANARY, Flows, Found, Gateways, People, call, corpus};
use serde_json::json;
use support::{Site, require};

const DOMAIN: &str = "injection.test";

#[test]
fn hostile_texts_stay_text() {
    if !require(&["freeswitch", "sipp"]) {
        return;
    }
    let texts = corpus();
    let mut site = Site::start_without_phones();
    let events = site.switch.events();
    let globals = globals(&mut site);
    let mut found = Found::default();

    let people = People::make(&site, DOMAIN, &texts);
    let plain = site.extension_with(&people.tenant, DOMAIN, "3001", &json!({}));
    people.look_up(&mut site, &mut found);
    let flows = Flows::make(&site, &people.tenant, &texts);
    flows.walk(&site, &events, &plain, &mut found);
    let gateways = Gateways::make(&site, &people.tenant, &texts);
    gateways.look_up(&mut site, &mut found);
    let calls = call(&site, &events, &people, &mut found);
    let commands = commands(&mut site, &texts, &mut found);

    let changed = self::globals(&mut site);
    let changed = changed.symmetric_difference(&globals);
    found.others.extend(changed.map(|line| format!("a global variable: {line}")));
    let canaries = site.files().into_iter().filter(|file| file.contains(CANARY));
    found.others.extend(canaries.map(|file| format!("somebody made {file}")));
    assert!(site.switch.api("status").contains("is ready"));
    let said = format!(
        "injection on FreeSWITCH: {} strings, {} texts compared, {} left out of steps, {} refused, {calls} calls, {commands} commands, {} \
         others",
        texts.len(),
        found.compared,
        found.left_out,
        people.refused(),
        found.others.len()
    );
    drop(writeln!(std::io::stdout(), "{said}"));
    let shown: Vec<&str> = found.others.iter().take(40).map(String::as_str).collect();
    assert!(found.others.is_empty(), "{said}\n{}", shown.join("\n"));
}

/// The global variables, a line each.
fn globals(site: &mut Site) -> BTreeSet<String> {
    site.switch.api("global_getvar").lines().map(str::to_owned).collect()
}

/// Commands of the switch with each text as a word.
fn commands(site: &mut Site, texts: &[String], found: &mut Found) -> usize {
    let mut count = 0;
    // A command is a line.
    for text in texts.iter().filter(|text| !text.contains(['\n', '\r', '\0'])) {
        for (command, answers) in [
            (format!("nizam explain 3001@{DOMAIN} {text}"), &["+OK", "-ERR", "-USAGE"][..]),
            (format!("nizam lookup dialplan {DOMAIN} {text}"), &["+OK", "-ERR", "-USAGE", "<"]),
            (format!("nizam lookup directory {text}@{DOMAIN}"), &["+OK", "-ERR", "-USAGE", "<"]),
            (format!("user_exists id {text} {DOMAIN}"), &["false", "-USAGE", "-ERR"]),
        ] {
            count += 1;
            let answer = site.switch.api(&command);
            if !answers.iter().any(|known| answer.starts_with(known)) {
                found.other(format!("{command:?}: {answer}"));
            }
        }
    }
    count
}
