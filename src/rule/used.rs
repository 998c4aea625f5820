//! `column("users.country_code")` and `dataset("users")`: which nodes of a file are a use of them.
//!
//! In code a use is the name, or the literal that holds it; in a query within a text it is a
//! node of the query. Must not: resolve a name; that is `dataset`'s.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::embedded::{Embedded, embed, joined};
use super::prefilter::Clause;
use super::uses::DatasetRules;
use crate::dataset::file::Decided;
use crate::dataset::usage::{Form, Of};
use crate::language::by_name;
use crate::symbol::Certainty;
use crate::tree::{Node, NodeId, ParseError, Tree, is_text};

/// A use of a dataset, or of a column of one.
#[derive(Clone, Debug)]
pub struct UseMatcher {
    /// `users`, `users.country_code`, `users.address.postcode`.
    name: String,
    /// As mapping tables call it; any where `None`.
    position: Option<String>,
    /// What a file must hold: one of the last parts of the dataset's names.
    words: Vec<String>,
}

impl UseMatcher {
    /// Of what, in which position, and what a file must hold that has one.
    pub fn new(name: String, position: Option<String>, words: Vec<String>) -> Self {
        Self { name, position, words }
    }

    /// As a rule writes it.
    pub fn shown(&self) -> String {
        let what = if self.name.contains('.') { "column" } else { "dataset" };
        let position = self.position.as_ref().map(|position| format!(", {position:?}")).unwrap_or_default();
        format!("{what}({:?}{position})", self.name)
    }

    /// Whether a node is one; no in a file whose uses nobody has looked for.
    pub(super) fn answer(&self, node: Node<'_>) -> Certainty {
        let Some(nodes) = node.tree().used.get().and_then(|used| used.downcast_ref::<UsedNodes>()) else {
            return Certainty::No;
        };
        let mine = |one: &&Named| {
            let rest = one.name.strip_prefix(self.name.as_str());
            // A field is a part of its column, and a column none of what a dataset's name means.
            let is = rest.is_some_and(|rest| rest.is_empty() || (self.name.contains('.') && rest.starts_with('.')));
            is && self.position.as_ref().is_none_or(|position| position == one.position)
        };
        let mut found = nodes.0.get(&node.id).into_iter().flatten().filter(mine).peekable();
        match (found.peek().is_some(), found.any(|one| one.certain)) {
            (_, true) => Certainty::Yes,
            (true, false) => Certainty::Unknown,
            (false, false) => Certainty::No,
        }
    }

    pub(super) fn required(&self) -> Vec<Clause> {
        let tells = !self.words.is_empty() && self.words.iter().all(|word| !word.is_empty());
        if tells { vec![Clause::of(self.words.iter().cloned(), true)] } else { Vec::new() }
    }
}

/// Nodes of one tree that are uses.
#[derive(Debug, Default)]
struct UsedNodes(BTreeMap<NodeId, Vec<Named>>);

#[derive(Clone, Debug)]
struct Named {
    name: String,
    position: &'static str,
    certain: bool,
}

/// The uses of a file, as its rules see them.
#[derive(Default)]
pub(super) struct Used {
    /// Texts that hold queries with uses, each parsed: the whole text in the file.
    pub(super) texts: Vec<(NodeId, Embedded)>,
}

