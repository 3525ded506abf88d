//! A list that is ordered by time, as its days: how many rows lie where.

use crate::page::Page;

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

/// The UTC day of a time in microseconds since 1970, in days since 1970.
pub(crate) fn day(micros: i64) -> i64 {
    micros.div_euclid(DAY)
}

/// A span of time, in microseconds since 1970; both ends belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from: i64,
    pub(crate) to: i64,
}

impl Span {
    /// Of a whole day.
    pub(crate) fn of_day(day: i64) -> Self {
        let from = day.saturating_mul(DAY);
        Self { from, to: from.saturating_add(DAY - 1) }
    }

    /// The whole days that lie in it, the first and the last, and what is left before and behind them.
    pub(crate) fn whole_days(self) -> (Option<(i64, i64)>, Vec<Self>) {
        let first = self.from.saturating_add(DAY - 1).div_euclid(DAY);
        let last = self.to.saturating_add(1).div_euclid(DAY).saturating_sub(1);
        if self.from > self.to {
            return (None, Vec::new());
        }
        if first > last {
            // Within one day, or over a midnight.
            return (None, vec![self]);
        }
        let before = Self { from: self.from, to: Self::of_day(first).from.saturating_sub(1) };
        let behind = Self { from: Self::of_day(last).to.saturating_add(1), to: self.to };
        let rest = [before, behind].into_iter().filter(|span| span.from <= span.to).collect();
        (Some((first, last)), rest)
    }
}

/// Where the rows of a list are, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Days(Vec<(Span, u64)>);

impl Days {
    /// Spans that do not overlap, with their rows, in the order of time or against it.
    pub(crate) fn new(mut spans: Vec<(Span, u64)>, newest_first: bool) -> Self {
        spans.retain(|(_, rows)| *rows > 0);
        spans.sort_unstable_by_key(|(span, _)| span.from);
        if newest_first {
            spans.reverse();
        }
        Self(spans)
    }

    /// Rows of the whole list.
    pub(crate) fn total(&self) -> u64 {
        self.0.iter().map(|(_, rows)| rows).sum()
    }

    /// The span that holds a page, and how many of its rows come before that; `None` beyond the end. However far into the list,
    /// no more than the rows of a day are skipped.
    pub(crate) fn place(&self, page: Page) -> Option<(Span, u64)> {
        let mut skip = page.number.saturating_sub(1).saturating_mul(page.size);
        let mut spans = self.0.iter().copied().peekable();
        while let Some((_, passed)) = spans.next_if(|(_, rows)| skip >= *rows) {
            skip -= passed;
        }
        let (mut place, mut rows) = spans.next()?;
        for (span, more) in spans {
            if rows >= skip.saturating_add(page.size) {
                break;
            }
            place = Span { from: place.from.min(span.from), to: place.to.max(span.to) };
            rows += more;
        }
        Some((place, skip))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(number: u64, size: u64) -> Page {
        Page { number, size }
    }

    #[test]
    fn whole_days_and_what_is_left_of_them() {
        let noon = |day: i64| day * DAY + DAY / 2;
        let span = |from, to| Span { from, to };
        assert_eq!(span(0, DAY - 1).whole_days(), (Some((0, 0)), vec![]));
        assert_eq!(span(0, DAY).whole_days(), (Some((0, 0)), vec![span(DAY, DAY)]));
        let (days, rest) = span(noon(3), noon(6)).whole_days();
        assert_eq!(days, Some((4, 5)));
        assert_eq!(rest, [span(noon(3), 4 * DAY - 1), span(6 * DAY, noon(6))]);
        assert_eq!(span(noon(3), noon(4)).whole_days(), (None, vec![span(noon(3), noon(4))]));
        assert_eq!(span(noon(3), noon(3)).whole_days(), (None, vec![span(noon(3), noon(3))]));
        assert_eq!(span(5, 4).whole_days(), (None, vec![]), "nothing lies between the two");
        // No end that a client can name goes wrong.
        let (days, rest) = span(i64::MIN, i64::MAX).whole_days();
        assert!(days.is_some_and(|(first, last)| first < last) && rest.len() <= 2);
    }

    #[test]
    fn a_page_is_found_without_walking_there() {
        for newest_first in [true, false] {
            let rows = [(1, 4), (2, 0), (3, 1), (7, 10), (8, 2)];
            let spans = rows.iter().map(|&(day, rows)| (Span::of_day(day), rows)).collect();
            let days = Days::new(spans, newest_first);
            let mut list: Vec<i64> = rows
                .iter()
                .flat_map(|&(day, rows)| std::iter::repeat_n(day, usize::try_from(rows).unwrap()))
                .collect();
            if newest_first {
                list.reverse();
            }
            assert_eq!(days.total(), 17);
            for size in 1..20 {
                for number in 1..25 {
                    let offset = usize::try_from((number - 1) * size).unwrap();
                    let want: Vec<i64> =
                        list.iter().copied().skip(offset).take(usize::try_from(size).unwrap()).collect();
                    let got: Vec<i64> = match days.place(page(number, size)) {
                        None => Vec::new(),
                        Some((span, skip)) => {
                            assert!(skip < 10, "no more than a day is skipped");
                            let inside = list
                                .iter()
                                .copied()
                                .filter(|&day| span.from <= day * DAY && day * DAY <= span.to);
                            inside
                                .skip(usize::try_from(skip).unwrap())
                                .take(usize::try_from(size).unwrap())
                                .collect()
                        }
                    };
                    assert_eq!(got, want, "page {number} of {size}");
                }
            }
        }
        assert_eq!(Days::default().place(page(1, 15)), None);
        let one = Days::new(vec![(Span::of_day(0), 5)], true);
        assert_eq!(one.place(page(u64::MAX, u64::MAX)), None);
        assert_eq!(one.place(page(1, u64::MAX)), Some((Span::of_day(0), 0)));
    }
}
