//! The pieces of a time rule: weekdays, days of the month, months, times of day.

use crate::validate::Rule;
use crate::validate::rule::label;

pub(crate) const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
pub(crate) const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// Lists of one thing and ranges of it.
macro_rules! list_of {
    ($one:literal) => {
        concat!("^", $one, "(-", $one, ")?(,", $one, "(-", $one, ")?)*$")
    };
}

/// Weekdays: `mon-fri`, `2-6` with 1 for Sunday, `1,7`.
pub(super) const WDAY: Rule = Rule::checked(wday, 1, 64, "mon-fri").pattern(list_of!(
    "([1-7]|[sS][uU][nN]|[mM][oO][nN]|[tT][uU][eE]|[wW][eE][dD]|[tT][hH][uU]|[fF][rR][iI]|[sS][aA][tT])"
));
/// Days of the month: `1`, `1-15`, `1,15`.
pub(super) const MDAY: Rule =
    Rule::checked(mday, 1, 64, "1-15").pattern(list_of!("(0?[1-9]|[12][0-9]|3[01])"));
/// Months: `1-3`, `dec`, `jun,jul`.
pub(super) const MON: Rule = Rule::checked(mon, 1, 64, "12").pattern(list_of!(
    "(0?[1-9]|1[0-2]|[jJ][aA][nN]|[fF][eE][bB]|[mM][aA][rR]|[aA][pP][rR]|[mM][aA][yY]|[jJ][uU][nN]|[jJ][uU][lL]|[aA][uU][gG]|[sS][eE][pP]|[oO][cC][tT]|[nN][oO][vV]|[dD][eE][cC])"
));
/// A time of day: `09:00`.
pub(super) const TIME: Rule = Rule::checked(time, 5, 5, "09:00").pattern("^([01][0-9]|2[0-3]):[0-5][0-9]$");
/// A date: `2026-12-25`, or `12-25` for every year.
pub(super) const DATE: Rule = Rule::checked(date, 5, 10, "2026-12-25")
    .pattern("^((19|20)[0-9]{2}-)?(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])$");

/// The numbers that a list of numbers, names and ranges stands for, `None` where it is none. A range may go over the end:
/// `fri-mon`.
pub(crate) fn numbers(text: &str, first: u32, names: &[&str]) -> Option<Vec<u32>> {
    let last = first + u32::try_from(names.len()).ok()? - 1;
    let number = |text: &str| {
        let text = text.to_ascii_lowercase();
        let position = names
            .iter()
            .position(|name| !name.is_empty() && *name == text)
            .and_then(|at| u32::try_from(at).ok());
        let number = position.map(|at| at + first).or_else(|| plain_number(&text))?;
        (first..=last).contains(&number).then_some(number)
    };
    let mut all = Vec::new();
    for part in text.split(',') {
        match part.split_once('-') {
            None => all.push(number(part)?),
            Some((from, to)) => {
                let (from, to) = (number(from)?, number(to)?);
                if from <= to {
                    all.extend(from..=to);
                } else {
                    all.extend((from..=last).chain(first..=to));
                }
            }
        }
    }
    Some(all)
}

fn plain_number(text: &str) -> Option<u32> {
    let plain = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

fn wday(name: &str, text: &str) -> Result<String, String> {
    listed(name, text, 1, &WEEKDAYS, "weekdays such as mon-fri, 2-6 (1 is Sunday) or sat,sun")
}

fn mday(name: &str, text: &str) -> Result<String, String> {
    listed(name, text, 1, &[""; 31], "days of the month such as 1-15 or 1,15")
}

fn mon(name: &str, text: &str) -> Result<String, String> {
    listed(name, text, 1, &MONTHS, "months such as 1-3, dec or jun,jul")
}

fn listed(name: &str, text: &str, first: u32, names: &[&str], what: &str) -> Result<String, String> {
    match numbers(text, first, names) {
        Some(_) if text.len() <= 64 => Ok(text.to_owned()),
        _ => Err(format!("The {} field must be {what}.", label(name))),
    }
}

fn time(name: &str, text: &str) -> Result<String, String> {
    if minutes(text).is_some() {
        Ok(text.to_owned())
    } else {
        Err(format!("The {} field must be a time such as 09:00.", label(name)))
    }
}

/// Minutes since midnight of `HH:MM`.
pub(crate) fn minutes(text: &str) -> Option<u32> {
    let (hours, minutes) = text.split_once(':')?;
    if hours.len() != 2 || minutes.len() != 2 {
        return None;
    }
    let (hours, minutes) = (plain_number(hours)?, plain_number(minutes)?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

fn date(name: &str, text: &str) -> Result<String, String> {
    if is_date(text) {
        Ok(text.to_owned())
    } else {
        Err(format!("The {} field must be a date such as 2026-12-25, or 12-25 for every year.", label(name)))
    }
}

fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let (year, month, day) = match parts.as_slice() {
        [year, month, day] if year.len() == 4 => (year.parse().ok(), *month, *day),
        // February has 29 days in some year.
        [month, day] => (Some(2000_u32), *month, *day),
        _ => return false,
    };
    let two = |text: &str| if text.len() == 2 { plain_number(text) } else { None };
    let (Some(year), Some(month), Some(day)) = (year, two(month), two(day)) else { return false };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 0,
    };
    (1900..2200).contains(&year) && (1..=days).contains(&day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_ranges_and_names() {
        assert_eq!(numbers("mon-fri", 1, &WEEKDAYS), Some(vec![2, 3, 4, 5, 6]));
        assert_eq!(numbers("1,7", 1, &WEEKDAYS), Some(vec![1, 7]));
        assert_eq!(numbers("Sat-mon", 1, &WEEKDAYS), Some(vec![7, 1, 2]));
        for text in ["", "8", "mon-", "0", "+1", "mon fri", "1--2"] {
            assert_eq!(numbers(text, 1, &WEEKDAYS), None, "{text:?}");
        }
    }

    #[test]
    fn times_and_dates() {
        assert_eq!(minutes("09:05"), Some(545));
        for text in ["9:05", "24:00", "12:60", "12", "aa:bb", "12:00:00"] {
            assert_eq!(minutes(text), None, "{text:?}");
        }
        for text in ["2026-12-25", "12-25", "02-29", "2028-02-29"] {
            assert!(is_date(text), "{text:?}");
        }
        for text in ["2026-02-29", "13-01", "1-1", "2026-12", "2026-12-25-1", "", "04-31"] {
            assert!(!is_date(text), "{text:?}");
        }
    }
}
