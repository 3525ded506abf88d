//! Events of a tenant as they happen: Server-Sent Events (WHATWG HTML, 9.2).

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use nizam_core::call::stored_name;
use nizam_core::event::{is_of_configuration, needed};
use nizam_core::model::{CallEvent, Permission, PermissionSet};
use nizam_core::validate::Errors;
use nizam_store::{Presented, Store, StoreResult};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::Instant;
use uuid::Uuid;
use warp::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, RETRY_AFTER};
use warp::http::{HeaderValue, StatusCode};
use warp::hyper::body::Bytes;

use super::call::Call;
use super::failure::Failure;
use super::gate::{self, Gate, Member};
use super::reply::{CutShort, Outcome, Reply};
use super::{call_events, instant, paginate};
use crate::events::{Follower, Kind, Next, Seat};

/// How often a comment says that the stream still lives, and whether its client still may is looked at.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long a stream lasts unless the request says less; clients connect again by themselves.
const LONGEST: u64 = 300;
/// How long a client may leave what was sent to it unread.
const PATIENCE: Duration = Duration::from_secs(30);
/// Parts of a body that wait for a client.
const AHEAD: usize = 2;

/// What a request asks for.
struct Asked {
    call_uuid: Option<String>,
    event_types: Vec<String>,
    last: Duration,
    since: Option<Since>,
}

/// From where on.
enum Since {
    Sequence(i64),
    Time(i64),
    Event(Uuid),
}

/// What a stream is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    /// Calls, phones and mailboxes, as the contract has it.
    Calls,
    /// Everything that happens to the tenant, as far as its client may see what it happens to.
    Everything,
}

/// An open stream.
struct Stream {
    call: Call,
    scope: Scope,
    /// What its client may see.
    readable: PermissionSet,
    asked: Asked,
    follower: Follower,
    sender: mpsc::Sender<Result<Vec<u8>, CutShort>>,
    _seat: Seat,
}

/// Why a stream ends.
enum End {
    /// Said to the client.
    Said(&'static str, &'static str),
    /// The client reads no more, or has gone.
    Gone,
}

/// This process ends.
const CLOSING: End = End::Said("timeout", "The server ends, please reconnect.");

/// It has lasted as long as it may.
const OVER: End = End::Said("timeout", "Connection timeout, please reconnect.");

/// Events of the tenant's calls.
pub(super) async fn of_calls(call: Call, member: Member, (): ()) -> Outcome {
    open(call, member, Scope::Calls).await
}

/// Events of the tenant, also those of its configuration.
pub(super) async fn of_everything(call: Call, member: Member, (): ()) -> Outcome {
    open(call, member, Scope::Everything).await
}

async fn open(call: Call, member: Member, scope: Scope) -> Outcome {
    let asked = asked(&call)?;
    let tenant = member.tenant().id;
    let Some(seat) = call.app.hub.seat(tenant, Kind::Stream) else { return Ok(full()) };
    let after = match &asked.since {
        None => None,
        Some(since) => match since.sequence(&call.app.store, tenant).await? {
            Some(sequence) => Some(sequence),
            None => return Err(unknown().into()),
        },
    };
    let follower = call.app.hub.follow(tenant, after).await?;
    let (sender, rest) = mpsc::channel(AHEAD);
    let readable = gate::readable(&call);
    let stream = Stream { call, scope, readable, asked, follower, sender, _seat: seat };
    tokio::spawn(stream.run());
    let mut reply = Reply::stream("text/event-stream", rest);
    reply.header(CACHE_CONTROL, "no-cache");
    reply.header(HeaderName::from_static("x-accel-buffering"), "no");
    Ok(reply)
}

