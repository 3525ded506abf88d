//! nizamd with its REST API over HTTP, and the images that switches get.

use std::pin::Pin;
use std::sync::Arc;

use nizam_core::model::{NewUser, Role, Touched};
use nizam_engine::Engine;
use nizam_store::{Actor, Key, Keyring, Store};
use nizam_test_postgres::Database;
use nizamd::app::App;
use nizamd::config::Registration;
use nizamd::http::Bounds;
use nizamd::link::Switches;
use nizamd::publish::Publishing;
use nizamd::publisher::{Publisher, SwitchStatus};
use reqwest::{Client, Method};
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::RwLock;

struct Live(Publishing);

impl Publisher for Live {
    fn live(
        &self,
        generation: u64,
        touched: Vec<Touched>,
    ) -> Pin<Box<dyn Future<Output = bool> + Send + '_>> {
        Box::pin(self.0.live(generation, touched))
    }

    fn switches(&self) -> Vec<SwitchStatus> {
        Vec::new()
    }

    fn engine(&self) -> Arc<Engine> {
        Arc::clone(self.0.engine())
    }
}

/// A server, and an administrator of all tenants.
pub(crate) struct Site {
    base: String,
    client: Client,
    token: String,
    pub(crate) engine: Arc<Engine>,
    /// The public network, which all tenants share: who claims a number of it (writes) lets no other dial it meanwhile.
    pub(crate) public: RwLock<()>,
    _directory: TempDir,
}

/// An answer: its status and its document; null where it is none.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Answer {
    /// The row that was answered.
    pub(crate) fn row(&self) -> &Value {
        self.body.get("data").unwrap_or(&self.body)
    }

    /// The fields that are named as wrong.
    pub(crate) fn errors(&self) -> Vec<&str> {
        self.body["errors"]
            .as_object()
            .map(|map| map.keys().map(String::as_str).collect())
            .unwrap_or_default()
    }
}

impl Site {
    pub(crate) async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = Database::chosen().fresh(directory.path());
        let store = Arc::new(Store::open(&url, Keyring::new(&Key::random().unwrap())).await.unwrap());
        let new = NewUser {
            name: "N".into(),
            email: "admin@example.org".into(),
            password_hash: "x".into(),
            role: Role::Admin,
            tenant_id: None,
        };
        let user = store.create_user(&Actor::default(), new).await.unwrap().value;
        let all = nizam_core::model::Abilities::new(vec!["*".to_owned()]);
        let made = store.create_token(&Actor::default(), user.id, "t", &all, None).await.unwrap();
        let token = made.1.token(made.0.value.id);
        let (snapshot, prompts) = (directory.path().join("snapshot"), directory.path().join("prompts"));
        let publishing =
            Publishing::start(Arc::clone(&store), &snapshot, &prompts, Arc::new(Switches::default()));
        let publisher = Arc::new(Live(publishing.await.unwrap()));
        let engine = publisher.engine();
        let app = Arc::new(App::new(store, publisher, Bounds::requests(0), Registration::Open));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/api/v1", listener.local_addr().unwrap());
        tokio::spawn(nizamd::http::serve(app, listener, std::future::pending()));
        nizamd::tls::provide();
        let client = Client::builder().timeout(std::time::Duration::from_mins(1)).build().unwrap();
        Self { base, client, token, engine, public: RwLock::new(()), _directory: directory }
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let body = body.map(|body| serde_json::to_vec(body).unwrap());
        self.raw(method, path, body).await
    }

    /// Sends these bytes as JSON.
    pub(crate) async fn raw(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> Answer {
        let mut request =
            self.client.request(method, format!("{}{path}", self.base)).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        Answer { status, body: serde_json::from_str(&text).unwrap_or_default() }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    /// Makes something harmless; its id.
    pub(crate) async fn make(&self, path: &str, body: Value) -> String {
        let made = self.send(Method::POST, path, Some(&body)).await;
        assert_eq!(made.status, 201, "{path} {body}: {made:?}");
        id_of(made.row())
    }
}

/// The id of a row, as it stands in paths.
pub(crate) fn id_of(row: &Value) -> String {
    match &row["id"] {
        Value::String(id) => id.clone(),
        other => other.to_string(),
    }
}
