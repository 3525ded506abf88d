//! Tenants with random rows.

use std::time::Duration;

use serde_json::json;

use super::builder::{Builder, Tenant};
use super::home::{HOMES, spelled};
use super::{Dice, Question};
use crate::support::{Callee, Manner, Site, until};

/// Who calls from outside.
pub(super) const CALLERS: [&str; 5] = ["+4915112345678", "+4930111111", "+14155550000", "0891234567", "4711"];

/// All tenants, and the phones and carriers that take their calls.
pub(crate) struct Town {
    tenants: Vec<Tenant>,
    gateways: Vec<String>,
    /// They run as long as the town is there.
    _callees: [Callee; 2],
}

impl Town {
    pub(crate) fn build(site: &Site, dice: &mut Dice) -> Self {
        let [answers, busy] = [Manner::Answer, Manner::Refuse(486)].map(|manner| site.callee(manner));
        let ports = [answers.port(), busy.port(), site.dead_port()];
        let mut town = Self { tenants: Vec::new(), gateways: Vec::new(), _callees: [answers, busy] };
        for (home, n) in HOMES.iter().zip(0..) {
            let mut builder = Builder::new(site, dice, home, n, &ports);
            builder.fill();
            town.gateways.append(&mut builder.gateways);
            town.tenants.push(builder.tenant);
        }
        // One number that two tenants have.
        let (first, second) = (&town.tenants[0], &town.tenants[1]);
        for tenant in [first, second] {
            let (kind, id) = &tenant.targets[0];
            let body = json!({"number": "+4989000000", "destination_type": kind, "destination_id": id});
            site.nizamd.rest().create(&tenant.id, "dids", &body);
        }
        town
    }

    /// Waits until mod_sofia has all gateways.
    pub(crate) fn await_gateways(&self, site: &mut Site) {
        until("mod_sofia has the gateways", Duration::from_mins(1), || {
            let status = site.switch.api("sofia status gateway");
            self.gateways.iter().all(|id| status.contains(id)).then_some(())
        });
    }

    /// A random call.
    pub(crate) fn question(&self, dice: &mut Dice) -> Question {
        let tenant = dice.one(&self.tenants);
        let did = dice.one(&tenant.dids).clone();
        if dice.chance(30) {
            let to = match dice.below(10) {
                0 => "+4989000000".to_owned(),
                1 => dice.digits(8),
                _ => spelled(&did, None, dice),
            };
            let from = (*dice.one(&CALLERS)).to_owned();
            return Question { tenant: tenant.id.clone(), account: None, from, to };
        }
        let account = dice.one(&tenant.accounts).clone();
        let to = match dice.below(20) {
            0..=4 => dice.one(&tenant.accounts).number.clone(),
            5..=7 => spelled(&did, Some(tenant.home), dice),
            8..=10 => dice.one(&tenant.numbers).clone(),
            11..=14 => {
                let class = *dice.one(&["0", "00", "0900", "5", "+", "77"]);
                let length = 4 + dice.below(6);
                format!("{class}{}", dice.digits(length))
            }
            15 => (*dice.one(&["*97", "*98"])).to_owned(),
            16 => tenant.home.emergency.to_owned(),
            17 => {
                let length = 1 + dice.below(5);
                dice.digits(length)
            }
            _ => {
                let (kind, id) = dice.one(&tenant.targets);
                format!("nizam:{kind}:{id}")
            }
        };
        Question { tenant: tenant.id.clone(), from: account.number.clone(), account: Some(account), to }
    }
}
