//! How many attempts there may be at once, so that receivers that hang keep nobody else waiting.

use std::collections::HashMap;

use nizam_store::DueWebhook;
use uuid::Uuid;

/// Attempts at once.
const ALL: usize = 256;
/// Of a tenant.
const OF_TENANT: usize = 64;

/// Beyond all, for tenants that have none: whoever is alone with one event waits for nobody.
const RESERVED: usize = 64;
/// Attempts that hang, beside the others: they keep nothing but a connection.
const HANGING: usize = 512;
/// Of a tenant.
const HANGING_OF_TENANT: usize = 128;
/// Of how many it is remembered when they had one last.
const REMEMBERED: usize = 100_000;

/// The attempts that are being made.
#[derive(Debug, Default)]
pub(super) struct Places {
    all: usize,
    /// Of a webhook all, of a tenant those that do not hang.
    by: HashMap<Uuid, usize>,
    hanging: usize,
    /// Of tenants.
    hanging_by: HashMap<Uuid, usize>,
    /// Counts the attempts that were begun.
    begun: u64,
    last: HashMap<Uuid, u64>,
}

impl Places {
    /// Who is next of those that something is due for: the tenant that has least under way, of several the one that had its turn longest
    /// ago, and of its webhooks likewise. So a place that becomes free is not for those again whose receivers hang. A webhook has as
    /// many at once as there is `room` for.
    pub(super) fn next(&self, due: &[DueWebhook], room: impl Fn(Uuid) -> usize) -> Option<DueWebhook> {
        let taken = |id| self.by.get(&id).copied().unwrap_or_default();
        let turn = |id| (taken(id), self.last.get(&id).copied().unwrap_or_default());
        let may = |of: &&DueWebhook| taken(of.tenant_id) < OF_TENANT && taken(of.id) < room(of.id);
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

    /// Has an attempt that lasts keep its webhook's place alone, so that others of its tenant have theirs; unless too many hang already.
    pub(super) fn hang(&mut self, of: DueWebhook) -> bool {
        let of_tenant = self.hanging_by.get(&of.tenant_id).copied().unwrap_or_default();
        if self.hanging >= HANGING || of_tenant >= HANGING_OF_TENANT {
            return false;
        }
        self.all = self.all.saturating_sub(1);
        subtract(&mut self.by, of.tenant_id);
        self.hanging += 1;
        self.hanging_by.insert(of.tenant_id, of_tenant + 1);
        true
    }

    /// Gives a place back, of one that hangs or one that does not.
    pub(super) fn give_back(&mut self, of: DueWebhook, hangs: bool) {
        subtract(&mut self.by, of.id);
        if hangs {
            self.hanging = self.hanging.saturating_sub(1);
            subtract(&mut self.hanging_by, of.tenant_id);
        } else {
            self.all = self.all.saturating_sub(1);
            subtract(&mut self.by, of.tenant_id);
        }
    }
}

fn subtract(counts: &mut HashMap<Uuid, usize>, id: Uuid) {
    let left = counts.get(&id).copied().unwrap_or_default().saturating_sub(1);
    if left == 0 {
        counts.remove(&id);
    } else {
        counts.insert(id, left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(tenant: u128, webhook: u128) -> DueWebhook {
        DueWebhook { id: Uuid::from_u128(1000 * tenant + webhook), tenant_id: Uuid::from_u128(tenant) }
    }

    /// The next of these, of webhooks that have four at once.
    fn next(places: &Places, due: &[DueWebhook]) -> Option<DueWebhook> {
        places.next(due, |_| 4)
    }

    /// Takes all there is for these; gives how many.
    fn fill(places: &mut Places, due: &[DueWebhook]) -> usize {
        let mut taken = 0;
        while let Some(next) = next(places, due) {
            places.take(next);
            taken += 1;
        }
        taken
    }

    #[test]
    fn a_webhook_and_a_tenant_have_their_share() {
        let mut places = Places::default();
        let many = |tenant| -> Vec<DueWebhook> { (1..=17).map(|webhook| of(tenant, webhook)).collect() };
        assert_eq!(fill(&mut places, &many(1)[..1]), 4);
        assert_eq!(fill(&mut places, &many(1)), 60);
        assert_eq!(fill(&mut places, &[of(1, 18)]), 0);
        for tenant in 2..=4 {
            assert_eq!(fill(&mut places, &many(tenant)), 64);
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
        let due: Vec<DueWebhook> = (0..65).map(|webhook| of(1, webhook)).chain([of(1, 99)]).collect();
        assert_eq!(fill(&mut places, &due), 64);
        places.give_back(of(1, 3), false);
        let mut turns = Vec::new();
        for _ in 0..3 {
            let webhook = next(&places, &due).unwrap();
            places.take(webhook);
            places.give_back(webhook, false);
            turns.push(webhook);
        }
        assert_eq!(turns, [of(1, 64), of(1, 99), of(1, 3)], "each in its turn");
        // Tenants likewise.
        let mut places = Places::default();
        let due: Vec<DueWebhook> = (1..=400).map(|tenant| of(tenant, 1)).collect();
        assert_eq!(fill(&mut places, &due), 320);
        places.give_back(of(7, 1), false);
        for tenant in [321, 322, 323] {
            assert_eq!(next(&places, &due), Some(of(tenant, 1)));
            places.take(of(tenant, 1));
            places.give_back(of(tenant, 1), false);
        }
    }

    #[test]
    fn those_that_hang_keep_none_of_their_tenant_s_but_so_many() {
        let mut places = Places::default();
        let due: Vec<DueWebhook> = (0..100).map(|webhook| of(1, webhook)).collect();
        for hanging in [64, 64] {
            let mut taken = Vec::new();
            while let Some(webhook) = next(&places, &due) {
                places.take(webhook);
                taken.push(webhook);
            }
            assert_eq!(taken.len(), hanging);
            assert!(taken.into_iter().all(|webhook| places.hang(webhook)));
        }
        assert_eq!((places.all, places.hanging), (0, 128));
        assert_eq!(places.next(&due[..1], |_| 1), None, "one that hangs has its webhook's place");
        places.take(of(1, 98));
        assert!(!places.hang(of(1, 98)), "too many hang");
        places.take(of(2, 1));
        assert!(places.hang(of(2, 1)));
    }

    #[test]
    fn what_is_given_back_leaves_nothing() {
        let mut places = Places::default();
        for _ in 0..2 {
            assert_eq!(fill(&mut places, &[of(1, 1), of(1, 2)]), 8);
            for webhook in [1, 2, 1, 2, 2, 1, 2, 1] {
                let hangs = webhook == 1 && places.hang(of(1, webhook));
                places.give_back(of(1, webhook), hangs);
            }
            assert_eq!((places.all, places.by.len(), places.hanging, places.hanging_by.len()), (0, 0, 0, 0));
        }
    }
}
