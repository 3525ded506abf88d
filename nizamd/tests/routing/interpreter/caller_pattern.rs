//! Patterns of callers' numbers.

use super::number::long_digits;
use super::scope::Scope;
use crate::call::Call;

/// The spellings of the caller's number that patterns are compared with; none without a number.
pub(super) fn spellings(scope: Scope<'_>, call: &Call) -> Vec<Vec<u8>> {
    let Some(number) = call.caller_number() else { return Vec::new() };
    let mut spellings = vec![number.to_vec()];
    if let Some(digits) = long_digits(number, scope.home()) {
        spellings.push(format!("+{digits}").into_bytes());
    }
    spellings
}

/// Whether the caller's number is as the pattern says.
pub(super) fn is_caller(scope: Scope<'_>, call: &Call, pattern: &str) -> bool {
    spellings(scope, call).iter().any(|number| matches(pattern.as_bytes(), number))
}

/// Whether the caller's number begins so. A `*` at the end says the same once more.
pub(super) fn caller_begins(scope: Scope<'_>, call: &Call, prefix: &str) -> bool {
    let prefix = prefix.trim_end_matches('*').as_bytes();
    spellings(scope, call).iter().any(|number| number.starts_with(prefix))
}

/// `*` stands for anything, nothing included.
fn matches(pattern: &[u8], number: &[u8]) -> bool {
    // How many bytes of the number the pattern so far can have taken.
    let mut taken = vec![0];
    for &wanted in pattern {
        if wanted == b'*' {
            let least = taken.iter().copied().min();
            taken = least.map_or_else(Vec::new, |least| (least..=number.len()).collect());
        } else {
            taken.retain(|&at| number.get(at) == Some(&wanted));
            for at in &mut taken {
                *at += 1;
            }
        }
    }
    taken.contains(&number.len())
}
