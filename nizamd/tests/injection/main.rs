//! Injection: hostile strings in every text field of every form, then lookups. What FreeSWITCH receives is the text that was given,
//! or the request was refused.
//!
//! Each form is sent with the string in all of its text fields at once, then without it in those that were named as wrong, until
//! it is taken. So each pair of a string and a field is either refused by name or taken. A row that was taken is read back, and everything
//! that FreeSWITCH asks about its tenant is compared with the same answers about the same row with harmless texts: element by element,
//! attribute by attribute. What a parser that is not ours reads there is the text, whole, or the step is not there as
//! docs/routing.md says; and nothing else is there.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::large_futures,
    reason = "a test may stop at the first surprise"
)]

mod accounts;
mod compare;
#[path = "../../../tests/injection/corpus.rs"]
mod corpus;
mod coverage;
mod document;
mod flows;
mod form;
mod forms;
mod leaf;
mod lookup;
mod question;
mod raw;
mod site;
mod tally;
mod town;
mod trial;

use std::sync::Arc;

use corpus::corpus;
use site::Site;
use tally::Tally;
use trial::Trial;

/// Where not all are asked for (`NIZAM_INJECTION=all`), one string in so many is put into a form, other ones into the next form; and
/// into those where each request takes long because a password is hashed.
const SOME: usize = 12;
const FEW: usize = 60;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_strings_in_every_field() {
    let strings: Arc<Vec<String>> = Arc::new(corpus());
    assert!(strings.len() >= 500, "{}", strings.len());
    let all = std::env::var("NIZAM_INJECTION").is_ok_and(|which| which == "all");
    let site = Arc::new(Site::start().await);
    let forms = forms::forms(&site).await;
    coverage::of(&forms);
    let mut sum = Tally::default();
    raw::refused(&site, &forms).await;
    let mut tasks = tokio::task::JoinSet::new();
    for (form, first) in forms.into_iter().zip((0..SOME).cycle()) {
        let (site, strings) = (Arc::clone(&site), Arc::clone(&strings));
        tasks.spawn(async move {
            let (first, every) = match (all, form.slow) {
                (true, _) => (0, 1),
                (false, true) => (first, FEW),
                (false, false) => (first, SOME),
            };
            let mut trial = Trial::begin(&site, form).await;
            for text in strings.iter().skip(first).step_by(every) {
                trial.run(text).await;
            }
            trial.tally
        });
    }
    while let Some(done) = tasks.join_next().await {
        sum.add(done.unwrap());
    }
    question::ask(&site, &strings, &mut sum).await;
    sum.finish(strings.len());
}
