//! A call flow in an image. An inactive one has no record.

use super::{Destination, List, Prompt, TimeRule};
use serde::{Deserialize, Serialize};

/// A flow; a call begins with its first step. A step that another names is its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow<'a> {
    /// The steps.
    #[serde(borrow)]
    pub steps: List<'a, Step<'a>>,
}

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step<'a> {
    /// Its name in the flow, for the trace.
    #[serde(borrow)]
    pub name: &'a str,
    /// What it does.
    pub action: StepAction<'a>,
    /// The step that follows; none where the flow ends.
    pub next: Option<u16>,
}

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StepAction<'a> {
    /// Plays something.
    Play(#[serde(borrow)] Prompt<'a>),
    /// Asks for digits.
    Collect(Collect<'a>),
    /// The first case that holds; then `otherwise`, then the step's `next`.
    Branch {
        /// The cases.
        cases: List<'a, Case<'a>>,
        /// Where none holds.
        otherwise: Option<u16>,
    },
    /// Goes to a destination; the step's `next` is its fallback.
    Bridge(Option<Destination>),
    /// Records the caller, so many seconds at most.
    Record(u16),
    /// Raises an event.
    Notify,
    /// Sets a variable, whose name stands without `flow_` here.
    Set {
        /// Its name.
        name: &'a str,
        /// Its value.
        value: &'a str,
    },
    /// Ends the call with this cause.
    Hangup(&'a str),
}

/// A step that asks for digits (`play_and_get_digits`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collect<'a> {
    /// Fewest digits.
    pub min_digits: u8,
    /// Most digits.
    pub max_digits: u8,
    /// How often it asks.
    pub tries: u8,
    /// How long it waits, in seconds.
    pub timeout: u16,
    /// Keys that end the input.
    #[serde(borrow)]
    pub terminators: &'a str,
    /// The variable, without `flow_`.
    pub variable: &'a str,
    /// What is played.
    pub prompt: Prompt<'a>,
    /// What follows which digits; none where the step's `next` follows whatever was pressed.
    pub branches: Option<Branches<'a>>,
}

/// Steps by what was pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Branches<'a> {
    /// Digits, and the step that follows; none where the flow ends.
    #[serde(borrow)]
    pub steps: List<'a, (&'a str, Option<u16>)>,
    /// Any other digits, or none.
    pub otherwise: Option<u16>,
}

/// One case of a branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case<'a> {
    /// When it holds.
    #[serde(borrow)]
    pub when: When<'a>,
    /// The step that follows; none where the flow ends.
    pub next: Option<u16>,
}

/// When a case holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum When<'a> {
    /// The variable `flow_digits` is this.
    Digits(#[serde(borrow)] &'a str),
    /// The caller's number is as the pattern says.
    Caller(&'a str),
    /// One of the rules holds.
    Time(List<'a, TimeRule>),
    /// A variable, without `flow_`, is this.
    Variable(&'a str, &'a str),
    /// Never: a case that cannot be understood.
    Never,
}

record!(Flow<'a>);
