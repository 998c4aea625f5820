//! Whether edited code reads no worse than before.

use crate::edit::{Splice, in_old_text};
use crate::tree::Tree;

/// The first ERROR or MISSING node of the new tree that is no old one: where
/// the nearest edit begins in the old text, and what is wrong.
pub(super) fn new_error(old: &Tree, new: &Tree, splices: &[Splice]) -> Option<(usize, String)> {
    let known: Vec<_> = old.errors().map(|e| (e.kind_id(), e.local_range())).collect();
    for error in new.errors() {
        let before = in_old_text(splices, &error.local_range());
        if before.is_some_and(|range| known.contains(&(error.kind_id(), range))) {
            continue;
        }
        let (line, column) = error.line_column();
        let text: String = error.text().chars().take(40).collect();
        let what = if error.is_missing() {
            format!("`{}` is missing at {line}:{column} of the result", error.kind())
        } else {
            format!("`{text}` at {line}:{column} of the result")
        };
        return Some((nearest(splices, error.local_range().start), what));
    }
    None
}

fn nearest(splices: &[Splice], at: usize) -> usize {
    let mut shift = 0_isize;
    let mut best = splices.first().map_or(0, |s| s.range.start);
    for splice in splices {
        if splice.range.start.saturating_add_signed(shift) > at {
            break;
        }
        best = splice.range.start;
        shift += splice.text.len() as isize - splice.range.len() as isize;
    }
    best
}
