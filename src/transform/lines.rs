//! Lines that end where none may: line breaks that stood in brackets, and came to stand in none.
//!
//! Must not: edit anything.

use super::standing::{opens, within};
use super::together::{Part, Torn, around};
use crate::edit::{Arranged, Edit, Fragment};
use crate::tree::{Node, Tree};

/// Whether a place is in brackets of a node or of one around it, up to the statement that it is in.
pub(super) fn bracketed(from: Node<'_>, at: usize, upto: Option<Node<'_>>) -> bool {
    let chain = std::iter::once(from).chain(from.ancestors());
    for node in chain.take_while(|n| upto.is_none_or(|upto| n.id != upto.id && upto.contains(*n))) {
        let facts = &node.tree().language;
        if facts.is_list(node.kind_id()) || facts.is_never_empty(node.kind_id()) {
            return false;
        }
        let opens = node.children().next().is_some_and(|c| opens(c) && c.local_range().end <= at);
        if opens && at < node.local_range().end || facts.is_string(node.kind_id()) || upto.is_some() && node.is_extra()
        {
            return true;
        }
    }
    false
}

/// Whether a line break of copied code stood in brackets, and stands in none any more, in a
/// language where it ends a statement there.
pub(super) fn is_broken(part: &Part<'_>, new: &Tree) -> bool {
    if !part.copied || !new.language.facts.breaks || !part.was.text().contains('\n') {
        return false;
    }
    let start = part.was.local_range().start;
    let breaks = part.was.text().match_indices('\n').map(|(at, _)| at);
    let open = breaks.filter(|at| {
        let place = start + at;
        let deepest = around(part.was.tree(), &(place..place + 1));
        !bracketed(deepest, place, Some(part.was)) && !own_bracket(part.was, place)
    });
    let mut open = open.peekable();
    let Some(_) = open.peek() else { return false };
    let was_in = part.was.parent().is_some_and(|parent| bracketed(parent, start, None));
    let is_in = new
        .spanning(part.range.start, part.range.end)
        .and_then(|n| n.parent())
        .is_some_and(|parent| bracketed(parent, part.range.start, None));
    was_in && !is_in
}

/// Whether a node has brackets of its own around a place.
fn own_bracket(node: Node<'_>, at: usize) -> bool {
    let first = node.children().next();
    first.is_some_and(|c| opens(c) && c.local_range().end <= at) || node.tree().language.is_string(node.kind_id())
}

/// Copied code of which a comment ends a line where none may end, and what is around it:
/// `return // why`, before the value.
pub(super) fn parted<'a>(old: &Tree, new: &'a Tree, arranged: &'a Arranged, edits: &[Edit]) -> Vec<Torn<'a>> {
    let facts = &new.language.facts;
    if !facts.breaks && facts.restricted.is_empty() {
        return Vec::new();
    }
    let mut torn = Vec::new();
    for placed in &arranged.placed {
        let copied = placed.fragment.and_then(|at| edits[placed.edit].replacement.get(at));
        let text = new.text().get(placed.range.clone()).unwrap_or("");
        if !matches!(copied, Some(Fragment::Copy(_))) || !text.contains('\n') {
            continue;
        }
        let nodes: Vec<Node<'a>> = within(new, &placed.range).collect();
        let code = nodes.iter().rfind(|n| !n.is_extra()).map_or(0, |n| n.local_range().start);
        let mut comments =
            nodes.iter().copied().filter(|n| n.is_extra() && n.is_named() && n.local_range().end <= code);
        let ends_line = |comment: &Node<'a>| {
            let range = comment.local_range();
            let at = range.start + comment.text().find('\n').unwrap_or(range.len());
            new.text()[at..].starts_with(['\n', '\r']) && ends_statement(old, arranged, *comment, at)
        };
        if let Some(around) = comments.find(ends_line).and_then(|comment| comment.parent()) {
            torn.push(Torn { placed, around });
        }
    }
    torn
}

/// Whether the line that a comment ends ends a statement with it, and did not before.
fn ends_statement(old: &Tree, arranged: &Arranged, comment: Node<'_>, at: usize) -> bool {
    let (new, start) = (comment.tree(), comment.local_range().start);
    let facts = &new.language.facts;
    let leaf = start.checked_sub(1).map_or(0, |before| new.last_from(before).id.0);
    let leaves = (0..=leaf).rev().map(|id| new.node(crate::tree::NodeId(id)));
    let before = leaves.into_iter().find(|n| n.is_leaf() && !n.is_extra());
    let first = |word: Node<'_>, of: &Node<'_>| of.children().next().is_some_and(|first| first.id == word.id);
    let restricted = before.and_then(|word| word.parent().filter(|of| first(word, of)));
    if restricted.is_some_and(|around| facts.restricted.iter().any(|kind| kind == around.kind())) {
        return true;
    }
    let kept = arranged.kept.iter().find(|k| k.new <= start && start < k.new + k.old.len());
    let Some(was) = kept.map(|k| k.old.start + at - k.new).filter(|_| facts.breaks) else { return false };
    bracketed(around(old, &(was..was + 1)), was, None) && !bracketed(around(new, &(at..at + 1)), at, None)
}
