//! One warp filter that takes every request, and what is the same for all of them: limits, tokens, headers, the log.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{self, Poll};
use std::time::Instant;

use nizam_core::validate::Input;
use nizam_store::{Authentic, Presented};
use tokio::net::TcpListener;
use uuid::Uuid;
use warp::http::header::{self, ALLOW, CONTENT_LENGTH, HeaderName, RETRY_AFTER};
use warp::http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use warp::hyper::body::Bytes;
use warp::{Buf, Filter as _, Reply as _, Stream};

use hyper_util::service::TowerToHyperService;

use super::accept::{self, Peer};
use super::body;
use super::call::Call;
use super::crowd::Crowd;
use super::failure::{Failure, problem};
use super::gate::{self, Gate};
use super::kept::{Kept, Name};
use super::limits::{Standing, Subject};
use super::replay::{self, Replay};
use super::reply::{CutShort, Outcome, Reply, Rest};
use super::request::Request;
use super::route::{Rate, Route};
use super::router::{Found, Parameters, Router};
use super::routes::routes;
use super::upgrade;
use crate::app::App;

const ALLOWED_METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
// "*" does not cover Authorization (Fetch standard, 4.9).
const ALLOWED_HEADERS: &str = "Authorization, *";
const EXPOSED_HEADERS: &str = "ETag, Idempotency-Replayed, Content-Disposition, X-Nizam-Generation, X-Nizam-Live, \
     X-Nizam-Ignored-Fields, X-Request-Id, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Retry-After, Server-Timing";

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const IGNORED_FIELDS: HeaderName = HeaderName::from_static("x-nizam-ignored-fields");
const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// Headers of every answer.
const ALWAYS: [(HeaderName, HeaderValue); 6] = [
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
    (header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(ALLOWED_METHODS)),
    (header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(ALLOWED_HEADERS)),
    (header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED_HEADERS)),
    // Answers hold secrets.
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
];

/// Answers requests until `stop` is done, then finishes those that run.
pub async fn serve(app: Arc<App>, listener: TcpListener, stop: impl Future<Output = ()> + Send + 'static) {
    let crowd = Arc::new(Crowd::new(app.connections_per_address, app.proxies.clone()));
    let connections = app.connections;
    let sockets = upgrade::filter(Arc::clone(&app));
    let server = Arc::new(Server { app, router: Router::new(routes()), kept: Kept::default() });
    let filter = warp::any()
        .map(move || Arc::clone(&server))
        .and(warp::method())
        .and(warp::path::full())
        .and(warp::query::raw().or(warp::any().map(String::new)).unify())
        .and(warp::header::headers_cloned())
        .and(warp::ext::optional::<Peer>())
        .and(warp::body::stream())
        .and_then(
            |server: Arc<Server>,
             method,
             path: warp::path::FullPath,
             query,
             headers,
             peer: Option<Peer>,
             body| async move {
                let peer = peer.map(|Peer(peer)| peer);
                Ok::<_, Infallible>(
                    answer(server, method, path.as_str().to_owned(), query, headers, peer, body).await,
                )
            },
        );
    let service = TowerToHyperService::new(warp::service(sockets.or(filter)));
    accept::serve(listener, connections, crowd, service, stop, accept::TAKE_TIME).await;
}

struct Server {
    app: Arc<App>,
    router: Router,
    kept: Kept,
}

/// What of a request is known besides its answer.
struct Context {
    standing: Option<Standing>,
    operation: Arc<str>,
    user: Option<i64>,
    ignored: Arc<OnceLock<Vec<String>>>,
}

async fn answer<S, B>(
    server: Arc<Server>,
    method: Method,
    path: String,
    query: String,
    headers: HeaderMap,
    peer: Option<SocketAddr>,
    body: S,
) -> warp::reply::Response
where
    S: Stream<Item = Result<B, warp::Error>>,
    B: Buf,
{
    let began = Instant::now();
    let id = request_id(&headers);
    let peer =
        server.app.proxies.client(peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |peer| peer.ip()), &headers);
    let head = method == Method::HEAD;
    let reads = head || method == Method::GET;
    let request = Request { method, path, query, headers, body: Vec::new(), peer };
    let mut context = server.context(&request);
    let outcome = Box::pin(server.run(request, body, &mut context)).await;
    let reply = outcome.unwrap_or_else(Failure::into_reply);
    macro_rules! log {
        ($level:ident) => {
            tracing::$level!(
                operation = &*context.operation,
                status = reply.status.as_u16(),
                duration_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX),
                user = context.user,
                %peer,
                request = id,
                "request"
            )
        };
    }
    // A read that went well is no event: clients that poll would write the log full.
    if reads && reply.status.is_success() {
        log!(debug);
    } else {
        log!(info);
    }
    server.app.metrics.answered(&context.operation, reply.status.as_u16(), began.elapsed());
    finish(reply, &context, &id, head)
}

