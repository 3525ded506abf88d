//! `application/x-www-form-urlencoded`, with PHP's brackets: `a[]=1&b[x]=2`.

use serde_json::{Map, Value};

/// More pairs than any form of ours has.
const MOST_PAIRS: usize = 1000;
/// More levels of brackets than any form of ours has.
const MOST_LEVELS: usize = 8;

/// The fields of a form or a query; `None` if it is none.
pub(super) fn parse(text: &str) -> Option<Map<String, Value>> {
    let mut root = Map::new();
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    for (count, pair) in pairs.enumerate() {
        if count >= MOST_PAIRS {
            return None;
        }
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decode(name)?;
        insert(&mut root, &keys(&name)?, Value::String(decode(value)?));
    }
    Some(root.into_iter().map(|(key, value)| (key, lists(value))).collect())
}

/// Undoes percent-encoding, `+` is a space; `None` if the result is no UTF-8.
pub(super) fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        bytes.push(match first {
            b'+' => b' ',
            b'%' => match tail {
                [high, low, after @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                    rest = after;
                    nibble(*high) << 4 | nibble(*low)
                }
                _ => b'%',
            },
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

fn nibble(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => digit.wrapping_sub(b'A').wrapping_add(10),
    }
}

/// `a[b][]` is `a`, `b`, and the empty key.
fn keys(name: &str) -> Option<Vec<&str>> {
    let Some((first, mut rest)) = name.split_once('[').filter(|(first, _)| !first.is_empty()) else {
        return Some(vec![name]);
    };
    let mut keys = vec![first];
    loop {
        if keys.len() >= MOST_LEVELS {
            return None;
        }
        let Some((key, after)) = rest.split_once(']') else {
            // An unbalanced bracket is part of the name.
            return Some(vec![name]);
        };
        keys.push(key);
        match after.strip_prefix('[') {
            Some(next) => rest = next,
            None => return Some(keys),
        }
    }
}

fn insert(map: &mut Map<String, Value>, keys: &[&str], value: Value) {
    let Some((&key, rest)) = keys.split_first() else { return };
    // The empty key is the next number.
    let key = if key.is_empty() { map.len().to_string() } else { key.to_owned() };
    if rest.is_empty() {
        map.insert(key, value);
        return;
    }
    let slot = map.entry(key).or_insert_with(|| Value::Object(Map::new()));
    if !slot.is_object() {
        *slot = Value::Object(Map::new());
    }
    if let Value::Object(inner) = slot {
        insert(inner, rest, value);
    }
}

/// Whether a map stands for a list: its keys are numbers, as those of a form with gaps are.
pub(crate) fn is_list(map: &Map<String, Value>) -> bool {
    !map.is_empty() && map.keys().all(|key| !key.is_empty() && key.bytes().all(|b| b.is_ascii_digit()))
}

/// Turns maps with the keys 0, 1, 2… into lists.
fn lists(value: Value) -> Value {
    let Value::Object(mut map) = value else { return value };
    let is_list = !map.is_empty() && (0..map.len()).all(|i| map.contains_key(&i.to_string()));
    if is_list {
        return Value::Array((0..map.len()).filter_map(|i| map.remove(&i.to_string())).map(lists).collect());
    }
    Value::Object(map.into_iter().map(|(key, value)| (key, lists(value))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn brackets_make_lists_and_maps() {
        let form = parse("a=1&b%5B%5D=x&b[]=y&c[k][z]=+v+&d=%2B&e&[f=1&g[=2").unwrap();
        assert_eq!(
            Value::Object(form),
            json!({"a": "1", "b": ["x", "y"], "c": {"k": {"z": " v "}}, "d": "+", "e": "", "[f": "1", "g[": "2"})
        );
    }

    #[test]
    fn more_than_ten_list_items_keep_their_order() {
        let text: Vec<String> = (0..12).map(|i| format!("a[]={i}")).collect();
        let want: Vec<String> = (0..12).map(|i| i.to_string()).collect();
        assert_eq!(parse(&text.join("&")).unwrap().get("a"), Some(&json!(want)));
    }

    #[test]
    fn limits_hold() {
        assert_eq!(parse(&"a=1&".repeat(1001)), None);
        assert_eq!(parse(&format!("a{}=1", "[b]".repeat(9))), None);
        assert_eq!(parse("a=%zz%4").unwrap().get("a"), Some(&json!("%zz%4")));
    }
}
