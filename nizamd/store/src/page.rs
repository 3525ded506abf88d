//! A part of a list.

use nizam_core::resource::Field;
use serde_json::Value;
use uuid::Uuid;

use crate::column::{BEGINNING, END};

/// Which part of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// From 1.
    pub number: u64,
    /// Rows of a page.
    pub size: u64,
}

impl Page {
    /// Most rows, for a statement.
    pub(crate) fn limit(self) -> i64 {
        i64::try_from(self.size).unwrap_or(i64::MAX)
    }

    /// Rows to leave out, for a statement.
    pub(crate) fn offset(self) -> i64 {
        i64::try_from(self.number.saturating_sub(1).saturating_mul(self.size)).unwrap_or(i64::MAX)
    }
}

impl Default for Page {
    fn default() -> Self {
        Self { number: 1, size: 15 }
    }
}

/// A place in a list that is ordered by a time, and by the id where times are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Microseconds since 1970, UTC.
    pub time: i64,
    /// The row.
    pub id: Uuid,
}

impl Place {
    /// Before every row of a list that begins with the oldest.
    pub const OLDEST: Self = Self { time: BEGINNING, id: Uuid::nil() };
    /// Before every row of a list that begins with the newest.
    pub const NEWEST: Self = Self { time: END, id: Uuid::max() };
}

/// Which rows of a list, in which order.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// The part.
    pub page: Page,
    /// Fields and the values that they must have.
    pub filters: Vec<(&'static Field, Value)>,
    /// A field, and whether descending.
    pub sort: Option<(&'static str, bool)>,
}

/// What a caller expects of a row before it is changed or deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Nothing but that it is there.
    Anything,
    /// One of these versions.
    Versions(Vec<i64>),
}

/// A page of a list, and how long the list is.
#[derive(Clone, Debug)]
pub struct Listed<T> {
    /// The rows of the page.
    pub rows: Vec<T>,
    /// Rows of the whole list.
    pub total: u64,
}

/// A count of a statement.
pub(crate) fn count(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}
