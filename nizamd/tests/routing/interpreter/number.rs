//! Telephone numbers in E.164 form.

/// How numbers are dialled in a country: data, no code.
pub(super) type Home = nizam_wire::number::Home<'static>;

/// Most digits of a number.
const MOST: usize = 32;
/// Fewest digits of a number that others than us know.
const FEWEST: usize = 7;

/// The E.164 digits that somebody means who writes or dials a text at home.
pub(super) fn digits(text: &[u8], home: Option<Home>) -> Option<String> {
    let text = std::str::from_utf8(text).ok()?;
    let (is_international, written) = match text.strip_prefix('+') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    if !written.chars().all(|c| c.is_ascii_digit() || " .-/()".contains(c)) {
        return None;
    }
    let plain: String = written.chars().filter(char::is_ascii_digit).collect();
    if plain.is_empty() || plain.len() > MOST {
        return None;
    }
    let read = if is_international { plain } else { read_at(home, plain) };
    Some(read).filter(|read| read.len() <= MOST)
}

fn read_at(home: Option<Home>, plain: String) -> String {
    let international = home.map_or("00", |home| home.international);
    // What is shorter is a service of the country.
    if let Some(rest) = plain.strip_prefix(international).filter(|rest| rest.len() >= 7) {
        return rest.to_owned();
    }
    let Some(home) = home else { return plain };
    let national = plain.strip_prefix(home.trunk).filter(|_| !home.trunk.is_empty());
    if let Some(rest) = national.filter(|rest| rest.len() >= 4) {
        return format!("{}{rest}", home.code);
    }
    // Where nothing stands before a national number, its length tells it.
    if plain.len() >= 5 && plain.len() <= usize::from(home.national) {
        return format!("{}{plain}", home.code);
    }
    plain
}

/// The E.164 digits of a number that is no short one.
pub(super) fn long_digits(text: &[u8], home: Option<Home>) -> Option<String> {
    digits(text, home).filter(|digits| digits.len() >= FEWEST)
}
