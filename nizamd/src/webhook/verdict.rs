//! What follows an attempt.

use std::time::Duration;

use reqwest::StatusCode;

use super::attempt::Answer;
use super::schedule::Schedule;

/// How long a receiver may ask to be left alone.
const LONGEST: Duration = Duration::from_hours(24);

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

/// Who is told again, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The times between attempts.
    pub schedule: Schedule,
    /// Whether a receiver that answers with a status of 400 to 499 is told again. 408 and 429 always are, 410 never is.
    pub retry_4xx: bool,
}

/// A receiver that is being replaced or lost its credentials answers 404 or 401 for a while: that loses no event.
impl Default for Policy {
    fn default() -> Self {
        Self { schedule: Schedule::default(), retry_4xx: true }
    }
}

impl Policy {
    /// Judges what came of an attempt, the first being 1. Chance (any number) keeps those apart that failed together.
    pub(super) fn judge(&self, answer: &Answer, attempt: i64, chance: u32) -> Verdict {
        if answer.success() {
            return Verdict::Delivered;
        }
        let status = answer.status.unwrap_or_default();
        if status == StatusCode::GONE {
            return Verdict::Gone;
        }
        let asks_again = matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS);
        if status.is_client_error() && !asks_again && !self.retry_4xx {
            return Verdict::Dead;
        }
        let Some(delay) = self.schedule.delay(attempt, chance) else { return Verdict::Dead };
        let busy = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
        let asked = answer.retry_after.filter(|_| busy).map_or(Duration::ZERO, |asked| asked.min(LONGEST));
        Verdict::Again(delay.max(asked))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, retry_after: Option<u64>) -> Answer {
        Answer {
            status: Some(StatusCode::from_u16(status).unwrap()),
            retry_after: retry_after.map(Duration::from_secs),
            ..Answer::default()
        }
    }

    #[test]
    fn what_follows_each_status() {
        let again = Verdict::Again(Duration::from_secs(5));
        let strict = Policy { retry_4xx: false, ..Policy::default() };
        let lenient = Policy::default();
        for status in [200, 201, 204, 299] {
            assert_eq!(lenient.judge(&answer(status, None), 1, 0), Verdict::Delivered, "{status}");
        }
        for status in [300, 301, 302, 304, 307, 308, 408, 429, 500, 501, 502, 503, 504, 599] {
            for policy in [&strict, &lenient] {
                assert_eq!(policy.judge(&answer(status, None), 1, 0), again, "{status}");
                assert_eq!(policy.judge(&answer(status, None), 10, 0), Verdict::Dead, "{status}");
            }
        }
        for status in [400, 401, 403, 404, 405, 409, 413, 422, 451] {
            assert_eq!(lenient.judge(&answer(status, None), 1, 0), again, "{status}");
            assert_eq!(strict.judge(&answer(status, None), 1, 0), Verdict::Dead, "{status}");
        }
        for policy in [&strict, &lenient] {
            assert_eq!(policy.judge(&answer(410, Some(7)), 1, 0), Verdict::Gone);
            assert_eq!(policy.judge(&Answer::failed("no connection".to_owned()), 1, 0), again);
            // It began well, and broke.
            let broken = Answer { error: Some("broke".to_owned()), ..answer(200, None) };
            assert_eq!(policy.judge(&broken, 1, 0), again);
        }
    }

    #[test]
    fn a_receiver_is_left_alone_as_long_as_it_asks() {
        let policy = Policy::default();
        for (status, asked, attempt, seconds) in [
            (429, 120, 1, 120),
            (503, 120, 1, 120),
            // The schedule waits longer by itself.
            (429, 120, 2, 300),
            (503, 0, 1, 5),
            // A day at most.
            (429, u64::MAX, 1, 86_400),
            // Others are not asked for.
            (500, 120, 1, 5),
            (404, 120, 1, 5),
        ] {
            let verdict = policy.judge(&answer(status, Some(asked)), attempt, 0);
            assert_eq!(verdict, Verdict::Again(Duration::from_secs(seconds)), "{status} {asked}");
        }
        assert_eq!(policy.judge(&answer(429, Some(120)), 10, 0), Verdict::Dead, "it was the last");
    }
}
