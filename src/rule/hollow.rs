//! What must hold something: blocks, and other places, that a grammar reads empty and its language
//! does not. What is written where deletions would leave nothing.
//!
//! Must not: delete anything.

use std::ops::Range;

use super::layout::line_end;
use crate::language::Hollow;
use crate::tree::{Node, Tree};

/// A place that must hold something, and what it holds.
struct Place<'t> {
    owner: Node<'t>,
    holds: Vec<Node<'t>>,
    /// Whether it is all of its owner.
    whole: bool,
    /// Whether something can be written in it for what was deleted.
    filled: bool,
}

/// The nodes in which something is missing.
pub fn hollows(tree: &Tree) -> impl Iterator<Item = Node<'_>> {
    places(tree).filter(|place| place.holds.is_empty()).map(|place| place.owner)
}

/// Every place of a tree that must hold something.
fn places(tree: &Tree) -> impl Iterator<Item = Place<'_>> {
    let (language, facts) = (tree.language, &tree.language.facts);
    let may = |node: &Node<'_>| language.may_be_hollow(node.kind_id(), node.parent().map(Node::kind_id));
    tree.iter().filter(may).flat_map(|owner| {
        let kind = owner.kind();
        let listed = language.is_never_empty(owner.kind_id());
        let holds = || owner.named_children().filter(is_there).collect();
        let whole = listed.then(|| Place { owner, holds: holds(), whole: true, filled: true });
        let rows = facts.hollow.iter().filter(move |row| is_inside(row, owner, kind));
        whole.into_iter().chain(rows.filter_map(move |row| {
            between(row, owner).map(|holds| Place { owner, holds, whole: false, filled: !row.unfilled })
        }))
    })
}

fn is_inside(row: &Hollow, owner: Node<'_>, kind: &str) -> bool {
    if owner.ancestors().take(2).any(|up| row.unless.iter().any(|kind| kind == up.kind())) {
        return false;
    }
    row.inside.iter().any(|inside| match inside.split_once('.') {
        None => inside == kind,
        Some((around, field)) => {
            owner.field_name().unwrap_or("") == field && owner.parent().is_some_and(|parent| parent.kind() == around)
        }
    })
}

/// Some grammars put in a name that holds nothing.
fn is_there(node: &Node<'_>) -> bool {
    !node.local_range().is_empty()
}

/// What stands between the tokens of a row; `None` where it has none of them.
fn between<'t>(row: &Hollow, owner: Node<'t>) -> Option<Vec<Node<'t>>> {
    let is = |node: &Node<'_>, what: &str| match node.is_named() {
        true => node.kind() == what,
        false => node.text() == what,
    };
    let mut behind = owner.children().filter(|c| !c.is_extra()).skip_while(|c| !is(c, &row.after));
    behind.next()?;
    let ends = |c: &Node<'_>| row.before.iter().any(|end| is(c, end));
    let mut holds = Vec::new();
    for child in behind {
        if ends(&child) {
            return Some(holds);
        }
        holds.extend((child.is_named() && is_there(&child)).then_some(child));
    }
    row.before.iter().any(String::is_empty).then_some(holds)
}

/// Deletions that leave a block with nothing in it, though its language wants something: for
/// each such block one of them, by its number, and what is to be written in its place.
pub fn fillings(tree: &Tree, deletions: &[(usize, Range<usize>)]) -> Vec<(usize, String)> {
    let facts = &tree.language.facts;
    let filler = |kind: &str| facts.elements.empty.get(kind).or(facts.filler.as_ref());
    let gone = |node: &Node<'_>| {
        let range = node.local_range();
        deletions.iter().find(|(_, deleted)| deleted.start <= range.start && range.end <= deleted.end)
    };
    let mut all = Vec::new();
    for Place { owner, holds, whole, .. } in places(tree).filter(|place| place.filled) {
        // Where what is around it goes, too, it needs nothing.
        let start = owner.local_range().start;
        let around = if whole { owner.ancestors().find(|up| up.local_range().start < start) } else { Some(owner) };
        let begins = around.map(|around| around.local_range().start);
        let with_it = begins.is_some_and(|at| deletions.iter().any(|(_, range)| range.contains(&at)));
        if holds.is_empty() || with_it || !holds.iter().all(|child| gone(child).is_some()) {
            continue;
        }
        let Some((number, range)) = holds.first().and_then(gone) else { continue };
        let Some(filler) = filler(owner.kind()) else { continue };
        let text = &tree.text()[range.clone()];
        let indent = &text[..text.len() - text.trim_start().len()];
        let ends = if text.trim_end().ends_with(';') { ";" } else { "" };
        let gap = &text[text.trim_end().len()..];
        let gap = if gap.ends_with('\n') { line_end(tree.text()) } else { gap };
        let deeper = if is_at_its_key(owner, indent) { "  " } else { "" };
        all.push((*number, format!("{indent}{deeper}{filler}{ends}{gap}")));
    }
    all
}

/// Whether a list begins no deeper than what it is the value of, as the items of one may in YAML: another value would
/// be no part of that there.
fn is_at_its_key(list: Node<'_>, indent: &str) -> bool {
    let (text, start) = (list.tree().text(), list.local_range().start);
    let line = |at: usize| text[..at].rfind('\n').map_or(0, |at| at + 1);
    let key = list.ancestors().find(|up| up.is_statement() && line(up.local_range().start) < line(start));
    let column = |key: Node<'_>| key.local_range().start - line(key.local_range().start);
    !list.tree().language.facts.bullets.is_empty() && key.is_some_and(|key| column(key) == indent.len())
}
