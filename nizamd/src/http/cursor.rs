//! Lists that are read from a place on, and not by the number of a page: as fast at their end as at their beginning, and
//! no row is left out or seen twice when new ones come.

use nizam_core::validate::{Errors, Input};
use nizam_store::Place;
use serde_json::{Value, json};
use uuid::Uuid;

use super::reply::Reply;

/// The place from which a list is to be read, if it is to be read like that; the empty one is the beginning.
pub(super) fn asked(input: &Input, beginning: Place) -> Result<Option<Place>, Errors> {
    match input.query_text("cursor") {
        Some(text) => parse(text).map(Some),
        None => Ok(input.has("cursor").then_some(beginning)),
    }
}

fn text(place: Place) -> String {
    format!("{}.{}", place.time, place.id.simple())
}

fn parse(text: &str) -> Result<Place, Errors> {
    let parsed = text.split_once('.').and_then(|(time, id)| {
        // No row was before 1970, and a database does not know every time that a number can be.
        let plain = time.bytes().all(|digit| digit.is_ascii_digit()) && id.len() == 32;
        Some(Place { time: time.parse().ok().filter(|_| plain)?, id: Uuid::try_parse(id).ok()? })
    });
    parsed.ok_or_else(|| Errors::one("cursor", "The selected cursor is invalid."))
}

/// A part of the list, and where the next one begins. One row more than asked for tells that there is a next one.
pub(super) fn reply<T>(
    per_page: u64,
    mut rows: Vec<T>,
    place: fn(&T) -> Place,
    present: fn(&T) -> Value,
) -> Reply {
    let more = rows.len() as u64 > per_page;
    rows.truncate(usize::try_from(per_page).unwrap_or(usize::MAX));
    let next = rows.last().filter(|_| more).map(|last| text(place(last)));
    let data: Vec<Value> = rows.iter().map(present).collect();
    Reply::ok(&json!({"data": data, "per_page": per_page, "next_cursor": next}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_survives_its_text() {
        let id = Uuid::from_u128(7);
        for time in [0, 1_767_323_045_678_901, i64::MAX] {
            let place = Place { time, id };
            assert_eq!(parse(&text(place)).unwrap(), place);
        }
        let id = "00000000000000000000000000000007";
        for wrong in [
            "",
            ".",
            "x.y",
            "1",
            "1.",
            "1.zz",
            &format!("+1.{id}"),
            &format!("-5.{id}"),
            &format!("99999999999999999999.{id}"),
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
