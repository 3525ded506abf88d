//! Decisions on the way: policies and time conditions.

use super::clock;
use super::decision::{Verdict, decide};
use super::trace::Trace;
use super::walk::{Place, Visit, Walk};
use nizam_wire::Kind;
use nizam_wire::path::Object;
use nizam_wire::record::{Policy, TimeCondition};

impl<T: Trace> Walk<'_, T> {
    /// Asks the policies that come before routing. False: one of them has decided, and the walk is over.
    pub(super) fn passes_policies(&mut self) -> bool {
        let (caller, now) = (self.caller_number(), self.now());
        for id in self.routing.policies.iter() {
            let Some(policy) = self.policy_record(&id) else { continue };
            match decide(&policy, &caller, now) {
                Verdict::Allow => {
                    self.trace.note("call_routing_policy", Some(id), format_args!("allows the call"));
                }
                Verdict::Reject => {
                    self.blacklisted(&id);
                    return false;
                }
                Verdict::Redirect(to) => {
                    self.trace.note(
                        "call_routing_policy",
                        Some(id),
                        format_args!("sends the call to {}", to.kind.name()),
                    );
                    self.pass(Object::Policy, &id, "redirect");
                    self.go(Visit::to(to));
                    return false;
                }
            }
        }
        true
    }

    /// A policy as a destination.
    pub(super) fn policy(&mut self, id: [u8; 16], fallback: Option<Place>) -> Option<Visit> {
        let Some(policy) = self.policy_record(&id) else {
            return self.missing("call_routing_policy", &id, fallback);
        };
        match decide(&policy, &self.caller_number(), self.now()) {
            Verdict::Allow => {
                self.trace.note(
                    "call_routing_policy",
                    Some(id),
                    format_args!("allows the call, and leads nowhere"),
                );
                self.pass(Object::Policy, &id, "allow");
                self.nothing(fallback)
            }
            Verdict::Reject => {
                self.blacklisted(&id);
                None
            }
            Verdict::Redirect(to) => {
                self.trace.note(
                    "call_routing_policy",
                    Some(id),
                    format_args!("sends the call to {}", to.kind.name()),
                );
                self.pass(Object::Policy, &id, "redirect");
                Some(Visit { place: Place::At(to), fallback })
            }
        }
    }

    fn policy_record(&self, id: &[u8; 16]) -> Option<Policy<'_>> {
        Policy::decode(self.record(Kind::Policy, id)?).ok()
    }

    fn blacklisted(&mut self, id: &[u8; 16]) {
        self.trace.note(
            "call_routing_policy",
            Some(*id),
            format_args!("rejects the call: the caller is blacklisted"),
        );
        self.pass(Object::Policy, id, "reject");
        self.refuse("policy");
        self.reject("403", "CALL_REJECTED");
    }

    /// One of two destinations, by the time.
    pub(super) fn time_condition(&mut self, id: [u8; 16], fallback: Option<Place>) -> Option<Visit> {
        let record = self.record(Kind::TimeCondition, &id).map(TimeCondition::decode);
        let Some(Ok(condition)) = record else { return self.missing("time_condition", &id, fallback) };
        let holds = clock::any_holds(&self.own, &condition.rules, self.now());
        let (side, said) =
            if holds { (condition.matched, "matches") } else { (condition.otherwise, "does not match") };
        self.pass(Object::TimeCondition, &id, if holds { "match" } else { "no_match" });
        let Some(to) = side else {
            self.trace.note("time_condition", Some(id), format_args!("the time {said}, which leads nowhere"));
            return self.nothing(fallback);
        };
        self.trace.note("time_condition", Some(id), format_args!("the time {said}: {}", to.kind.name()));
        Some(Visit { place: Place::At(to), fallback })
    }
}
