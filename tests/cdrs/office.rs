//! A site with a tenant, and what its CDRs and events say.

use std::time::Duration;

use nizam_test_postgres::Database;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{leg::Leg, trace};
use crate::support::{Account, Call, Callee, Events, Manner, Message, Plan, Site, until};

/// Longer than anything that a case waits for.
pub(super) const SOON: Duration = Duration::from_secs(40);

/// The site, the events of its switch, and the tenant.
pub(super) struct Office {
    pub(super) site: Site,
    pub(super) events: Events,
    pub(super) tenant: String,
    pub(super) domain: &'static str,
}

impl Office {
    /// On the database that `NIZAM_TEST_DATABASE` chooses.
    pub(super) fn open(domain: &'static str, plan: Plan) -> Self {
        let home = TempDir::with_prefix("nizam-e2e-").unwrap();
        let database = Some(Database::chosen().fresh(home.path()));
        let site = Site::start_as(Plan { home: Some(home), database, ..plan });
        let events = site.switch.events();
        let tenant = site.tenant(domain);
        site.nizamd.rest().settings(&tenant, &json!({"country": "DE"}));
        Self { site, events, tenant, domain }
    }

    pub(super) fn extension(&self, number: &str, more: &Value) -> Account {
        self.site.extension_with(&self.tenant, self.domain, number, more)
    }

    /// An extension with a phone.
    pub(super) fn phone(&self, number: &str, manner: Manner, more: &Value) -> (Account, Callee) {
        let account = self.extension(number, more);
        let phone = self.site.phone_that(&account, manner);
        (account, phone)
    }

    /// A row of the tenant; its id.
    pub(super) fn make(&self, kind: &str, body: &Value) -> String {
        self.site.nizamd.rest().create(&self.tenant, kind, body)
    }

    /// What the API answers on something of the tenant.
    pub(super) fn get(&self, path: &str) -> Value {
        let path = format!("/tenants/{}/{path}", self.tenant);
        let (status, body) = self.site.nizamd.rest().attempt(&Method::GET, &path, &json!({}));
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// Does something with a call that is there.
    pub(super) fn control(&self, name: &str, body: &Value) -> Value {
        let path = format!("/tenants/{}/calls/{name}", self.tenant);
        let (status, body) = self.site.nizamd.rest().attempt(&Method::POST, &path, body);
        assert_eq!(status, 200, "{name}: {body}");
        body
    }

    pub(super) fn api(&self, command: &str) -> String {
        self.site.switch.try_api(command).unwrap()
    }

    /// Waits until mod_sofia has a gateway.
    pub(super) fn await_gateway(&self, id: &str) {
        until("mod_sofia has the gateway", SOON, || {
            self.api("sofia status gateway").contains(id).then_some(())
        });
    }

    /// The configuration that is in force.
    pub(super) fn generation(&self) -> i64 {
        let status: Value = serde_json::from_str(self.api("nizam status json").trim()).unwrap();
        status["generation"].as_i64().unwrap()
    }

    /// The channel of a caller.
    pub(super) fn channel(&self, call: &Call) -> String {
        call.uuid(&self.events)
    }

    /// The channel of a call that a callee got.
    pub(super) fn channel_to(&self, call: &Message) -> String {
        self.events.of_call(call.header("Call-ID"))
    }

    /// Waits until an event of a channel is stored; what it says.
    #[track_caller]
    pub(super) fn await_event(&self, uuid: &str, kind: &str) -> Value {
        until(&format!("{kind} is stored"), SOON, || {
            let events = self.get(&format!("call-events?call_uuid={uuid}&event_type={kind}"));
            Some(events["data"].as_array()?.first()?["payload"]["metadata"].clone())
        })
    }

    /// Waits for the CDRs of a call, asserts that there are these legs and no others, and every field of them, and prints its trace.
    /// The first leg is the one that began it.
    #[track_caller]
    pub(super) fn check(&self, name: &str, legs: &[Leg]) {
        let call = legs[0].uuid();
        let rows = until("the call has its CDRs", SOON, || {
            let all = self.get("cdrs?legs=1&per_page=100");
            let rows = all["data"].as_array()?.iter().filter(|row| row["call_id"] == call);
            let rows: Vec<Value> = rows.cloned().collect();
            (rows.len() >= legs.len()).then_some(rows)
        });
        let trace = self.trace(name, call);
        assert_eq!(rows.len(), legs.len(), "{name}: {rows:#?}");
        for leg in legs {
            let row = rows.iter().find(|row| row["uuid"] == leg.uuid());
            leg.check(name, row.unwrap_or_else(|| panic!("{name}: no CDR of {}: {rows:#?}", leg.uuid())));
        }
        // One line a call, that of the leg that began it, and the same row wherever it is shown.
        let listed = self.get("cdrs?per_page=100");
        let listed: Vec<&Value> =
            listed["data"].as_array().unwrap().iter().filter(|row| row["call_id"] == call).collect();
        assert_eq!(listed.len(), legs.iter().filter(|leg| leg.begins()).count(), "{name}: {listed:#?}");
        assert!(listed.iter().all(|row| row["leg"] == "a" && rows.contains(row)), "{name}: {listed:#?}");
        for row in &rows {
            assert_eq!(&self.get(&format!("cdrs/{}", row["id"].as_str().unwrap()))["data"], row, "{name}");
        }
        assert_eq!(trace["legs"].as_array().unwrap().len(), legs.len(), "{name}");
        for leg in legs {
            leg.check_trace(name, &trace);
        }
    }

    /// Asserts that the minutes of every call were counted once, however many legs it had. `rest` is how long calls went on when the leg that
    /// began them had ended, in microseconds, as sipp wrote it down.
    pub(super) fn check_minutes(&self, rest: i64) {
        let seconds: f64 = self.get("cdrs?per_page=100")["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|call| call["billsec"].as_f64().unwrap())
            .sum();
        let usage = self.get("usage/reconcile");
        let metered = usage["data"]["metered_minutes"].as_f64().unwrap();
        // Each call's minutes are rounded to four digits; of a call that goes on a second may be cut off.
        #[expect(clippy::cast_precision_loss, reason = "minutes")]
        let (rest, near) = (rest as f64 / 1e6, if rest > 0 { 1.2 } else { 0.06 });
        let differs = (metered * 60.0 - seconds - rest).abs() >= near;
        assert!(seconds > 0.0 && !differs, "{seconds} s, and {rest} s behind the first leg, {usage}");
        assert_eq!(usage["data"]["matched"], true, "{usage}");
    }

    /// The rows that a leg passed, as its trace has them.
    pub(super) fn passed(&self, uuid: &str) -> Vec<Value> {
        let trace = self.get(&format!("call-events/{uuid}/trace"));
        let rows = trace["decisions"].as_array().unwrap().iter();
        rows.filter(|row| row["decision"] == "passed" && row["call_uuid"] == uuid)
            .map(|row| {
                let [object, id, branch, generation] =
                    ["object", "id", "branch", "generation"].map(|name| &row[name]);
                json!({"object": object, "id": id, "branch": branch, "generation": generation})
            })
            .collect()
    }

    /// The trace of a call, which is printed.
    pub(super) fn trace(&self, name: &str, uuid: &str) -> Value {
        let trace = self.get(&format!("call-events/{uuid}/trace"));
        trace::print(name, uuid, &trace);
        trace
    }
}