impl Server {
    fn context(&self, request: &Request) -> Context {
        let standing = self.app.limits.peek(Subject::Address(request.peer));
        Context { standing, operation: "none".into(), user: None, ignored: Arc::default() }
    }

    /// From the request to its answer. The body is read last: nobody sends a large one without a good token.
    async fn run<S, B>(&self, mut request: Request, body: S, context: &mut Context) -> Outcome
    where
        S: Stream<Item = Result<B, warp::Error>>,
        B: Buf,
    {
        // Before anything is read: an answer made of what is read from now on is as new as this.
        let (began, epoch) = (Instant::now(), self.app.store.epoch());
        let (route, parameters, authentic) = match self.admit(&request, context).await {
            Ok(admitted) => admitted,
            Err(refusal) => {
                // A client that is still sending when the connection ends does not get to read why.
                let _discarded = body::read(&request.headers, body, body::SMALL).await;
                return refusal;
            }
        };
        request.body = body::read(&request.headers, body, route.body).await?;
        let name =
            authentic.as_ref().filter(|_| route.keeps).and_then(|who| Name::of(who.token.id, &request));
        if let Some(reply) = name.as_ref().and_then(|name| self.kept.get(name, epoch)) {
            return Ok(reply);
        }
        let (answered, idempotency) = match &authentic {
            Some(who) if route.method == Method::POST && route.gate != Gate::Public => {
                match replay::earlier(&self.app.store, who, &route.id, &request).await? {
                    Replay::Answer(reply) => (Some(reply), None),
                    Replay::New(idempotency) => (None, idempotency),
                }
            }
            _ => (None, None),
        };
        let user = authentic.as_ref().map(|who| who.user.id);
        let mut call = Call {
            app: Arc::clone(&self.app),
            request: Arc::new(request),
            authentic,
            input: Input::default(),
            parameters,
            writes: route.writes(),
            text: route.text,
            idempotency: idempotency.clone(),
            ignored: Arc::clone(&context.ignored),
        };
        // Nobody has a large body taken apart who may do nothing with it.
        if answered.is_some() || route.body > body::SMALL {
            // Boxed: few requests were sent before, or are large.
            Box::pin(gate::allows(route.gate, &call)).await?;
        }
        if let Some(reply) = answered {
            return Ok(reply);
        }
        call.input = call.request.input(route.text)?;
        // A task of its own: a panic ends it and nothing else, and a client that hangs up does not end a write between
        // its commit and the switches.
        let (run, store) = ((route.run)(call), Arc::clone(&self.app.store));
        let task = tokio::spawn(async move {
            let outcome = run.await;
            if let (Ok(reply), Some(user), Some(request)) = (&outcome, user, &idempotency) {
                replay::remember(&store, user, request, reply).await;
            }
            outcome
        });
        let outcome = task.await.unwrap_or_else(|error| Err(Failure::Broken(error.to_string())));
        if let (Ok(reply), Some(name)) = (&outcome, name) {
            self.kept.put(name, reply, epoch, began);
        }
        outcome
    }

    /// The operation, for whoever may send requests at all; the answer, for others.
    async fn admit(
        &self,
        request: &Request,
        context: &mut Context,
    ) -> Result<(&Route, Parameters, Option<Arc<Authentic>>), Outcome> {
        let (route, parameters) = match self.router.find(&request.method, &request.path) {
            Found::Operation(route, parameters) => (route, parameters),
            Found::OtherMethods(methods) => return Err(Ok(other_methods(request, &methods))),
            Found::Nothing => {
                let path = request.path.trim_start_matches('/');
                let text = format!("The route {path} could not be found.");
                return Err(Err(Failure::Answer(StatusCode::NOT_FOUND, text)));
            }
        };
        context.operation = Arc::clone(&route.id);
        let authentic = self.authenticate(request, route, context).await.map_err(Err)?;
        if let Some(who) = &authentic {
            context.user = Some(who.user.id);
            self.app.note_use(&who.token);
        }
        if self.throttled(request, route, authentic.as_deref(), context) {
            return Err(Err(Failure::too_many()));
        }
        Ok((route, parameters, authentic))
    }

