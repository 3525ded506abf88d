//! How many follow a tenant at once.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use uuid::Uuid;

type Taken = Mutex<HashMap<Uuid, usize>>;

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
        let of_tenant = taken.entry(tenant_id).or_default();
        if *of_tenant >= self.most {
            return None;
        }
        *of_tenant += 1;
        Some(Seat { tenant_id, taken: Arc::clone(&self.taken) })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.taken.lock();
        if let Some(of_tenant) = taken.get_mut(&self.tenant_id) {
            *of_tenant -= 1;
            if *of_tenant == 0 {
                taken.remove(&self.tenant_id);
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
}
