//! Outbound routes, and the tree of their patterns.

use nizam_wire::record::{self, CallerIdRule, Class, ListBuf, PatternRow, Patterns};
use serde_json::Value;

use super::destination::ids;
use crate::resource::Record;

/// An outbound route; none of a class that nobody knows.
pub(super) fn route(record: &Record) -> Option<Vec<u8>> {
    let gateways = ListBuf::of(ids(record.value("gateways")));
    let route = record::OutboundRoute {
        class: Class::parse(record.text("class"))?,
        strip: record.value("strip").as_u64().and_then(|n| u8::try_from(n).ok()).unwrap_or(0),
        prepend: record.text("prepend"),
        gateways: gateways.as_list(),
        caller_id: match record.text("caller_id") {
            "tenant" => CallerIdRule::Tenant,
            "trunk" => CallerIdRule::Trunk,
            _ => CallerIdRule::Extension,
        },
        caller_id_number: record.text("caller_id_number"),
    };
    Some(route.encode())
}

/// The patterns of the active ones of these routes, and of those that take emergency calls; none where there are none.
pub(super) fn pattern_sets(routes: &[Record]) -> Option<Vec<u8>> {
    let all = patterns(routes, |_| true)?;
    let emergency = patterns(routes, |route| route.text("class") == "emergency").unwrap_or_default();
    Some(record::PatternSets { all: &all, emergency: &emergency }.encode())
}

/// The patterns of the active ones of these routes that are wanted; none where there are none.
fn patterns(routes: &[Record], wanted: impl Fn(&Record) -> bool) -> Option<Vec<u8>> {
    let active = routes.iter().filter(|route| route.is("is_active") && wanted(route));
    let rows: Vec<PatternRow<'_>> = active
        .flat_map(|route| {
            let texts = route.value("patterns").as_array().map(Vec::as_slice).unwrap_or_default();
            let priority = route.value("priority").as_i64().unwrap_or_default();
            let id = route.id.into_bytes();
            texts.iter().filter_map(Value::as_str).map(move |pattern| PatternRow {
                pattern,
                priority,
                route: id,
            })
        })
        .collect();
    (!rows.is_empty()).then(|| Patterns::build(&rows))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::super::testing::record as row;
    use super::*;

    const A: Uuid = Uuid::from_u128(0xa);
    const B: Uuid = Uuid::from_u128(0xb);

    #[test]
    fn a_route_says_how_a_number_goes_out() {
        let bytes = route(&row(json!({
            "class": "toll_free", "strip": 2, "prepend": "00", "gateways": [B, A], "caller_id": "trunk",
            "caller_id_number": "+4930",
        })))
        .unwrap();
        let record = record::OutboundRoute::decode(&bytes).unwrap();
        assert_eq!((record.class, record.strip, record.prepend), (Class::TollFree, 2, "00"));
        assert_eq!(record.gateways.iter().collect::<Vec<_>>(), [B.into_bytes(), A.into_bytes()]);
        assert_eq!((record.caller_id, record.caller_id_number), (CallerIdRule::Trunk, "+4930"));
        assert_eq!(route(&row(json!({"class": "moon"}))), None);
    }

    #[test]
    fn patterns_of_inactive_routes_match_nothing() {
        let of = |id: Uuid, values: Value| Record { id, ..row(values) };
        let routes = [
            of(A, json!({"patterns": ["9."], "priority": 1, "is_active": false})),
            of(B, json!({"patterns": ["9.", "0."], "priority": 5})),
        ];
        let bytes = patterns(&routes, |_| true).unwrap();
        let found = Patterns::decode(&bytes).unwrap().find(b"911").unwrap();
        assert_eq!(found.route, B.into_bytes());
        assert_eq!(patterns(&routes[..1], |_| true), None);
    }
}
