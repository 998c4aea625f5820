//! What stands beside an edit and has become a part of something else: a line that goes on with new code, a statement
//! that an `if` without its body takes.
//!
//! Must not: look at what an edit put there.

use std::ops::Range;

use super::moves::Moves;
use super::standing::layers;
use super::together::around;
use crate::edit::{Arranged, Splice};
use crate::tree::{Node, Tree};

/// A node of the old code beside an edit that is no piece of its own any more.
pub(super) fn swallowed<'a>(old: &'a Tree, new: &Tree, arranged: &Arranged) -> Option<Node<'a>> {
    if !new.language.facts.parentheses {
        return None;
    }
    let moves = Moves::new(&arranged.splices);
    arranged.splices.iter().find_map(|splice| swallowed_by(old, new, &moves, splice))
}

/// The same beside one splice.
fn swallowed_by<'a>(old: &'a Tree, new: &Tree, moves: &Moves<'_>, splice: &Splice) -> Option<Node<'a>> {
    let text = old.text();
    let before = text[..splice.range.start].trim_end().len();
    let after = text.len() - text[splice.range.end..].trim_start().len();
    let beside = [before.checked_sub(1), Some(after).filter(|after| *after < text.len())];
    beside.into_iter().flatten().find_map(|at| {
        // The byte may lie within a character.
        let deepest = old.last_from(at);
        let chain = std::iter::once(deepest).chain(deepest.ancestors());
        let apart = |n: &Node<'_>| {
            let range = n.local_range();
            range.end <= splice.range.start || splice.range.end <= range.start
        };
        let mut beside = chain.take_while(apart).filter(|n| n.local_range().contains(&at));
        beside.find(|node| !stands(*node, new, moves))
    })
}

/// Whether a node that no edit touches is in the new code, too.
fn stands(node: Node<'_>, new: &Tree, moves: &Moves<'_>) -> bool {
    let range = node.local_range();
    // The root begins with the first thing in the file, wherever that stands.
    let root = node.parent().is_none();
    if root || range.is_empty() || node.is_extra() || node.text().trim().is_empty() || moves.touches(&range) {
        return true;
    }
    let now = moves.of(range.start)..moves.of(range.end);
    if let Some(top) = new.spanning(now.start, now.end) {
        let same = layers(top).find(|n| n.kind_id() == node.kind_id());
        // A list of one that has more now, each of them a piece: `import_list`.
        let grown = new.language.is_list(node.kind_id())
            && node.is_statement()
            && top.parent().is_some_and(|list| list.kind_id() == node.kind_id());
        if grown {
            return true;
        }
        // A statement that another one goes on with is an expression of it.
        let ended = top.parent().filter(|up| up.kind_id() == node.kind_id() && is_ended(*up, &now));
        let same = same.or(ended);
        let goes_on = node.kind().ends_with("statement") && same.is_none();
        return !goes_on && stays(node, same.unwrap_or(top), moves);
    }
    let around = around(new, &now);
    if has_grown(node, around, &now) {
        return true;
    }
    // Texts that nothing parts any more are one.
    node.is_leaf()
        && around.is_leaf()
        && around.kind_id() == node.kind_id()
        && node.text().contains(char::is_whitespace)
        || around.is_tokens()
        || node.is_unread()
        || new.language.is_string(around.kind_id())
}

/// Whether a statement is what it was, and the `;` that parts it from the next one.
fn is_ended(statement: Node<'_>, was: &Range<usize>) -> bool {
    let (own, tree) = (statement.local_range(), statement.tree());
    let rest = tree.text().get(was.end..own.end).map(str::trim);
    own.start == was.start && rest.is_some() && rest == tree.language.facts.guard.as_deref()
}

/// Whether a list that is no piece of its own has more elements now, each of them a piece: `import_list`.
fn has_grown(list: Node<'_>, now: Node<'_>, range: &Range<usize>) -> bool {
    let same = now.kind_id() == list.kind_id() && now.tree().language.is_list(list.kind_id()) && list.is_statement();
    let begins = || now.children().any(|child| child.local_range().start == range.start);
    same && begins() && now.children().any(|child| child.local_range().end == range.end)
}

/// Whether a statement is in the same block: without its body, an `if` takes the statement behind it.
fn stays(was: Node<'_>, now: Node<'_>, moves: &Moves<'_>) -> bool {
    let (Some(block), Some(around)) = (was.parent(), now.parent()) else { return true };
    let (start, new) = (block.local_range().start, around.local_range().start);
    // What is around it may be taken away, or written anew.
    if !was.is_statement() || moves.took(start) || moves.wrote(new) {
        return true;
    }
    block.kind_id() == around.kind_id() && (moves.of(start) == new || moves.before(start) == new)
}