impl Used {
    /// Tells the tree, and the queries in its texts, which of their nodes are uses.
    ///
    /// # Errors
    /// The parser gave up on a text.
    pub(super) fn told(rules: &DatasetRules, tree: &Tree, units: &[Decided]) -> Result<Self, ParseError> {
        let mut used = Self::default();
        let mut nodes = UsedNodes::default();
        let mut within: BTreeMap<NodeId, Vec<(Range<usize>, bool, Named)>> = BTreeMap::new();
        for Decided { unit, .. } in units {
            for one in &unit.uses {
                let doubted = |doubt: &crate::dataset::usage::Doubt| {
                    !doubt.opens
                        && doubt.range.start < one.range.end
                        && one.range.start < doubt.range.end
                        && doubt.range.len() <= one.range.len()
                };
                let certain = one.form != Form::Told && !unit.doubts.iter().any(doubted);
                let subject = rules.subject(one);
                let named = Named { name: subject.name, position: subject.position, certain };
                let whole = one.of == Of::Dataset;
                match locate(tree, &one.range, whole) {
                    Where::Node(node) => nodes.0.entry(node).or_default().push(named),
                    Where::Text(text) => within.entry(text).or_default().push((one.range.clone(), whole, named)),
                    Where::Nowhere => {}
                }
            }
        }
        for (text, uses) in within {
            let read = match by_name("sql") {
                Some(sql) => embed(tree.node(text), sql)?.filter(|read| read.tree.errors().next().is_none()),
                None => None,
            };
            let Some(read) = read else {
                // Somewhere in it; nobody can tell where.
                let doubtful = uses.into_iter().map(|(_, _, named)| Named { certain: false, ..named });
                nodes.0.entry(text).or_default().extend(doubtful);
                continue;
            };
            let mut inner = UsedNodes::default();
            for (range, whole, named) in uses {
                match locate(&read.tree, &range, whole) {
                    Where::Node(node) => inner.0.entry(node).or_default().push(named),
                    Where::Text(_) | Where::Nowhere => {
                        nodes.0.entry(text).or_default().push(Named { certain: false, ..named });
                    }
                }
            }
            tell(&read.tree, inner);
            used.texts.push((text, read));
        }
        tell(tree, nodes);
        Ok(used)
    }
}

/// Nodes of a query that are uses.
pub(super) fn nodes_of(tree: &Tree) -> Vec<NodeId> {
    let told = tree.used.get().and_then(|used| used.downcast_ref::<UsedNodes>());
    told.map(|nodes| nodes.0.keys().copied().collect()).unwrap_or_default()
}

fn tell(tree: &Tree, nodes: UsedNodes) {
    // A tree is told once: what it was told is the same.
    let _ = tree.used.set(Arc::new(nodes));
}

enum Where {
    Node(NodeId),
    /// In a text of the file.
    Text(NodeId),
    Nowhere,
}

/// The node that these bytes of the file are; `whole`: of a table's name all parts.
fn locate(tree: &Tree, range: &Range<usize>, whole: bool) -> Where {
    let base = tree.base();
    if range.start < base || range.end - base > tree.text().len() || range.is_empty() {
        return Where::Nowhere;
    }
    let local = range.start - base..range.end - base;
    let last = tree.last_from(local.start);
    let covers = |node: &Node<'_>| {
        let own = node.local_range();
        own.start <= local.start && local.end <= own.end
    };
    let around: Vec<Node<'_>> =
        std::iter::once(last).chain(last.ancestors()).filter(|node| covers(node) && node.is_named()).collect();
    let is = |node: &Node<'_>| {
        let own = node.local_range();
        let text = tree.text();
        let (before, after) = (text.get(own.start..local.start), text.get(local.end..own.end));
        before.is_some_and(opens) && after.is_some_and(|after| after.chars().all(is_quote))
    };
    if let Some(text) = around.iter().find(|node| is_text(**node)) {
        return if is(text) { Where::Node(text.id) } else { Where::Text(joined(*text).id) };
    }
    if let Some(table) = around.iter().find(|node| node.kind() == "table_name").filter(|_| whole) {
        return Where::Node(table.id);
    }
    around.first().filter(|node| is(node)).map_or(Where::Nowhere, |node| Where::Node(node.id))
}

/// Whether a text is what may stand before the content of a literal, or a quoted name: a
/// prefix and quotes.
fn opens(text: &str) -> bool {
    let quotes = text.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    quotes.chars().all(is_quote) && (text.is_empty() || !quotes.is_empty()) && text.len() <= 8
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'' | '`')
}
