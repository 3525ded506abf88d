//! A harmless request of an operation: the texts in it are what hostile ones are put in the place of.

use reqwest::Method;
use serde_json::Value;

use crate::leaf::Leaf;
use crate::town::Town;

/// What becomes of a text on its way to FreeSWITCH.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// It is there as it is, or its step is not there (docs/routing.md, *Inert*).
    Text,
    /// It is there where it is something to play; else something else is played, or nothing.
    Prompt,
    /// In E.164 form where it is a number of the public network.
    Number,
    /// Escaped in a URI, and as it is elsewhere.
    UriUser,
    /// In lower case, with brackets where it is an IPv6 address.
    Host,
    /// `_` in the place of what names of variables do not have.
    Variable,
    /// Left out where it is more than one word.
    Word,
    /// This in its place where it is nothing that is known.
    Or(&'static str),
}

/// How a row is read back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Made {
    /// Below the path, by its id; then it is deleted.
    Row,
    /// At the path itself; it stays.
    There,
    /// Not at all.
    Nothing,
}

/// A request.
pub(crate) struct Form {
    /// The operation, `extensions.create`.
    pub(crate) operation: &'static str,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) body: Value,
    pub(crate) made: Made,
    /// Texts that stay.
    pub(crate) fixed: &'static [&'static str],
    /// Texts that choose a call's way: with another one the steps are others.
    pub(crate) decides: &'static [&'static str],
    /// What becomes of texts that are not plain ones.
    pub(crate) reach: &'static [(&'static str, Reach)],
    /// The text that calls and lookups find the row by.
    pub(crate) number: Option<&'static str>,
    /// Whether switches learn of the row.
    pub(crate) reaches: bool,
    /// Whether each request takes long: a password is hashed.
    pub(crate) slow: bool,
    /// The tenant that it is about.
    pub(crate) town: Town,
}

impl Form {
    /// A form that makes a row of a tenant.
    pub(crate) fn row(town: &Town, operation: &'static str, body: Value) -> Self {
        let resource = operation.strip_suffix(".create").unwrap();
        Self::new(town, operation, format!("/tenants/{}/{resource}", town.tenant), body)
    }

    /// Another one.
    pub(crate) fn new(town: &Town, operation: &'static str, path: String, body: Value) -> Self {
        Self {
            operation,
            method: Method::POST,
            path,
            body,
            made: Made::Row,
            fixed: &[],
            decides: &[],
            reach: &[],
            number: None,
            reaches: true,
            slow: false,
            town: town.clone(),
        }
    }

    /// The texts in it that others are put in the place of.
    pub(crate) fn leaves(&self) -> Vec<Leaf> {
        let mut leaves = Leaf::all(&self.body);
        leaves.retain(|leaf| !self.fixed.contains(&leaf.name().as_str()));
        leaves
    }

    pub(crate) fn reach(&self, leaf: &Leaf) -> Reach {
        let name = leaf.name();
        self.reach.iter().find(|(known, _)| *known == name).map_or(Reach::Text, |(_, reach)| *reach)
    }

    /// Whether another text there changes the way of a call.
    pub(crate) fn is_decided_by(&self, leaf: &Leaf) -> bool {
        self.decides.contains(&leaf.name().as_str()) || self.decides.contains(&"*")
    }

    pub(crate) fn unread(self) -> Self {
        Self { made: Made::Nothing, reaches: false, ..self }
    }
}
