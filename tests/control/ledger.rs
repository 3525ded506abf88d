//! What FreeSWITCH was to do, and what it did.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::support::{Events, Site};

/// More than a command takes whose phone refuses.
const PATIENCE: Duration = Duration::from_secs(30);
/// The events that tell what FreeSWITCH does: an API command fires one when it is done (`switch_loadable_module.c:switch_api_execute`).
pub(crate) const EVENTS: &str = "API CHANNEL_CREATE CHANNEL_EXECUTE CHANNEL_HOLD CHANNEL_PARK CHANNEL_UNBRIDGE RECORD_START DTMF \
    CHANNEL_HANGUP_COMPLETE";
/// What commands run on a channel; their argument is nothing, or a channel.
const OF_COMMANDS: [&str; 3] = ["park", "eavesdrop", "uuid_bridge"];

/// A command and its argument.
type Command = (String, String);

/// What was asked for, and what came of it.
#[derive(Default)]
pub(crate) struct Ledger {
    /// The commands of the suite itself.
    own: BTreeMap<Command, usize>,
    /// The commands that requests were taken for.
    due: BTreeMap<Command, usize>,
    /// The channels that are to be made, and what variables they have.
    channels: BTreeMap<String, Vec<(&'static str, String)>>,
    pub(crate) refused: usize,
    pub(crate) accepted: usize,
    /// Every other outcome.
    pub(crate) others: Vec<String>,
}

/// What FreeSWITCH ran.
pub(crate) struct Ran {
    /// Commands that requests were taken for.
    pub(crate) due: usize,
    /// Commands that nobody asked for.
    pub(crate) second: Vec<String>,
}

/// Whether it is a question of nizamd's own, which compares phones and gateways whenever that is due.
fn is_nizamds((name, argument): &Command) -> bool {
    match name.as_str() {
        "show" => argument == "registrations as json",
        "sofia" => argument
            .strip_prefix("xmlstatus gateway ")
            .is_some_and(|gateway| gateway.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')),
        _ => false,
    }
}

impl Ledger {
    /// The suite itself has FreeSWITCH do something; what it says.
    pub(crate) fn ask(&mut self, site: &Site, command: &str, argument: &str) -> String {
        *self.own.entry((command.to_owned(), argument.to_owned())).or_default() += 1;
        site.switch.try_api(&format!("{command} {argument}")).unwrap()
    }

    /// FreeSWITCH is to do this, once for each time that it is said.
    pub(crate) fn due(&mut self, command: &str, argument: String) {
        *self.due.entry((command.to_owned(), argument)).or_default() += 1;
    }

    /// A channel is to be made, with any variables.
    pub(crate) fn made(&mut self, channel: &str) {
        self.made_with(channel, Vec::new());
    }

    /// A channel is to be made, with these variables.
    pub(crate) fn made_with(&mut self, channel: &str, variables: Vec<(&'static str, String)>) {
        self.channels.insert(channel.to_owned(), variables);
    }

    /// What FreeSWITCH told of its commands, once all that are due are done; of anything else too that it did for the tenant of `domain`.
    pub(crate) fn compare(&mut self, events: &Events, domain: &str) -> Ran {
        let due: usize = self.due.values().sum();
        let begun = Instant::now();
        let mut ran = self.commands(events);
        while ran.due < due && begun.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(100));
            ran = self.commands(events);
        }
        if ran.due < due {
            let seen = count(events);
            let missing = self.due.iter().filter(|(command, times)| seen.get(*command).unwrap_or(&0) < times);
            self.others.extend(missing.map(|(command, _)| format!("not run: {command:?}")));
        }
        self.channels(events);
        self.applications(events, domain);
        ran
    }

    fn commands(&self, events: &Events) -> Ran {
        let mut ran = Ran { due: 0, second: Vec::new() };
        for (command, times) in count(events).into_iter().filter(|(command, _)| !is_nizamds(command)) {
            let due = self.due.get(&command).copied().unwrap_or(0);
            let own = self.own.get(&command).copied().unwrap_or(0);
            let taken = times.saturating_sub(own).min(due);
            ran.due += taken;
            if times > own + due {
                ran.second.push(format!("{command:?}, {times} times instead of {}", own + due));
            }
        }
        ran
    }

    /// Every channel is one that was to be made, as it was to be made.
    fn channels(&mut self, events: &Events) {
        let mut awaited = self.channels.clone();
        for event in events.all(|event| event.is("CHANNEL_CREATE")) {
            let channel = event.get("Unique-ID");
            let Some(variables) = awaited.remove(channel) else {
                let name = event.get("Channel-Name");
                self.others.push(format!("a channel that nobody asked for: {channel} {name}"));
                continue;
            };
            for (name, want) in variables {
                let has = event.variable(name);
                if has != want {
                    self.others.push(format!("{name} is {has:?} instead of {want:?}"));
                }
            }
        }
        self.others.extend(awaited.iter().map(|made| format!("not made: {made:?}")));
    }

    /// Every application is one that a command or a route is made of.
    fn applications(&mut self, events: &Events, domain: &str) {
        for event in events.all(|event| event.is("CHANNEL_EXECUTE")) {
            let (application, data) = (event.get("Application"), event.get("Application-Data"));
            let of_command = data.is_empty() || self.channels.contains_key(data);
            let expected =
                is_of_route(application, data, domain) || (of_command && OF_COMMANDS.contains(&application));
            if !expected {
                self.others.push(format!("{application} {data:?} ran"));
            }
        }
    }
}

/// The commands that FreeSWITCH told of, and how often it ran each.
fn count(events: &Events) -> BTreeMap<Command, usize> {
    let mut all = BTreeMap::new();
    for event in events.all(|event| event.is("API")) {
        let command = (event.get("API-Command").to_owned(), event.get("API-Command-Argument").to_owned());
        *all.entry(command).or_default() += 1;
    }
    all
}

/// Whether an application is of a route: of numbers that nobody has, and of some in the corpus that are somebody's.
fn is_of_route(application: &str, data: &str, domain: &str) -> bool {
    match application {
        "set" | "respond" | "hangup" | "answer" | "sleep" => true,
        "event" => data.starts_with("Event-Name=CUSTOM,Event-Subclass=nizam::"),
        "voicemail" => data == format!("check default {domain}"),
        _ => false,
    }
}
