//! The command that a request stands for: written down here once more, so that one that says something else is seen.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::{House, Ledger, Operation};

/// What a request says, as docs/api.md reads it: texts are trimmed, empty ones are not there.
struct Arguments(Map<String, Value>);

impl Arguments {
    fn read(body: &Value) -> Self {
        let texts =
            body.as_object().unwrap().iter().map(|(name, value)| (name, value.as_str().unwrap().trim()));
        let there = texts.filter(|(_, text)| !text.is_empty());
        Self(there.map(|(name, text)| (name.clone(), text.into())).collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    fn or<'a>(&'a self, name: &str, usual: &'a str) -> &'a str {
        self.get(name).unwrap_or(usual)
    }

    /// What is a word of a command has nothing in it that ends a word, or begins something else.
    fn word<'a>(&'a self, name: &str, usual: &'a str) -> &'a str {
        let text = self.or(name, usual);
        let plain = |c: char| c.is_ascii_alphanumeric() || "_+*#.-".contains(c);
        let is_word = text.chars().all(plain) && !text.starts_with('-') && !text.is_empty();
        assert!(is_word, "{text:?} was taken for {name}");
        text
    }

    fn channel(&self, name: &str) -> String {
        let text = self.get(name).unwrap_or_else(|| panic!("{name} is not there"));
        let id =
            Uuid::try_parse(text).unwrap_or_else(|error| panic!("{text:?} was taken for a channel: {error}"));
        id.to_string()
    }
}

/// Notes what FreeSWITCH is to do for a request that was taken.
pub(super) fn expect(
    house: &House,
    operation: &Operation,
    body: &Value,
    answer: &Value,
    ledger: &mut Ledger,
) {
    let given = &Arguments::read(body);
    let House { tenant, domain, .. } = house;
    let channel = || given.channel(if given.get("uuid").is_some() { "uuid" } else { "call_uuid" });
    let made = || answer["call_uuid"].as_str().expect("a call that is made has an id").to_owned();
    let (command, argument) = match operation.name.as_str() {
        "status" => ("show", "channels as json".to_owned()),
        "hangup" => ("uuid_kill", format!("{} {}", channel(), given.word("cause", "NORMAL_CLEARING"))),
        "transfer" => {
            let leg = match given.or("leg", "aleg") {
                "aleg" => "",
                "bleg" => "-bleg ",
                "both" => "-both ",
                other => panic!("{other:?} was taken for a leg"),
            };
            ("uuid_transfer", format!("{} {leg}{} XML {domain}", channel(), given.word("destination", "")))
        }
        "hold" => {
            let action = match given.or("action", "toggle") {
                "hold" => "",
                "unhold" => "off ",
                "toggle" => "toggle ",
                other => panic!("{other:?} was taken for an action"),
            };
            ("uuid_hold", format!("{action}{}", channel()))
        }
        "recording" => return recording(house, given, &channel(), answer, ledger),
        "park" => ("uuid_park", channel()),
        "dtmf" => ("uuid_send_dtmf", format!("{} {}", channel(), given.word("digits", ""))),
        "bridge" => ("uuid_bridge", format!("{} {}", channel(), given.channel("other_uuid"))),
        "eavesdrop" => {
            let (listener, extension) = (made(), given.word("extension", ""));
            ledger.made_with(&listener, vec![("nizam_tenant", tenant.clone())]);
            let variables = format!("origination_uuid={listener},nizam_tenant={tenant},originate_timeout=60");
            ("originate", format!("{{{variables}}}user/{extension}@{domain} &eavesdrop({})", channel()))
        }
        "originate" => {
            let (caller, extension) = (made(), given.word("extension", ""));
            let number = given.word("caller_id_number", extension);
            // The first name of every phone of the suites.
            let name = given.or("caller_id_name", "Phone");
            let variables = [
                ("origination_uuid", caller.clone()),
                ("nizam_tenant", tenant.clone()),
                ("origination_caller_id_name", name.to_owned()),
                ("origination_caller_id_number", number.to_owned()),
                ("user_name", extension.to_owned()),
                ("domain_name", (*domain).to_owned()),
                ("originate_timeout", "60".to_owned()),
            ];
            let quoted = |(key, value): &(&str, String)| match *key {
                "origination_caller_id_name" => format!("{key}='{value}'"),
                key => format!("{key}={value}"),
            };
            let written = variables.iter().map(quoted).collect::<Vec<_>>().join(",");
            // Somebody whose phone is not there.
            if answer["response"] != "-ERR USER_NOT_REGISTERED" {
                ledger.made_with(&caller, variables.to_vec());
            }
            let destination = given.word("destination", "");
            ("originate", format!("{{{written}}}user/{extension}@{domain} {destination} XML {domain}"))
        }
        name => panic!("the suite does not know what calls.{name} has FreeSWITCH do"),
    };
    ledger.due(command, argument);
}

/// The only operation of two commands: what shall be the other of recorded and not recorded is stopped, and recorded if it was not.
fn recording(house: &House, given: &Arguments, channel: &str, answer: &Value, ledger: &mut Ledger) {
    let said = answer["message"].as_str().unwrap_or_default();
    let commands: &[&str] = match (given.or("action", "toggle"), said) {
        ("start", _) => &["start"],
        ("stop", _) | ("toggle", "Recording stop command sent.") => &["stop"],
        ("toggle", _) => &["stop", "start"],
        (other, _) => panic!("{other:?} was taken for an action"),
    };
    let file = house.recordings.join(&house.tenant).join(format!("{channel}.wav"));
    for command in commands {
        ledger.due("uuid_record", format!("{channel} {command} {}", file.display()));
    }
}
