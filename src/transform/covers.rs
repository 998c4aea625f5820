//! Ranges, and which of them hold a given one.
//!
//! Must not: know what the ranges are of.

use std::ops::Range;

/// Ranges of the old text, asked for those that hold another one: their number does not
/// enter, unless they hold each other.
pub(super) struct Covers<T> {
    /// By start.
    ranges: Vec<(Range<usize>, T)>,
    /// For each, the furthest end of it and all before it.
    furthest: Vec<usize>,
}

impl<T: Copy> Covers<T> {
    pub(super) fn new(ranges: impl Iterator<Item = (Range<usize>, T)>) -> Self {
        let mut ranges: Vec<_> = ranges.collect();
        ranges.sort_by_key(|(range, _)| range.start);
        let furthest = ranges.iter().scan(0, |end, (range, _)| {
            *end = range.end.max(*end);
            Some(*end)
        });
        Self { furthest: furthest.collect(), ranges }
    }

    pub(super) fn of(&self, inner: &Range<usize>) -> impl Iterator<Item = (&Range<usize>, T)> {
        let upto = self.ranges.partition_point(|(range, _)| range.start <= inner.start);
        let near = (0..upto).rev().take_while(|at| inner.end <= self.furthest[*at]);
        let end = inner.end;
        near.map(|at| &self.ranges[at]).filter(move |(range, _)| end <= range.end).map(|(range, it)| (range, *it))
    }
}
