//! Headers as text and numbers.

use nizam_wire::event::Event;

/// Longest text that is kept of a header, in bytes.
const LONGEST: usize = 1024;

/// The headers of an event. What strangers sent is in them: bytes that are no UTF-8 become U+FFFD, and so does NUL, which no
/// text of PostgreSQL may hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Said<'e>(pub(super) &'e Event<'e>);

impl Said<'_> {
    /// A header that is not empty.
    pub(super) fn text(self, name: &str) -> Option<String> {
        let value = self.0.get(name)?;
        let text = String::from_utf8_lossy(value);
        let mut text = if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text.into_owned() };
        if text.len() > LONGEST {
            text.truncate(text.floor_char_boundary(LONGEST));
        }
        Some(text)
    }

    /// The first of these headers that is there.
    pub(super) fn first(self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| self.text(name))
    }

    /// A whole number that is not negative.
    pub(super) fn number(self, name: &str) -> Option<i64> {
        let text = std::str::from_utf8(self.0.get(name)?).ok()?;
        text.trim().parse().ok().filter(|number| *number >= 0)
    }

    /// A number with a fraction.
    pub(super) fn real(self, name: &str) -> Option<f64> {
        let text = std::str::from_utf8(self.0.get(name)?).ok()?;
        text.trim().parse().ok().filter(|number: &f64| number.is_finite())
    }

    /// A time in microseconds; FreeSWITCH says 0 for what did not happen.
    pub(super) fn time(self, name: &str) -> Option<i64> {
        self.number(name).filter(|time| plausible(*time))
    }
}

/// The last time that has a text form.
const LAST: i64 = 253_402_300_799_000_000;

/// Whether that is a time that a row may hold.
pub(super) fn plausible(time: i64) -> bool {
    (1..=LAST).contains(&time)
}
