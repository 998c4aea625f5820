//! What an edit doubled, or took away, of the names that a language has once: keys of a mapping,
//! arguments by name, anchors; and the empty lines that a text keeps. Most parsers take the last of two without a word.
//!
//! Must not: know a rule, or judge what was doubled before.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::places::Places;
use crate::edit::{Arranged, Edit};
use crate::language::{Once, literal};
use crate::rule::keeps_lines;
use crate::tree::{Node, NodeId, Tree, text_value};

/// Two of one name, where one may be.
struct Double<'t> {
    first: Node<'t>,
    again: Node<'t>,
}

/// The first name that edits doubled or lost: where it is in the result, and what is wrong with it.
pub(super) fn misnamed(old: &Tree, new: &Tree, edits: &[Edit], arranged: &Arranged) -> Option<(Range<usize>, String)> {
    let facts = &new.language.facts;
    if facts.once.is_empty() && facts.anchors.is_none() {
        return None;
    }
    let places = Places::new(edits, arranged);
    if let Some(wrong) = longer(old, new, &places) {
        return Some(wrong);
    }
    let double = anew(doubled(old), doubled(new), &places).map(|double| {
        let why = format!(
            "`{}` would stand at {} of the result, and again at {}: one of them has to go, or has to get another name",
            double.first.short(),
            place(double.first),
            place(double.again)
        );
        (double.again.local_range(), why)
    });
    double.or_else(|| facts.anchors.as_ref().and_then(|_| unanchored(old, new, &places)))
}

/// The first of these doubles that was none before.
fn anew<'t>(were: Vec<Double<'_>>, are: Vec<Double<'t>>, places: &Places<'_>) -> Option<Double<'t>> {
    if are.is_empty() {
        return None;
    }
    let known: HashSet<usize> = were.iter().flat_map(|double| places.or_new(double.again)).collect();
    are.into_iter().find(|double| !known.contains(&double.again.local_range().start))
}

/// The first anchor that was doubled, or alias that calls nothing, or another value than before.
fn unanchored(old: &Tree, new: &Tree, places: &Places<'_>) -> Option<(Range<usize>, String)> {
    let (were, are) = (Anchored::of(old), Anchored::of(new));
    let begins = |node: Node<'_>| node.local_range().start;
    if let Some(double) = anew(were.twice, are.twice, places) {
        let (name, first, again) = (double.again.text(), place(double.first), place(double.again));
        let why = format!(
            "the anchor `&{name}` would stand at {first} of the result, and again at {again}: copy what is behind it \
             without the anchor, or write the alias `*{name}`"
        );
        return Some((double.again.local_range(), why));
    }
    let given = were.given.iter().flat_map(|anchor| places.of(*anchor).into_iter().map(|at| (at, begins(*anchor))));
    let given: HashMap<usize, usize> = given.collect();
    let called = were.calls.iter().flat_map(|(alias, anchor)| {
        places.of(*alias).into_iter().map(move |at| (at, anchor.map(|anchor| anchor.local_range().start)))
    });
    let called: HashMap<usize, Option<usize>> = called.collect();
    are.calls.into_iter().find_map(|(alias, anchor)| {
        let was = called.get(&begins(alias)).copied();
        let what = match anchor {
            // What was lost before says nothing.
            None if was == Some(None) => return None,
            None => "no value before it would be called so any more",
            // Written by a template, an anchor is what the rule says.
            Some(anchor) => {
                let is = given.get(&begins(anchor)).copied();
                was.flatten().zip(is).filter(|(was, is)| was != is)?;
                "it would be another value than before"
            }
        };
        let name = alias.text();
        let why = format!(
            "`*{name}` at {} of the result needs the anchor `&{name}`, and {what}: keep the value, or write it in the \
             place of the alias first",
            place(alias)
        );
        Some((alias.local_range(), why))
    })
}