    /// Who presents a good token. Where none is needed, a bad one is as good as none.
    async fn authenticate(
        &self,
        request: &Request,
        route: &Route,
        context: &mut Context,
    ) -> Result<Option<Arc<Authentic>>, Failure> {
        let public = route.gate == Gate::Public;
        let Some(text) = request.bearer() else {
            return if public { Ok(None) } else { Err(Failure::unauthenticated()) };
        };
        let found = match Presented::parse(text) {
            Some(presented) => self.app.store.authenticate(&presented).await,
            None => Ok(None),
        };
        match found {
            Ok(Some(authentic)) => Ok(Some(authentic)),
            Ok(None) | Err(_) if public => Ok(None),
            Ok(None) => {
                let standing = self.app.limits.hit(Subject::WrongToken(request.peer));
                if standing.is_some_and(|standing| standing.exceeded) {
                    context.standing = standing;
                    return Err(Failure::too_many());
                }
                Err(Failure::unauthenticated())
            }
            Err(error) => Err(error.into()),
        }
    }

    fn throttled(
        &self,
        request: &Request,
        route: &Route,
        who: Option<&Authentic>,
        context: &mut Context,
    ) -> bool {
        let api = who.map_or(Subject::Address(request.peer), |who| Subject::User(who.user.id));
        let limits = &self.app.limits;
        if !limits.count_admins() && who.is_some_and(|who| who.user.is_admin()) {
            context.standing = None;
            return false;
        }
        context.standing = match route.rate {
            Rate::Free => limits.peek(api),
            Rate::Login => limits.hit(Subject::Login(request.peer)),
            Rate::Api => limits.hit(api),
        };
        context.standing.is_some_and(|standing| standing.exceeded)
    }
}

/// The path is there, the method is not. OPTIONS is answered for every path that is there.
fn other_methods(request: &Request, methods: &[String]) -> Reply {
    let allow = methods.join(", ");
    let mut reply = if request.method == Method::OPTIONS {
        Reply::no_content()
    } else {
        let path = request.path.trim_start_matches('/');
        let text = format!(
            "The {} method is not supported for route {path}. Supported methods: {allow}.",
            request.method
        );
        problem(StatusCode::METHOD_NOT_ALLOWED, text)
    };
    if let Ok(allow) = HeaderValue::from_str(&allow) {
        reply.headers.push((ALLOW, allow));
    }
    reply
}

/// The caller's name for the request, if it is a harmless one, else a new one.
fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok());
    let harmless = |id: &&str| {
        (1..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(&b))
    };
    given.filter(harmless).map_or_else(|| Uuid::now_v7().to_string(), str::to_owned)
}

fn finish(mut reply: Reply, context: &Context, id: &str, head: bool) -> warp::reply::Response {
    if let Some(ignored) = context.ignored.get().filter(|ignored| !ignored.is_empty()) {
        reply.header(IGNORED_FIELDS, &field_list(ignored));
    }
    if let Some(standing) = context.standing {
        reply.header(LIMIT, &standing.limit.to_string());
        reply.header(REMAINING, &standing.remaining.to_string());
        if reply.status == StatusCode::TOO_MANY_REQUESTS {
            let reset = jiff::Timestamp::now().as_second().saturating_add_unsigned(standing.retry_after);
            if !reply.headers.iter().any(|(name, _)| name == RETRY_AFTER) {
                reply.header(RETRY_AFTER, &standing.retry_after.to_string());
            }
            reply.header(RESET, &reset.to_string());
        }
    }
    reply.header(REQUEST_ID, id);
    // Streams say so themselves.
    let said = reply.headers.iter().any(|(name, _)| name == header::CACHE_CONTROL);
    reply.headers.extend(ALWAYS.into_iter().filter(|(name, _)| !said || name != header::CACHE_CONTROL));
    if head && reply.rest.is_none() {
        reply.headers.push((CONTENT_LENGTH, HeaderValue::from(reply.body.len())));
        reply.body = Bytes::new();
    }
    let mut response = match reply.rest {
        Some(rest) if !head => warp::reply::stream(Parts(rest)).into_response(),
        _ => Response::new(reply.body.into()),
    };
    *response.status_mut() = reply.status;
    response.headers_mut().extend(reply.headers);
    response
}

