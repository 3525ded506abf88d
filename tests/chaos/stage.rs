//! nizamd, a real FreeSWITCH that writes CDRs of its own, and phones that are called.

use std::time::{Duration, Instant};

use nizam_test_postgres::Server;
use serde_json::{Value, json};

use super::cdr_csv;
use crate::support::{Account, CallLoad, Callee, Change, Manner, Media, Plan, Site, until};

const LONG: Duration = Duration::from_mins(5);

/// Who is called, of ten times: most answer, one is busy, one is not there, one number is nobody's.
const DIALLED: [&str; 10] = ["1002", "1002", "1003", "1002", "1002", "1004", "1002", "1002", "1777", "1002"];

/// All of it.
pub(crate) struct Stage {
    pub(crate) site: Site,
    pub(crate) tenant: String,
    url: String,
    caller: Account,
    phones: Vec<(Account, Callee)>,
}

impl Stage {
    /// Starts it on the database with that URL; the plan needs a home.
    pub(crate) fn start(url: &str, mut plan: Plan) -> Self {
        let home = plan.home.as_ref().expect("a stage has a home").path();
        plan.configuration.push(("cdr_csv.conf.xml", Change::New(cdr_csv::configuration(home))));
        let load = Change::Before("<load module=\"mod_sofia\"/>", cdr_csv::LOAD.to_owned());
        plan.configuration.push(("modules.conf.xml", load));
        plan.database = Some(url.to_owned());
        // Outside of the blocks of the suites.
        plan.media = Media::Range(12_000, 17_998);
        let site = Site::start_as(plan);
        let tenant = site.tenant("chaos.test");
        let account = |number: &str| site.extension_with(&tenant, "chaos.test", number, &json!({}));
        let [caller, answers, busy, _away] = ["1001", "1002", "1003", "1004"].map(account);
        let phones = [(answers, Manner::AnswerAfter(100)), (busy, Manner::Refuse(486))]
            .map(|(account, manner)| (account, site.callee(manner)))
            .into();
        let stage = Self { site, tenant, url: url.to_owned(), caller, phones };
        stage.register();
        stage
    }

    /// Registers the phones.
    pub(crate) fn register(&self) {
        for (account, phone) in &self.phones {
            self.site.register_at(account, phone.port());
        }
    }

    /// Begins to dial so many times, `rate` a second.
    pub(crate) fn dial(&self, count: usize, rate: u32) -> CallLoad {
        self.site.call_load(&DIALLED.map(|number| (&self.caller, number)), count, rate)
    }

    /// `nizam status json`.
    pub(crate) fn status(&mut self) -> Value {
        serde_json::from_str(self.site.switch.api("nizam status json").trim()).unwrap()
    }

    /// Waits until the switch has no calls and all that it told is stored: how long that took.
    pub(crate) fn settle(&mut self) -> Duration {
        let began = Instant::now();
        until("the switch has no calls", LONG, || {
            self.site.switch.api("show channels count").trim().starts_with("0 total").then_some(())
        });
        until("all events are stored", LONG, || {
            let spool = self.status()["spool"].take();
            let open = Server::rows(&self.url, "SELECT count(*) FROM channels").swap_remove(0).swap_remove(0);
            (spool["lag"] == 0 && spool["details"]["earlier"] == 0 && open == "0").then_some(())
        });
        began.elapsed()
    }
}
