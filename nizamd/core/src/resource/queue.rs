//! Queues: callers that wait for an agent.

use nizam_wire::image;

use super::field::{Default, Field, Kind};
use super::{Access, Resource, no_rules};
use crate::model::Permission as P;
use crate::validate::rule::{PLAIN, folded};

/// Queues.
pub const QUEUE: Resource = Resource {
    model: "Queue",
    label: "Queue",
    table: "queues",
    path: "queues",
    parameter: "queue",
    access: Access {
        view: P::QueuesView,
        create: P::QueuesManage,
        update: P::QueuesManage,
        delete: P::QueuesManage,
    },
    quota: None,
    record: Some(image::Kind::Queue),
    by_upload: false,
    lenient: false,
    order: ("name", false),
    rules: no_rules,
    fields: &[
        Field::required("name", Kind::Text(PLAIN.such_as("Support"))).kept().filter().sort().folded(folded),
        Field::optional(
            "strategy",
            Kind::Choice(&["ring_all", "round_robin", "least_recent"]),
            Default::Text("round_robin"),
        )
        .filter(),
        Field::optional("max_wait_time", Kind::Integer(10, 3600), Default::Integer(300))
            .about("How long a caller waits at most, in seconds."),
        Field::optional(
            "overflow_action",
            Kind::Choice(&["voicemail", "hangup", "extension"]),
            Default::Text("voicemail"),
        )
        .about("What happens to a caller who waited too long."),
        Field::nullable("overflow_destination", Kind::Text(PLAIN.such_as("1001"))),
        Field::nullable("music_on_hold", Kind::Text(PLAIN.such_as("local_stream://moh"))),
        Field::optional("service_level_threshold", Kind::Integer(1, 300), Default::Integer(20))
            .about("A call answered within so many seconds counts for the service level."),
        Field::optional("wrapup_seconds", Kind::Integer(0, 3600), Default::Integer(0))
            .hidden()
            .about("How long an agent rests after a call, in seconds."),
        Field::optional("is_active", Kind::Flag, Default::Flag(true)).filter(),
    ],
};
