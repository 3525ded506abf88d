//! Dates of the Gregorian calendar.

/// The date so many days after the first of January 1970, as `2026-12-25`.
pub(crate) fn date(days: i64) -> String {
    // Eras of 400 years that begin on the first of March.
    let z = days + 719_468;
    let (era, day) = (z.div_euclid(146_097), z.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (year, month) = (year + era * 400 + i64::from(month >= 10), (month + 2) % 12 + 1);
    format!("{year:04}-{month:02}-{day:02}")
}

/// The moment so many seconds after 1970 began, as `2026-12-25T09:30:00Z`.
pub(crate) fn moment(seconds: i64) -> String {
    let (day, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    format!("{}T{:02}:{:02}:{:02}Z", date(day), second / 3600, second / 60 % 60, second % 60)
}
