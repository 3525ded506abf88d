//! A client's WebSocket, from its welcome to its end. One task, and nothing that grows with what a client does not read.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use nizam_core::model::CallEvent;
use nizam_store::{StoreError, StoreResult};
use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, interval_at, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};
use uuid::Uuid;

use super::channel::Channel;
use super::following::Following;
use super::frame::{self, Said, Subscribe};
use super::subscription::{self, Earlier, MOST, Subscription};
use super::{LARGEST, Pace, Ticket};
use crate::app::App;
use crate::events::Next;
use crate::http::Listener;

/// Bytes that are read at once, and that are written at once.
const BUFFER: usize = 4 << 10;
/// How long a client waits for each channel that it asks for beyond twice as many as it may have: they ask the database.
const OFTEN: Duration = Duration::from_millis(100);
/// Longest wait for a client to be told why it is closed.
const GOODBYE: Duration = Duration::from_secs(3);

/// Why a socket is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// There is no application with that key.
    Key,
    /// The path goes on behind the key.
    Path,
    /// The protocol is none that is spoken here.
    Protocol,
    /// The protocol is not named.
    NoProtocol,
}

/// Why a socket ends.
#[derive(Debug)]
enum End {
    /// Told to the client: a code of the protocol, and words.
    Said(u16, &'static str),
    /// The client does not read.
    Unread,
    /// The client has gone, or has said that it goes.
    Gone,
}

/// Something that the database could not tell.
const UNREAD: End = End::Said(4200, "Events cannot be read at the moment, please reconnect.");
const CLOSING: End = End::Said(4200, "The server ends, please reconnect.");

/// What happens to a socket.
enum Happened {
    Closing,
    Beat,
    Heard(Option<Result<Message, Error>>),
    /// Events that were stored before a channel was heard.
    Earlier(Channel, Earlier, StoreResult<(Vec<Arc<CallEvent>>, bool)>),
    Next(StoreResult<Next>),
}

/// A client's socket.
pub(crate) struct Socket<S> {
    app: Arc<App>,
    stream: WebSocketStream<S>,
    id: String,
    subscriptions: Vec<Subscription>,
    following: Following,
    /// How often it has asked for a channel, or for what was told there.
    asked_for: usize,
    opened: Instant,
    /// When the client last said anything.
    heard: Instant,
    /// When it was asked whether it lives.
    asked: Option<Instant>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    /// On a connection that was upgraded, of which so much is read already.
    pub(crate) async fn new(app: Arc<App>, stream: S, read: Vec<u8>) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(BUFFER)
            .write_buffer_size(BUFFER)
            .max_write_buffer_size(16 * LARGEST)
            .max_message_size(Some(LARGEST))
            .max_frame_size(Some(LARGEST));
        let stream = WebSocketStream::from_partially_read(stream, read, Role::Server, Some(config)).await;
        // Nobody else may have the same name, on any node: what is signed for it is good for nobody else.
        let (high, low) = Uuid::new_v4().as_u64_pair();
        let now = Instant::now();
        Self {
            app,
            stream,
            id: format!("{high}.{low}"),
            subscriptions: Vec::new(),
            following: Following::default(),
            asked_for: 0,
            opened: now,
            heard: now,
            asked: None,
        }
    }

    /// Serves the client until one of both ends it.
    pub(crate) async fn run(mut self) {
        let end = self.talk().await;
        tracing::debug!(socket = self.id, ?end, "a socket ends");
        match end {
            End::Said(code, text) => self.close(code, text).await,
            // It stands behind what is not read. Where nothing was said the client would wait.
            End::Unread => self.close(4202, "What was told is not read; reconnect and resume.").await,
            End::Gone => {}
        }
    }

    /// Tells the client why it is not served.
    pub(crate) async fn refuse(mut self, refusal: Refusal) {
        let (code, text) = match refusal {
            Refusal::Key => (4001, "There is no application with this key."),
            Refusal::Path => (4005, "There is no such path."),
            Refusal::Protocol => (4007, "This version of the protocol is not spoken here; 7 is."),
            Refusal::NoProtocol => (4008, "The version of the protocol is missing: protocol=7."),
        };
        let pace = self.pace();
        let _told = send(&mut self.stream, frame::error(code, text, None), pace.patience).await;
        self.close(code, text).await;
    }

