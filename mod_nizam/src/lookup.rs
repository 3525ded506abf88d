//! A lookup from FreeSWITCH's question to its answer.

use crate::config::Mode;
use crate::host::{Answer, Buffer, Level, Question, Section, log};
use nizam_engine::{DialplanQuestion, DirectoryAnswer, DirectoryQuestion, Engine};
use std::time::Instant;

/// Answers, and in shadow mode or for debugging says so in the log.
pub(crate) fn answer(engine: &Engine, mode: Mode, debug: bool, question: &Question<'_>) -> Answer {
    let section = question.section();
    // Every `*.conf` of the process is asked for here; none of them is ours.
    if section == Section::Other {
        return Answer::Pass;
    }
    if mode == Mode::Authoritative && !debug {
        return ask(engine, section, question).0;
    }
    let start = Instant::now();
    let (answer, said) = ask(engine, section, question);
    let took = start.elapsed().as_nanos();
    let asked = match section {
        Section::Directory => describe_directory(&question.directory()),
        _ => describe_dialplan(&question.dialplan()),
    };
    let size = match &answer {
        Answer::Text(buffer) => buffer.len(),
        _ => 0,
    };
    // Neither the answer's text, which holds passwords, nor more than names and numbers of the question.
    let would = if mode == Mode::Shadow { "would answer" } else { "answered" };
    log(Level::Notice, &format!("{asked}: {would} {said}, {size} bytes, {took} ns"));
    if mode == Mode::Shadow { Answer::Pass } else { answer }
}

fn ask(engine: &Engine, section: Section, question: &Question<'_>) -> (Answer, &'static str) {
    let mut buffer = Buffer::new();
    if section == Section::Directory {
        return match engine.directory(&question.directory(), &mut buffer) {
            DirectoryAnswer::NotOurs => (Answer::Pass, "not ours"),
            DirectoryAnswer::Found => (Answer::Text(buffer), "found"),
            DirectoryAnswer::Unknown => (Answer::Text(buffer), "unknown"),
            DirectoryAnswer::Refused => {
                (Answer::Text(buffer), "unknown, for a value that FreeSWITCH would bend")
            }
            DirectoryAnswer::List(root) => (Answer::Tree(root), "a list"),
        };
    }
    match engine.dialplan(&question.dialplan()) {
        None => (Answer::Pass, "not ours"),
        // A route is made of inert texts only; one that is not would be a fault of ours.
        Some(route) if route.write(&mut buffer).is_err() => {
            (Answer::Pass, "nothing, for an unwritable route")
        }
        Some(_) => (Answer::Text(buffer), "a route"),
    }
}

fn show(text: Option<&[u8]>) -> String {
    text.map_or_else(|| "-".to_owned(), |text| text.escape_ascii().take(80).map(char::from).collect())
}

fn describe_directory(question: &DirectoryQuestion<'_>) -> String {
    format!(
        "directory {}@{} action {} purpose {}",
        show(question.user),
        show(question.domain),
        show(question.action),
        show(question.purpose)
    )
}

fn describe_dialplan(question: &DialplanQuestion<'_>) -> String {
    format!("dialplan {} in {}", show(question.number), show(question.context))
}
