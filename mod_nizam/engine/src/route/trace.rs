//! Why a call goes where it goes: the decisions of a walk, for whoever asks.

use std::fmt;
use uuid::Uuid;

/// Listens to the decisions of a walk.
pub trait Trace {
    /// Something was decided about this object, a kind and where there is one an id.
    fn note(&mut self, object: &'static str, id: Option<[u8; 16]>, said: fmt::Arguments<'_>);
}

/// Does not listen: live calls.
#[derive(Clone, Copy, Debug)]
pub struct Silent;

impl Trace for Silent {
    #[inline]
    fn note(&mut self, _: &'static str, _: Option<[u8; 16]>, _: fmt::Arguments<'_>) {}
}

/// One decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What it is about: `did`, `time_condition`.
    pub object: &'static str,
    /// Which one.
    pub id: Option<Uuid>,
    /// What was decided, for people.
    pub said: String,
}

impl Trace for Vec<Note> {
    fn note(&mut self, object: &'static str, id: Option<[u8; 16]>, said: fmt::Arguments<'_>) {
        self.push(Note { object, id: id.map(Uuid::from_bytes), said: said.to_string() });
    }
}
