//! Where places of a text have gone to, once it is edited.
//!
//! Must not: know a tree, or a rule.

use std::ops::Range;

use crate::edit::Splice;

/// Where places of the old text have gone to.
pub(super) struct Moves<'a> {
    /// Ordered and disjoint.
    splices: &'a [Splice],
    /// How far what stands before each splice has moved; one more for what is behind the last.
    shifts: Vec<isize>,
    /// Where the new text of each splice is.
    put: Vec<Range<usize>>,
}

impl<'a> Moves<'a> {
    pub(super) fn new(splices: &'a [Splice]) -> Self {
        let mut shift = 0;
        let grown = splices.iter().map(|s| s.text.len() as isize - s.range.len() as isize);
        let shifts = std::iter::once(0).chain(grown.map(|by| {
            shift += by;
            shift
        }));
        let shifts: Vec<isize> = shifts.collect();
        let put = splices.iter().zip(&shifts).map(|(splice, by)| {
            let start = splice.range.start.saturating_add_signed(*by);
            start..start + splice.text.len()
        });
        Self { put: put.collect(), shifts, splices }
    }

    /// Where the new texts of the splices are, in order.
    pub(super) fn put(&self) -> &[Range<usize>] {
        &self.put
    }

    /// Where a place is now; behind what was put there.
    pub(super) fn of(&self, at: usize) -> usize {
        at.saturating_add_signed(self.shifts[self.splices.partition_point(|s| s.range.end <= at)])
    }

    /// Where a place is now; before what was put there.
    pub(super) fn before(&self, at: usize) -> usize {
        at.saturating_add_signed(self.shifts[self.splices.partition_point(|s| s.range.end < at)])
    }

    /// Whether a splice takes what begins at a place.
    pub(super) fn took(&self, at: usize) -> bool {
        self.splices.get(self.splices.partition_point(|s| s.range.end <= at)).is_some_and(|s| s.range.start <= at)
    }

    /// Whether a splice put what begins at a place of the new text.
    pub(super) fn wrote(&self, at: usize) -> bool {
        let next = self.put.partition_point(|put| put.start <= at);
        next.checked_sub(1).is_some_and(|last| at < self.put[last].end)
    }

    /// Whether a splice takes what is on both sides of a place.
    pub(super) fn cross(&self, at: usize) -> bool {
        self.splices.get(self.splices.partition_point(|s| s.range.end <= at)).is_some_and(|s| s.range.start < at)
    }

    /// The splices in a range.
    pub(super) fn within(&self, range: &Range<usize>) -> impl Iterator<Item = &'a Splice> {
        let from = self.splices.partition_point(|s| s.range.start < range.start);
        let end = range.end;
        self.splices[from..].iter().take_while(move |s| s.range.start <= end).filter(move |s| s.range.end <= end)
    }

    /// Whether something in a range is replaced, or put at one of its ends.
    pub(super) fn touches(&self, range: &Range<usize>) -> bool {
        let from = self.splices.partition_point(|s| s.range.end < range.start);
        let upto = self.splices[from..].iter().take_while(|s| s.range.start <= range.end);
        let inside = |s: &Splice| s.range.start < range.end && range.start < s.range.end;
        upto.into_iter().any(|s| s.range.is_empty() || inside(s))
    }
}
