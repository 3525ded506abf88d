//! How many attempts there may be at once, so that receivers that hang keep nobody else waiting.

use std::collections::HashMap;

use nizam_store::DueWebhook;
use uuid::Uuid;

/// Attempts at once.
const ALL: usize = 256;
/// Of a tenant.
const OF_TENANT: usize = 16;
/// Of a webhook.
const OF_WEBHOOK: usize = 4;

/// The attempts that are being made.
#[derive(Debug, Default)]
pub(super) struct Places {
    all: usize,
    by: HashMap<Uuid, usize>,
}

impl Places {
    /// Who is next of those that something is due for: whoever has least under way, of several the first. So a place that becomes free
    /// is not for those again whose receivers hang.
    pub(super) fn next(&self, due: &[DueWebhook]) -> Option<DueWebhook> {
        let taken = |id| self.by.get(&id).copied().unwrap_or_default();
        let under_way = |of: &DueWebhook| (taken(of.tenant_id), taken(of.id));
        let may = |of: &&DueWebhook| taken(of.tenant_id) < OF_TENANT && taken(of.id) < OF_WEBHOOK;
        due.iter().filter(may).min_by_key(|of| under_way(of)).copied().filter(|_| self.all < ALL)
    }

    pub(super) fn take(&mut self, of: DueWebhook) {
        self.all += 1;
        for id in [of.tenant_id, of.id] {
            *self.by.entry(id).or_default() += 1;
        }
    }

    pub(super) fn give_back(&mut self, of: DueWebhook) {
        self.all = self.all.saturating_sub(1);
        for id in [of.tenant_id, of.id] {
            let left = self.by.get(&id).copied().unwrap_or_default().saturating_sub(1);
            if left == 0 {
                self.by.remove(&id);
            } else {
                self.by.insert(id, left);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(tenant: u128, webhook: u128) -> DueWebhook {
        DueWebhook { id: Uuid::from_u128(1000 * tenant + webhook), tenant_id: Uuid::from_u128(tenant) }
    }

    /// Takes all there is for these; gives how many.
    fn fill(places: &mut Places, due: &[DueWebhook]) -> usize {
        let mut taken = 0;
        while let Some(next) = places.next(due) {
            places.take(next);
            taken += 1;
        }
        taken
    }

    #[test]
    fn a_webhook_and_a_tenant_have_their_share() {
        let mut places = Places::default();
        assert_eq!(fill(&mut places, &[of(1, 1)]), 4);
        assert_eq!(fill(&mut places, &[of(1, 1), of(1, 2), of(1, 3), of(1, 4), of(1, 5)]), 12);
        assert_eq!(fill(&mut places, &[of(1, 6)]), 0);
        for tenant in 2..=16 {
            let due: Vec<DueWebhook> = (0..9).map(|webhook| of(tenant, webhook)).collect();
            assert_eq!(fill(&mut places, &due), 16);
        }
        assert_eq!((places.all, fill(&mut places, &[of(17, 1)])), (256, 0));
        places.give_back(of(1, 1));
        assert_eq!(fill(&mut places, &[of(17, 1), of(1, 1)]), 1);
        assert_eq!(places.by[&of(17, 1).id], 1, "whoever has least is next");
    }

    #[test]
    fn those_that_hang_keep_no_place_that_becomes_free() {
        let mut places = Places::default();
        let hanging: Vec<DueWebhook> =
            (1..=16).flat_map(|tenant| (0..4).map(move |webhook| of(tenant, webhook))).collect();
        assert_eq!(fill(&mut places, &hanging), 256);
        // The one that has waited shortest is the last of the list.
        let due: Vec<DueWebhook> = hanging.iter().copied().chain([of(17, 0)]).collect();
        for freed in &hanging[..4] {
            places.give_back(*freed);
            assert_eq!(places.next(&due), Some(of(17, 0)));
            places.take(of(17, 0));
        }
        // In a tenant likewise.
        places.give_back(of(1, 0));
        let due: Vec<DueWebhook> = (0..4).map(|webhook| of(1, webhook)).chain([of(1, 9)]).collect();
        assert_eq!(places.next(&due), Some(of(1, 9)));
    }

    #[test]
    fn what_is_given_back_leaves_nothing() {
        let mut places = Places::default();
        for _ in 0..2 {
            assert_eq!(fill(&mut places, &[of(1, 1), of(1, 2)]), 8);
            for webhook in [1, 2, 1, 2, 2, 1, 2, 1] {
                places.give_back(of(1, webhook));
            }
            assert_eq!((places.all, places.by.len()), (0, 0));
        }
    }
}
