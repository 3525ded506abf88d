//! Lists that are read from a place on, and not by the number of a page: as fast at their end as at their beginning, and
//! no row is left out or seen twice when new ones come.

use nizam_core::validate::Errors;
use serde_json::{Value, json};
use uuid::Uuid;

use super::reply::Reply;

/// The place after a row.
pub(super) fn text(time: i64, id: Uuid) -> String {
    format!("{time}.{}", id.simple())
}

/// The place that a text names; the empty one is the beginning.
pub(super) fn parse(text: &str) -> Result<Option<(i64, Uuid)>, Errors> {
    if text.is_empty() {
        return Ok(None);
    }
    let parsed = text.split_once('.').and_then(|(time, id)| {
        let plain = !time.starts_with('+') && id.len() == 32;
        Some((time.parse().ok().filter(|_| plain)?, Uuid::try_parse(id).ok()?))
    });
    parsed.map(Some).ok_or_else(|| Errors::one("cursor", "The selected cursor is invalid."))
}

/// A part of the list, and where the next one begins.
pub(super) fn reply(per_page: u64, next: Option<&str>, data: &[Value]) -> Reply {
    Reply::ok(&json!({"data": data, "per_page": per_page, "next_cursor": next}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_survives_its_text() {
        let id = Uuid::from_u128(7);
        for time in [0, 1_767_323_045_678_901, -5] {
            assert_eq!(parse(&text(time, id)).unwrap(), Some((time, id)));
        }
        assert_eq!(parse("").unwrap(), None);
        for wrong in [".", "x.y", "1", "1.", "1.zz", "+1.00000000000000000000000000000007"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
