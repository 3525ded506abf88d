//! Ring groups, and the dial strings of several extensions.

use super::plan::Outcome;
use super::trace::Trace;
use super::walk::{Place, Visit, Walk};
use nizam_wire::Kind;
use nizam_wire::path::Object;
use nizam_wire::record::{DestinationKind, Extension, RingGroup};

impl<T: Trace> Walk<'_, T> {
    pub(super) fn ring_group(&mut self, id: [u8; 16], given: Option<Place>) -> Option<Visit> {
        let record = self.record(Kind::RingGroup, &id).map(RingGroup::decode);
        let Some(Ok(group)) = record else { return self.missing("ring_group", &id, given) };
        let members: Vec<Extension<'_>> =
            group.members.iter().filter_map(|member| self.extension_by_id(&member)).collect();
        self.reaches(Outcome::To(DestinationKind::RingGroup));
        self.pass(Object::RingGroup, &id, if members.is_empty() { "nobody" } else { "" });
        // Its own fallback goes on to what it was given itself.
        let after = match group.fallback {
            Some(own) => Some(Visit { place: Place::At(own), fallback: given }),
            None => given.map(|place| Visit { place, fallback: None }),
        };
        if members.is_empty() {
            self.trace.note("ring_group", Some(id), format_args!("no member is there"));
            return after.or_else(|| self.nowhere());
        }
        self.trace.note(
            "ring_group",
            Some(id),
            format_args!(
                "{} of its members ring {} for {} s",
                members.len(),
                if group.sequential { "one after another" } else { "at once" },
                group.ring_timeout
            ),
        );
        self.before_bridge(u64::from(group.ring_timeout));
        if group.sequential {
            self.bridge_each(&members);
        } else {
            self.bridge_all(&members);
        }
        if after.is_some() {
            self.decide("unanswered");
        }
        after.or_else(|| self.fall_back(None))
    }

    /// One bridge for all: whoever answers first has the call. The music of one that rings would count as an answer.
    pub(super) fn bridge_all(&mut self, members: &[Extension<'_>]) {
        let mut pieces = Vec::with_capacity(1 + 5 * members.len());
        pieces.push("{ignore_early_media=true}");
        for (i, member) in members.iter().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            pieces.extend([comma, "user/", member.number, "@", self.tenant.domain]);
        }
        self.route.add("bridge", &pieces);
    }

    /// A bridge for each, in order.
    pub(super) fn bridge_each(&mut self, members: &[Extension<'_>]) {
        for member in members {
            self.route.add("bridge", &["user/", member.number, "@", self.tenant.domain]);
        }
    }
}
