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

/// Beyond all, for tenants that have none: whoever is alone with one event waits for nobody.
const RESERVED: usize = 64;
/// Of how many it is remembered when they had one last.
const REMEMBERED: usize = 100_000;

/// The attempts that are being made.
#[derive(Debug, Default)]
pub(super) struct Places {
    all: usize,
    by: HashMap<Uuid, usize>,
    /// Counts the attempts that were begun.
    begun: u64,
    last: HashMap<Uuid, u64>,
}

impl Places {
    /// Who is next of those that something is due for: the tenant that has least under way, of several the one that had its turn longest
    /// ago, and of its webhooks likewise. So a place that becomes free is not for those again whose receivers hang.
    pub(super) fn next(&self, due: &[DueWebhook]) -> Option<DueWebhook> {
        let taken = |id| self.by.get(&id).copied().unwrap_or_default();
        let turn = |id| (taken(id), self.last.get(&id).copied().unwrap_or_default());
        let may = |of: &&DueWebhook| taken(of.tenant_id) < OF_TENANT && taken(of.id) < OF_WEBHOOK;
        let next = due.iter().filter(may).min_by_key(|of| (turn(of.tenant_id), turn(of.id))).copied()?;
        let all = if taken(next.tenant_id) == 0 { ALL + RESERVED } else { ALL };
        (self.all < all).then_some(next)
    }

    pub(super) fn take(&mut self, of: DueWebhook) {
        if self.last.len() >= REMEMBERED {
            self.last.clear();
        }
        self.all += 1;
        self.begun += 1;
        for id in [of.tenant_id, of.id] {
            *self.by.entry(id).or_default() += 1;
            self.last.insert(id, self.begun);
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
        assert_eq!(places.all, 256);
        // Everything is taken, but for those that have nothing yet.
        assert_eq!(fill(&mut places, &[of(17, 1)]), 1);
        for tenant in 18..=90 {
            fill(&mut places, &[of(tenant, 1), of(tenant, 2)]);
        }
        assert_eq!(places.all, 320);
    }

    #[test]
    fn those_that_hang_keep_no_place_that_becomes_free() {
        let mut places = Places::default();
        // A tenant's, each with a backlog; and one that has waited shortest, the last of the list.
        let due: Vec<DueWebhook> = (0..17).map(|webhook| of(1, webhook)).chain([of(1, 99)]).collect();
        assert_eq!(fill(&mut places, &due), 16);
        places.give_back(of(1, 3));
        let mut next = Vec::new();
        for _ in 0..3 {
            let webhook = places.next(&due).unwrap();
            places.take(webhook);
            places.give_back(webhook);
            next.push(webhook);
        }
        assert_eq!(next, [of(1, 16), of(1, 99), of(1, 3)], "each in its turn");
        // Tenants likewise.
        let mut places = Places::default();
        let due: Vec<DueWebhook> = (1..=400).map(|tenant| of(tenant, 1)).collect();
        assert_eq!(fill(&mut places, &due), 320);
        places.give_back(of(7, 1));
        for tenant in [321, 322, 323] {
            assert_eq!(places.next(&due), Some(of(tenant, 1)));
            places.take(of(tenant, 1));
            places.give_back(of(tenant, 1));
        }
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
