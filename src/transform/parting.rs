//! What parts new code from what stands before and behind it, where it would be read as one with that: a blank
//! between two words, a `;` between two statements.
//!
//! Must not: look at what the code means, or edit anything but by what parts it.

use crate::edit::{Arranged, Edit, Fragment, Placed};
use crate::tree::{Node, Tree};

/// Puts a `;` before new code that begins a line and would go on with the statement above, as `(await a)` does in
/// files without semicolons. Whether anything was changed.
pub(super) fn part_statements(old: &Tree, new: &Tree, arranged: &Arranged, edits: &mut Vec<Edit>) -> bool {
    let Some(guard) = &new.language.facts.guard else { return false };
    let opens = |tree: &Tree, at: usize| tree.text()[at..].starts_with(['(', '[', '`']);
    let begins = |p: &&Placed| {
        let was = &edits[p.edit].range;
        // Where its line begins is asked last: that may be far.
        let first = || old.text()[..was.start].trim_end_matches([' ', '\t', '\r']).ends_with(['\n']);
        let whole = p.fragment.is_none() && !was.is_empty();
        whole && opens(new, p.range.start) && !opens(old, was.start) && (was.start == 0 || first())
    };
    // What stands around the first thing of a statement, and begins before it, is the block.
    let around = |node: Node<'_>, at: usize| {
        std::iter::once(node).chain(node.ancestors()).find(|n| n.local_range().start < at).map(|n| n.kind_id())
    };
    let goes_on = |p: &&Placed| {
        let at = edits[p.edit].range.start;
        let first = old.last_from(at);
        let own = std::iter::once(first).chain(first.ancestors()).take_while(|n| n.local_range().start == at);
        let block = around(first, at);
        let statement = own.into_iter().any(|n| n.is_statement());
        statement && block.is_some() && block != around(new.last_from(p.range.start), p.range.start)
    };
    let found: Vec<usize> = arranged.placed.iter().filter(begins).filter(goes_on).map(|p| p.edit).collect();
    for at in &found {
        let Edit { range, rule, match_id, .. } = edits[*at].clone();
        let replacement = vec![Fragment::Text(guard.clone())];
        edits.push(Edit { range: range.start..range.start, replacement, rule, match_id, drops: false });
    }
    !found.is_empty()
}

/// Puts a blank where new code and a word beside it would be one word: `return[a]` without the brackets. Whether
/// anything was changed.
pub(super) fn part_words(old: &Tree, new: &Tree, arranged: &Arranged, edits: &mut [Edit]) -> bool {
    if !new.language.facts.parentheses {
        return false;
    }
    let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '$');
    let meet = |text: &str, at: usize| {
        let (before, behind) = (text.get(..at), text.get(at..));
        word(before.and_then(|text| text.chars().next_back())) && word(behind.and_then(|text| text.chars().next()))
    };
    // A text holds words that are none.
    let in_text = |at: usize| {
        let is =
            |n: Node<'_>| old.language.is_string(n.kind_id()) || old.language.facts.texts.iter().any(|k| k == n.kind());
        let leaf = old.last_from(at);
        is(leaf) || leaf.parent().is_some_and(is)
    };
    let mut changed = false;
    let wholes = arranged.placed.iter().filter(|p| p.fragment.is_none() && !p.range.is_empty());
    for Placed { edit, range, .. } in wholes {
        let was = edits[*edit].range.clone();
        let replacement = &mut edits[*edit].replacement;
        if was.is_empty() {
            continue;
        }
        let blank = || Fragment::Text(" ".to_owned());
        if meet(new.text(), range.start)
            && !meet(old.text(), was.start)
            && !was.start.checked_sub(1).is_some_and(in_text)
        {
            replacement.insert(0, blank());
            changed = true;
        }
        if meet(new.text(), range.end) && !meet(old.text(), was.end) && !in_text(was.end) {
            replacement.push(blank());
            changed = true;
        }
    }
    changed
}