fn asked(call: &Call) -> Result<Asked, Errors> {
    let mut errors = Errors::default();
    let call_uuid = paginate::text(&call.input, "call_uuid", &mut errors);
    let types = paginate::text(&call.input, "event_types", &mut errors).unwrap_or_default();
    let names = types.split(',').map(str::trim).filter(|name| !name.is_empty());
    let event_types = names.map(|name| stored_name(name).to_owned()).collect();
    let last = match call.input.query_text("timeout") {
        None => LONGEST,
        Some(text) => text.parse().ok().filter(|seconds| *seconds <= LONGEST).unwrap_or_else(|| {
            errors.push("timeout", format!("The timeout field must be a number of seconds up to {LONGEST}."));
            0
        }),
    };
    // What a client that connects again sends by itself says more than the address it was given.
    let since = match call.request.header("last-event-id").filter(|id| !id.is_empty()) {
        Some(id) => position(id).map_or_else(|| Err(unknown()), |since| Ok(Some(since)))?,
        None => match call.input.query_text("since") {
            None => None,
            Some(text) => {
                let since = position(text)
                    .or_else(|| instant::parse(text).map(|time| Since::Time(time.as_microsecond().max(0))));
                if since.is_none() {
                    errors.push(
                        "since",
                        "The since field must be the sequence or the id of an event, or a valid date.",
                    );
                }
                since
            }
        },
    };
    if !errors.is_empty() {
        return Err(errors);
    }
    Ok(Asked { call_uuid, event_types, last: Duration::from_secs(last), since })
}

fn position(text: &str) -> Option<Since> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().map(Since::Sequence);
    }
    Uuid::try_parse(text).ok().map(Since::Event)
}

impl Since {
    /// The number behind which a stream begins; `None` for an event that is not there.
    async fn sequence(&self, store: &Store, tenant: Uuid) -> StoreResult<Option<i64>> {
        let newest = store.newest_event().await?;
        Ok(match self {
            // One that is yet to come is of another database, before it was restored: nobody waits for it in vain.
            Self::Sequence(sequence) => Some(*sequence).filter(|_| *sequence <= newest),
            Self::Time(at) => Some(store.stored_since(tenant, *at).await?),
            Self::Event(id) => store.event(tenant, *id).await?.map(|event| event.sequence),
        })
    }
}

fn unknown() -> Errors {
    Errors::one(
        "last_event_id",
        "There is no such event, or it is kept no longer: begin with since=0 for all that is kept, or without it for what comes.",
    )
}

