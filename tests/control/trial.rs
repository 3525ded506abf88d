//! Hostile strings in every argument of every operation, by somebody who may do all of it in the own tenant.

use serde_json::Value;

use super::expectation::expect;
use super::strings::strings;
use super::victims::Victims;
use super::{House, Ledger, Operation};
use crate::support::Site;

/// Fewest strings for an argument.
const FEWEST: usize = 200;

/// Tries everything; `own` is an extension whose names are hostile.
pub(crate) fn trial(site: &Site, house: &House, own: &str, operations: &[Operation], ledger: &mut Ledger) {
    let mut victims = Victims::default();
    for operation in operations {
        usual(site, house, operation, &mut victims, ledger);
        for argument in &operation.arguments {
            hostile(site, house, operation, argument, &mut victims, ledger);
        }
    }
    // What a request leaves out is taken from the extension.
    let originate = operations.iter().find(|operation| operation.name == "originate").unwrap();
    let texts = [("extension", own), ("caller_id_name", ""), ("caller_id_number", "")];
    let answer = attempt(house, originate, &texts, ["", ""], ledger);
    assert!(answer.is_some_and(|answer| answer["response"] == "-ERR USER_NOT_REGISTERED"));
    ledger.accepted += 1;
}

/// What is usual is done: what is refused afterwards is so for what it says.
fn usual(site: &Site, house: &House, operation: &Operation, victims: &mut Victims, ledger: &mut Ledger) {
    let [channel, other] = victims.pair(site, house, ledger);
    let rings = operation.rings().then_some(("extension", House::TAKES));
    let answer = attempt(house, operation, rings.as_slice(), [&channel, &other], ledger)
        .unwrap_or_else(|| panic!("calls.{} is refused", operation.name));
    let done = answer["response"].as_str().is_none_or(|response| response.starts_with("+OK"));
    assert!(done, "{}: {answer}", operation.name);
    victims.after(operation, site, ledger);
}

fn hostile(
    site: &Site,
    house: &House,
    operation: &Operation,
    argument: &str,
    victims: &mut Victims,
    ledger: &mut Ledger,
) {
    let first = victims.pair(site, house, ledger);
    let mut texts = strings(argument, &operation.usual(argument, [&first[0], &first[1]]));
    if argument == "other_uuid" {
        // A call that is to talk to itself.
        texts.push(first[0].clone());
    }
    assert!(texts.len() >= FEWEST, "{}", texts.len());
    for text in &texts {
        let [channel, other] = victims.pair(site, house, ledger);
        // The strings were made of channels that may be gone by now.
        let text = in_place_of(&first[1], &other, &in_place_of(&first[0], &channel, text));
        let mut given = vec![(argument, text.as_str())];
        // Where a call goes shows when somebody has taken it.
        if argument == "destination" && operation.rings() {
            given.push(("extension", House::TAKES));
        }
        if attempt(house, operation, &given, [&channel, &other], ledger).is_some() {
            ledger.accepted += 1;
            victims.after(operation, site, ledger);
        } else {
            ledger.refused += 1;
        }
    }
    assert!(victims.are_well(site, ledger), "a channel ended by itself during {} {argument}", operation.name);
}

/// A text with one channel in the place of another, however it is written.
fn in_place_of(old: &str, new: &str, text: &str) -> String {
    let forms = |id: &str| [id.to_owned(), id.replace('-', ""), id.to_uppercase()];
    forms(old).iter().zip(&forms(new)).fold(text.to_owned(), |text, (old, new)| text.replace(old, new))
}

/// Sends a request, and notes what FreeSWITCH is to do for it. None: refused.
fn attempt(
    house: &House,
    operation: &Operation,
    texts: &[(&str, &str)],
    channels: [&str; 2],
    ledger: &mut Ledger,
) -> Option<Value> {
    let body = operation.body(texts, channels);
    let (status, answer) = house.user.attempt(&operation.method, &operation.path(&house.tenant), &body);
    match status {
        200 => {
            expect(house, operation, &body, &answer, ledger);
            return Some(answer);
        }
        404 | 422 => {}
        // The switch is gone: whatever comes after this says nothing.
        503 => panic!("{} {texts:?}: {answer}", operation.name),
        _ => ledger.others.push(format!("{} {texts:?}: {status} {answer}", operation.name)),
    }
    None
}
