//! Holidays: named calendars of dates that time conditions may use.

use nizam_wire::image;
use serde_json::{Map, Value, json};

use super::field::{Default, Field, Kind, Shape};
use super::schedule::DATE;
use super::shape::{items, maybe_text, refers_to_nothing, text};
use super::{Access, Resource, no_rules};
use crate::model::Permission as P;
use crate::validate::rule::{PLAIN, folded};
use crate::validate::{Errors, or_null};

/// Calendars of holidays.
pub const HOLIDAY: Resource = Resource {
    model: "Holiday",
    label: "Holiday",
    table: "holidays",
    path: "holidays",
    parameter: "holiday",
    access: Access {
        view: P::HolidaysView,
        create: P::HolidaysManage,
        update: P::HolidaysManage,
        delete: P::HolidaysManage,
    },
    quota: None,
    record: Some(image::Kind::Holiday),
    by_upload: false,
    lenient: false,
    order: ("name", false),
    rules: no_rules,
    fields: &[
        Field::required("name", Kind::Text(PLAIN.such_as("Bank holidays")))
            .kept()
            .filter()
            .sort()
            .folded(folded),
        Field::required("dates", Kind::Json(DATES)).kept().about(
            "The dates, each a text or a map of `date` and `name`; without a year it is every year's.",
        ),
        Field::optional("is_active", Kind::Flag, Default::Flag(true)).filter(),
    ],
};

/// Most dates of a calendar.
const MOST: usize = 1000;

const DATES: Shape = Shape {
    read,
    refers: refers_to_nothing,
    schema: || {
        json!({
            "type": "array", "minItems": 1, "maxItems": MOST,
            "items": {"anyOf": [
                DATE.schema(),
                {
                    "type": "object",
                    "properties": {
                        "date": DATE.schema(),
                        "name": or_null(&PLAIN.schema()),
                    },
                    "required": ["date"],
                },
            ]},
            "examples": [[{"date": "12-25", "name": "Christmas Day"}]],
        })
    },
};

/// Every date becomes a map.
fn read(path: &str, value: &Value, errors: &mut Errors) -> Value {
    let Some(items) = items(path, value, 1, MOST, errors) else { return Value::Null };
    let mut dates = Vec::with_capacity(items.len());
    for (i, item) in items.into_iter().enumerate() {
        let path = format!("{path}.{i}");
        let (date, name) = match item {
            Value::Object(map) => (
                text(&format!("{path}.date"), map.get("date"), DATE, errors),
                maybe_text(&format!("{path}.name"), map.get("name"), PLAIN, errors),
            ),
            other => (text(&path, Some(other), DATE, errors), None),
        };
        let entry: Map<String, Value> =
            [("date".to_owned(), json!(date)), ("name".to_owned(), json!(name))].into_iter().collect();
        dates.push(Value::Object(entry));
    }
    Value::Array(dates)
}