    fn pace(&self) -> Pace {
        self.app.broadcaster.pace
    }

    async fn close(&mut self, code: u16, text: &'static str) {
        let why = CloseFrame { code: CloseCode::from(code), reason: Utf8Bytes::from_static(text) };
        let goodbye = async {
            self.stream.close(Some(why)).await?;
            // Until it says so as well: one that is cut off before has no code.
            while let Some(Ok(_)) = self.stream.next().await {}
            Ok::<_, Error>(())
        };
        let _unheard = timeout(GOODBYE, goodbye).await;
    }

    async fn talk(&mut self) -> End {
        let app = Arc::clone(&self.app);
        let pace = self.pace();
        let seconds = pace.activity.as_secs().max(1);
        let welcome = json!({"socket_id": self.id, "activity_timeout": seconds});
        if let Err(end) = self.send(frame::message("pusher:connection_established", None, &welcome)).await {
            return end;
        }
        let mut heartbeats = interval_at(Instant::now() + pace.heartbeat, pace.heartbeat);
        let closing = app.hub.closed();
        tokio::pin!(closing);
        loop {
            let first = self.subscriptions.iter().find_map(|one| Some((one.channel, one.earlier?)));
            let happened = tokio::select! {
                // However much there is to tell: who may not any more is told nothing.
                biased;
                () = &mut closing => Happened::Closing,
                _ = heartbeats.tick() => Happened::Beat,
                heard = self.stream.next() => Happened::Heard(heard),
                // What comes waits for what was: a channel has its order.
                happened = async {
                    match first {
                        Some((channel, earlier)) => {
                            Happened::Earlier(channel, earlier, subscription::read(&app.store, channel, earlier).await)
                        }
                        None => Happened::Next(self.following.next().await),
                    }
                } => happened,
            };
            let went = match happened {
                Happened::Closing | Happened::Next(Ok(Next::Closing)) => Err(CLOSING),
                Happened::Beat => self.beat().await,
                Happened::Heard(heard) => self.hear(heard).await,
                Happened::Earlier(channel, earlier, Ok((events, over))) => {
                    self.tell_earlier(channel, earlier, &events, over).await
                }
                Happened::Next(Ok(Next::Events(events))) => self.tell(&events).await,
                Happened::Earlier(_, _, Err(error)) | Happened::Next(Err(error)) => Err(unread(&error)),
            };
            if let Err(end) = went {
                return end;
            }
        }
    }

    async fn tell(&mut self, events: &[Arc<CallEvent>]) -> Result<(), End> {
        let (told, patience) = (&self.app.broadcaster.told, self.pace().patience);
        for event in events {
            for one in &self.subscriptions {
                if event.sequence > one.begun
                    && one.may_see(event)
                    && let Some(message) = told.message(one.channel, event)
                {
                    feed(&mut self.stream, message, patience).await?;
                }
            }
        }
        flush(&mut self.stream, patience).await
    }

    async fn tell_earlier(
        &mut self,
        channel: Channel,
        earlier: Earlier,
        events: &[Arc<CallEvent>],
        over: bool,
    ) -> Result<(), End> {
        let patience = self.pace().patience;
        let one = self.subscriptions.iter().find(|one| one.channel == channel);
        for event in events.iter().filter(|event| one.is_some_and(|one| one.may_see(event))) {
            if let Some(message) = self.app.broadcaster.told.message(channel, event) {
                feed(&mut self.stream, message, patience).await?;
            }
        }
        let last = events.last().map_or(earlier.position, |event| event.sequence);
        if let Some(one) = self.subscriptions.iter_mut().find(|one| one.channel == channel) {
            one.earlier = (!over).then_some(Earlier { position: last, ..earlier });
        }
        if over {
            let range = json!({"from": earlier.from, "to": earlier.until});
            let resumed = frame::message("pusher:resumed", Some(&channel.to_string()), &range);
            feed(&mut self.stream, resumed, patience).await?;
        }
        flush(&mut self.stream, patience).await
    }