/// All places of the tenant are taken.
fn full() -> Reply {
    let body = frame("error", None, &json!({"message": "Connection limit reached."}));
    let mut reply = Reply {
        status: StatusCode::TOO_MANY_REQUESTS,
        headers: vec![(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"))],
        body: Bytes::from(body),
        rest: None,
    };
    reply.header(RETRY_AFTER, "60");
    reply
}

fn frame(event: &str, id: Option<i64>, data: &Value) -> String {
    let mut frame = String::new();
    if let Some(id) = id {
        // Writing into memory cannot fail.
        let _written = writeln!(frame, "id: {id}");
    }
    // JSON has no line breaks of its own, and names of events none at all.
    let name: String = event.chars().filter(|c| !c.is_control()).collect();
    let _written = write!(frame, "event: {name}\ndata: {data}\n\n");
    frame
}

impl Asked {
    fn wants(&self, event: &CallEvent) -> bool {
        let of_a_call = !is_of_configuration(&event.event_type);
        self.call_uuid.as_ref().is_none_or(|uuid| of_a_call && *uuid == event.call_uuid)
            && (self.event_types.is_empty() || self.event_types.contains(&event.event_type))
            && !matches!(self.since, Some(Since::Time(at)) if event.occurred_at < at)
    }
}

impl Stream {
    async fn run(mut self) {
        let end = match self.follow().await {
            Ok(end) => end,
            Err(error) => {
                tracing::warn!(%error, "a stream of events ends early");
                End::Said("error", "Events cannot be read at the moment, please reconnect.")
            }
        };
        if let End::Said(event, message) = end {
            // Who does not read this either finds out when it connects again.
            let _heard = self.send(frame(event, None, &json!({"message": message}))).await;
        }
    }

    async fn follow(&mut self) -> StoreResult<End> {
        let began = Instant::now();
        let end = began + self.asked.last;
        let mut heartbeats = tokio::time::interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
        // So that the client has the headers at once.
        if let Err(end) = self.send(": welcome\n\n".to_owned()).await {
            return Ok(end);
        }
        if let Some(end) = self.catch_up(began).await? {
            return Ok(end);
        }
        loop {
            let ended = tokio::select! {
                // However much there is to tell: who may not any more is told nothing.
                biased;
                () = tokio::time::sleep_until(end) => Some(OVER),
                _ = heartbeats.tick() => self.heartbeat().await?,
                () = self.sender.closed() => Some(End::Gone),
                next = self.follower.next() => match next? {
                    Next::Closing => Some(CLOSING),
                    Next::Events(events) => self.tell(&events).await.err(),
                },
            };
            if let Some(end) = ended {
                return Ok(end);
            }
        }
    }

    /// Tells what is there already, all of it where nothing else is asked for, but for no longer than any stream lasts.
    async fn catch_up(&mut self, began: Instant) -> StoreResult<Option<End>> {
        let last = if self.asked.last.is_zero() { Duration::from_secs(LONGEST) } else { self.asked.last };
        let mut looked = began;
        while let Some(events) = self.follower.stored().await? {
            if let Err(end) = self.tell(&events).await {
                return Ok(Some(end));
            }
            if self.follower.is_closing() {
                return Ok(Some(CLOSING));
            }
            if began.elapsed() >= last {
                return Ok(Some(OVER));
            }
            if looked.elapsed() >= HEARTBEAT {
                looked = Instant::now();
                if let Some(end) = self.heartbeat().await? {
                    return Ok(Some(end));
                }
            }
        }
        Ok(None)
    }

    async fn tell(&self, events: &[Arc<CallEvent>]) -> Result<(), End> {
        let wanted = events.iter().filter(|event| self.may_see(event) && self.asked.wants(event));
        let frames: String = wanted.map(told).collect();
        if frames.is_empty() { Ok(()) } else { self.send(frames).await }
    }

    /// Whether an event is of what the stream is of, and its client may see what it happened to.
    fn may_see(&self, event: &CallEvent) -> bool {
        match self.scope {
            Scope::Calls => !is_of_configuration(&event.event_type),
            Scope::Everything => self.readable.contains(needed(&event.event_type, &event.payload)),
        }
    }

    /// Looks whether the client still may, and says that the stream lives.
    async fn heartbeat(&mut self) -> StoreResult<Option<End>> {
        if !self.still_may().await? {
            return Ok(Some(End::Said("error", "Unauthenticated.")));
        }
        Ok(self.send(": heartbeat\n\n".to_owned()).await.err())
    }

    /// Whether the token is still good, its user still has the permission, and the tenant is still served.
    async fn still_may(&mut self) -> StoreResult<bool> {
        let Some(presented) = self.call.request.bearer().and_then(Presented::parse) else { return Ok(false) };
        let Some(authentic) = self.call.app.store.authenticate(&presented).await? else { return Ok(false) };
        self.call.authentic = Some(authentic);
        self.readable = gate::readable(&self.call);
        Ok(match gate::allows(Gate::Member(Permission::CallEventsView), &self.call).await {
            // Where something broke nobody knows at the moment; it is looked at again.
            Ok(()) | Err(Failure::Broken(_)) => true,
            Err(Failure::Answer(status, _)) => status.is_server_error(),
            Err(_) => false,
        })
    }

    async fn send(&self, text: String) -> Result<(), End> {
        tokio::select! {
            biased;
            sent = self.sender.send(Ok(text.into_bytes())) => sent.map_err(|_| End::Gone),
            // It may have no room for a reason; the end of the connection is one.
            () = tokio::time::sleep(PATIENCE) => {
                let _full = self.sender.try_send(Err(CutShort));
                Err(End::Gone)
            }
            // Nobody waits at the end of the process for a client that does not read.
            () = self.follower.closed() => Err(End::Gone),
        }
    }
}

/// The frame of an event.
fn told(event: &Arc<CallEvent>) -> String {
    let mut data = call_events::replayed(event);
    if let Some(map) = data.as_object_mut() {
        if is_of_configuration(&event.event_type)
            && let Some(subject) = map.remove("call_uuid")
        {
            map.insert("resource_id".to_owned(), subject);
        }
        map.insert("sequence".to_owned(), json!(event.sequence));
        map.insert("generation".to_owned(), json!(event.generation));
    }
    frame(&event.event_type, Some(event.sequence), &data)
}
