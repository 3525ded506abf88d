//! A server on a free port with a database of its own, and short ways to ask it.

use std::sync::Arc;
use std::time::Duration;

use nizam_core::model::{Abilities, NewUser, Role};
use nizam_store::{Actor, Key, Keyring, Store};
use nizam_test_postgres::Database;
use nizamd::app::App;
use nizamd::broadcast::{Broadcaster, Pace};
use nizamd::config::Registration;
use nizamd::events::Hub;
use nizamd::http::Bounds;
use nizamd::publisher::{Nobody, Publisher};
use nizamd::webhook::{Courier, Deliverer, Feeder, Receivers};
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use uuid::Uuid;

/// Nobody waits half a minute in a test.
const PACE: Pace = Pace {
    heartbeat: Duration::from_millis(250),
    activity: Duration::from_secs(3),
    patience: Duration::from_secs(2),
    idle: Duration::from_mins(1),
};

pub(crate) struct Api {
    pub(crate) base: String,
    pub(crate) client: Client,
    pub(crate) store: Arc<Store>,
    pub(crate) hub: Arc<Hub>,
    _stop: oneshot::Sender<()>,
    _delivering: watch::Sender<bool>,
    _directory: TempDir,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("no JSON ({e}): {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[track_caller]
    pub(crate) fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        self
    }

    #[track_caller]
    pub(crate) fn says(&self, status: u16, message: &str) {
        self.is(status);
        let body = self.json();
        assert_eq!((&body["message"], &body["status"]), (&json!(message), &json!(status)));
        assert_eq!((&body["type"], &body["detail"]), (&json!("about:blank"), &json!(message)));
        assert_eq!(body.get("errors"), None);
    }

    /// 422, naming exactly these fields.
    #[track_caller]
    pub(crate) fn names(&self, fields: &[&str]) {
        self.is(422);
        let body = self.json();
        let errors: Vec<&str> = body["errors"].as_object().unwrap().keys().map(String::as_str).collect();
        let mut fields = fields.to_vec();
        fields.sort_unstable();
        assert_eq!(errors, fields, "{self:?}");
        assert!(!body["message"].as_str().unwrap().is_empty());
    }
}

/// Somebody with a token.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) id: i64,
    pub(crate) token: String,
}

impl Api {
    pub(crate) async fn new() -> Self {
        Self::with(Bounds::requests(0), Registration::Open, Arc::new(Nobody)).await
    }

    pub(crate) async fn with(
        bounds: Bounds,
        registration: Registration,
        publisher: Arc<dyn Publisher>,
    ) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = Database::chosen().fresh(directory.path());
        let store = Arc::new(Store::open(&url, Keyring::new(&Key::random().unwrap())).await.unwrap());
        let courier = Courier::new("127.0.0.0/8".parse().unwrap()).unwrap();
        let receivers = Arc::new(Receivers::new(courier).unwrap());
        let app = App::new(store.clone(), publisher, bounds, registration)
            .streaming(3, 5)
            .broadcasting(Broadcaster::new("nizam", "a secret of the tests", PACE))
            .telling(Arc::clone(&receivers));
        let app = Arc::new(app);
        let deliverer = Deliverer::new(store.clone(), receivers, Arc::clone(&app.undelivered));
        let (delivering, ended) = watch::channel(false);
        tokio::spawn(deliverer.run(ended.clone()));
        let feeder = Feeder::new(store.clone(), app.hub.newest(), Arc::clone(&app.undelivered));
        tokio::spawn(feeder.run(ended));
        let (stored, newest) = watch::channel(0);
        let hub = Arc::clone(&app.hub);
        let telling = Arc::clone(&hub).run(newest);
        tokio::spawn(async move {
            // Nothing says that something was stored: it is found by looking.
            let _stored = stored;
            telling.await;
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(nizamd::http::serve(app, listener, async move {
            let _gone = stopped.await;
        }));
        let client = Client::builder().timeout(Duration::from_mins(1)).build().unwrap();
        Self { base, client, store, hub, _stop: stop, _delivering: delivering, _directory: directory }
    }

    pub(crate) async fn person(&self, role: Role, tenant_id: Option<Uuid>) -> Person {
        let email = format!("{}@example.org", Uuid::now_v7());
        let new = NewUser { name: "N".into(), email, password_hash: "x".into(), role, tenant_id };
        let user = self.store.create_user(&Actor::default(), new).await.unwrap().value;
        Person { id: user.id, token: self.token(user.id, &["*"], None).await }
    }

    pub(crate) async fn admin(&self) -> Person {
        self.person(Role::Admin, None).await
    }

    pub(crate) async fn token(&self, user: i64, abilities: &[&str], end: Option<i64>) -> String {
        let abilities = Abilities::new(abilities.iter().map(|&a| a.to_owned()).collect());
        let made = self.store.create_token(&Actor::default(), user, "t", &abilities, end).await.unwrap();
        made.1.token(made.0.value.id)
    }

    /// Sends a request; the path is below `/api/v1`, or absolute from `//`.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
    ) -> Answer {
        let mut request = self.client.request(method, self.url(path));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        answer(request).await
    }

    pub(crate) fn url(&self, path: &str) -> String {
        match path.strip_prefix("//") {
            Some(path) => format!("{}/{path}", self.base),
            None => format!("{}/api/v1{path}", self.base),
        }
    }

    pub(crate) async fn get(&self, path: &str, who: &Person) -> Answer {
        self.send(Method::GET, path, Some(&who.token), None).await
    }

    pub(crate) async fn post(&self, path: &str, who: &Person, body: Value) -> Answer {
        self.send(Method::POST, path, Some(&who.token), Some(body)).await
    }

    pub(crate) async fn put(&self, path: &str, who: &Person, body: Value) -> Answer {
        self.send(Method::PUT, path, Some(&who.token), Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str, who: &Person) -> Answer {
        self.send(Method::DELETE, path, Some(&who.token), None).await
    }

    /// Makes a tenant, gives its id.
    pub(crate) async fn tenant(&self, admin: &Person, name: &str) -> Uuid {
        let body = json!({"name": name, "domain": format!("{name}.example")});
        let made = self.post("/tenants", admin, body).await;
        made.is(201).json()["data"]["id"].as_str().unwrap().parse().unwrap()
    }
}

pub(crate) async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    Answer { status, headers, text: response.text().await.unwrap() }
}

pub(crate) fn extension(number: &str) -> Value {
    json!({
        "extension": number,
        "password": "secret-pass",
        "directory_first_name": "First",
        "directory_last_name": "Last",
    })
}

/// Whether a text is a time in the form that clients know.
pub(crate) fn is_time(value: &Value) -> bool {
    let text = value.as_str().unwrap();
    text.len() == 27 && text.ends_with('Z') && text.as_bytes()[10] == b'T' && text.as_bytes()[19] == b'.'
}
