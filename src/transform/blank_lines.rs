//! Blank lines around lines that go: what is left is parted as it was, once.
//!
//! Must not: touch a line that holds anything.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::edit::Edit;
use crate::rule::{is_data, keeps_lines};
use crate::tree::Tree;

/// Where lines that go were parted by blank lines on both sides, what is left is parted once; where a block or the
/// file begins or ends there, not at all.
pub(super) fn close_up(tree: &Tree, edits: &mut [Edit]) {
    // Of several that go with nothing but blank lines between, those go with the first.
    let mut grown: BTreeMap<usize, usize> = BTreeMap::new();
    let mut shrunk: BTreeMap<usize, usize> = BTreeMap::new();
    let mut runs: Vec<Range<usize>> = Vec::new();
    let inserted: BTreeSet<usize> =
        edits.iter().filter(|edit| edit.range.is_empty()).map(|edit| edit.range.start).collect();
    // What is put among blank lines is what they part.
    let is_free =
        |range: &Range<usize>| is_blank(tree, range) && !inserted.iter().any(|at| range.start < *at && *at < range.end);
    for lines in whole_lines(tree, edits) {
        match runs.last_mut() {
            Some(run) if lines.start <= run.end => run.end = run.end.max(lines.end),
            Some(run) if is_free(&(run.end..lines.start)) => {
                grown.insert(run.end, lines.start);
                run.end = lines.end;
            }
            _ => runs.push(lines),
        }
    }
    // What goes where something is put is what that takes the place of.
    let is_taken = |run: &Range<usize>| inserted.range(run.start..=run.end).next().is_some();
    for run in runs.into_iter().filter(|run| !is_taken(run)) {
        match superfluous(tree, &run).filter(is_free) {
            Some(blank) if blank.start == run.end => drop(grown.insert(blank.start, blank.end)),
            Some(blank) => drop(shrunk.insert(blank.end, blank.start)),
            None => {}
        }
    }
    for edit in edits.iter_mut().filter(|edit| is_whole(tree, edit)) {
        edit.range.start = shrunk.get(&edit.range.start).copied().unwrap_or(edit.range.start);
        edit.range.end = grown.get(&edit.range.end).copied().unwrap_or(edit.range.end);
    }
}

/// Lines that go and leave nothing, in order.
fn whole_lines(tree: &Tree, edits: &[Edit]) -> Vec<Range<usize>> {
    let mut all: Vec<_> = edits.iter().filter(|edit| is_whole(tree, edit)).map(|edit| edit.range.clone()).collect();
    all.sort_by_key(|lines| lines.start);
    all
}

fn is_whole(tree: &Tree, edit: &Edit) -> bool {
    let text = tree.text();
    let begins = |at: usize| at == 0 || text.as_bytes().get(at - 1) == Some(&b'\n');
    let Range { start, end } = edit.range;
    edit.replacement.is_empty() && start < end && begins(start) && (begins(end) || end == text.len())
}

/// Whether a range that begins a line holds nothing, and is no part of a text.
fn is_blank(tree: &Tree, range: &Range<usize>) -> bool {
    tree.text()[range.clone()].trim().is_empty() && !is_data(tree, range.start)
}

/// The blank lines above lines that go, or below them, that part nothing without these. Of both sides, the
/// shorter one.
fn superfluous(tree: &Tree, run: &Range<usize>) -> Option<Range<usize>> {
    let text = tree.text();
    let code = text[..run.start].trim_end();
    let first = match code.len() {
        0 => 0,
        end => end + text[end..].find('\n').map_or(0, |at| at + 1),
    };
    let next = text[run.end..].trim_start();
    let last = text[..text.len() - next.len()].rfind('\n').map_or(0, |at| at + 1).max(run.end);
    let (above, below) = (first.min(run.start)..run.start, run.end..last);
    let lines = |range: &Range<usize>| text[range.clone()].matches('\n').count();
    let begun = above.is_empty() && (code.is_empty() || code.ends_with(['{', '(', '[']));
    let ended = below.is_empty() && (next.is_empty() || next.starts_with(['}', ')', ']']));
    let parted = !above.is_empty() && !below.is_empty();
    // Those above are a part of the text before them, and those below would be.
    if code.len().checked_sub(1).is_some_and(|last| is_kept(tree, last)) {
        return Some(below).filter(|blank| !blank.is_empty());
    }
    if !below.is_empty() && (begun || parted && lines(&below) <= lines(&above)) {
        return Some(below);
    }
    Some(above).filter(|blank| !blank.is_empty() && (ended || parted))
}

/// Whether what stands at a place is a text that keeps the empty lines behind it.
fn is_kept(tree: &Tree, at: usize) -> bool {
    let leaf = tree.last_from(at);
    std::iter::once(leaf).chain(leaf.ancestors()).any(|n| keeps_lines(n) && n.local_range().contains(&at))
}
