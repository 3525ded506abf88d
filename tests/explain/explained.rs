//! What an explanation says.

use reqwest::Method;
use serde_json::json;

use super::Question;
use crate::support::{Site, Step, moment};

/// An explanation of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Explained {
    /// What the route leads to; `not_ours` where FreeSWITCH asks its other dialplans.
    pub(crate) outcome: String,
    pub(crate) actions: Vec<Step>,
}

impl Explained {
    /// What `nizam explain` prints.
    pub(crate) fn by_switch(site: &mut Site, question: &Question, at: i64) -> Self {
        let from = match &question.account {
            Some(account) => format!("{}@{}", account.number, account.domain),
            None => question.from.clone(),
        };
        let printed = site.switch.api(&format!("nizam explain {from} {} at {at}", question.to));
        let mut lines = printed.lines();
        let first = lines.next().unwrap_or_default();
        let outcome = first.strip_prefix("+OK ").unwrap_or_else(|| panic!("{question:?}: {printed}"));
        let outcome = if outcome.starts_with("not one of ours") {
            "not_ours"
        } else {
            outcome.split(' ').next().unwrap_or_default()
        };
        let actions = lines.filter(|line| !line.starts_with("# ") && !line.is_empty()).map(|line| {
            let (application, data) = line.split_once(' ').unwrap_or((line, ""));
            Step { application: application.to_owned(), data: data.to_owned() }
        });
        Self { outcome: outcome.to_owned(), actions: actions.collect() }
    }

    /// What `POST /tenants/{tenant}/routes/explain` answers.
    pub(crate) fn by_rest(site: &Site, question: &Question, at: i64) -> Self {
        let context = question.account.as_ref().map_or("public", |account| account.domain.as_str());
        let body = json!({
            "from": question.from, "to": question.to, "context": context, "at": moment(at),
        });
        let path = format!("/tenants/{}/routes/explain", question.tenant);
        let answer = site.nizamd.rest().call(&Method::POST, &path, &body);
        let actions = answer["actions"].as_array().unwrap().iter().map(|action| Step {
            application: action["application"].as_str().unwrap().to_owned(),
            data: action["data"].as_str().unwrap().to_owned(),
        });
        Self { outcome: answer["outcome"].as_str().unwrap().to_owned(), actions: actions.collect() }
    }
}
