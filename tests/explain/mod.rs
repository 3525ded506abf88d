//! Random tenants, random calls, and how what becomes of one is compared with its explanation.

mod builder;
mod compare;
mod dice;
mod explained;
mod home;
mod question;
mod town;

pub(crate) use compare::compare;
pub(crate) use dice::Dice;
pub(crate) use explained::Explained;
pub(crate) use question::Question;
pub(crate) use town::Town;
