//! One attempt to tell a receiver of an event.

use std::error::Error;
use std::iter::successors;
use std::time::Duration;

use nizam_core::model::CallEvent;
use nizam_core::resource::Record;
use nizam_store::Delivery;
use reqwest::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::{Client, ClientBuilder, Response, StatusCode, Url, redirect};

use super::letter::Letter;
use super::networks::Networks;
use super::resolver::{Forbidden, Resolver};
use super::verdict::{Policy, Verdict};
use super::{retry_after, signature};
use crate::fatal::Fatal;
use crate::tls;

/// How long an attempt may take, from the lookup of the name to the last byte that is read.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// How much is read of what a receiver answers, bytes; as much is kept.
const READ: usize = 1000;
/// Connections to a receiver that are kept for the next attempt, and for how long.
const IDLE: usize = 16;
const IDLE_FOR: Duration = Duration::from_secs(4);

/// Tells receivers.
#[derive(Debug)]
pub struct Courier {
    client: Client,
    resolver: Resolver,
    patience: Duration,
    policy: Policy,
}

/// What came of an attempt.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: Option<StatusCode>,
    pub(super) body: Option<String>,
    /// Why nothing came back, or not all.
    pub(super) error: Option<String>,
    /// How long the receiver wants to be left alone.
    pub(super) retry_after: Option<Duration>,
}

impl Answer {
    /// Whether the receiver has it.
    pub(super) fn success(&self) -> bool {
        self.error.is_none() && self.status.is_some_and(|status| status.is_success())
    }

    pub(super) fn failed(error: String) -> Self {
        Self { error: Some(error), ..Self::default() }
    }
}

impl Courier {
    /// One that reaches the public internet, and those networks beside it.
    pub fn new(allowed: Networks) -> Result<Self, Fatal> {
        Self::patient(allowed, PATIENCE)
    }

    pub(super) fn patient(allowed: Networks, patience: Duration) -> Result<Self, Fatal> {
        Self::with(Resolver::new(allowed), patience)
    }

    pub(super) fn with(resolver: Resolver, patience: Duration) -> Result<Self, Fatal> {
        tls::provide();
        let client = client(&resolver, patience).build().or_else(|error| {
            tracing::warn!(
                error = %causes(&error),
                "no certificates of authorities can be read: webhooks with https fail until there are some (Debian: ca-certificates) \
                 and nizamd is started again"
            );
            client(&resolver, patience).tls_certs_only([]).build()
        });
        let client =
            client.map_err(|error| Fatal::new(format!("webhooks cannot be sent: {}", causes(&error))))?;
        Ok(Self { client, resolver, patience, policy: Policy::default() })
    }

    /// The same, where that says who is told again.
    #[must_use]
    pub fn keeping(self, policy: Policy) -> Self {
        Self { policy, ..self }
    }

    /// What follows an attempt, the first being 1.
    pub(super) fn judge(&self, answer: &Answer, attempt: i64, chance: u32) -> Verdict {
        self.policy.judge(answer, attempt, chance)
    }

    /// What can be said of a URL before it is used: whether it is one, and whether an address in it may be reached. What a name leads to
    /// is judged at each attempt.
    pub fn judge_url(&self, url: &str) -> Result<(), String> {
        let url = Url::parse(url).map_err(|error| format!("the URL is none: {error}"))?;
        self.resolver.judge_url(&url).map_err(|forbidden| forbidden.to_string())
    }

    /// One attempt.
    pub(super) async fn tell(&self, delivery: &Delivery) -> Answer {
        self.tell_of(&delivery.webhook, &delivery.event, &delivery.event_type).await
    }

