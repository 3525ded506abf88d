//! Call control on a real FreeSWITCH, tried by those who may not and with arguments that are more than arguments.

#[path = "../injection/corpus.rs"]
mod corpus;
mod expectation;
mod house;
mod ledger;
mod operation;
mod strangers;
mod strings;
mod trial;
mod victims;

pub(crate) use corpus::CANARY;
pub(crate) use house::House;
pub(crate) use ledger::{EVENTS, Ledger};
pub(crate) use operation::Operation;
pub(crate) use strangers::strangers;
pub(crate) use trial::trial;
