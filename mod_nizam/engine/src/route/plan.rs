//! A route: what FreeSWITCH shall do with a call, step by step.

use crate::{Sink, Unwritable};
use nizam_wire::path::Path;
use nizam_wire::record::DestinationKind;
use nizam_wire::xml;
use std::ops::Range;

/// What a route leads to first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A destination of the tenant.
    To(DestinationKind),
    /// A gateway.
    Outbound,
    /// A gateway, for an emergency.
    Emergency,
    /// A mailbox that is asked for its messages.
    Mailbox,
    /// No such number, or nothing behind it: 404.
    Unknown,
    /// Two tenants have the number: 404.
    Ambiguous,
    /// The tenant's calls are refused: 403.
    Suspended,
    /// A policy, the caller's class of service or a missing gateway: 403 or 503.
    Refused,
    /// It went round and round.
    Loop,
}

impl Outcome {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::To(kind) => kind.name(),
            Self::Outbound => "outbound",
            Self::Emergency => "emergency",
            Self::Mailbox => "mailbox",
            Self::Unknown => "unknown",
            Self::Ambiguous => "ambiguous",
            Self::Suspended => "suspended",
            Self::Refused => "refused",
            Self::Loop => "loop",
        }
    }
}

/// One step of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Action<'a> {
    /// Application.
    pub application: &'static str,
    /// Its argument.
    pub data: &'a str,
}

/// A flat list of steps that always ends the call or hands it on.
#[derive(Clone, Debug)]
pub struct Route {
    /// What it leads to.
    pub outcome: Outcome,
    /// The UUID of the tenant whose call it is; none where nobody can say.
    pub tenant: Option<[u8; 16]>,
    /// The context, and behind it the arguments of all steps, in one piece of memory.
    text: String,
    context: usize,
    steps: Vec<(&'static str, Range<usize>)>,
    /// What the call has passed.
    pub(super) path: Path,
    /// Whether no step has said it yet.
    pub(super) unsaid: bool,
}

impl Route {
    /// A route without steps. What it leads to is unknown until it leads somewhere.
    pub(super) fn new(context: &str) -> Self {
        let mut text = String::with_capacity(1024);
        text.push_str(context);
        Self {
            outcome: Outcome::Unknown,
            tenant: None,
            text,
            context: context.len(),
            steps: Vec::with_capacity(20),
            path: Path::default(),
            unsaid: false,
        }
    }

    /// Adds a step whose argument is made of these pieces; before one that does something the step that says how the call came there.
    pub(super) fn add(&mut self, application: &'static str, data: &[&str]) {
        if self.unsaid && !matches!(application, "set" | "unset") {
            self.unsaid = false;
            let start = self.text.len();
            self.text.push_str("nizam_path=");
            self.text.push_str(self.path.as_str());
            self.steps.push(("set", start..self.text.len()));
        }
        let start = self.text.len();
        for piece in data {
            self.text.push_str(piece);
        }
        self.steps.push((application, start..self.text.len()));
    }

    /// The context that was asked for, in lower case.
    pub fn context(&self) -> &str {
        self.text.get(..self.context).unwrap_or_default()
    }

    /// The steps in order.
    pub fn actions(&self) -> impl Iterator<Item = Action<'_>> {
        self.steps.iter().map(|(application, range)| Action {
            application,
            data: self.text.get(range.clone()).unwrap_or_default(),
        })
    }

    /// The document that makes mod_dialplan_xml take these steps: one extension, one condition that always holds
    /// (`mod_dialplan_xml.c:parse_exten`).
    pub fn write(&self, out: &mut impl Sink) -> Result<(), Unwritable> {
        out.put(b"<document type=\"freeswitch/xml\"><section name=\"dialplan\"><context");
        xml::attribute(out, "name", self.context())?;
        out.put(b"><extension name=\"nizam\"><condition>");
        for action in self.actions() {
            out.put(b"<action application=\"");
            xml::literal(out, action.application);
            out.put(b"\" data=\"");
            xml::text(out, action.data)?;
            out.put(b"\"/>");
        }
        out.put(b"</condition></extension></context></section></document>");
        Ok(())
    }
}
