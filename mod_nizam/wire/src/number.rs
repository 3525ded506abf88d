//! Telephone numbers in the one form in which they compare: the digits of ITU-T E.164, without a plus sign.

use serde::{Deserialize, Serialize};

/// Most digits of a number that is kept; E.164 has 15, a private numbering plan may have more.
pub const MOST: usize = 32;

/// How numbers are dialled in a tenant's country (ITU-T E.123, Operational Bulletin 994).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Home<'a> {
    /// Country code: `49`.
    #[serde(borrow)]
    pub code: &'a str,
    /// What stands before a national number and is no part of it: `0`; empty where there is none.
    pub trunk: &'a str,
    /// What stands before the number of another country: `00`.
    pub international: &'a str,
    /// Most digits of a number that is national although nothing stands before it; 0 where there is none such.
    pub national: u8,
}

/// A number's digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number {
    digits: [u8; MOST],
    length: usize,
}

impl Number {
    /// The digits as text.
    pub fn as_bytes(&self) -> &[u8] {
        self.digits.get(..self.length).unwrap_or_default()
    }

    fn of(parts: [&[u8]; 2]) -> Option<Self> {
        let mut this = Self { digits: [0; MOST], length: 0 };
        for &digit in parts.into_iter().flatten() {
            *this.digits.get_mut(this.length)? = digit;
            this.length += 1;
        }
        (this.length > 0).then_some(this)
    }
}

/// The number that somebody means who writes or dials `text` at home; without a home only what needs none is read: `+49 30
/// 1234`, `004930 1234`, and digits that are taken for those of E.164. `None`: it is no telephone number.
pub fn read(text: &[u8], home: Option<&Home<'_>>) -> Option<Number> {
    let (plus, digits) = digits(text)?;
    let digits = digits.as_bytes();
    if plus {
        return Number::of([digits, b""]);
    }
    let international = home.map_or("00", |home| home.international).as_bytes();
    // What follows a prefix is longer than any service code that begins like it.
    let after = |prefix: &[u8], least: usize| {
        digits.strip_prefix(prefix).filter(|rest| !prefix.is_empty() && rest.len() >= least)
    };
    if let Some(rest) = after(international, 7) {
        return Number::of([rest, b""]);
    }
    let Some(home) = home else { return Number::of([digits, b""]) };
    let code = home.code.as_bytes();
    if let Some(rest) = after(home.trunk.as_bytes(), 4) {
        return Number::of([code, rest]);
    }
    if (5..=usize::from(home.national)).contains(&digits.len()) {
        return Number::of([code, digits]);
    }
    Number::of([digits, b""])
}

/// The digits of a text, and whether a plus sign stands before them. People write blanks, dots, dashes, slashes and
/// parentheses between them.
fn digits(text: &[u8]) -> Option<(bool, Number)> {
    let (plus, text) = match text {
        [b'+', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let mut number = Number { digits: [0; MOST], length: 0 };
    for &byte in text {
        match byte {
            b'0'..=b'9' => {
                *number.digits.get_mut(number.length)? = byte;
                number.length += 1;
            }
            b' ' | b'.' | b'-' | b'/' | b'(' | b')' => {}
            _ => return None,
        }
    }
    (number.length > 0).then_some((plus, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GERMANY: Home<'_> = Home { code: "49", trunk: "0", international: "00", national: 0 };
    const AMERICA: Home<'_> = Home { code: "1", trunk: "1", international: "011", national: 10 };
    const SPAIN: Home<'_> = Home { code: "34", trunk: "", international: "00", national: 9 };

    fn text(text: &str, home: Option<&Home<'_>>) -> String {
        read(text.as_bytes(), home)
            .map_or_else(String::new, |n| String::from_utf8_lossy(n.as_bytes()).into_owned())
    }

    #[test]
    fn every_spelling_of_a_number_is_the_same_number() {
        for spelling in
            ["+15551234567", "15551234567", "0015551234567", "+1 (555) 123-4567", "1.555.123.4567"]
        {
            assert_eq!(text(spelling, None), "15551234567", "{spelling}");
        }
        for spelling in ["+15551234567", "15551234567", "01115551234567", "5551234567", "(555) 123-4567"] {
            assert_eq!(text(spelling, Some(&AMERICA)), "15551234567", "{spelling}");
        }
        for spelling in ["+49 30 1234567", "0049301234567", "030/1234567", "49301234567"] {
            assert_eq!(text(spelling, Some(&GERMANY)), "49301234567", "{spelling}");
        }
        for spelling in ["+34912345678", "912345678", "34912345678", "0034912345678"] {
            assert_eq!(text(spelling, Some(&SPAIN)), "34912345678", "{spelling}");
        }
    }

    #[test]
    fn short_numbers_stay_as_they_are() {
        for (spelling, home) in
            [("110", &GERMANY), ("0110", &GERMANY), ("911", &AMERICA), ("112", &SPAIN), ("00", &SPAIN)]
        {
            assert_eq!(text(spelling, Some(home)), spelling, "{spelling}");
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        for wrong in ["", "+", "abc", "12a", "1+2", "**", "-", &"1".repeat(33), "1\n2", "é"] {
            assert_eq!(read(wrong.as_bytes(), None), None, "{wrong:?}");
        }
        assert!(read("1".repeat(32).as_bytes(), None).is_some());
        assert_eq!(
            read("9".repeat(32).as_bytes(), Some(&Home { trunk: "9", ..GERMANY })),
            None,
            "too long with its code"
        );
    }
}