    /// One attempt to tell a webhook of an event, under the name that it wants.
    pub(super) async fn tell_of(&self, webhook: &Record, event: &CallEvent, name: &str) -> Answer {
        let url = match Url::parse(webhook.text("url")) {
            Ok(url) => url,
            Err(error) => return Answer::failed(format!("the URL is none: {error}")),
        };
        if let Err(forbidden) = self.resolver.judge_url(&url) {
            return Answer::failed(forbidden.to_string());
        }
        let Letter { media_type, body } = Letter::of(webhook, event, name);
        let (id, now) = (event.id, jiff::Timestamp::now());
        let timestamp = now.as_second();
        let mut request = self
            .client
            .post(url)
            .header(CONTENT_TYPE, HeaderValue::from_static(media_type))
            .header("x-nizam-event", name)
            .header("x-nizam-timestamp", timestamp)
            .header("webhook-id", id.to_string())
            .header("webhook-timestamp", timestamp);
        let secrets = signature::secrets(webhook, now.as_microsecond());
        // One signature for each header: the receiver whose owner changed the secret has the new one.
        for (name, secret) in ["x-nizam-signature", "x-nizam-signature-previous"].into_iter().zip(&secrets) {
            request = request.header(name, signature::contract(secret, timestamp, &body));
        }
        if !secrets.is_empty() {
            request =
                request.header("webhook-signature", signature::standard(&secrets, id, timestamp, &body));
        }
        match request.body(body).send().await {
            Ok(response) => self.read(response).await,
            Err(error) => Answer::failed(self.why(&error)),
        }
    }

    /// The status, and the beginning of the body.
    async fn read(&self, mut response: Response) -> Answer {
        let status = Some(response.status());
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = retry_after.and_then(|text| retry_after::read(text, jiff::Timestamp::now()));
        let mut bytes = Vec::new();
        let error = loop {
            match response.chunk().await {
                Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
                Ok(None) => break None,
                Err(error) => break Some(self.why(&error)),
            }
            if bytes.len() >= READ {
                break None;
            }
        };
        bytes.truncate(READ);
        // PostgreSQL has no NUL in a text.
        let body = String::from_utf8_lossy(&bytes).replace('\0', "\u{fffd}");
        Answer { status, body: Some(body).filter(|body| !body.is_empty()), error, retry_after }
    }

    /// Why nothing came back. The URL is left out: it may have a password.
    fn why(&self, error: &reqwest::Error) -> String {
        if error.is_timeout() {
            return format!("no answer within {} seconds", self.patience.as_secs());
        }
        if let Some(forbidden) = chain(error).find_map(|cause| cause.downcast_ref::<Forbidden>()) {
            return forbidden.to_string();
        }
        let what = if error.is_connect() { "no connection" } else { "the connection broke" };
        let text = format!("{what}: {}", causes(error));
        text.chars().filter(|c| !c.is_control()).take(500).collect()
    }
}

/// Connections are kept for a moment, because each costs more than an attempt does. One leads to the address that was judged when it was
/// made, whatever its name leads to meanwhile; it serves its own scheme, host and port alone, to whom it was made; and what a receiver says
/// beyond its answer is nobody's: a connection with something left in it is closed. The moment is shorter than the five seconds after which
/// Node.js closes those that are idle: an attempt on one that is just being closed would have to be made again.
fn client(resolver: &Resolver, patience: Duration) -> ClientBuilder {
    Client::builder()
        .dns_resolver(resolver.clone())
        .redirect(redirect::Policy::none())
        .no_proxy()
        .pool_max_idle_per_host(IDLE)
        .pool_idle_timeout(IDLE_FOR)
        .timeout(patience)
        .user_agent(concat!("nizamd/", env!("CARGO_PKG_VERSION")))
}

fn chain(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    successors(error.source(), |&cause| cause.source())
}

