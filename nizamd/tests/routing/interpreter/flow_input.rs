//! The step of a flow that asks for digits.

use super::flow::variable_name;
use super::json::{integer_in, text};
use super::prompt::{self, Prompt};
use super::walk::Walk;
use serde_json::Value;

/// What is played where nothing is to be heard.
const SILENCE: &str = "silence_stream://250";

pub(super) fn ask(walk: &mut Walk<'_>, data: &Value) {
    let count = |name: &str, otherwise: i64| integer_in(&data[name], 1, 128).unwrap_or(otherwise);
    let min = count("min_digits", 1);
    let max = count("max_digits", 1).max(min);
    let tries = count("tries", 1);
    let milliseconds = integer_in(&data["timeout"], 1, 300).unwrap_or(5) * 1000;
    let is_key = |c: char| c.is_ascii_digit() || c == '*' || c == '#';
    let terminators = text(data, "terminators").filter(|keys| keys.chars().all(is_key)).unwrap_or("#");
    let file = match prompt::of_step(walk.scope, data) {
        Some(Prompt::File(file)) if is_one_argument(&file) => file,
        Some(prompt) => {
            prompt.play(walk);
            SILENCE.to_owned()
        }
        None => SILENCE.to_owned(),
    };
    let variable = variable(data);
    walk.step(
        "play_and_get_digits",
        format!("{min} {max} {tries} {milliseconds} {terminators} {file} {SILENCE} flow_{variable} \\d+"),
    );
    walk.collected = true;
}

/// Whether it stays one argument among others, and one file.
fn is_one_argument(file: &str) -> bool {
    !file.contains(|c: char| c.is_whitespace() || "'\",|()[]{}<>".contains(c))
}

/// The variable that holds what was pressed, without `flow_`.
pub(super) fn variable(data: &Value) -> String {
    variable_name(text(data, "variable").unwrap_or("digits"))
}
