//! Matches within each other on several lines: lines of copied code go in anew, and where another edit lies across
//! the end of such a line, they stay as they are, so that both can be made.
//!
//! Must not: change what code says.

use std::ops::Range;

use super::lines::bracketed;
use super::together::around;
use crate::edit::{Edit, Fragment};
use crate::tree::Tree;

/// Puts copies together that only the indentation of a line parts, where an edit within lies across it.
pub(super) fn join_lines(tree: &Tree, edits: &mut [Edit]) {
    // Where code is data, what it goes in by is a part of it.
    if tree.language.facts.functions.is_empty() {
        return;
    }
    let mut ranges: Vec<Range<usize>> = edits.iter().map(|edit| edit.range.clone()).collect();
    ranges.sort_by_key(|range| (range.start, range.end));
    for edit in edits.iter_mut().filter(|edit| edit.replacement.len() > 2) {
        let from = ranges.partition_point(|range| range.start < edit.range.start);
        let within = |range: &&Range<usize>| range.end <= edit.range.end && **range != edit.range;
        let inner = ranges[from..].iter().take_while(|range| range.start < edit.range.end).filter(within);
        let mut inner = inner.peekable();
        if inner.peek().is_none() {
            continue;
        }
        let (mut furthest, mut out) = (0, Vec::<Fragment>::with_capacity(edit.replacement.len()));
        for fragment in edit.replacement.drain(..) {
            let seam = match (out.as_slice(), &fragment) {
                ([.., Fragment::Copy(left), Fragment::Text(gap)], Fragment::Copy(right)) => {
                    let indents = gap.chars().all(|c| c == ' ' || c == '\t') && is_indentation(tree, left, right);
                    indents.then_some((left.start, left.end..right.start, right.end))
                }
                _ => None,
            };
            if let Some((start, gap, end)) = seam {
                while let Some(range) = inner.next_if(|range| range.start < gap.end) {
                    furthest = furthest.max(range.end);
                }
                if furthest > gap.start && means_nothing(tree, gap.start) {
                    out.truncate(out.len() - 2);
                    out.push(Fragment::Copy(start..end));
                    continue;
                }
            }
            out.push(fragment);
        }
        edit.replacement = out;
    }
}

/// Whether nothing but what a line goes in by stands between two copies.
fn is_indentation(tree: &Tree, left: &Range<usize>, right: &Range<usize>) -> bool {
    let text = tree.text();
    let gap = text.get(left.end..right.start);
    gap.is_some_and(|gap| gap.chars().all(|c| c == ' ' || c == '\t')) && text[..left.end].ends_with('\n')
}

/// Whether it says nothing how the line goes in that begins there.
fn means_nothing(tree: &Tree, line: usize) -> bool {
    let before = line.saturating_sub(1);
    !tree.language.facts.indented || bracketed(around(tree, &(before..line)), before, None)
}