/// What is behind an error.
fn causes(error: &reqwest::Error) -> String {
    let mut causes: Vec<String> = chain(error).map(ToString::to_string).collect();
    // One that says what the one before it says as well adds nothing.
    causes.dedup();
    causes.join(": ")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};
    use uuid::Uuid;

    use super::*;

    fn delivery(url: &str) -> Delivery {
        let Value::Object(values) = json!({"url": url, "secret": "a secret of ours!"}) else {
            unreachable!()
        };
        Delivery {
            id: Uuid::nil(),
            webhook: Record {
                id: Uuid::nil(),
                tenant_id: Uuid::nil(),
                version: 1,
                values: values.into_iter().collect(),
                created_at: 0,
                updated_at: 0,
            },
            event: CallEvent {
                id: Uuid::nil(),
                tenant_id: Uuid::nil(),
                call_uuid: "call-1".into(),
                event_type: "call.created".into(),
                payload: json!({}),
                schema_version: "1.0".into(),
                occurred_at: 0,
                created_at: 0,
                updated_at: 0,
                call_id: None,
                generation: None,
                sequence: 1,
            },
            event_type: "call.created".into(),
            attempt: 1,
            until: 0,
        }
    }

    fn courier(allowed: &str) -> Courier {
        Courier::new(allowed.parse().unwrap()).unwrap()
    }

    /// Tells a receiver that does this with each connection, once it has been asked something.
    async fn told<F: Future<Output = ()> + Send>(answer: impl Fn(TcpStream) -> F + Send + 'static) -> Answer {
        told_by(courier("127.0.0.1"), answer).await
    }

    async fn told_by<F: Future<Output = ()> + Send>(
        courier: Courier,
        answer: impl Fn(TcpStream) -> F + Send + 'static,
    ) -> Answer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.read_buf(&mut Vec::new()).await.unwrap();
            answer(stream).await;
        });
        let answer = courier.tell(&delivery(&url)).await;
        serving.abort();
        answer
    }

    async fn write(stream: &mut TcpStream, bytes: &[u8]) -> bool {
        stream.write_all(bytes).await.is_ok()
    }

    #[tokio::test]
    async fn a_receiver_that_streams_for_ever_is_left_after_the_beginning() {
        let answer = told(|mut stream| async move {
            assert!(write(&mut stream, b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await);
            while write(&mut stream, format!("1000\r\n{}\r\n", "x".repeat(4096)).as_bytes()).await {}
        });
        let answer = answer.await;
        assert!(answer.success());
        assert_eq!(answer.body, Some("x".repeat(1000)));
    }

    #[tokio::test]
    async fn a_receiver_that_takes_its_time_is_left() {
        // A byte now and then is no reason to wait for longer.
        for (head, byte) in [
            ("", ""),
            ("HTTP/1.1 200 OK\r\nx: ", "x"),
            ("HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n", "x"),
        ] {
            let impatient = Courier::patient("127.0.0.1".parse().unwrap(), Duration::from_secs(1)).unwrap();
            let answer = told_by(impatient, move |mut stream| async move {
                assert!(write(&mut stream, head.as_bytes()).await);
                while write(&mut stream, byte.as_bytes()).await {
                    tokio::time::sleep(Duration::from_millis(300)).await;
                }
            });
            let answer = answer.await;
            assert!(!answer.success());
            assert_eq!(answer.error.as_deref(), Some("no answer within 1 seconds"), "{head}");
        }
    }

    #[tokio::test]
    async fn a_receiver_that_is_none() {
        for (sent, status) in [
            ("", None),
            ("HTTP/1.1 200", None),
            ("SSH-2.0-OpenSSH_9.2\r\n", None),
            ("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc", Some(200)),
            ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz", Some(200)),
        ] {
            let answer = told(move |mut stream| async move {
                assert!(write(&mut stream, sent.as_bytes()).await);
            });
            let answer = answer.await;
            assert_eq!(answer.status.map(|status| status.as_u16()), status, "{sent}");
            let error = answer.error.unwrap();
            assert!(error.starts_with("the connection broke: "), "{sent}: {error}");
        }
        // A hundred megabytes of a header.
        let answer = told(|mut stream| async move {
            let line = format!("x-filler: {}\r\n", "x".repeat(65_536));
            let mut going = write(&mut stream, b"HTTP/1.1 200 OK\r\n").await;
            for _ in 0..1600 {
                going = going && write(&mut stream, line.as_bytes()).await;
            }
        });
        assert!(answer.await.error.is_some());
    }

    #[tokio::test]
    async fn of_a_hundred_megabytes_the_beginning_is_read() {
        let (sent, written) = tokio::sync::oneshot::channel();
        let sent = std::sync::Mutex::new(Some(sent));
        let answer = told_by(courier("127.0.0.1"), move |mut stream| {
            let sent = sent.lock().unwrap().take();
            async move {
                let head = b"HTTP/1.1 500 No\r\ncontent-length: 104857600\r\n\r\n";
                let (chunk, mut bytes) = (vec![b'x'; 65_536], 0);
                if write(&mut stream, head).await {
                    while bytes < 104_857_600 && write(&mut stream, &chunk).await {
                        bytes += 65_536;
                    }
                }
                let _told = sent.map(|sent| sent.send(bytes));
            }
        });
        let (answer, written) = tokio::join!(answer, tokio::time::timeout(Duration::from_secs(20), written));
        assert_eq!(answer.body, Some("x".repeat(1000)));
        assert!(matches!(courier("").judge(&answer, 1, 0), Verdict::Again(_)));
        // What the system takes for us is all that it got rid of. Cut short with the test it says nothing.
        if let Ok(Ok(written)) = written {
            assert!(written < 32 << 20, "{written}");
        }
    }

    #[tokio::test]
    async fn what_fails_is_tried_again() {
        for sent in [
            "",
            "HTTP/1.1 200",
            "HTTP/1.1 200 OK\r\nx-half: ",
            "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc",
        ] {
            let answer = told(move |mut stream| async move {
                assert!(write(&mut stream, sent.as_bytes()).await);
            });
            let answer = answer.await;
            assert_eq!(courier("").judge(&answer, 1, 0), Verdict::Again(Duration::from_secs(5)), "{sent}");
        }
        let answer = told(|mut stream| async move {
            let head = b"HTTP/1.1 429 Slowly\r\nretry-after: 90\r\ncontent-length: 0\r\n\r\n";
            assert!(write(&mut stream, head).await);
        });
        let answer = answer.await;
        assert_eq!(courier("").judge(&answer, 1, 0), Verdict::Again(Duration::from_secs(90)));
    }

    #[tokio::test]
    async fn what_a_receiver_says_is_text_that_every_database_takes() {
        let answer = told(|mut stream| async move {
            assert!(write(&mut stream, b"HTTP/1.1 500 No\r\ncontent-length: 5\r\n\r\na\0b\xff\x01").await);
        });
        let answer = answer.await;
        assert!(!answer.success());
        assert_eq!(
            (answer.status.unwrap().as_u16(), answer.body.as_deref()),
            (500, Some("a\u{fffd}b\u{fffd}\u{1}"))
        );
        assert_eq!(answer.error, None);
    }

    #[tokio::test]
    async fn what_may_not_be_reached_is_not() {
        // Whoever connects to it would be noticed.
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        for (host, error) in [
            ("127.0.0.1", "127.0.0.1 is a loopback address, which no webhook may reach (webhook_networks)"),
            ("127.1", "127.0.0.1 is a loopback address, which no webhook may reach (webhook_networks)"),
            ("0x7f.1", "127.0.0.1 is a loopback address, which no webhook may reach (webhook_networks)"),
            ("[::1]", "::1 is a loopback address, which no webhook may reach (webhook_networks)"),
            (
                "[::ffff:127.0.0.1]",
                "127.0.0.1 is a loopback address, which no webhook may reach (webhook_networks)",
            ),
            ("localhost", "localhost has no address that a webhook may reach (webhook_networks)"),
            ("localhost.", "localhost. has no address that a webhook may reach (webhook_networks)"),
        ] {
            let answer = courier("").tell(&delivery(&format!("http://{host}:{port}/"))).await;
            assert!(answer.error.as_deref().is_some_and(|told| told == error), "{host}: {answer:?}");
        }
        assert!(tokio::time::timeout(Duration::from_millis(50), listener.accept()).await.is_err());
        for url in ["file:///etc/passwd", "http://", "nonsense", "ftp://8.8.8.8/"] {
            assert!(courier("").tell(&delivery(url)).await.error.is_some(), "{url}");
        }
        // Nobody listens: what is said has no address of it.
        drop(listener);
        let allowed = courier("127.0.0.1, ::1");
        let refused = allowed
            .tell(&delivery(&format!("http://user:password@localhost:{port}/path")))
            .await
            .error
            .unwrap();
        assert!(refused.starts_with("no connection: "), "{refused}");
        assert!(!["127.0.0.1", "::1", "password"].iter().any(|part| refused.contains(part)), "{refused}");
    }
}
