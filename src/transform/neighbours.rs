//! What several matches delete beside each other goes together, with what parts it.
//!
//! Must not: say which elements go.

use std::collections::BTreeMap;

use super::blank_lines;
use super::check::Wrong;
use crate::edit::{Edit, Fragment};
use crate::rule::{deletion, elements_gone};
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
            // A branch that leaves `{}` is no element.
            if left.iter().any(|part| matches!(part, Fragment::Text(text) if text.starts_with('{'))) {
                continue;
            }
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
    blank_lines::close_up(tree, edits);
    Ok(())
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
