//! Channels of a tenant that commands are tried on.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;
use uuid::Uuid;

use super::{House, Ledger, Operation};
use crate::support::{Site, until};

const SOON: Duration = Duration::from_secs(20);

/// Two channels to a phone that talks to nobody; made anew when they are spent.
#[derive(Default)]
pub(crate) struct Victims([Option<String>; 2]);

impl Victims {
    /// Both, alive.
    pub(crate) fn pair(&mut self, site: &Site, house: &House, ledger: &mut Ledger) -> [String; 2] {
        self.0.each_mut().map(|one| one.get_or_insert_with(|| park(site, house, ledger)).clone())
    }

    /// Whether nobody lost one. What is refused because it is gone says nothing of what was asked.
    pub(crate) fn are_well(&self, site: &Site, ledger: &mut Ledger) -> bool {
        self.0.iter().flatten().all(|channel| ledger.ask(site, "uuid_exists", channel) == "true")
    }

    /// What an operation that was done leaves of them.
    pub(crate) fn after(&mut self, operation: &Operation, site: &Site, ledger: &mut Ledger) {
        match operation.name.as_str() {
            "hangup" | "transfer" => self.0[0] = None,
            // They talk to each other, or wait for the answer of a phone that does not know re-INVITE, and are still there.
            "bridge" | "hold" => {
                for channel in self.0.iter_mut().filter_map(Option::take) {
                    ledger.ask(site, "uuid_kill", &channel);
                }
            }
            _ => {}
        }
    }
}

/// A channel as the daemon would make one, of which the daemon knows.
fn park(site: &Site, house: &House, ledger: &mut Ledger) -> String {
    let House { tenant, domain, .. } = house;
    let channel = Uuid::new_v4().to_string();
    let argument =
        format!("{{origination_uuid={channel},nizam_tenant={tenant}}}user/{}@{domain} &park()", House::TAKES);
    let answer = ledger.ask(site, "originate", &argument);
    assert!(answer.starts_with("+OK"), "{answer}");
    ledger.made(&channel);
    let trace = format!("/tenants/{tenant}/call-events/{channel}/trace");
    until("the daemon knows a channel", SOON, || {
        (house.user.attempt(&Method::GET, &trace, &Value::Null).0 == 200).then_some(())
    });
    channel
}
