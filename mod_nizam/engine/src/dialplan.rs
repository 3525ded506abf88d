//! Dialplan lookups: from a number to what FreeSWITCH shall do.

use crate::directory::{User, is_dialable};
use crate::layers::{Layers, LowerKey};
use crate::{Sink, Unwritable};
use nizam_wire::Kind;
use nizam_wire::image::PLATFORM;
use nizam_wire::record::{Extension, State, Tenant};
use nizam_wire::xml;
use std::ops::Range;
use uuid::Uuid;

/// The channel that is routed, for what a walk asks only now and then.
pub trait Channel {
    /// The value of a variable.
    fn variable(&self, name: &str) -> Option<&[u8]>;
}

/// A channel without variables.
#[derive(Clone, Copy, Debug)]
pub struct NoChannel;

impl Channel for NoChannel {
    fn variable(&self, _: &str) -> Option<&[u8]> {
        None
    }
}

/// What is known of a call that is to be routed. Bytes, not text: much of it comes from a SIP message.
#[derive(Clone, Copy)]
pub struct DialplanQuestion<'a> {
    /// `Hunt-Context`: the tenant's domain for its own phones.
    pub context: Option<&'a [u8]>,
    /// `Hunt-Destination-Number`.
    pub number: Option<&'a [u8]>,
    /// `Hunt-Caller-ID-Number`.
    pub caller_number: Option<&'a [u8]>,
    /// `Hunt-Network-Addr`: the IP address that the call comes from.
    pub address: Option<&'a [u8]>,
    /// `variable_user_name`: the authenticated user who calls.
    pub caller: Option<&'a [u8]>,
    /// `variable_domain_name`: that user's domain.
    pub caller_domain: Option<&'a [u8]>,
    /// `variable_nizam_gateway`: the id of the gateway that the call comes from.
    pub gateway: Option<&'a [u8]>,
    /// `variable_nizam_admitted`: the limits have counted the call before.
    pub admitted: Option<&'a [u8]>,
    /// `variable_nizam_queue_until`: when the call has waited long enough, seconds since 1970.
    pub queue_until: Option<&'a [u8]>,
    /// The rest of the channel.
    pub channel: &'a dyn Channel,
    /// The time, seconds since 1970, UTC.
    pub now: i64,
}

impl Default for DialplanQuestion<'_> {
    fn default() -> Self {
        Self {
            context: None,
            number: None,
            caller_number: None,
            address: None,
            caller: None,
            caller_domain: None,
            gateway: None,
            admitted: None,
            queue_until: None,
            channel: &NoChannel,
            now: 0,
        }
    }
}

/// What a route leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An extension rings.
    Extension,
    /// No such number: 404.
    Unknown,
    /// The tenant's calls are refused: 403.
    Suspended,
    /// The record holds a value that FreeSWITCH would bend: 404.
    Refused,
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
    /// The context, and behind it the arguments of all steps, in one piece of memory.
    text: String,
    context: usize,
    steps: Vec<(&'static str, Range<usize>)>,
}

impl Route {
    fn new(outcome: Outcome, context: &str) -> Self {
        let mut text = String::with_capacity(640);
        text.push_str(context);
        Self { outcome, text, context: context.len(), steps: Vec::with_capacity(16) }
    }

    /// Adds a step whose argument is made of these pieces.
    fn add(&mut self, application: &'static str, data: &[&str]) {
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

/// The route of a call, `None` where the context is not a tenant's.
pub(crate) fn resolve(layers: &Layers, question: &DialplanQuestion<'_>) -> Option<Route> {
    let context = LowerKey::new(question.context?)?;
    let tenant = Tenant::decode(layers.get(Kind::Tenant, &PLATFORM, context.as_bytes())?).ok()?;
    let start = |outcome| {
        let mut route = Route::new(outcome, tenant.domain);
        route.add("set", &["nizam_generation=", &layers.generation().to_string()]);
        let mut id = Uuid::encode_buffer();
        route.add("set", &["nizam_tenant=", Uuid::from_bytes(tenant.id).hyphenated().encode_lower(&mut id)]);
        route
    };
    if tenant.state != State::Open {
        let mut route = start(Outcome::Suspended);
        route.add("respond", &["403"]);
        return Some(route);
    }
    let found = question.number.and_then(LowerKey::new).and_then(|number| {
        Extension::decode(layers.get(Kind::Extension, &tenant.id, number.as_bytes())?).ok()
    });
    let Some(extension) = found else {
        let mut route = start(Outcome::Unknown);
        route.add("respond", &["404"]);
        return Some(route);
    };
    if !is_dialable(extension.number) {
        let mut route = start(Outcome::Refused);
        route.add("respond", &["404"]);
        return Some(route);
    }
    let mut route = start(Outcome::Extension);
    if let Some(caller) = caller(layers, &tenant, question) {
        let (name, number) = (caller.caller_id_name(), caller.caller_id_number());
        for (variable, value) in
            [("effective_caller_id_name=", name), ("effective_caller_id_number=", number)]
        {
            if is_inert(value) {
                route.add("set", &[variable, value]);
            }
        }
    }
    ring(&mut route, &tenant, &extension);
    Some(route)
}

/// Rings the extension; then its mailbox, or the reason why nobody answered.
fn ring(route: &mut Route, tenant: &Tenant<'_>, extension: &Extension<'_>) {
    let (number, domain) = (extension.number, tenant.domain);
    route.add("set", &["dialed_extension=", number]);
    route.add("set", &["call_timeout=", &tenant.ring_timeout.to_string()]);
    route.add("set", &["hangup_after_bridge=true"]);
    route.add("set", &["continue_on_fail=true"]);
    route.add("bridge", &["user/", number, "@", domain]);
    if extension.voicemail {
        route.add("answer", &[]);
        route.add("sleep", &["500"]);
        route.add("voicemail", &["default ", domain, " ", number]);
    } else {
        // Set on the caller's channel by switch_ivr_originate.c for every way in which a bridge fails.
        route.add("hangup", &["${originate_disposition}"]);
    }
}

/// The caller, if it is a phone of the same tenant.
fn caller<'a>(layers: &'a Layers, tenant: &Tenant<'a>, question: &DialplanQuestion<'_>) -> Option<User<'a>> {
    let domain = question.caller_domain?;
    if !domain.eq_ignore_ascii_case(tenant.domain.as_bytes()) {
        return None;
    }
    let number = LowerKey::new(question.caller?)?;
    let value = layers.get(Kind::Extension, &tenant.id, number.as_bytes())?;
    Some(User { tenant: tenant.clone(), extension: Extension::decode(value).ok()? })
}

/// Whether FreeSWITCH takes a text as it is in an application's argument: no variable to expand
/// (`switch_channel.c:switch_channel_expand_variables_check`), no escape, and not the `\'` on which
/// `switch_caller.c:switch_caller_extension_add_application` drops the whole step.
fn is_inert(text: &str) -> bool {
    !text.bytes().any(|byte| byte == b'$' || byte == b'\\' || byte.is_ascii_control()) && !text.contains("<!")
}
