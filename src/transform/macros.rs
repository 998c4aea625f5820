//! What a macro is given and was read as a list of expressions: edited, it is one still.
//!
//! Must not: know what macros do.

use super::moves::Moves;
use crate::edit::{Arranged, Edit};
use crate::tree::{Node, Tree};

/// A list that an edit was made in and that would be tokens, of which no more is known: where it is in the old code, and why that is wrong.
pub(super) fn no_list(old: &Tree, new: &Tree, edits: &[Edit], arranged: &Arranged) -> Option<(usize, String)> {
    old.language.macro_calls.as_ref()?;
    let mut edited: Vec<(usize, usize)> = edits.iter().map(|edit| (edit.range.start, edit.range.end)).collect();
    edited.sort_unstable();
    let is_edited = |list: &Node<'_>| {
        let range = list.local_range();
        let from = edited.partition_point(|(start, _)| *start <= range.start);
        edited[from..].iter().take_while(|(start, _)| *start < range.end).any(|(_, end)| *end < range.end)
    };
    let moves = Moves::new(&arranged.splices);
    let tokens_at = |at: usize| {
        let last = new.last_from(at);
        let mut from_here = std::iter::once(last).chain(last.ancestors()).take_while(|n| n.local_range().start == at);
        from_here.any(Node::is_tokens)
    };
    let mut lists = old.iter().filter(|node| node.is_list_of_macro() && is_edited(node));
    let list = lists.find(|list| {
        let start = list.local_range().start;
        let copied = |it: &crate::edit::Kept| it.old.contains(&start).then(|| it.new + start - it.old.start);
        match moves.took(start) || moves.cross(start) {
            true => arranged.kept.iter().filter_map(copied).any(tokens_at),
            false => tokens_at(moves.of(start)),
        }
    })?;
    let call = list.parent().unwrap_or(list);
    let why = format!(
        "what `{}` is given would be no list of expressions any more: narrow the rule, or edit this place by hand",
        call.short()
    );
    Some((list.local_range().start, why))
}
