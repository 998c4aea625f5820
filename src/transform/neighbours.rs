//! Elements of one list that several matches delete: they go together, with what parts them.
//!
//! Must not: say which elements go.

use std::collections::BTreeMap;
use std::ops::Range;

use super::check::Wrong;
use crate::edit::{Edit, Fragment};
use crate::rule::{deletion, elements_gone, is_data};
use crate::tree::{Node, NodeId, Tree};

/// Joins deletions of elements of one list, each of which knows nothing of the others: `f(a, b)` without
/// both is `f()`.
///
/// # Errors
/// Where the list can do without each of them, but not without all.
pub(super) fn join(tree: &Tree, edits: &mut [Edit]) -> Result<(), Wrong> {
    let mut lists: BTreeMap<NodeId, Vec<usize>> = BTreeMap::new();
    for (at, edit) in edits.iter().enumerate().filter(|(_, edit)| may_delete(edit)) {
        if let Some(list) = list_around(tree, edit) {
            lists.entry(list).or_default().push(at);
        }
    }
    for (list, of) in lists.into_iter().filter(|(_, of)| of.len() > 1) {
        let mut gone: Vec<(Node<'_>, Vec<usize>)> = Vec::new();
        for node in tree.node(list).named_children() {
            let near = |at: &&usize| covers(&edits[**at], node);
            if !of.iter().any(|at| near(&at)) {
                continue;
            }
            let Ok((range, left)) = deletion(node) else { continue };
            let is = |at: &&usize| edits[**at].range == range && edits[**at].replacement == left;
            let by: Vec<usize> = of.iter().filter(near).filter(is).copied().collect();
            if !by.is_empty() {
                gone.push((node, by));
            }
        }
        if gone.len() < 2 {
            continue;
        }
        let nodes: Vec<Node<'_>> = gone.iter().map(|(node, _)| *node).collect();
        let deletions = elements_gone(&nodes).map_err(|why| {
            let edit = &edits[gone[0].1[0]];
            Wrong { at: edit.range.start, rule: edit.rule.clone(), why }
        })?;
        for ((_, by), (range, left)) in gone.iter().zip(deletions) {
            for at in by {
                (edits[*at].range, edits[*at].replacement) = (range.clone(), left.clone());
            }
        }
    }
    close_up(tree, edits);
    Ok(())
}

/// Where lines that go were parted by blank lines on both sides, what is left is parted once; where a block or the
/// file begins or ends there, not at all.
fn close_up(tree: &Tree, edits: &mut [Edit]) {
    let text = tree.text();
    let begins = |at: usize| at == 0 || text.as_bytes().get(at - 1) == Some(&b'\n');
    let is_whole = |edit: &Edit| {
        let Range { start, end } = edit.range;
        edit.replacement.is_empty() && start < end && begins(start) && (begins(end) || end == text.len())
    };
    let mut runs: Vec<Range<usize>> =
        edits.iter().filter(|edit| is_whole(edit)).map(|edit| edit.range.clone()).collect();
    runs.sort_by_key(|run| run.start);
    let blank = |range: Range<usize>| text[range.clone()].trim().is_empty() && !is_data(tree, range.start);
    // What lies between two that go, if it is blank, goes with the first.
    let mut grown: BTreeMap<usize, usize> = BTreeMap::new();
    let runs = runs.into_iter().fold(Vec::<Range<usize>>::new(), |mut all, run| {
        match all.last_mut() {
            Some(last) if run.start <= last.end => last.end = last.end.max(run.end),
            Some(last) if blank(last.end..run.start) => {
                grown.insert(last.end, run.start);
                last.end = run.end;
            }
            _ => all.push(run),
        }
        all
    });
    let mut shrunk: BTreeMap<usize, usize> = BTreeMap::new();
    for run in runs {
        let before = text[..run.start].trim_end();
        let before = match before.len() {
            0 => 0,
            end => end + text[end..].find('\n').map_or(0, |at| at + 1),
        };
        let behind = text.len() - text[run.end..].trim_start().len();
        let behind = text[..behind].rfind('\n').map_or(0, |at| at + 1).max(run.end);
        let lines = |range: Range<usize>| text[range].matches('\n').count();
        let (above, below) = (before.min(run.start)..run.start, run.end..behind);
        let begun = above.is_empty() && (run.start == 0 || text[..run.start].trim_end().ends_with(['{', '(', '[']));
        let ended =
            below.is_empty() && (run.end == text.len() || text[run.end..].trim_start().starts_with(['}', ')', ']']));
        let parted = !above.is_empty() && !below.is_empty();
        if !below.is_empty()
            && (begun || parted && lines(below.clone()) <= lines(above.clone()))
            && blank(below.clone())
        {
            grown.insert(below.start, below.end);
        } else if !above.is_empty() && (ended || parted) && blank(above.clone()) {
            shrunk.insert(above.end, above.start);
        }
    }
    for edit in edits.iter_mut().filter(|edit| edit.replacement.is_empty()) {
        if !(begins(edit.range.start) && (begins(edit.range.end) || edit.range.end == text.len())) {
            continue;
        }
        edit.range.start = shrunk.get(&edit.range.start).copied().unwrap_or(edit.range.start);
        edit.range.end = grown.get(&edit.range.end).copied().unwrap_or(edit.range.end);
    }
}

/// Whether an edit may be the deletion of an element: it writes nothing but what a list needs.
fn may_delete(edit: &Edit) -> bool {
    let short = |fragment: &Fragment| matches!(fragment, Fragment::Text(text) if text.len() > 5);
    !edit.range.is_empty() && edit.replacement.len() < 3 && !edit.replacement.iter().any(short)
}

/// The list of which an edit may delete an element: the smallest node around it, with parts; `None`
/// where it takes whole lines, which has nothing to do with what is beside them.
fn list_around(tree: &Tree, edit: &Edit) -> Option<NodeId> {
    let text = tree.text();
    let (before, code) = (text.get(..edit.range.start)?, text.get(edit.range.clone())?);
    if (before.is_empty() || before.ends_with('\n')) && (code.ends_with('\n') || edit.range.end == text.len()) {
        return None;
    }
    let last = tree.last_from(edit.range.start);
    let around = |n: &Node<'_>| {
        let own = n.local_range();
        own.start <= edit.range.start && edit.range.end <= own.end && n.local_range() != edit.range
    };
    std::iter::once(last).chain(last.ancestors()).find(around).map(|n| n.id)
}

fn covers(edit: &Edit, node: Node<'_>) -> bool {
    let own = node.local_range();
    edit.range.start <= own.start && own.end <= edit.range.end
}
