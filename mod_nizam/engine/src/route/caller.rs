//! The caller's number, and patterns for it.

use nizam_wire::number::{self, Home, Number};

/// From so many digits on a number is one of the public network.
pub(super) const PUBLIC_DIGITS: usize = 7;

/// The caller's number as it came, and as E.164.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    raw: &'a [u8],
    public: Option<Number>,
}

impl<'a> Caller<'a> {
    /// A caller with that number, read at home.
    pub fn new(raw: Option<&'a [u8]>, home: Option<&Home<'_>>) -> Self {
        let raw = raw.unwrap_or_default();
        Self { raw, public: public(raw, home) }
    }

    /// Whether no number came.
    pub(super) fn is_unknown(&self) -> bool {
        self.raw.is_empty()
    }

    /// Whether one of the two forms is as the pattern says; `*` stands for anything. Never without a number.
    pub(super) fn is_like(&self, pattern: &str) -> bool {
        self.any(|form| matches(pattern.as_bytes(), form))
    }

    /// Whether one of the two forms begins like that.
    pub(super) fn begins(&self, prefix: &str) -> bool {
        let prefix = prefix.trim_end_matches('*').as_bytes();
        self.any(|form| form.starts_with(prefix))
    }

    fn any(&self, mut fits: impl FnMut(&[u8]) -> bool) -> bool {
        if self.is_unknown() {
            return false;
        }
        let mut form = [0; number::MOST + 1];
        fits(self.raw) || self.public.is_some_and(|number| fits(plus(&number, &mut form)))
    }
}

/// A number of the public network in E.164 form.
pub(super) fn public(text: &[u8], home: Option<&Home<'_>>) -> Option<Number> {
    number::read(text, home).filter(|number| number.as_bytes().len() >= PUBLIC_DIGITS)
}

/// `+` and the digits.
pub(super) fn plus<'b>(number: &Number, buffer: &'b mut [u8; number::MOST + 1]) -> &'b [u8] {
    let digits = number.as_bytes();
    buffer[0] = b'+';
    for (place, digit) in buffer.iter_mut().skip(1).zip(digits) {
        *place = *digit;
    }
    buffer.get(..=digits.len()).unwrap_or_default()
}

/// Whether a number is as a pattern says; `*` stands for anything, also nothing.
fn matches(pattern: &[u8], number: &[u8]) -> bool {
    let mut parts = pattern.split(|byte| *byte == b'*');
    let Some(mut rest) = parts.next().and_then(|first| number.strip_prefix(first)) else { return false };
    let Some(mut last) = parts.next() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = find(rest, last) else { return false };
        rest = rest.get(at + last.len()..).unwrap_or_default();
        last = part;
    }
    rest.ends_with(last)
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    if part.is_empty() {
        return Some(0);
    }
    text.windows(part.len()).position(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, want) in [
            ("+1555*", true),
            ("*001", true),
            ("+1*1", true),
            ("+1555", false),
            ("*", true),
            ("*555*0*", true),
            ("+15551001", true),
            ("*9*", false),
            ("**", true),
            ("", false),
        ] {
            assert_eq!(matches(pattern.as_bytes(), b"+15551001"), want, "{pattern}");
        }
        assert!(matches(b"", b""));
    }

    #[test]
    fn a_caller_is_known_by_both_forms() {
        let home = Home { code: "49", trunk: "0", international: "00", national: 0 };
        let caller = Caller::new(Some(b"0301234567"), Some(&home));
        assert!(caller.is_like("+49301234567") && caller.is_like("030*") && caller.begins("+49*"));
        assert!(!caller.is_like("49*") && !caller.begins("+1"));
        let short = Caller::new(Some(b"1001"), Some(&home));
        assert!(short.is_like("1001") && !short.begins("+"));
        let nobody = Caller::new(None, Some(&home));
        assert!(nobody.is_unknown() && !nobody.is_like("*") && !nobody.begins(""));
    }
}
