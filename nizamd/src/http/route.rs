//! One operation of the API.

use warp::http::Method;

use super::gate::{Gate, Run};

/// Which limit counts an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rate {
    /// None.
    Free,
    /// That of logins and registrations.
    Login,
    /// That of the user, or of the address.
    Api,
}

/// One operation of the API.
pub struct Route {
    /// The method; PUT also stands for PATCH, GET for HEAD.
    pub method: Method,
    /// The path below the base, with `{parameters}`.
    pub path: &'static str,
    /// The name of the operation.
    pub id: &'static str,
    /// Who may.
    pub gate: Gate,
    /// Which limit counts it.
    pub rate: Rate,
    pub(super) run: Run,
}

impl Route {
    pub(super) fn new(
        method: Method,
        path: &'static str,
        id: &'static str,
        (gate, run): (Gate, Run),
    ) -> Self {
        Self { method, path, id, gate, rate: Rate::Api, run }
    }

    pub(super) fn rate(self, rate: Rate) -> Self {
        Self { rate, ..self }
    }

    /// Whether the operation changes something.
    pub fn writes(&self) -> bool {
        self.method != Method::GET
    }

    /// Whether it answers that method.
    pub(super) fn answers(&self, method: &Method) -> bool {
        self.method == method
            || (self.method == Method::GET && method == Method::HEAD)
            || (self.method == Method::PUT && method == Method::PATCH)
    }

    /// The methods that it answers, for people.
    pub(super) fn methods(&self) -> Vec<&str> {
        match self.method.as_str() {
            "GET" => vec!["GET", "HEAD"],
            "PUT" => vec!["PUT", "PATCH"],
            other => vec![other],
        }
    }
}
