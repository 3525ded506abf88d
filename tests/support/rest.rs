//! The REST calls that the suites make, as an administrator.

use std::time::Duration;

use reqwest::{Method, blocking::Client};
use serde_json::{Value, json};

/// A client with a bearer token.
pub(crate) struct Rest {
    base: String,
    token: String,
    client: Client,
}

impl Rest {
    pub(crate) fn new(port: u16, token: &str) -> Self {
        // An error means that it was said before.
        let _said = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().timeout(Duration::from_secs(30)).no_proxy().build().unwrap();
        Self { base: format!("http://127.0.0.1:{port}/api/v1"), token: token.to_owned(), client }
    }

    /// Whether the daemon answers at all.
    pub(crate) fn health(&self) -> bool {
        self.client.get(format!("{}/health", self.base)).send().is_ok()
    }

    /// A call that must succeed; its body's `data`.
    pub(crate) fn call(&self, method: &Method, path: &str, body: &Value) -> Value {
        let request = self.client.request(method.clone(), format!("{}{path}", self.base));
        let response = request.bearer_auth(&self.token).json(body).send().unwrap();
        let (status, live) = (response.status(), response.headers().get("x-nizam-live").cloned());
        let text = response.text().unwrap();
        assert!(status.is_success(), "{method} {path}: {status} {text}");
        assert!(live.is_none(), "{method} {path} was answered before the switch knew it");
        let mut body: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        body["data"].take()
    }

    /// A call that may be refused; its status and its body.
    pub(crate) fn attempt(&self, method: &Method, path: &str, body: &Value) -> (u16, Value) {
        let request = self.client.request(method.clone(), format!("{}{path}", self.base));
        let response = request.bearer_auth(&self.token).json(body).send().unwrap();
        (response.status().as_u16(), response.json().unwrap_or_default())
    }

    /// A tenant with room for the suites' extensions; its id.
    pub(crate) fn create_tenant(&self, domain: &str) -> String {
        let slug = domain.replace('.', "-");
        let body = json!({"name": domain, "domain": domain, "slug": slug, "status": "active", "max_extensions": 1000});
        self.call(&Method::POST, "/tenants", &body)["id"].as_str().expect("a tenant has an id").to_owned()
    }

    /// An extension with further fields; its id.
    pub(crate) fn create_extension(
        &self,
        tenant: &str,
        number: &str,
        password: &str,
        more: &Value,
    ) -> String {
        let mut body = extension(number, password);
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.create(tenant, "extensions", &body)
    }

    /// Makes something of a tenant; its id.
    pub(crate) fn create(&self, tenant: &str, kind: &str, body: &Value) -> String {
        let made = self.call(&Method::POST, &format!("/tenants/{tenant}/{kind}"), body);
        made["id"].as_str().expect("what is made has an id").to_owned()
    }

    /// Changes something of a tenant.
    pub(crate) fn change(&self, tenant: &str, kind: &str, id: &str, body: &Value) {
        self.call(&Method::PATCH, &format!("/tenants/{tenant}/{kind}/{id}"), body);
    }

    /// Deletes something of a tenant.
    pub(crate) fn delete(&self, tenant: &str, kind: &str, id: &str) {
        self.call(&Method::DELETE, &format!("/tenants/{tenant}/{kind}/{id}"), &Value::Null);
    }

    /// Changes a tenant.
    pub(crate) fn change_tenant(&self, tenant: &str, body: &Value) {
        self.call(&Method::PATCH, &format!("/tenants/{tenant}"), body);
    }

    /// Merges settings of a tenant.
    pub(crate) fn settings(&self, tenant: &str, settings: &Value) {
        self.call(&Method::PUT, &format!("/tenants/{tenant}/settings"), &json!({"settings": settings}));
    }

    /// Gives an extension another password.
    pub(crate) fn change_password(&self, tenant: &str, id: &str, number: &str, password: &str) {
        let body = extension(number, password);
        self.call(&Method::PUT, &format!("/tenants/{tenant}/extensions/{id}"), &body);
    }

    /// Suspends a tenant.
    pub(crate) fn suspend(&self, tenant: &str) {
        self.call(&Method::PATCH, &format!("/tenants/{tenant}"), &json!({"status": "suspended"}));
    }
}

fn extension(number: &str, password: &str) -> Value {
    json!({
        "extension": number,
        "password": password,
        "directory_first_name": "Phone",
        "directory_last_name": number,
    })
}
