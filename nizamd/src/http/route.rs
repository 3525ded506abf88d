//! One operation of the API.

use std::sync::Arc;

use nizam_core::validate::Described;
use warp::http::Method;

use super::answers::Answers;
use super::body::{LARGE, SMALL};
use super::gate::{Entry, Gate, Run};

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
    pub path: String,
    /// The name of the operation.
    pub id: Arc<str>,
    /// Who may.
    pub gate: Gate,
    /// Which limit counts it.
    pub rate: Rate,
    /// The fields that it reads.
    pub form: Vec<Described>,
    /// What it answers where all is well.
    pub answers: Answers,
    /// Most bytes of a body.
    pub body: usize,
    /// Whether the body is a text of its own (`text/csv`) and not fields.
    pub text: bool,
    /// Whether it changes nothing although it is a POST.
    pub reads: bool,
    /// Whether its answer says what the database holds and nothing else, so that it may be kept for a moment.
    pub keeps: bool,
    pub(super) run: Run,
}

impl Route {
    pub(super) fn new(
        method: Method,
        path: impl Into<String>,
        id: impl Into<Arc<str>>,
        answers: Answers,
        Entry { gate, form, run }: Entry,
    ) -> Self {
        Self {
            method,
            path: path.into(),
            id: id.into(),
            gate,
            rate: Rate::Api,
            form,
            answers,
            body: SMALL,
            text: false,
            reads: false,
            keeps: false,
            run,
        }
    }

    /// The same for many rows at once.
    pub(super) fn large(self) -> Self {
        Self { body: LARGE, ..self }
    }

    /// The same, although it is a POST, changes nothing.
    pub(super) fn reads(self) -> Self {
        Self { reads: true, ..self }
    }

    /// The same, whose answer says what the database holds and nothing else.
    pub(super) fn keeps(self) -> Self {
        Self { keeps: true, ..self }
    }

    /// The same with a body of CSV.
    pub(super) fn csv(self) -> Self {
        Self { text: true, ..self }
    }

    pub(super) fn rate(self, rate: Rate) -> Self {
        Self { rate, ..self }
    }

    /// Whether the operation changes something.
    pub fn writes(&self) -> bool {
        self.method != Method::GET && !self.reads
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
