//! How many follow a tenant at once.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use uuid::Uuid;

use crate::http::CONNECTIONS;

/// Followers of all tenants together.
const ALL: usize = CONNECTIONS / 2;

/// How many there are, of each tenant and in all.
#[derive(Debug, Default)]
struct Count {
    of: HashMap<Uuid, usize>,
    all: usize,
}

type Taken = Mutex<Count>;

/// Places for followers.
#[derive(Debug)]
pub(crate) struct Seats {
    most: usize,
    taken: Arc<Taken>,
}

/// A place, which is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    tenant_id: Uuid,
    taken: Arc<Taken>,
}

impl Seats {
    /// So many for each tenant.
    pub(super) fn new(most: usize) -> Self {
        Self { most, taken: Arc::default() }
    }

    pub(super) fn take(&self, tenant_id: Uuid) -> Option<Seat> {
        let mut taken = self.taken.lock();
        let of_tenant = taken.of.get(&tenant_id).copied().unwrap_or_default();
        if of_tenant >= self.most || taken.all >= ALL {
            return None;
        }
        taken.of.insert(tenant_id, of_tenant + 1);
        taken.all += 1;
        Some(Seat { tenant_id, taken: Arc::clone(&self.taken) })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.taken.lock();
        taken.all = taken.all.saturating_sub(1);
        if let Some(of_tenant) = taken.of.get_mut(&self.tenant_id) {
            *of_tenant = of_tenant.saturating_sub(1);
            if *of_tenant == 0 {
                taken.of.remove(&self.tenant_id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again() {
        let (seats, one, two) = (Seats::new(2), Uuid::from_u128(1), Uuid::from_u128(2));
        let first = seats.take(one).unwrap();
        let _second = seats.take(one).unwrap();
        assert!(seats.take(one).is_none());
        let _other = seats.take(two).unwrap();
        drop(first);
        let _third = seats.take(one).unwrap();
        assert!(seats.take(one).is_none());
    }

    #[test]
    fn others_have_connections_left() {
        let seats = Seats::new(usize::MAX);
        let taken: Vec<Seat> = (0..).map_while(|n| seats.take(Uuid::from_u128(n))).collect();
        assert_eq!(taken.len(), CONNECTIONS / 2);
        drop(taken);
        assert!(seats.take(Uuid::from_u128(0)).is_some());
    }
}
