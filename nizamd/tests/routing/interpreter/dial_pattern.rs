//! Patterns of dialled numbers.

use std::cmp::Reverse;

/// Longest number that is compared, in bytes.
const LONGEST: usize = 64;

/// Whether a pattern takes a number: `X` any digit, `Z` 1 to 9, `N` 2 to 9, a final dot any rest.
pub(super) fn takes(pattern: &str, number: &[u8]) -> bool {
    if number.len() > LONGEST {
        return false;
    }
    let (body, is_open) = match pattern.strip_suffix('.') {
        Some(body) => (body, true),
        None => (pattern, false),
    };
    let fits = |(wanted, &dialled): (u8, &u8)| match wanted {
        b'X' => dialled.is_ascii_digit(),
        b'Z' => (b'1'..=b'9').contains(&dialled),
        b'N' => (b'2'..=b'9').contains(&dialled),
        literal => literal == dialled,
    };
    let length_fits = if is_open { number.len() >= body.len() } else { number.len() == body.len() };
    length_fits && body.bytes().zip(number).all(fits)
}

/// Of two patterns of routes with the same priority, the one with the lower rank counts.
pub(super) fn rank(pattern: &str) -> (Reverse<usize>, Reverse<usize>, bool) {
    let body = pattern.trim_end_matches('.');
    let literals = body.chars().filter(|c| !"XZN".contains(*c)).count();
    (Reverse(literals), Reverse(body.len()), pattern.ends_with('.'))
}