/// The parts of a body that is sent as it is made.
struct Parts(Rest);

impl Stream for Parts {
    type Item = Result<Vec<u8>, CutShort>;

    fn poll_next(self: Pin<&mut Self>, context: &mut task::Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().0.poll_recv(context)
    }
}

/// Names of fields for a header: whatever they hold, percent-encoded where a header could not.
fn field_list(names: &[String]) -> String {
    const MOST: usize = 512;
    let mut list = String::new();
    for name in names {
        let mut encoded = String::new();
        for byte in name.bytes().take(64) {
            if byte.is_ascii_alphanumeric() || b"_-.*".contains(&byte) {
                encoded.push(char::from(byte));
            } else {
                // Writing into memory cannot fail.
                let _written = write!(encoded, "%{byte:02X}");
            }
        }
        if list.len() + encoded.len() > MOST {
            list.push_str(", ...");
            break;
        }
        if !list.is_empty() {
            list.push_str(", ");
        }
        list.push_str(&encoded);
    }
    list
}

#[cfg(test)]
mod tests {
    use nizam_store::{Key, Keyring, Store};

    use super::super::gate::{no_fields, public};
    use super::*;
    use crate::config::Registration;
    use crate::http::answers::Answers;
    use crate::http::limits::Bounds;
    use crate::publisher::Nobody;

    struct NoBody;

    impl Stream for NoBody {
        type Item = Result<Bytes, warp::Error>;

        fn poll_next(self: Pin<&mut Self>, _: &mut task::Context<'_>) -> Poll<Option<Self::Item>> {
            Poll::Ready(None)
        }
    }

    async fn broken(_: Call, (): ()) -> Outcome {
        panic!("the secret is 42");
    }

    #[tokio::test]
    async fn a_panic_ends_its_request_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", directory.path().join("nizam.db").display());
        let store = Store::open(&url, Keyring::new(&Key::random().unwrap())).await.unwrap();
        let app = App::new(Arc::new(store), Arc::new(Nobody), Bounds::requests(0), Registration::Open);
        let routes =
            vec![Route::new(Method::GET, "/broken", "broken", Answers::Nothing, public(no_fields, broken))];
        let server = Server { app: Arc::new(app), router: Router::new(routes), kept: Kept::default() };
        for _ in 0..2 {
            let request = Request {
                method: Method::GET,
                path: "/api/broken".into(),
                query: String::new(),
                headers: HeaderMap::new(),
                body: Vec::new(),
                peer: Ipv4Addr::LOCALHOST.into(),
            };
            let mut context = server.context(&request);
            let outcome = server.run(request, NoBody, &mut context).await;
            let reply = outcome.unwrap_or_else(Failure::into_reply);
            assert_eq!(reply.status, StatusCode::INTERNAL_SERVER_ERROR);
            let body: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
            assert_eq!(body["message"], "Server Error");
        }
    }

    #[test]
    fn any_name_fits_into_a_header() {
        let names = ["plain".to_owned(), "a\r\nX: y".to_owned(), "é".to_owned()];
        assert_eq!(field_list(&names), "plain, a%0D%0AX%3A%20y, %C3%A9");
        let many: Vec<String> = (0..1000).map(|i| format!("field{i}")).collect();
        let list = field_list(&many);
        assert!(list.len() < 530 && list.ends_with(", ..."));
    }

    #[test]
    fn only_harmless_names_of_requests_come_back() {
        let id = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("x-request-id", HeaderValue::from_str(value).unwrap());
            request_id(&headers)
        };
        assert_eq!(id("abc-1.2:3_4"), "abc-1.2:3_4");
        for value in ["", "a b", "<x>", &"x".repeat(129)] {
            assert_ne!(id(value), value);
        }
    }
}
