//! What follows an attempt.

use std::time::Duration;

use reqwest::StatusCode;

use super::attempt::Answer;
use super::schedule;

/// What follows an attempt.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The receiver has it.
    Delivered,
    /// It is told again after that time.
    Again(Duration),
    /// It is told no more.
    Dead,
    /// It wants nothing any more (410, as Standard Webhooks has it).
    Gone,
}

/// Judges what came of an attempt, the first being 1. Chance (any number) keeps those apart that failed together.
pub(super) fn judge(answer: &Answer, attempt: i64, chance: u32) -> Verdict {
    if answer.success() {
        return Verdict::Delivered;
    }
    if answer.status == Some(StatusCode::GONE) {
        return Verdict::Gone;
    }
    schedule::delay(attempt, chance).map_or(Verdict::Dead, Verdict::Again)
}
