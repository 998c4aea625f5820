//! Names that say what code is called, and not what it is: of a declaration, of a named argument, of a member behind
//! its dot. Only a name may take the place of one, or, of a variable, what it is taken apart by.
//!
//! Must not: rename anything.

use std::ops::Range;

use crate::edit::{Arranged, Edit};
use crate::rule::MEMBER_DOTS;
use crate::symbol::{Symbols, speaks};
use crate::tree::{Node, Tree};

use super::standing::within;

/// What a name is there for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// To declare, or to label.
    Declared,
    /// To take a member.
    Member,
    /// To jump to what is labelled elsewhere.
    Jump,
}

/// A name in whose place an edit put something else.
pub(super) struct Displaced<'a> {
    /// The edit.
    pub edit: usize,
    /// The name, in the old code.
    pub name: Node<'a>,
    /// Where the code ends that it names, if that says the name again: `end old`.
    pub end: Option<Node<'a>>,
}

/// The first name of a declaration, an argument or a member in whose place an edit put a call, or the like.
pub(super) fn displaced<'a>(old: &'a Tree, new: &Tree, edits: &[Edit], arranged: &Arranged) -> Option<Displaced<'a>> {
    if !speaks(old.language) {
        return None;
    }
    arranged.placed.iter().filter(|p| p.fragment.is_none() && !p.range.is_empty()).find_map(|placed| {
        let name = leaf_at(old, &edits[placed.edit].range)?;
        let place = place_of(old, name)?;
        let first = within(new, &placed.range).find(|n| n.is_leaf() && !n.is_extra())?;
        let fits = match place {
            Place::Jump => new.text().get(placed.range.clone()) == Some(name.text()),
            _ if first.local_range().end >= placed.range.end => true,
            Place::Member => first.text() != "(",
            Place::Declared => declares(new, &placed.range),
        };
        let said = |end: &Node<'_>| edits.iter().any(|e| holds(&end.local_range(), &e.range));
        let end = end_of(name).filter(|end| first.text() != name.text() && !said(end));
        (!fits || end.is_some()).then_some(Displaced { edit: placed.edit, name, end: end.filter(|_| fits) })
    })
}

fn holds(outer: &Range<usize>, inner: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

/// What says a name again where the code ends that it names.
fn end_of(name: Node<'_>) -> Option<Node<'_>> {
    let kinds = &name.tree().language.facts.closing_names;
    let mut all = name.parent().filter(|_| !kinds.is_empty()).into_iter().flat_map(Node::children);
    all.find(|n| {
        kinds.iter().any(|kind| kind == n.kind()) && n.text().split_whitespace().next_back() == Some(name.text())
    })
}

/// The name that is all of a range.
fn leaf_at<'a>(tree: &'a Tree, range: &Range<usize>) -> Option<Node<'a>> {
    let leaf = tree.last_from(range.start);
    let names = &tree.language.facts.symbols.names;
    let is_name = leaf.is_leaf() && names.iter().any(|kind| kind == leaf.kind());
    (is_name && leaf.local_range() == *range).then_some(leaf)
}

fn place_of(tree: &Tree, name: Node<'_>) -> Option<Place> {
    let symbols = Symbols::of(tree);
    if symbols.jumps_by(name) {
        return Some(Place::Jump);
    }
    if symbols.labels_by(name) || symbols.is_definition(name) && !symbols.in_import(name) {
        return Some(Place::Declared);
    }
    let before = tree.last_from(name.local_range().start.checked_sub(1)?);
    let behind_dot = before.is_leaf() && !before.is_extra() && MEMBER_DOTS.contains(&before.text());
    (behind_dot || symbols.member_at(name).is_some_and(|(_, own)| own.id == name.id)).then_some(Place::Member)
}

/// Whether code introduces a name, labels something or is assigned to: `(a, b)`, `a: T`, and never `a()`.
fn declares(tree: &Tree, range: &Range<usize>) -> bool {
    let symbols = Symbols::of(tree);
    let inside = || within(tree, range).filter(|n| n.local_range().end <= range.end);
    let called = |name: Node<'_>| {
        let mut behind = inside().filter(|n| n.is_leaf() && name.local_range().end <= n.local_range().start);
        behind.next().is_some_and(|next| next.text() == "(")
    };
    inside().any(|n| {
        symbols.is_written(n) || n.is_leaf() && (symbols.is_definition(n) || symbols.labels_by(n)) && !called(n)
    })
}
