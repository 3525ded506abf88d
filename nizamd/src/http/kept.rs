//! Answers to reads that are asked for again, as pages that poll do. Making one costs a walk through the database; nothing
//! of it changes before somebody writes.
//!
//! An answer is kept for the token that got it, so that nobody sees one of somebody else, and until anything is committed:
//! rows, grants, tenants, tokens alike. It is good for a second at most, by which time the writes of another process on the
//! same database show.

use std::collections::HashMap;
use std::mem;
use std::time::{Duration, Instant};

use nizam_store::Epoch;
use parking_lot::Mutex;
use warp::http::StatusCode;
use warp::http::header::IF_NONE_MATCH;

use super::reply::Reply;
use super::request::Request;

/// How long an answer is good.
const GOOD: Duration = Duration::from_secs(1);
/// Bytes of all answers.
const MOST: usize = 32 << 20;
/// Bytes of one answer; a larger one is not kept.
const LARGEST: usize = 256 << 10;
/// What an answer takes beside its body and its name.
const OVERHEAD: usize = 512;

/// What makes two reads the same: the token of who asks, and for what, under which name of this server, which links in answers
/// hold.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Name(i64, String);

impl Name {
    /// The name of a read, if its answer depends on nothing else that a request says.
    pub(super) fn of(token: i64, request: &Request) -> Option<Self> {
        if request.headers.contains_key(IF_NONE_MATCH) {
            return None;
        }
        let [scheme, separator, host] = request.origin();
        // Neither a host nor a path can hold a question mark, and a host no slash.
        Some(Self(token, [scheme, separator, host, &request.path, "?", &request.query].concat()))
    }
}

/// The answers that are kept.
#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<Shelf>);

/// Answers of one moment in the life of the database.
#[derive(Debug, Default)]
struct Shelf {
    epoch: Option<Epoch>,
    answers: HashMap<Name, (Reply, Instant)>,
    bytes: usize,
}

impl Kept {
    /// The answer to that read, if nothing was committed since it was made.
    pub(super) fn get(&self, name: &Name, now: Epoch) -> Option<Reply> {
        let kept = self.0.lock();
        let (reply, made) = kept.answers.get(name).filter(|_| kept.epoch == Some(now))?;
        (made.elapsed() < GOOD).then(|| reply.copy())
    }

    /// Keeps an answer that was made since `began`, after that epoch was seen.
    pub(super) fn put(&self, name: Name, reply: &Reply, epoch: Epoch, began: Instant) {
        let size = reply.body.len() + name.1.len() + OVERHEAD;
        if reply.status != StatusCode::OK || reply.rest.is_some() || size > LARGEST {
            return;
        }
        let mut kept = self.0.lock();
        let mut stale = Shelf::default();
        if kept.epoch != Some(epoch) || kept.bytes + size > MOST {
            stale = mem::replace(&mut *kept, Shelf { epoch: Some(epoch), ..Shelf::default() });
        }
        let length = name.1.len();
        kept.bytes += size;
        if let Some((old, _)) = kept.answers.insert(name, (reply.copy(), began)) {
            kept.bytes -= old.body.len() + length + OVERHEAD;
        }
        // Others need not wait until all of those are gone.
        drop(kept);
        drop(stale);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use warp::http::{HeaderMap, HeaderValue, Method};

    use super::*;

    fn request(query: &str) -> Request {
        Request {
            method: Method::GET,
            path: "/api/v1/x".into(),
            query: query.into(),
            headers: HeaderMap::new(),
            body: Vec::new(),
            peer: std::net::Ipv4Addr::LOCALHOST.into(),
        }
    }

    fn name(token: i64, query: &str) -> Name {
        Name::of(token, &request(query)).unwrap()
    }

    #[test]
    fn an_answer_is_for_the_same_question_of_the_same_token() {
        let (kept, now) = (Kept::default(), Epoch::default());
        kept.put(name(1, "a=1"), &Reply::ok(&json!(1)), now, Instant::now());
        assert_eq!(kept.get(&name(1, "a=1"), now).unwrap().body, "1");
        assert!(kept.get(&name(2, "a=1"), now).is_none());
        assert!(kept.get(&name(1, "a=2"), now).is_none());
        let mut elsewhere = request("a=1");
        elsewhere.headers.insert("host", HeaderValue::from_static("other.example"));
        assert!(kept.get(&Name::of(1, &elsewhere).unwrap(), now).is_none());
        elsewhere.headers.insert("if-none-match", HeaderValue::from_static("\"1\""));
        assert_eq!(Name::of(1, &elsewhere), None);
    }

    #[test]
    fn what_was_made_before_a_commit_or_a_second_ago_is_gone() {
        let (kept, before) = (Kept::default(), Epoch::default());
        let after = before.next();
        kept.put(name(1, ""), &Reply::ok(&json!(1)), before, Instant::now());
        assert!(kept.get(&name(1, ""), after).is_none());
        kept.put(name(1, ""), &Reply::ok(&json!(2)), after, Instant::now());
        assert_eq!(kept.get(&name(1, ""), after).unwrap().body, "2");
        kept.put(name(1, ""), &Reply::ok(&json!(3)), after, Instant::now().checked_sub(GOOD).unwrap());
        assert!(kept.get(&name(1, ""), after).is_none());
    }

    #[test]
    fn only_whole_good_answers_of_bounded_size_are_kept() {
        let (kept, now) = (Kept::default(), Epoch::default());
        let put = |query: &str, reply: &Reply| {
            kept.put(name(1, query), reply, now, Instant::now());
            kept.get(&name(1, query), now).is_some()
        };
        assert!(!put("a", &Reply::json(StatusCode::NOT_FOUND, &json!(1))));
        assert!(!put("b", &Reply::ok(&json!("x".repeat(LARGEST)))));
        let large = Reply::ok(&json!("x".repeat(LARGEST / 2)));
        for query in 0..400 {
            assert!(put(&query.to_string(), &large));
        }
        for _ in 0..400 {
            assert!(put("again", &large));
        }
        let shelf = kept.0.lock();
        let held: usize = shelf.answers.iter().map(|(n, (r, _))| r.body.len() + n.1.len() + OVERHEAD).sum();
        assert_eq!(shelf.bytes, held);
        assert!(held <= MOST);
    }
}
