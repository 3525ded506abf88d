//! Phones that ring because somebody asked for a call: a switch makes 64 such calls at a time, and one tenant must not have them all.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use uuid::Uuid;

/// Calls that a tenant may have made at once, unless something else is said.
pub const ORIGINATES: usize = 16;

/// How many calls are being made for whom.
#[derive(Debug)]
pub struct Ringing {
    most: usize,
    tenants: Mutex<HashMap<Uuid, usize>>,
}

/// One of them. It is over when this is dropped.
#[derive(Debug)]
pub(super) struct Share {
    ringing: Arc<Ringing>,
    tenant: Uuid,
}

impl Ringing {
    /// So many for a tenant; 0: as many as switches make.
    pub fn new(most: usize) -> Self {
        Self { most, tenants: Mutex::default() }
    }

    /// Begins another one. `None`: the tenant has as many as it may.
    pub(super) fn begin(self: &Arc<Self>, tenant: Uuid) -> Option<Share> {
        let mut tenants = self.tenants.lock();
        let own = tenants.entry(tenant).or_default();
        if self.most > 0 && *own >= self.most {
            return None;
        }
        *own += 1;
        Some(Share { ringing: Arc::clone(self), tenant })
    }

    /// How many a tenant may have.
    pub(super) fn most(&self) -> usize {
        self.most
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut tenants = self.ringing.tenants.lock();
        if let Some(own) = tenants.get_mut(&self.tenant) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                tenants.remove(&self.tenant);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_has_its_share_and_no_more() {
        let [one, two] = [1, 2].map(Uuid::from_u128);
        let ringing = Arc::new(Ringing::new(2));
        let mut shares: Vec<Share> = (0..2).map(|_| ringing.begin(one).unwrap()).collect();
        assert!(ringing.begin(one).is_none());
        let other = ringing.begin(two).unwrap();
        shares.pop();
        shares.push(ringing.begin(one).unwrap());
        assert!(ringing.begin(one).is_none());
        drop((shares, other));
        assert!(ringing.tenants.lock().is_empty(), "nothing is kept of whom no phone rings for");
        let unbounded = Arc::new(Ringing::new(0));
        let shares: Vec<Share> = (0..100).filter_map(|_| unbounded.begin(one)).collect();
        assert_eq!(shares.len(), 100);
    }
}
