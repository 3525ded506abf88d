//! Patterns of outbound routes that an earlier one already takes.

use serde_json::Value;

use super::Warning;
use crate::resource::Record;

pub(super) fn lint(record: &Record, warnings: &mut Vec<Warning>) {
    let patterns = record.value("patterns").as_array().map(Vec::as_slice).unwrap_or_default();
    let patterns: Vec<&str> = patterns.iter().filter_map(Value::as_str).collect();
    for (i, late) in patterns.iter().enumerate() {
        if let Some(early) = patterns.iter().take(i).find(|early| covers(early, late)) {
            let message = format!("Every number that {late} takes, {early} has taken before.");
            warnings.push(Warning::new(format!("patterns.{i}"), "unreachable", message));
        }
    }
}

/// Whether every number that the one pattern takes, the other takes too.
fn covers(wide: &str, narrow: &str) -> bool {
    let (wide_body, wide_rest) = body(wide);
    let (narrow_body, narrow_rest) = body(narrow);
    let long_enough = if wide_rest {
        narrow_body.len() >= wide_body.len()
    } else {
        !narrow_rest && narrow_body.len() == wide_body.len()
    };
    // A final dot stands for at least one more digit.
    let one_more = !wide_rest || narrow_rest || narrow_body.len() > wide_body.len();
    long_enough && one_more && wide_body.bytes().zip(narrow_body.bytes()).all(|(w, n)| includes(w, n))
}

fn body(pattern: &str) -> (&str, bool) {
    pattern.strip_suffix('.').map_or((pattern, false), |body| (body, true))
}

fn includes(wide: u8, narrow: u8) -> bool {
    match wide {
        b'X' => narrow.is_ascii_digit() || b"XZN".contains(&narrow),
        b'Z' => (b'1'..=b'9').contains(&narrow) || b"ZN".contains(&narrow),
        b'N' => (b'2'..=b'9').contains(&narrow) || narrow == b'N',
        other => other == narrow,
    }
}
