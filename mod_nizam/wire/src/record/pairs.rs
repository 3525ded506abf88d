//! A list of names with values, read in place.

use crate::xml::{self, Unwritable};
use serde::{Deserialize, Serialize};

/// Names with values, in order, without an allocation: each text is a postcard string, one after the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pairs<'a>(#[serde(borrow)] &'a [u8]);

impl<'a> Pairs<'a> {
    /// The pairs; ends early where the bytes are none.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let (pair, behind) = postcard::take_from_bytes::<(&str, &str)>(rest).ok()?;
            rest = behind;
            Some(pair)
        })
    }
}

/// Pairs while they are written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PairsBuf(Vec<u8>);

impl PairsBuf {
    /// Appends a pair.
    pub fn push(&mut self, name: &str, value: &str) {
        self.0.extend(super::encode(&(name, value)));
    }

    /// The pairs so far as elements `<tag name="…" value="…"/>`.
    pub fn to_xml(&self, tag: &'static str) -> Result<String, Unwritable> {
        let mut out = Vec::new();
        for (name, value) in self.as_pairs().iter() {
            xml::literal(&mut out, "<");
            xml::literal(&mut out, tag);
            xml::attribute(&mut out, "name", name)?;
            xml::attribute(&mut out, "value", value)?;
            xml::literal(&mut out, "/>");
        }
        // Made of whole strings.
        Ok(String::from_utf8(out).unwrap_or_default())
    }

    /// The pairs so far.
    pub fn as_pairs(&self) -> Pairs<'_> {
        Pairs(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_come_back_in_order_and_damage_ends_them() {
        let mut buf = PairsBuf::default();
        buf.push("a", "1");
        buf.push("b", "");
        let pairs: Vec<_> = buf.as_pairs().iter().collect();
        assert_eq!(pairs, [("a", "1"), ("b", "")]);
        buf.0.push(200);
        assert_eq!(buf.as_pairs().iter().count(), 2);
    }
}
