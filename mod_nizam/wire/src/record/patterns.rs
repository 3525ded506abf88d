//! The dialling patterns of a tenant's outbound routes, as a tree of characters: one walk finds the best of thousands.
//!
//! A pattern is made of digits, `+`, `*`, `#`, `X` for any digit, `Z` for 1 to 9, `N` for 2 to 9; a final dot stands for any rest.

use super::RecordError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Longest number that is compared, in bytes.
const MAX_DIALLED: usize = 64;

/// One route with one of its patterns, as it goes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PatternRow<'a> {
    /// The pattern.
    pub pattern: &'a str,
    /// The lowest counts first.
    pub priority: i64,
    /// The id of the route.
    pub route: [u8; 16],
}

/// What a number matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its place among all patterns; the lowest is the best.
    pub rank: u32,
    /// The id of the route.
    pub route: [u8; 16],
}

/// The patterns of a tenant: a tree of all, and one of those routes alone that take emergency calls. An empty one has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatternSets<'a> {
    /// Of all routes.
    #[serde(borrow)]
    pub all: &'a [u8],
    /// Of those of class emergency.
    pub emergency: &'a [u8],
}

record!(PatternSets<'a>);

/// The tree. Everything is read in place, and every offset is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patterns<'a> {
    /// The id of each route, 16 bytes.
    #[serde(borrow)]
    routes: &'a [u8],
    /// For each rank the position of its route, 4 bytes.
    ranks: &'a [u8],
    /// The nodes, [`NODE`] bytes each; the root is the first.
    nodes: &'a [u8],
    /// The edges, [`EDGE`] bytes each: a character, then the position of a node.
    edges: &'a [u8],
}

/// Rank of a pattern that ends here, rank of one whose final dot is here, position of the first edge, number of edges; each a
/// `u32`. A rank is one more than it is, so that zero is none.
const NODE: usize = 16;
const EDGE: usize = 5;

impl<'a> Patterns<'a> {
    /// A record of these patterns. Of two that say the same the better one counts.
    pub fn build(rows: &[PatternRow<'_>]) -> Vec<u8> {
        let mut sorted: Vec<&PatternRow<'_>> = rows.iter().collect();
        sorted.sort_by_key(|row| {
            let body = row.pattern.strip_suffix('.').unwrap_or(row.pattern);
            let wild = body.bytes().filter(|b| matches!(b, b'X' | b'Z' | b'N')).count();
            let literal = body.len() - wild;
            let prefix = body.len() != row.pattern.len();
            let most = usize::MAX;
            (row.priority, most - literal, most - body.len(), prefix, row.route)
        });
        let mut tree = Tree::default();
        let mut routes: Vec<[u8; 16]> = Vec::new();
        let mut positions: BTreeMap<[u8; 16], u32> = BTreeMap::new();
        let mut ranks = Vec::new();
        for (rank, row) in (1_u32..).zip(sorted) {
            let next = u32::try_from(routes.len()).unwrap_or(u32::MAX);
            let position = *positions.entry(row.route).or_insert_with(|| {
                routes.push(row.route);
                next
            });
            ranks.extend_from_slice(&position.to_le_bytes());
            tree.insert(row.pattern, rank);
        }
        let (nodes, edges) = tree.lay_out();
        super::encode(&Patterns {
            routes: routes.as_flattened(),
            ranks: &ranks,
            nodes: &nodes,
            edges: &edges,
        })
    }

    /// The record in `value`.
    pub fn decode(value: &'a [u8]) -> Result<Self, RecordError> {
        super::decode(value)
    }

    /// The best pattern that the number matches.
    pub fn find(&self, number: &[u8]) -> Option<Found> {
        if number.len() > MAX_DIALLED {
            return None;
        }
        let mut best = u32::MAX;
        self.walk(0, number, &mut best);
        let rank = best.checked_sub(1).filter(|_| best != u32::MAX)?;
        let position = word(self.ranks, rank as usize * 4)?;
        let start = position as usize * 16;
        let route = self.routes.get(start..start.checked_add(16)?)?.first_chunk().copied()?;
        Some(Found { rank, route })
    }

    /// As deep as the number is long, [`MAX_DIALLED`] at most.
    fn walk(&self, node: u32, rest: &[u8], best: &mut u32) {
        let at = (node as usize).saturating_mul(NODE);
        let field = |position: usize| word(self.nodes, at.saturating_add(position)).unwrap_or(0);
        let mut take = |rank: u32| {
            if rank != 0 {
                *best = rank.min(*best);
            }
        };
        take(field(4));
        let Some((&byte, behind)) = rest.split_first() else {
            take(field(0));
            return;
        };
        let (first, count) = (field(8) as usize, field(12) as usize);
        let edges = first.saturating_mul(EDGE)..first.saturating_add(count).saturating_mul(EDGE);
        for edge in self.edges.get(edges).unwrap_or_default().chunks_exact(EDGE) {
            let (Some(&symbol), Some(to)) = (edge.first(), word(edge, 1)) else { return };
            // A tree only leads down: damage must not lead round and round.
            if to > node && fits(symbol, byte) {
                self.walk(to, behind, best);
            }
        }
    }
}

fn fits(symbol: u8, byte: u8) -> bool {
    match symbol {
        b'X' => byte.is_ascii_digit(),
        b'Z' => matches!(byte, b'1'..=b'9'),
        b'N' => matches!(byte, b'2'..=b'9'),
        other => other == byte,
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let word = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(*word.first_chunk()?))
}

#[derive(Default)]
struct Tree {
    exact: u32,
    prefix: u32,
    below: BTreeMap<u8, Tree>,
}

impl Tree {
    /// Ranks come in order, so whoever is there is better.
    fn insert(&mut self, pattern: &str, rank: u32) {
        let (body, open) = match pattern.strip_suffix('.') {
            Some(body) => (body, true),
            None => (pattern, false),
        };
        let mut at = self;
        for byte in body.bytes() {
            at = at.below.entry(byte).or_default();
        }
        let place = if open { &mut at.prefix } else { &mut at.exact };
        if *place == 0 {
            *place = rank;
        }
    }

