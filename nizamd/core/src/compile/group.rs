//! What rings several extensions: ring groups, queues and their agents.

use nizam_wire::record::{self, ListBuf, Overflow, QueueStrategy};
use uuid::Uuid;

use super::destination::{self, ids, uuid};
use super::prompt;
use crate::resource::Record;

/// A ring group.
pub(super) fn ring_group(record: &Record) -> Vec<u8> {
    let members = ListBuf::of(ids(record.value("members")));
    record::RingGroup {
        sequential: record.text("strategy") == "sequential",
        ring_timeout: record.value("ring_timeout").as_u64().and_then(|n| u16::try_from(n).ok()).unwrap_or(30),
        members: members.as_list(),
        fallback: destination::of(record, "fallback_"),
    }
    .encode()
}

/// A queue with its agents.
pub(super) fn queue(record: &Record, members: &[(i64, Uuid)]) -> Vec<u8> {
    let mut members: Vec<(u32, [u8; 16])> = members
        .iter()
        .map(|(priority, id)| (u32::try_from((*priority).max(0)).unwrap_or(u32::MAX), id.into_bytes()))
        .collect();
    members.sort_unstable();
    let members = ListBuf::of(members);
    let to = record.text("overflow_destination");
    record::Queue {
        strategy: match record.text("strategy") {
            "ring_all" => QueueStrategy::RingAll,
            "least_recent" => QueueStrategy::LeastRecent,
            _ => QueueStrategy::RoundRobin,
        },
        max_wait: record.value("max_wait_time").as_u64().and_then(|n| u32::try_from(n).ok()).unwrap_or(300),
        overflow: match record.text("overflow_action") {
            "extension" => Overflow::Extension(to),
            "voicemail" => Overflow::Voicemail(to),
            _ => Overflow::Hangup,
        },
        music: prompt::read(record.text("music_on_hold")),
        members: members.as_list(),
    }
    .encode()
}

/// An agent; none without an extension.
pub(super) fn agent(record: &Record) -> Option<Vec<u8>> {
    let since = record.value("state_changed_at").as_i64().unwrap_or(record.created_at);
    let agent = record::Agent {
        extension: uuid(record.text("extension_id"))?.into_bytes(),
        available: record.text("state") == "available",
        since: since.div_euclid(1_000_000),
    };
    Some(agent.encode())
}

#[cfg(test)]
mod tests {
    use nizam_wire::record::{Destination, DestinationKind, Prompt};
    use serde_json::json;

    use super::super::testing::record as row;
    use super::*;

    const A: Uuid = Uuid::from_u128(0xa);
    const B: Uuid = Uuid::from_u128(0xb);

    #[test]
    fn members_keep_their_order() {
        let bytes = ring_group(&row(json!({
            "strategy": "sequential", "ring_timeout": 12, "members": [B, A],
            "fallback_destination_type": "voicemail", "fallback_destination_id": A,
        })));
        let group = record::RingGroup::decode(&bytes).unwrap();
        assert_eq!((group.sequential, group.ring_timeout), (true, 12));
        assert_eq!(group.members.iter().collect::<Vec<_>>(), [B.into_bytes(), A.into_bytes()]);
        let mailbox = Destination { kind: DestinationKind::Voicemail, id: A.into_bytes() };
        assert_eq!(group.fallback, Some(mailbox));
        let bytes = ring_group(&row(json!({"strategy": "simultaneous", "members": []})));
        let group = record::RingGroup::decode(&bytes).unwrap();
        assert_eq!((group.sequential, group.fallback), (false, None));
    }

    #[test]
    fn agents_stand_by_priority() {
        let queue_row = row(json!({
            "strategy": "least_recent", "max_wait_time": 60, "overflow_action": "extension", "overflow_destination": "1001",
            "music_on_hold": "local_stream://moh",
        }));
        let bytes = queue(&queue_row, &[(5, A), (1, B), (-3, A)]);
        let record = record::Queue::decode(&bytes).unwrap();
        assert_eq!((record.strategy, record.max_wait), (QueueStrategy::LeastRecent, 60));
        assert_eq!(record.overflow, Overflow::Extension("1001"));
        assert_eq!(record.music, Prompt::File("local_stream://moh"));
        let members: Vec<_> = record.members.iter().collect();
        assert_eq!(members, [(0, A.into_bytes()), (1, B.into_bytes()), (5, A.into_bytes())]);
        let bytes = queue(&row(json!({"overflow_action": "hangup", "music_on_hold": "/etc/passwd"})), &[]);
        let record = record::Queue::decode(&bytes).unwrap();
        assert_eq!((record.overflow, record.music), (Overflow::Hangup, Prompt::None));
    }

    #[test]
    fn an_agent_is_available_or_not_since_some_second() {
        let of = |state: &str, since: serde_json::Value| {
            let row = row(json!({"extension_id": A, "state": state, "state_changed_at": since}));
            record::Agent::decode(&agent(&row).unwrap()).unwrap()
        };
        let agent_is = of("available", json!(1_700_000_000_999_999_i64));
        assert_eq!(
            (agent_is.extension, agent_is.available, agent_is.since),
            (A.into_bytes(), true, 1_700_000_000)
        );
        for state in ["busy", "ringing", "paused", "offline"] {
            assert!(!of(state, json!(null)).available, "{state}");
        }
        assert_eq!(of("offline", json!(null)).since, row(json!({})).created_at / 1_000_000);
        assert_eq!(agent(&row(json!({}))), None);
    }
}
