//! Limits that FreeSWITCH itself counts (`mod_hash`): they hold whether or not anybody controls it.

use super::trace::Trace;
use super::walk::{Walk, decimal};
use nizam_wire::record::Class;

/// How a refused call ends: 503.
const REFUSED: &str = " !NORMAL_TEMPORARY_FAILURE";

impl<T: Trace> Walk<'_, T> {
    /// Counts the call, once.
    pub(super) fn admit(&mut self) {
        let channels = self.caller.as_ref().map_or(0, |caller| u32::from(caller.max_channels));
        let (calls, rate) = (self.routing.max_calls, self.routing.calls_per_minute);
        if self.call.admitted == Some(b"true") || (calls, rate, channels) == (0, 0, 0) {
            return;
        }
        self.route.add("set", &["nizam_admitted=true"]);
        if calls > 0 {
            self.limit("concurrent_calls", &["calls"], calls, "");
        }
        if rate > 0 {
            self.limit("calls_per_minute", &["rate"], rate, "/60");
        }
        if let (Some(number), 1..) = (self.caller.as_ref().map(|caller| caller.number), channels) {
            self.limit("extension_channels", &["channels-", number], channels, "");
        }
        self.route.add("unset", &["nizam_refused"]);
        self.trace.note(
            "limits",
            None,
            format_args!(
                "calls at once: {calls}, calls in a minute: {rate}, calls of the extension: {channels} (0 is unlimited)"
            ),
        );
    }

    /// Counts a call to a number of a class, where there is a bound.
    pub(super) fn admit_class(&mut self, class: Class) {
        let Some((_, most)) = self.routing.class_limits.iter().find(|(of, _)| *of == class) else { return };
        self.limit("class_limit", &["class-", class.name()], most, "");
        self.route.add("unset", &["nizam_refused"]);
        self.trace.note("limits", None, format_args!("calls at once of class {}: {most}", class.name()));
    }

    /// The reason stands on the channel while the limit is looked at, and so in the CDR of a call that it refuses.
    fn limit(&mut self, reason: &str, resource: &[&str], most: u32, per: &str) {
        self.refuse(reason);
        let (first, second) = (resource.first().copied().unwrap_or_default(), resource.get(1).copied());
        let mut digits = [0; 20];
        self.route.add(
            "limit",
            &[
                "hash ",
                self.tenant.domain,
                " ",
                first,
                second.unwrap_or_default(),
                " ",
                decimal(u64::from(most), &mut digits),
                per,
                REFUSED,
            ],
        );
    }
}