    /// Level by level, so that every edge leads to a later node.
    fn lay_out(&self) -> (Vec<u8>, Vec<u8>) {
        let (mut nodes, mut edges) = (Vec::new(), Vec::new());
        let mut level = vec![self];
        let mut next_node = 1_u32;
        while !level.is_empty() {
            let mut below = Vec::new();
            for tree in level {
                let first = u32::try_from(edges.len() / EDGE).unwrap_or(u32::MAX);
                let count = u32::try_from(tree.below.len()).unwrap_or(u32::MAX);
                for word in [tree.exact, tree.prefix, first, count] {
                    nodes.extend_from_slice(&word.to_le_bytes());
                }
                for (symbol, child) in &tree.below {
                    edges.push(*symbol);
                    edges.extend_from_slice(&next_node.to_le_bytes());
                    next_node += 1;
                    below.push(child);
                }
            }
            level = below;
        }
        (nodes, edges)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(pattern: &str, priority: i64, route: u8) -> PatternRow<'_> {
        PatternRow { pattern, priority, route: [route; 16] }
    }

    fn best(rows: &[PatternRow<'_>], number: &str) -> Option<u8> {
        let bytes = Patterns::build(rows);
        Patterns::decode(&bytes).unwrap().find(number.as_bytes()).map(|found| found.route[0])
    }

    #[test]
    fn the_lowest_priority_counts_then_the_most_exact() {
        let rows = [
            row("1NXXNXXXXXX", 100, 1),
            row("1.", 100, 2),
            row("1212.", 100, 3),
            row("12125551234", 100, 4),
            row("0.", 10, 5),
            row("00.", 100, 6),
            row(".", 900, 7),
        ];
        for (number, want) in [
            ("12125551234", 4),
            ("12125559999", 3),
            ("13105559999", 1),
            ("11", 2),
            ("1", 2),
            ("00", 5),
            ("", 7),
            ("*97", 7),
        ] {
            assert_eq!(best(&rows, number), Some(want), "{number}");
        }
        assert_eq!(best(&rows[..6], "2"), None);
        assert_eq!(best(&rows, &"1".repeat(65)), None);
        assert_eq!(best(&[], "1"), None);
    }

    #[test]
    fn letters_stand_for_digits() {
        let rows = [row("NZX", 1, 1), row("+49X#*", 1, 2)];
        for (number, want) in [
            ("211", Some(1)),
            ("910", Some(1)),
            ("111", None),
            ("201", None),
            ("2110", None),
            ("+491#*", Some(2)),
            ("+49a#*", None),
        ] {
            assert_eq!(best(&rows, number), want, "{number}");
        }
    }

    #[test]
    fn of_equal_patterns_the_older_route_counts() {
        assert_eq!(best(&[row("9.", 1, 9), row("9.", 1, 3)], "911"), Some(3));
        assert_eq!(best(&[row("911", 1, 9), row("911.", 1, 3)], "911"), Some(9), "without the dot");
    }

    #[test]
    fn damage_is_no_fault() {
        let rows = [row("1NXXNXXXXXX", 100, 1), row("1212.", 100, 3)];
        let good = Patterns::build(&rows);
        for at in 0..good.len() {
            for flip in [1_u8, 0x80, 0xff] {
                let mut bad = good.clone();
                bad[at] ^= flip;
                if let Ok(patterns) = Patterns::decode(&bad) {
                    let _no_panic = patterns.find(b"12125551234");
                }
            }
        }
    }

    /// Every pattern alone, against all: the tree finds what a walk over the list finds.
    #[test]
    fn as_one_by_one() {
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut random = move |most: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state % most as u64).unwrap()
        };
        let alphabet = ["0", "1", "2", "X", "Z", "N"];
        for _ in 0..300 {
            let texts: Vec<String> = (0..=random(30))
                .map(|_| {
                    let mut text: String = (0..=random(4)).map(|_| alphabet[random(6)]).collect();
                    if random(3) == 0 {
                        text.push('.');
                    }
                    text
                })
                .collect();
            let rows: Vec<PatternRow<'_>> = texts
                .iter()
                .map(|t| row(t, i64::try_from(random(3)).unwrap(), u8::try_from(random(9)).unwrap()))
                .collect();
            let bytes = Patterns::build(&rows);
            let all = Patterns::decode(&bytes).unwrap();
            for _ in 0..50 {
                let number: String = (0..=random(5)).map(|_| ["0", "1", "2", "9"][random(4)]).collect();
                let alone = rows.iter().filter(|r| best(std::slice::from_ref(r), &number).is_some());
                let key = |r: &&PatternRow<'_>| {
                    let body = r.pattern.trim_end_matches('.');
                    let literal = body.bytes().filter(u8::is_ascii_digit).count();
                    (
                        r.priority,
                        std::cmp::Reverse(literal),
                        std::cmp::Reverse(body.len()),
                        body.len() != r.pattern.len(),
                        r.route,
                    )
                };
                let want = alone.min_by_key(key).map(|r| r.route);
                assert_eq!(all.find(number.as_bytes()).map(|f| f.route), want, "{number} in {rows:?}");
            }
        }
    }
}
