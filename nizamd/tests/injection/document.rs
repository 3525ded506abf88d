//! Answers as a parser reads them that is not ours, and what none of them may hold.

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};

/// An element of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) children: Vec<Node>,
}

/// Every element that an answer of ours has.
const ELEMENTS: [&str; 21] = [
    "document",
    "section",
    "domain",
    "groups",
    "group",
    "users",
    "user",
    "params",
    "param",
    "variables",
    "variable",
    "gateways",
    "gateway",
    "context",
    "extension",
    "condition",
    "action",
    "configuration",
    "menus",
    "menu",
    "entry",
];

/// Every application that a route has steps of.
const APPLICATIONS: [&str; 17] = [
    "answer",
    "bridge",
    "event",
    "hangup",
    "ivr",
    "limit",
    "mkdir",
    "play_and_get_digits",
    "playback",
    "record",
    "respond",
    "set",
    "sleep",
    "speak",
    "transfer",
    "unset",
    "voicemail",
];

/// What routes hand FreeSWITCH on purpose so that it is expanded, or read as an escape.
const MEANT: [&str; 5] = ["${originate_disposition}", "${recordings_dir}", "${uuid}", " \\d+", ":$1 XML "];

impl Node {
    /// The root of a document. There is nothing in it but elements and attributes.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut reader = quick_xml::Reader::from_str(text);
        let mut open: Vec<Self> =
            vec![Self { name: String::new(), attributes: Vec::new(), children: Vec::new() }];
        loop {
            let event = reader.read_event().map_err(|error| format!("{error}: {text}"))?;
            match event {
                Event::Start(tag) => open.push(Self::of(&tag)?),
                Event::Empty(tag) => open.last_mut().ok_or("no parent")?.children.push(Self::of(&tag)?),
                Event::End(_) => {
                    let done = open.pop().ok_or("no element")?;
                    open.last_mut().ok_or("no parent")?.children.push(done);
                }
                Event::Eof => {
                    let root = open.pop().and_then(|mut top| top.children.pop());
                    return root.filter(|_| open.is_empty()).ok_or_else(|| format!("no root: {text}"));
                }
                other => return Err(format!("{other:?} in {text}")),
            }
        }
    }

    fn of(tag: &BytesStart<'_>) -> Result<Self, String> {
        let name = tag.name().as_ref().to_owned();
        let mut attributes = Vec::new();
        for attribute in tag.attributes() {
            let attribute = attribute.map_err(|error| error.to_string())?;
            let value =
                attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|error| error.to_string())?;
            attributes.push((attribute.key.as_ref().to_owned(), value.into_owned()));
        }
        Ok(Self { name, attributes, children: Vec::new() })
    }

    /// The value of an attribute; empty without it.
    pub(crate) fn attribute(&self, name: &str) -> &str {
        self.attributes.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// With a change to every value, and users in one order: a list has them in that of their numbers.
    pub(crate) fn map(mut self, change: &impl Fn(&str) -> String) -> Self {
        for (_, value) in &mut self.attributes {
            *value = change(value);
        }
        self.children = self.children.into_iter().map(|child| child.map(change)).collect();
        self
    }

    /// Sorts users by what `key` makes of their ids.
    pub(crate) fn sort_users(&mut self, key: &impl Fn(&str) -> String) {
        if self.name == "users" {
            self.children.sort_by_cached_key(|user| key(user.attribute("id")));
        }
        for child in &mut self.children {
            child.sort_users(key);
        }
    }

    /// Whether there is nothing in it that FreeSWITCH would take for anything but text.
    pub(crate) fn harmless(&self) -> Result<(), String> {
        if !ELEMENTS.contains(&self.name.as_str()) {
            return Err(format!("an element {:?}", self.name));
        }
        let in_step = self.name == "action" || self.name == "entry" || self.name == "menu";
        if self.name == "action" && !APPLICATIONS.contains(&self.attribute("application")) {
            return Err(format!("a step {:?}", self.attribute("application")));
        }
        for (name, value) in &self.attributes {
            let rest = MEANT.iter().fold(value.clone(), |text, meant| text.replace(meant, ""));
            let bad = rest.contains("<!")
                || rest.contains("${")
                || rest.chars().any(char::is_control)
                || (in_step && name != "digits" && rest.contains(['$', '\\']));
            if bad {
                return Err(format!("{name}={value:?} in {}", self.name));
            }
        }
        self.children.iter().try_for_each(Self::harmless)
    }
}
