//! Sending a body until it is taken, without what is named as wrong.

use reqwest::Method;
use serde_json::Value;

use crate::support::Site;

/// More rounds than a body has levels.
const ROUNDS: usize = 6;

/// Sends it; `without` takes a field out that was named as wrong. What was answered, and the body that was taken.
pub(super) fn taken(
    site: &Site,
    path: &str,
    mut body: Value,
    without: impl Fn(&mut Value, &str),
) -> (Value, Value) {
    for _ in 0..ROUNDS {
        let (status, mut answer) = site.nizamd.rest().attempt(&Method::POST, path, &body);
        if status == 201 {
            return (answer["data"].take(), body);
        }
        let errors = answer["errors"].as_object().unwrap_or_else(|| panic!("{path}: {status} {answer}"));
        assert_eq!(status, 422, "{path}: {answer}");
        for field in errors.keys() {
            without(&mut body, field);
        }
    }
    panic!("{path} is refused without the fields that were named");
}
