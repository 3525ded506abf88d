//! The channels that a socket hears, and what it is still to be told of before.

use std::sync::Arc;

use nizam_core::event::needed;
use nizam_core::model::{CallEvent, PermissionSet};
use nizam_store::{Store, StoreResult};

use super::channel::{Channel, Kind};

/// Channels of a socket.
pub(super) const MOST: usize = 100;
/// Events that are read at once.
const TOGETHER: u64 = 100;

/// A channel that a socket hears.
pub(super) struct Subscription {
    pub(super) channel: Channel,
    /// The token that was authorised.
    pub(super) token: i64,
    /// What its user may read.
    pub(super) readable: PermissionSet,
    /// It is told of every event behind this one, or was.
    pub(super) begun: i64,
    /// What it is told of first.
    pub(super) earlier: Option<Earlier>,
}

/// What was stored before a socket heard a channel, and is told to it all the same.
#[derive(Clone, Copy)]
pub(super) struct Earlier {
    /// Behind this event it began.
    pub(super) from: i64,
    /// Until this event it is told.
    pub(super) position: i64,
    /// The last one.
    pub(super) until: i64,
}

impl Subscription {
    /// Whether its user may be told of an event there.
    pub(super) fn may_see(&self, event: &CallEvent) -> bool {
        self.channel.kind != Kind::Events || self.readable.contains(needed(&event.event_type, &event.payload))
    }

    /// Begins behind an earlier event. False if that cannot be: it does so already.
    pub(super) fn begin(&mut self, from: i64) -> bool {
        if self.earlier.is_some() {
            return false;
        }
        let until = self.begun.max(from);
        self.earlier = Some(Earlier { from, position: from, until });
        // What comes live and is not behind that one it has.
        self.begun = self.begun.max(from);
        true
    }
}

/// The next events of those that are told first, and whether they are the last ones.
pub(super) async fn read(
    store: &Store,
    channel: Channel,
    earlier: Earlier,
) -> StoreResult<(Vec<Arc<CallEvent>>, bool)> {
    // Of what is not stored nothing is looked for.
    if earlier.position >= earlier.until || matches!(channel.kind, Kind::ContactCenter(_)) {
        return Ok((Vec::new(), true));
    }
    let events = store.events_stored_after(channel.tenant, earlier.position, TOGETHER).await?;
    let all = events.len();
    let events: Vec<_> = events.into_iter().take_while(|event| event.sequence <= earlier.until).collect();
    let over = events.len() < all || (all as u64) < TOGETHER;
    Ok((events.into_iter().map(Arc::new).collect(), over))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn what_a_client_has_is_not_told_again() {
        let channel = Channel { tenant: Uuid::nil(), kind: Kind::Events };
        let at = |begun| Subscription {
            channel,
            token: 1,
            readable: PermissionSet::default(),
            begun,
            earlier: None,
        };
        // Nobody has handed out yet what the client has from somewhere else.
        let mut behind = at(10);
        assert!(behind.begin(12));
        let earlier = behind.earlier.unwrap();
        assert_eq!((behind.begun, earlier.position, earlier.until), (12, 12, 12));
        let mut ahead = at(10);
        assert!(ahead.begin(3) && !ahead.begin(3));
        let earlier = ahead.earlier.unwrap();
        assert_eq!((ahead.begun, earlier.position, earlier.until), (10, 3, 10));
    }
}