/// The first text that keeps the empty lines behind it, and would have others.
fn longer(old: &Tree, new: &Tree, places: &Places<'_>) -> Option<(Range<usize>, String)> {
    let behind = |node: Node<'_>| {
        // At the end of a file some are its own.
        let rest = &node.tree().text()[node.local_range().start + node.text().trim_end().len()..];
        rest[..rest.len() - rest.trim_start().len()].matches('\n').count()
    };
    new.language.facts.anchors.as_ref()?;
    old.iter().filter(|node| keeps_lines(*node)).find_map(|text| {
        let starts = places.of(text).into_iter();
        let now = starts.filter_map(|start| {
            let leaf = new.last_from(start);
            let same = |n: &Node<'_>| n.local_range().start == start && keeps_lines(*n);
            std::iter::once(leaf).chain(leaf.ancestors()).find(same)
        });
        let other = now.into_iter().find(|now| behind(*now) != behind(text))?;
        let why = format!(
            "the text at {} of the result keeps the empty lines behind it (`+`), and would have others than before: edit \
             this place by hand",
            place(other)
        );
        Some((other.local_range(), why))
    })
}

fn place(node: Node<'_>) -> String {
    let (line, column) = node.line_column();
    format!("{line}:{column}")
}

/// A name as it reads: a text, or code.
type Name = (bool, String);

/// What stands twice under one name.
fn doubled(tree: &Tree) -> Vec<Double<'_>> {
    let rows = &tree.language.facts.once;
    let mut all = Vec::new();
    let mut firsts: HashMap<(NodeId, Name), Node<'_>> = HashMap::new();
    let mut parted: HashMap<NodeId, usize> = HashMap::new();
    for node in tree.iter().filter(|node| node.is_named()) {
        let Some(around) = node.parent() else { continue };
        let fits = |row: &&Once| row.inside.iter().any(|kind| kind == around.kind());
        for row in rows.iter().filter(fits) {
            if row.parted_by.iter().any(|kind| kind == node.kind()) {
                *parted.entry(around.id).or_default() += 1;
            }
            let Some(name) = name_of(node, row) else { continue };
            // Behind a part that may hold anything, a name is another one.
            let part = parted.get(&around.id).copied().unwrap_or(0);
            match firsts.entry((around.id, (name.0, format!("{part} {}", name.1)))) {
                Entry::Occupied(first) => all.push(Double { again: node, first: *first.get() }),
                Entry::Vacant(place) => {
                    place.insert(node);
                }
            }
        }
    }
    all
}

/// The name that a node stands under, where it is one that can be told.
fn name_of(node: Node<'_>, row: &Once) -> Option<Name> {
    let named = |with: &String| node.children().any(|child| !child.is_named() && child.text() == with);
    if !row.kinds.iter().any(|kind| kind == node.kind()) || !row.with.as_ref().is_none_or(named) {
        return None;
    }
    let field = || node.field(&row.field);
    let first = || node.named_children().find(|child| !child.is_extra());
    let name = field().or_else(first).unwrap_or(node);
    let same = |only: &Node<'_>| only.local_range() == name.local_range();
    let name = std::iter::successors(Some(name), |n| n.named_children().next().filter(same)).last()?;
    match text_value(name) {
        Some(text) => Some((true, text)),
        None => {
            name.is_leaf().then(|| (row.bare && literal::number_value(name.text()).is_none(), name.text().to_owned()))
        }
    }
}

/// The anchors of a tree, in order, and what each alias calls.
#[derive(Default)]
struct Anchored<'t> {
    given: Vec<Node<'t>>,
    twice: Vec<Double<'t>>,
    calls: Vec<(Node<'t>, Option<Node<'t>>)>,
}

impl<'t> Anchored<'t> {
    fn of(tree: &'t Tree) -> Self {
        let mut all = Self::default();
        let Some(facts) = &tree.language.facts.anchors else { return all };
        let mut known: HashMap<&str, Node<'t>> = HashMap::new();
        for node in tree.iter() {
            let kind = node.kind();
            if kind == facts.scope {
                known.clear();
            } else if kind == facts.anchor {
                if let Some(first) = known.insert(node.text(), node) {
                    all.twice.push(Double { again: node, first });
                }
                all.given.push(node);
            } else if kind == facts.alias {
                all.calls.push((node, known.get(node.text()).copied()));
            }
        }
        all
    }
}
