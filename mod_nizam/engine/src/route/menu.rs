//! Menus: the steps that lead into one, and the document that `mod_dptools` reads it from.

use super::flow::SILENCE;
use super::inert::{is_inert, is_one_word};
use super::plan::Outcome;
use super::trace::Trace;
use super::walk::{Place, Visit, Walk, routing, text_of};
use crate::{Layers, Scoped, Sink, Unwritable};
use nizam_wire::Kind;
use nizam_wire::path::Object;
use nizam_wire::record::{Destination, DestinationKind, Ivr, Prompt, Routing, State, Tenant};
use nizam_wire::xml;
use std::borrow::Cow;
use uuid::Uuid;

/// What an extension may be as digits, for direct dialling.
const DIRECT: &str = "/^([0-9*#]{2,10})$/";
/// Most digits of that.
const DIRECT_LENGTH: usize = 10;

impl<T: Trace> Walk<'_, T> {
    pub(super) fn ivr(&mut self, id: [u8; 16], fallback: Option<Place>) -> Option<Visit> {
        let record = self.record(Kind::Ivr, &id).map(Ivr::decode);
        let Some(Ok(menu)) = record else { return self.missing("ivr", &id, fallback) };
        self.reaches(Outcome::To(DestinationKind::Ivr));
        self.trace.note("ivr", Some(id), format_args!("the menu asks for digits"));
        self.pass(Object::Ivr, &id, "");
        self.answer();
        self.route.add("sleep", &["500"]);
        let (mut tenant, mut own) = (Uuid::encode_buffer(), Uuid::encode_buffer());
        self.route.add("ivr", &[simple(&self.tenant.id, &mut tenant), ".", simple(&id, &mut own)]);
        self.decide("timeout");
        match menu.on_timeout {
            Some(to) => {
                self.trace.note("ivr", Some(id), format_args!("gives up: {}", to.kind.name()));
                self.transfer_to(to);
            }
            None => self.route.add("hangup", &["NORMAL_CLEARING"]),
        }
        None
    }

    /// Notes for the CDR what was pressed in the menu that the call comes from: an option that leads there, if it is the only one.
    pub(super) fn chosen_for(&mut self, to: Destination) {
        let Some((Object::Ivr, menu)) = self.route.path.open() else { return };
        let Some(Ok(ivr)) = self.record(Kind::Ivr, &menu).map(Ivr::decode) else { return };
        let mut leading = ivr.options.iter().filter(|(_, option)| *option == to);
        if let (Some((digits, _)), None) = (leading.next(), leading.next()) {
            self.decide(digits);
        }
    }

    /// Notes for the CDR that an extension was dialled in that menu.
    pub(super) fn dialled_in(&mut self, menu: &[u8; 16]) {
        if self.route.path.open() == Some((Object::Ivr, *menu)) {
            self.decide("direct");
        }
    }
}

fn simple<'b>(id: &[u8; 16], buffer: &'b mut [u8; 45]) -> &'b str {
    Uuid::from_bytes(*id).simple().encode_lower(buffer)
}

/// Writes `ivr.conf` with the menu of that name. False: it is none of ours.
pub(crate) fn document(layers: &Layers, name: &[u8], out: &mut impl Sink) -> bool {
    let Some((tenant, id)) = std::str::from_utf8(name).ok().and_then(|name| name.split_once('.')) else {
        return false;
    };
    let (Ok(tenant_id), Ok(id)) = (Uuid::try_parse(tenant), Uuid::try_parse(id)) else { return false };
    let Some(menu) = Menu::find(layers, tenant_id.as_bytes(), id.as_bytes()) else { return false };
    let written = std::str::from_utf8(name).is_ok_and(|name| menu.write(name, out).is_ok());
    if !written {
        out.clear();
    }
    written
}

struct Menu<'a> {
    own: Scoped<'a>,
    tenant: Tenant<'a>,
    routing: Routing<'a>,
    id: [u8; 16],
    ivr: Ivr<'a>,
}

