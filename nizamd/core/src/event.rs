//! What events are called, what a change of the configuration is told as, and what somebody must be allowed to be told of an event.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::call::stored_name;
use crate::model::{AuditAction, Permission as P};
use crate::resource::{
    CALL_FLOW, CALL_ROUTING_POLICY, DID, GATEWAY, HOLIDAY, IVR, OUTBOUND_ROUTE, QUEUE, RING_GROUP, Resource,
    TIME_CONDITION, WEBHOOK_EVENTS,
};

/// Events of the configuration; all others are of calls, phones and mailboxes.
pub const OF_CONFIGURATION: &[&str] = &[
    "extension.created",
    "extension.updated",
    "extension.deleted",
    "did.created",
    "did.updated",
    "did.deleted",
    "tenant.updated",
    ROUTING,
];

/// Something is another one, where calls go.
const ROUTING: &str = "routing.updated";

/// The resources whose rows say where calls go. DIDs have events of their own.
const WHERE_CALLS_GO: &[&Resource] = &[
    &RING_GROUP,
    &IVR,
    &TIME_CONDITION,
    &HOLIDAY,
    &GATEWAY,
    &OUTBOUND_ROUTE,
    &CALL_ROUTING_POLICY,
    &CALL_FLOW,
    &QUEUE,
];

/// Whether an event is of the configuration.
pub fn is_of_configuration(event_type: &str) -> bool {
    OF_CONFIGURATION.contains(&event_type)
}

/// The names of a stored event that webhooks can subscribe to, that first which is preferred.
pub fn names(event_type: &str) -> impl Iterator<Item = &'static str> {
    WEBHOOK_EVENTS.iter().copied().filter(move |name| stored_name(name) == event_type)
}

/// What somebody must be allowed, beyond belonging to the tenant, to be told of an event with that payload.
pub fn needed(event_type: &str, payload: &Value) -> P {
    match event_type.split_once('.').map(|(family, _)| family) {
        _ if !is_of_configuration(event_type) => P::CallEventsView,
        Some("extension") => P::ExtensionsView,
        Some("did") => P::DidsView,
        Some("tenant") => P::TenantsView,
        _ => {
            let resource = payload.get("resource").and_then(Value::as_str);
            let resource = WHERE_CALLS_GO.iter().find(|known| Some(known.parameter) == resource);
            resource.map_or(P::CallRoutingPoliciesView, |resource| resource.access.view)
        }
    }
}

/// What a change of an object is told as: the name of the event, and its payload, which is what webhooks get as `data`. `model` is the
/// object's kind in the audit trail, `name` the number of an extension or a DID, `changed` the fields that are others now. `None` for what
/// nobody is told of.
pub fn of_change<'f>(
    model: &str,
    action: AuditAction,
    id: Uuid,
    name: &str,
    changed: impl Iterator<Item = &'f String>,
) -> Option<(&'static str, Value)> {
    let of = |[created, updated, deleted]: [&'static str; 3]| match action {
        AuditAction::Created => created,
        AuditAction::Updated => updated,
        AuditAction::Deleted => deleted,
    };
    match (model, action) {
        ("Extension", _) => {
            let event = of(["extension.created", "extension.updated", "extension.deleted"]);
            Some((event, json!({"extension_id": id, "extension": name})))
        }
        (model, _) if model == DID.model => {
            let event = of(["did.created", "did.updated", "did.deleted"]);
            Some((event, json!({"did_id": id, "number": name})))
        }
        // Of a tenant that is new nobody can have asked to be told, and of one that is gone nobody is left.
        ("Tenant", AuditAction::Updated) => {
            Some(("tenant.updated", json!({"tenant_id": id, "changed": changed.collect::<Vec<_>>()})))
        }
        (model, _) => {
            let resource = WHERE_CALLS_GO.iter().find(|resource| resource.model == model)?;
            let payload = json!({"resource": resource.parameter, "id": id, "action": action.as_str()});
            Some((ROUTING, payload))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::iter::empty;

    use super::*;
    use crate::resource::RESOURCES;

    #[test]
    fn every_event_of_the_configuration_is_told_of_some_change_and_can_be_subscribed_to() {
        let actions = [AuditAction::Created, AuditAction::Updated, AuditAction::Deleted];
        let models = RESOURCES.iter().map(|resource| resource.model).chain(["Extension", "Tenant"]);
        let told: BTreeSet<&str> = models
            .flat_map(|model| actions.map(|action| of_change(model, action, Uuid::nil(), "1", empty())))
            .flatten()
            .map(|(event, _)| event)
            .collect();
        assert_eq!(told, OF_CONFIGURATION.iter().copied().collect());
        for event in told {
            assert_eq!(names(event).collect::<Vec<_>>(), [event]);
        }
        assert_eq!(names("call.created").collect::<Vec<_>>(), ["call.started", "call.created"]);
    }

    #[test]
    fn whoever_may_see_an_object_may_be_told_of_it() {
        for resource in WHERE_CALLS_GO {
            let (event, payload) =
                of_change(resource.model, AuditAction::Deleted, Uuid::nil(), "", empty()).unwrap();
            assert_eq!(needed(event, &payload), resource.access.view, "{}", resource.model);
        }
        for (event, permission) in [
            ("call.hangup", P::CallEventsView),
            ("routing.ambiguous", P::CallEventsView),
            ("extension.created", P::ExtensionsView),
            ("did.deleted", P::DidsView),
            ("tenant.updated", P::TenantsView),
            ("routing.updated", P::CallRoutingPoliciesView),
        ] {
            assert_eq!(needed(event, &Value::Null), permission, "{event}");
        }
    }
}
