//! Patterns of dialled numbers.

use std::cmp::Reverse;

/// Longest number that is compared, in bytes.
const LONGEST: usize = 64;

/// Whether a pattern takes a number: `X` any digit, `Z` 1 to 9, `N` 2 to 9, a final dot any rest.
pub(super) fn takes(pattern: &str, number: &str) -> bool {
    if number.len() > LONGEST {
        return false;
    }
    let (body, is_open) = match pattern.strip_suffix('.') {
        Some(body) => (body, true),
        None => (pattern, false),
    };
    let fits = |(wanted, digit): (char, char)| match wanted {
        'X' => digit.is_ascii_digit(),
        'Z' => ('1'..='9').contains(&digit),
        'N' => ('2'..='9').contains(&digit),
        literal => literal == digit,
    };
    let (wanted, there) = (body.chars().count(), number.chars().count());
    let length_fits = if is_open { there >= wanted } else { there == wanted };
    length_fits && body.chars().zip(number.chars()).all(fits)
}

/// Of two patterns of routes with the same priority, the one with the lower rank counts.
pub(super) fn rank(pattern: &str) -> (Reverse<usize>, Reverse<usize>, bool) {
    let body = pattern.trim_end_matches('.');
    let literals = body.chars().filter(char::is_ascii_digit).count();
    (Reverse(literals), Reverse(body.len()), pattern.ends_with('.'))
}
