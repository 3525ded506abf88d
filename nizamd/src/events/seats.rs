//! How many follow a tenant at once.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use uuid::Uuid;

/// How many may follow at once.
#[derive(Clone, Copy, Debug)]
pub struct Most {
    /// Streams of a tenant.
    pub streams: usize,
    /// Sockets of a tenant.
    pub sockets: usize,
    /// Those of all tenants together.
    pub all: usize,
}

/// In which way somebody follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// Server-Sent Events.
    Stream,
    /// A WebSocket.
    Socket,
}

/// How many there are, of each tenant and in all.
#[derive(Debug, Default)]
struct Count {
    of: HashMap<(Uuid, Kind), usize>,
    all: usize,
}

type Taken = Mutex<Count>;

/// Places for followers.
#[derive(Debug)]
pub(super) struct Seats {
    most: Most,
    taken: Arc<Taken>,
}

/// A place, which is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    of: (Uuid, Kind),
    taken: Arc<Taken>,
}

impl Seats {
    /// So many.
    pub(super) fn new(most: Most) -> Self {
        Self { most, taken: Arc::default() }
    }

    pub(super) fn take(&self, tenant_id: Uuid, kind: Kind) -> Option<Seat> {
        let most = match kind {
            Kind::Stream => self.most.streams,
            Kind::Socket => self.most.sockets,
        };
        let mut taken = self.taken.lock();
        let of_tenant = taken.of.get(&(tenant_id, kind)).copied().unwrap_or_default();
        if of_tenant >= most || taken.all >= self.most.all {
            return None;
        }
        taken.of.insert((tenant_id, kind), of_tenant + 1);
        taken.all += 1;
        Some(Seat { of: (tenant_id, kind), taken: Arc::clone(&self.taken) })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.taken.lock();
        taken.all = taken.all.saturating_sub(1);
        if let Some(of_tenant) = taken.of.get_mut(&self.of) {
            *of_tenant = of_tenant.saturating_sub(1);
            if *of_tenant == 0 {
                taken.of.remove(&self.of);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again() {
        let seats = Seats::new(Most { streams: 2, sockets: 1, all: 100 });
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let first = seats.take(one, Kind::Stream).unwrap();
        let _second = seats.take(one, Kind::Stream).unwrap();
        assert!(seats.take(one, Kind::Stream).is_none());
        let _other = seats.take(two, Kind::Stream).unwrap();
        let _socket = seats.take(one, Kind::Socket).unwrap();
        assert!(seats.take(one, Kind::Socket).is_none(), "sockets are counted by themselves");
        drop(first);
        let _third = seats.take(one, Kind::Stream).unwrap();
        assert!(seats.take(one, Kind::Stream).is_none());
    }

    #[test]
    fn others_have_connections_left() {
        let seats = Seats::new(Most { streams: usize::MAX, sockets: usize::MAX, all: 350 });
        let kind = |n: u128| if n.is_multiple_of(2) { Kind::Stream } else { Kind::Socket };
        let taken: Vec<Seat> = (0..).map_while(|n| seats.take(Uuid::from_u128(n), kind(n))).collect();
        assert_eq!(taken.len(), 350);
        drop(taken);
        assert!(seats.take(Uuid::from_u128(0), Kind::Stream).is_some());
    }
}