    /// Looks whether the client still may, and still lives.
    async fn beat(&mut self) -> Result<(), End> {
        let pace = self.pace();
        for one in &mut self.subscriptions {
            match Listener::of_token(&self.app.store, one.token, one.channel).await {
                Ok(Some(listener)) => one.readable = listener.readable(),
                Ok(None) => {
                    return Err(End::Said(4009, "Unauthorised: the token is good no more, or what it may."));
                }
                // Nobody knows at the moment; it is looked at again.
                Err(error) => tracing::debug!(%error, "whether a socket still may is not known"),
            }
        }
        if self.subscriptions.is_empty() && self.opened.elapsed() >= pace.idle {
            return Err(End::Said(4202, "Closed after inactivity: no channel was subscribed."));
        }
        match self.asked {
            Some(asked) if self.heard < asked => {
                if asked.elapsed() >= pace.activity {
                    return Err(End::Said(4201, "There was no pong."));
                }
                Ok(())
            }
            _ if self.heard.elapsed() >= pace.activity => {
                self.asked = Some(Instant::now());
                self.send(frame::message("pusher:ping", None, &json!({}))).await
            }
            _ => Ok(()),
        }
    }

    async fn hear(&mut self, heard: Option<Result<Message, Error>>) -> Result<(), End> {
        self.heard = Instant::now();
        let text = match heard {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Binary(_))) => return self.wrong(4200, "Invalid message format", None).await,
            // Answered below this; so is a pong.
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {
                let patience = self.pace().patience;
                return flush(&mut self.stream, patience).await;
            }
            Some(Err(Error::Capacity(_))) => return Err(End::Said(1009, "The message is too large.")),
            Some(Err(Error::Utf8(_))) => return Err(End::Said(1007, "The message is no UTF-8.")),
            Some(Err(Error::Protocol(_))) => return Err(End::Said(1002, "This is no WebSocket.")),
            Some(Ok(Message::Close(_))) => {
                // The answer to it is written by now, and not sent.
                let _gone = flush(&mut self.stream, GOODBYE).await;
                return Err(End::Gone);
            }
            Some(Err(_)) | None => return Err(End::Gone),
        };
        match Said::read(&text) {
            Ok(Said::Ping) => self.send(frame::message("pusher:pong", None, &json!({}))).await,
            Ok(Said::Pong) => Ok(()),
            Ok(Said::Subscribe(asked)) => {
                self.slow_down().await;
                self.subscribe(&asked).await
            }
            Ok(Said::Unsubscribe(named)) => {
                self.unsubscribe(&named.channel);
                Ok(())
            }
            Ok(Said::Resume(asked)) => {
                self.slow_down().await;
                self.resume(&asked.channel, asked.sequence).await
            }
            Ok(Said::OfClient) => self.wrong(4301, "Events of clients are not passed on here.", None).await,
            Err(why) => self.wrong(4200, why, None).await,
        }
    }

    /// Whoever asks for channels on and on has all that it may have, and waits.
    async fn slow_down(&mut self) {
        self.asked_for = self.asked_for.saturating_add(1);
        if self.asked_for > 2 * MOST {
            tokio::time::sleep(OFTEN).await;
        }
    }

    async fn subscribe(&mut self, asked: &Subscribe) -> Result<(), End> {
        let name = &*asked.channel;
        let channel = match Channel::parse(name) {
            Ok(channel) => channel,
            Err(why) => return self.wrong(4009, why, Some(name)).await,
        };
        let verified =
            self.app.broadcaster.signer.verify(&self.id, channel, &asked.auth, &asked.channel_data);
        let Some(Ticket { token, since }) = verified else {
            let why = "The authorisation is not one of this socket and channel: ask /broadcasting/auth, and send auth and channel_data \
                       as they were answered.";
            return self.wrong(4009, why, Some(name)).await;
        };
        // What was good when it was signed need not be any more.
        let readable = match Listener::of_token(&self.app.store, token, channel).await {
            Ok(Some(listener)) => listener.readable(),
            Ok(None) => {
                return self.wrong(4009, "The token is good no more, or what it may.", Some(name)).await;
            }
            Err(error) => return Err(unread(&error)),
        };
        let known = self.subscriptions.iter().position(|one| one.channel == channel);
        if known.is_none() {
            if self.subscriptions.len() >= MOST {
                return self
                    .wrong(4100, "This socket has all the channels that it may have.", Some(name))
                    .await;
            }
            let begun = match self.following.follow(&self.app.hub, channel.tenant).await {
                Ok(Some(begun)) => begun,
                Ok(None) => return Err(End::Said(4100, "The tenant has all the sockets that it may have.")),
                Err(error) => return Err(unread(&error)),
            };
            self.subscriptions.push(Subscription { channel, token, readable, begun, earlier: None });
        } else if let Some(one) = self.subscriptions.iter_mut().find(|one| one.channel == channel) {
            (one.token, one.readable) = (token, readable);
        }
        self.send(frame::message("pusher_internal:subscription_succeeded", Some(name), &json!({}))).await?;
        match asked.since.or(since) {
            Some(sequence) if known.is_none() => self.resume(name, sequence).await,
            _ => Ok(()),
        }
    }

    fn unsubscribe(&mut self, name: &str) {
        let before = self.subscriptions.len();
        self.subscriptions.retain(|one| one.channel.to_string() != name);
        if self.subscriptions.len() == before {
            return;
        }
        let subscriptions = &self.subscriptions;
        self.following.retain(|tenant| subscriptions.iter().any(|one| one.channel.tenant == tenant));
        // It may subscribe to another one: the time without any begins now.
        self.opened = Instant::now();
    }

    /// Tells a channel what was stored behind that event before it was heard.
    async fn resume(&mut self, name: &str, sequence: i64) -> Result<(), End> {
        let channel = Channel::parse(name).ok();
        // First of all: whoever may hear nothing costs the database nothing.
        if !self.subscriptions.iter().any(|one| Some(one.channel) == channel) {
            return self.wrong(4302, "The channel is not subscribed.", Some(name)).await;
        }
        let newest = match self.app.store.newest_event().await {
            Ok(newest) => newest,
            Err(error) => return Err(unread(&error)),
        };
        // One that is yet to come is of another database, before it was restored: nobody waits for it in vain.
        if !(0..=newest).contains(&sequence) {
            return self
                .wrong(4302, "There is no such event: begin with 0 for all that is kept.", Some(name))
                .await;
        }
        match self.subscriptions.iter_mut().find(|one| Some(one.channel) == channel) {
            None => self.wrong(4302, "The channel is not subscribed.", Some(name)).await,
            Some(one) => {
                if one.begin(sequence) {
                    return Ok(());
                }
                self.wrong(4302, "The channel is resumed already.", Some(name)).await
            }
        }
    }

    async fn wrong(&mut self, code: u16, why: &str, channel: Option<&str>) -> Result<(), End> {
        self.send(frame::error(code, why, channel)).await
    }

    async fn send(&mut self, text: Utf8Bytes) -> Result<(), End> {
        let patience = self.pace().patience;
        send(&mut self.stream, text, patience).await
    }
}

fn unread(error: &StoreError) -> End {
    tracing::warn!(%error, "a socket ends early");
    UNREAD
}

/// Hands a message on, however often it has to wait until the client has read some of what was before.
async fn feed<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut WebSocketStream<S>,
    text: Utf8Bytes,
    patience: Duration,
) -> Result<(), End> {
    patient(stream.feed(Message::Text(text)), patience).await
}

async fn flush<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut WebSocketStream<S>,
    patience: Duration,
) -> Result<(), End> {
    patient(stream.flush(), patience).await
}

async fn send<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut WebSocketStream<S>,
    text: Utf8Bytes,
    patience: Duration,
) -> Result<(), End> {
    feed(stream, text, patience).await?;
    flush(stream, patience).await
}

async fn patient(sending: impl Future<Output = Result<(), Error>>, patience: Duration) -> Result<(), End> {
    match timeout(patience, sending).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(End::Gone),
        Err(_) => Err(End::Unread),
    }
}