impl<'a> Menu<'a> {
    fn find(layers: &'a Layers, tenant_id: &[u8; 16], id: &[u8; 16]) -> Option<Self> {
        let own = layers.of(tenant_id, None);
        let tenant = own.tenant().filter(|tenant| tenant.state == State::Open)?;
        let ivr = Ivr::decode(own.get(Kind::Ivr, id)?).ok()?;
        Some(Self { own, tenant, routing: routing(&own), id: *id, ivr })
    }

    fn write(&self, name: &str, out: &mut impl Sink) -> Result<(), Unwritable> {
        out.put(
            b"<document type=\"freeswitch/xml\"><section name=\"configuration\"><configuration name=\"ivr.conf\"><menus><menu",
        );
        xml::attribute(out, "name", name)?;
        // Without one FreeSWITCH would not wait for digits (`switch_ivr_menu.c:play_and_collect`).
        let long = self.greeting(self.ivr.greet_long).unwrap_or(Cow::Borrowed(SILENCE));
        xml::attribute(out, "greet-long", &long)?;
        if let Some(short) = self.greeting(self.ivr.greet_short) {
            xml::attribute(out, "greet-short", &short)?;
        }
        xml::attribute(out, "invalid-sound", "ivr/ivr-that_was_an_invalid_entry.wav")?;
        let failures = self.ivr.max_failures.to_string();
        for (attribute, value) in [
            ("timeout", (u32::from(self.ivr.timeout) * 1000).to_string().as_str()),
            ("inter-digit-timeout", "2000"),
            ("max-failures", &failures),
            ("max-timeouts", &failures),
            ("digit-len", &self.digit_length().to_string()),
        ] {
            xml::attribute(out, attribute, value)?;
        }
        if self.speaks() {
            xml::attribute(out, "tts-engine", self.routing.tts_engine)?;
            xml::attribute(out, "tts-voice", self.routing.tts_voice)?;
        }
        out.put(b">");
        self.options(out)?;
        out.put(b"</menu></menus></configuration></section></document>");
        Ok(())
    }

    fn speaks(&self) -> bool {
        let voice = [self.routing.tts_engine, self.routing.tts_voice];
        voice.iter().all(|word| !word.is_empty() && is_one_word(word))
    }

    /// What is played; `None` where there is nothing.
    fn greeting(&self, prompt: Prompt<'a>) -> Option<Cow<'a, str>> {
        let path = match prompt {
            Prompt::File(path) => path,
            Prompt::Uploaded(id) => std::str::from_utf8(self.own.get(Kind::Prompt, &id)?).ok()?,
            Prompt::Say(text) if self.speaks() && is_inert(text) => {
                return Some(["say:", text].concat().into());
            }
            Prompt::None | Prompt::Say(_) => return None,
        };
        (!path.is_empty() && is_inert(path)).then_some(Cow::Borrowed(path))
    }

    fn digit_length(&self) -> usize {
        let longest = self.ivr.options.iter().map(|(digits, _)| digits.len()).max().unwrap_or(1);
        if self.ivr.direct_dial { longest.max(DIRECT_LENGTH) } else { longest }
    }

    fn options(&self, out: &mut impl Sink) -> Result<(), Unwritable> {
        let mut id = Uuid::encode_buffer();
        for (digits, to) in self.ivr.options.iter() {
            let param = [
                "transfer nizam:",
                to.kind.name(),
                ":",
                text_of(&to.id, &mut id),
                " XML ",
                self.tenant.domain,
            ];
            entry(digits, &param, out)?;
        }
        if self.ivr.direct_dial {
            let param =
                ["transfer nizam:direct:", text_of(&self.id, &mut id), ":$1 XML ", self.tenant.domain];
            entry(DIRECT, &param, out)?;
        }
        Ok(())
    }
}

fn entry(digits: &str, param: &[&str], out: &mut impl Sink) -> Result<(), Unwritable> {
    out.put(b"<entry action=\"menu-exec-app\"");
    xml::attribute(out, "digits", digits)?;
    xml::attribute(out, "param", &param.concat())?;
    out.put(b"/>");
    Ok(())
}
