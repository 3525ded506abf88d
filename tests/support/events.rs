//! The events of a switch, as its event socket tells them.

use std::{
    collections::HashMap,
    net::{Shutdown, TcpStream},
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{call::Step, esl::Esl};

/// Longer than anything that is waited for.
const LONG: Duration = Duration::from_mins(1);

/// One event.
#[derive(Clone)]
pub(crate) struct Event(HashMap<String, String>);

impl Event {
    /// Reads the form `json`. In the form `plain` a `%` before two digits is left as it is (`switch_utils.c:switch_url_encode_opt`),
    /// so that a text cannot be told from its escaped form.
    fn parse(text: &str) -> Self {
        let headers: serde_json::Map<String, Value> = serde_json::from_str(text).unwrap_or_else(|error| {
            // Whoever misses it finds this in the output of the test.
            eprintln!("an event is no JSON ({error}): {text}");
            serde_json::Map::new()
        });
        let text = |value: Value| match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        Self(headers.into_iter().map(|(name, value)| (name, text(value))).collect())
    }

    /// A header; empty where there is none.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// A variable of the channel.
    pub(crate) fn variable(&self, name: &str) -> &str {
        self.get(&format!("variable_{name}"))
    }

    /// Whether it is of that name, or of that subclass.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.get("Event-Name") == name || self.get("Event-Subclass") == name
    }
}

/// What a failed test says of it: there are some hundred headers.
impl std::fmt::Debug for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut all = f.debug_map();
        for name in ["Event-Name", "Event-Subclass", "Hangup-Cause", "variable_nizam_refused"] {
            all.entry(&name, &self.get(name));
        }
        all.finish()
    }
}

/// All events since the subscription.
pub(crate) struct Events {
    seen: Arc<Seen>,
    stream: TcpStream,
}

#[derive(Default)]
struct Seen {
    events: Mutex<Vec<Event>>,
    more: Condvar,
}

impl Events {
    /// Subscribes on that connection.
    pub(super) fn subscribe(mut esl: Esl, names: &str) -> Self {
        let stream = esl.subscribe(names).unwrap();
        let seen = Arc::new(Seen::default());
        let writer = Arc::clone(&seen);
        // It ends with the connection.
        thread::spawn(move || {
            let end = loop {
                match esl.event() {
                    Ok(text) => {
                        let event = Event::parse(&text);
                        writer.events.lock().unwrap_or_else(PoisonError::into_inner).push(event);
                    }
                    Err(end) => break end,
                }
                writer.more.notify_all();
            };
            eprintln!("no more events: {end}");
        });
        Self { seen, stream }
    }

    /// The first event that fits, waited for.
    #[track_caller]
    pub(crate) fn wait(&self, what: &str, fits: impl Fn(&Event) -> bool) -> Event {
        self.wait_from(0, what, fits)
    }

    /// The first event that fits, of those from `first` on.
    #[track_caller]
    pub(crate) fn wait_from(&self, first: usize, what: &str, fits: impl Fn(&Event) -> bool) -> Event {
        let deadline = Instant::now() + LONG;
        let mut events = self.seen.events.lock().unwrap_or_else(PoisonError::into_inner);
        let mut looked = first;
        loop {
            if let Some(event) = events.iter().skip(looked).find(|event| fits(event)) {
                return event.clone();
            }
            looked = looked.max(events.len());
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "waited in vain for {what}");
            events = self.seen.more.wait_timeout(events, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// So many events were told by now.
    pub(crate) fn count(&self) -> usize {
        self.seen.events.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// So many fit so far.
    pub(crate) fn count_of(&self, fits: impl Fn(&Event) -> bool) -> usize {
        let events = self.seen.events.lock().unwrap_or_else(PoisonError::into_inner);
        events.iter().filter(|event| fits(event)).count()
    }

    /// All that fit so far.
    pub(crate) fn all(&self, fits: impl Fn(&Event) -> bool) -> Vec<Event> {
        let events = self.seen.events.lock().unwrap_or_else(PoisonError::into_inner);
        events.iter().filter(|event| fits(event)).cloned().collect()
    }

    /// The channel of the call with that SIP Call-ID.
    pub(crate) fn of_call(&self, id: &str) -> String {
        let channel = self.wait("the channel of a call", |event| event.variable("sip_call_id") == id);
        channel.get("Unique-ID").to_owned()
    }

    /// The applications that a channel ran so far, with their arguments.
    pub(crate) fn steps(&self, uuid: &str) -> Vec<Step> {
        let taken = self.all(|event| event.is("CHANNEL_EXECUTE") && event.get("Unique-ID") == uuid);
        let step = |event: &Event| Step {
            application: event.get("Application").to_owned(),
            data: event.get("Application-Data").to_owned(),
        };
        taken.iter().map(step).collect()
    }

    /// Waits until a channel runs an application.
    #[track_caller]
    pub(crate) fn wait_for_step(&self, uuid: &str, application: &str, data: &str) -> Event {
        self.wait(&format!("{application} {data}"), |event| {
            event.is("CHANNEL_EXECUTE")
                && event.get("Unique-ID") == uuid
                && event.get("Application") == application
                && event.get("Application-Data").starts_with(data)
        })
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        // Ends the thread; a switch that is gone has done so already.
        drop(self.stream.shutdown(Shutdown::Both));
    }
}
