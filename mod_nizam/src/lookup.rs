//! A lookup from FreeSWITCH's question to its answer.

use crate::config::Mode;
use crate::host::{Answer, Buffer, Level, Question, Section, log};
use crate::worker;
use nizam_engine::{DialplanQuestion, DirectoryAnswer, DirectoryQuestion, Engine, Route, is_taken};
use std::time::Instant;

/// How lookups are answered at the moment.
#[derive(Clone, Copy)]
pub(crate) struct Manner {
    pub(crate) mode: Mode,
    pub(crate) debug: bool,
}

impl Manner {
    /// Whether nothing is to be logged about a lookup.
    fn is_quiet(self) -> bool {
        self.mode == Mode::Authoritative && !self.debug
    }

    /// Says what was asked, what came of it and how long it took since `start`. Neither the answer's text, which holds
    /// passwords, nor more than names and numbers of the question.
    fn say(self, asked: &str, said: &str, start: Instant) {
        let took = start.elapsed().as_nanos();
        let would = if self.mode == Mode::Shadow { "would answer" } else { "answered" };
        log(Level::Notice, &format!("{asked}: {would} {said}, {took} ns"));
    }
}

/// Answers a lookup of the XML registry.
pub(crate) fn answer(engine: &Engine, manner: Manner, question: &Question<'_>) -> Answer {
    let section = question.section();
    if section == Section::Other {
        return Answer::Pass;
    }
    let start = Instant::now();
    let (answer, said) = ask(engine, section, question);
    let tally = match section {
        Section::Directory => Some(&engine.counters.directory),
        Section::Dialplan => Some(&engine.counters.dialplan),
        Section::Menu | Section::Other => None,
    };
    if let Some(tally) = tally {
        tally.latency.note(start.elapsed());
    }
    if let Answer::Tree(root) = &answer
        && manner.mode == Mode::Authoritative
        && question.directory().purpose == Some(b"gateways")
    {
        worker::given(root);
    }
    if manner.is_quiet() {
        return answer;
    }
    let asked = match section {
        Section::Directory => describe_directory(&question.directory()),
        Section::Menu => format!("menu {}", show(question.menu())),
        _ => format!("dialplan {}", describe_call(&question.dialplan())),
    };
    let size = match &answer {
        Answer::Text(buffer) => buffer.len(),
        _ => 0,
    };
    manner.say(&asked, &format!("{said}, {size} bytes"), start);
    if manner.mode == Mode::Shadow { Answer::Pass } else { answer }
}

/// Routes a call of the dialplan interface. `None`: not ours, FreeSWITCH hunts in its other dialplans.
pub(crate) fn hunt(engine: &Engine, manner: Manner, question: &DialplanQuestion<'_>) -> Option<Route> {
    let start = Instant::now();
    let (route, said) = route(engine, question);
    engine.counters.dialplan.latency.note(start.elapsed());
    if manner.is_quiet() {
        return route;
    }
    let steps = route.as_ref().map_or(0, |route| route.actions().count());
    manner.say(&format!("hunt {}", describe_call(question)), &format!("{said}, {steps} steps"), start);
    route.filter(|_| manner.mode == Mode::Authoritative)
}

fn ask(engine: &Engine, section: Section, question: &Question<'_>) -> (Answer, &'static str) {
    let mut buffer = Buffer::new();
    match section {
        Section::Directory => match engine.directory(&question.directory(), &mut buffer) {
            DirectoryAnswer::NotOurs => (Answer::Pass, "not ours"),
            DirectoryAnswer::Found => (Answer::Text(buffer), "found"),
            DirectoryAnswer::Unknown => (Answer::Text(buffer), "unknown"),
            DirectoryAnswer::Refused => {
                (Answer::Text(buffer), "unknown, for a value that FreeSWITCH would bend")
            }
            DirectoryAnswer::List(root) => (Answer::Tree(root), "a list"),
        },
        Section::Menu => match question.menu() {
            Some(name) if engine.menu(name, &mut buffer) => (Answer::Text(buffer), "a menu"),
            _ => (Answer::Pass, "not ours"),
        },
        Section::Dialplan => match route(engine, &question.dialplan()) {
            (Some(route), _) if route.write(&mut buffer).is_err() => (Answer::Pass, UNTAKEN),
            (Some(_), said) => (Answer::Text(buffer), said),
            (None, said) => (Answer::Pass, said),
        },
        Section::Other => (Answer::Pass, "not ours"),
    }
}

/// A route is made of inert texts only; one that is not would be a fault of ours.
const UNTAKEN: &str = "nothing, for a route that FreeSWITCH would not take";

/// The same for both ways in which FreeSWITCH asks.
fn route(engine: &Engine, question: &DialplanQuestion<'_>) -> (Option<Route>, &'static str) {
    match engine.dialplan(question) {
        None => (None, "not ours"),
        Some(route) if route.actions().all(|action| is_taken(action.data)) => (Some(route), "a route"),
        Some(_) => (None, UNTAKEN),
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

fn describe_call(question: &DialplanQuestion<'_>) -> String {
    let mut text = format!("{} in {}", show(question.number), show(question.context));
    for (word, value) in [(" from ", question.address), (" through ", question.gateway)] {
        if value.is_some() {
            text.push_str(&[word, &show(value)].concat());
        }
    }
    text
}
