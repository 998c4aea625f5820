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
use crate::dataset::mapping::Position;
use crate::dataset::usage::{Form, Of, Use, ValueUse};
use crate::language::by_name;
use crate::pattern::{Binding, Bindings, Hole};
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
    /// What it must be compared with: `$V` one literal, `$$$V` any number of them.
    compared: Option<Hole>,
}

impl UseMatcher {
    /// Of what, in which position, and what a file must hold that has one.
    pub fn new(name: String, position: Option<String>, words: Vec<String>) -> Self {
        Self { name, position, words, compared: None }
    }

    /// The same, where it is compared with what a hole stands for.
    #[must_use]
    pub fn compared_with(self, hole: Option<Hole>) -> Self {
        Self { compared: hole, ..self }
    }

    /// The name of what it is compared with, and whether that is a list.
    pub(super) fn hole(&self) -> Option<(&str, bool)> {
        self.compared.as_ref().and_then(|hole| Some((hole.name.as_deref()?, hole.many)))
    }

    pub(super) fn compares(&self) -> bool {
        self.compared.is_some()
    }

    /// As a rule writes it.
    pub fn shown(&self) -> String {
        let what = if self.name.contains('.') { "column" } else { "dataset" };
        let position = self.position.as_ref().map(|position| format!(", {position:?}")).unwrap_or_default();
        let compared = self.compared.as_ref().map(|hole| {
            let dollars = if hole.many { "$$$" } else { "$" };
            format!(".compared_with(\"{dollars}{}\")", hole.name.as_deref().unwrap_or("_"))
        });
        format!("{what}({:?}{position}){}", self.name, compared.unwrap_or_default())
    }

    /// Whether a node is one; no in a file whose uses nobody has looked for.
    pub(super) fn answer<'t>(&self, node: Node<'t>, bindings: &mut Bindings<'t>) -> Certainty {
        let Some(nodes) = node.tree().used.get().and_then(|used| used.downcast_ref::<UsedNodes>()) else {
            return Certainty::No;
        };
        let mine = |one: &&Named| {
            let rest = one.name.strip_prefix(self.name.as_str());
            // A field is a part of its column, and a column none of what a dataset's name means.
            let is = rest.is_some_and(|rest| rest.is_empty() || (self.name.contains('.') && rest.starts_with('.')));
            is && self.position.as_ref().is_none_or(|position| position == one.position)
        };
        let found = nodes.0.get(&node.id).into_iter().flatten().filter(mine);
        let Some(hole) = &self.compared else {
            let told = |one: &Named| if one.certain { Certainty::Yes } else { Certainty::Unknown };
            return found.fold(Certainty::No, |sum, one| sum.or(|| told(one)));
        };
        let (mut sum, mut values) = (Certainty::No, Vec::new());
        for one in found {
            let told = match &one.compared {
                Compared::Never => Certainty::No,
                Compared::With(literals) if one.certain && (hole.many || literals.len() == 1) => {
                    values.extend(literals.iter().map(|literal| node.tree().node(*literal)));
                    Certainty::Yes
                }
                Compared::With(_) | Compared::Somehow => Certainty::Unknown,
            };
            sum = sum.or(|| told);
        }
        if let Some(name) = hole.name.as_deref().filter(|_| sum != Certainty::No) {
            let binding = match (sum, values.as_slice()) {
                (Certainty::Yes, [one]) if !hole.many => Binding::One(*one),
                (Certainty::Yes, _) => Binding::Many(values),
                // Nothing that a condition could hold against it.
                _ => Binding::Many(Vec::new()),
            };
            bindings.set(name, binding);
        }
        sum
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
    compared: Compared,
}

/// What a column is compared with.
#[derive(Clone, Debug)]
enum Compared {
    /// It is not.
    Never,
    /// With these literals.
    With(Vec<NodeId>),
    /// With what is no literal, or with one that stands elsewhere.
    Somehow,
}

impl Compared {
    fn of(tree: &Tree, one: &Use) -> Self {
        if one.position != Position::Filter {
            return Self::Never;
        }
        let Form::Column(form) = &one.form else { return Self::Somehow };
        let node = |range: &Range<usize>| match locate(tree, range, false) {
            Where::Node(node) => Some(node),
            Where::Text(_) | Where::Nowhere => None,
        };
        match &form.value {
            ValueUse::Same => Self::Never,
            ValueUse::Elsewhere(_) => Self::Somehow,
            ValueUse::Literals(literals) => {
                let nodes: Option<Vec<NodeId>> = literals.iter().map(|literal| node(&literal.range)).collect();
                nodes.map_or(Self::Somehow, Self::With)
            }
        }
    }
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
        let mut within: BTreeMap<NodeId, Vec<(&Use, Named)>> = BTreeMap::new();
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
                let compared = Compared::of(tree, one);
                let named = Named { name: subject.name, position: subject.position, certain, compared };
                match locate(tree, &one.range, one.of == Of::Dataset) {
                    Where::Node(node) => nodes.0.entry(node).or_default().push(named),
                    Where::Text(text) => within.entry(text).or_default().push((one, named)),
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
                let doubtful = uses.into_iter().map(|(_, named)| Named { certain: false, ..named });
                nodes.0.entry(text).or_default().extend(doubtful);
                continue;
            };
            let mut inner = UsedNodes::default();
            for (one, named) in uses {
                let named = Named { compared: Compared::of(&read.tree, one), ..named };
                match locate(&read.tree, &one.range, one.of == Of::Dataset) {
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
