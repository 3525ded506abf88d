//! One extension that rings, and its mailbox.

use super::plan::Outcome;
use super::trace::Trace;
use super::walk::{Place, Visit, Walk, decimal};
use nizam_wire::path::Object;
use nizam_wire::record::{DestinationKind, Extension};

impl<T: Trace> Walk<'_, T> {
    /// The extension with that id.
    pub(super) fn ring_extension(&mut self, id: [u8; 16], fallback: Option<Place>) -> Option<Visit> {
        match self.extension_by_id(&id) {
            Some(extension) => self.ring(&extension, fallback),
            None => self.missing("extension", &id, fallback),
        }
    }

    /// Rings it; then the fallback, its mailbox, or the reason why nobody answered.
    pub(super) fn ring(&mut self, extension: &Extension<'_>, fallback: Option<Place>) -> Option<Visit> {
        self.reaches(Outcome::To(DestinationKind::Extension));
        let number = extension.number;
        let seconds =
            if extension.ring_timeout > 0 { extension.ring_timeout } else { self.tenant.ring_timeout };
        self.trace.note("extension", Some(extension.id), format_args!("{number} rings for {seconds} s"));
        self.pass(Object::Extension, &extension.id, "");
        self.route.add("set", &["dialed_extension=", number]);
        self.before_bridge(u64::from(seconds));
        self.route.add("bridge", &["user/", number, "@", self.tenant.domain]);
        if fallback.is_some() {
            return self.fall_back(fallback);
        }
        if extension.voicemail {
            self.trace.note("extension", Some(extension.id), format_args!("nobody answers: its mailbox"));
            self.decide("unanswered");
            self.pass(Object::Voicemail, &extension.id, "");
            self.mailbox(number);
            return None;
        }
        self.fall_back(None)
    }

    /// The mailbox of the extension with that id.
    pub(super) fn voicemail(&mut self, id: [u8; 16], fallback: Option<Place>) -> Option<Visit> {
        match self.extension_by_id(&id) {
            Some(extension) if extension.voicemail => {
                self.reaches(Outcome::To(DestinationKind::Voicemail));
                self.trace.note("voicemail", Some(id), format_args!("the mailbox of {}", extension.number));
                self.pass(Object::Voicemail, &id, "");
                self.mailbox(extension.number);
                None
            }
            Some(_) => {
                self.trace.note("voicemail", Some(id), format_args!("the extension has no mailbox"));
                self.pass(Object::Voicemail, &id, "none");
                self.nothing(fallback)
            }
            None => self.missing("voicemail", &id, fallback),
        }
    }

    /// Leaves a message for that number.
    pub(super) fn mailbox(&mut self, number: &str) {
        self.answer();
        self.route.add("sleep", &["500"]);
        self.route.add("voicemail", &["default ", self.tenant.domain, " ", number]);
    }

    /// How long it rings, and what is tried after nobody answered.
    pub(super) fn before_bridge(&mut self, seconds: u64) {
        self.route.add("set", &["call_timeout=", decimal(seconds, &mut [0; 20])]);
        self.route.add("set", &["hangup_after_bridge=true"]);
        self.route.add("set", &["continue_on_fail=true"]);
    }

    /// Where the call goes that nobody took.
    pub(super) fn fall_back(&mut self, fallback: Option<Place>) -> Option<Visit> {
        if fallback.is_none() {
            // Set on the caller's channel by switch_ivr_originate.c for every way in which a bridge fails.
            self.route.add("hangup", &["${originate_disposition}"]);
        } else {
            self.decide("unanswered");
        }
        fallback.map(|place| Visit { place, fallback: None })
    }
}
