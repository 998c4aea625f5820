//! Texts that a name holds: whoever reads the name has the text, too.
//!
//! A column's name that stands where it is read may become another one. Where a variable, a
//! parameter or a function holds it, that would change it for every reader of that (an alias,
//! another table, a message), and for a frame an expression would stand where a text was: it
//! stays. A table's name moves only where every reader of its name reads a table.
//! Must not: follow a value.

use std::collections::BTreeSet;

use super::Flow;
use super::shape::{Callee, Shape, shape};
use super::value::Value;
use crate::dataset::usage::{Doubt, Of};
use crate::tree::{Node, NodeId};

impl<'t> Flow<'t> {
    /// A name, or a function, holds what texts are in a value.
    pub(super) fn hold(&mut self, holder: Node<'t>, value: &Value<'t>) {
        match value {
            Value::Text(text) => {
                let holders = self.held.entry(text.id).or_default();
                if !holders.contains(&holder.id) {
                    holders.push(holder.id);
                }
            }
            Value::Tuple(all) | Value::Either(all) => all.iter().for_each(|one| self.hold(holder, one)),
            Value::Many(inner) => self.hold(holder, inner),
            _ => {}
        }
    }

    /// Texts of which one is given: which it is, nothing here says.
    pub(super) fn mix(&mut self, value: &Value<'t>) {
        let Value::Either(all) = value else { return };
        let texts = all.iter().filter_map(|one| match one {
            Value::Text(text) => Some(text.id),
            _ => None,
        });
        self.mixed.extend(texts);
    }

    /// What stands at a node is read as a table, or goes on under another name that is looked at.
    pub(super) fn read_as_table(&mut self, node: Node<'t>) {
        match shape(node) {
            Shape::Name => {
                self.tables_read.insert(node.id);
            }
            Shape::Member { name, .. } => {
                self.tables_read.insert(name.id);
            }
            Shape::Call { callee: Callee::Method { name, .. } | Callee::Value(name), .. } => {
                self.tables_read.insert(name.id);
            }
            Shape::Same(inner) => self.read_as_table(inner),
            Shape::Sequence(items) => items.into_iter().for_each(|item| self.read_as_table(item)),
            _ => {}
        }
    }

    /// Holds what would be read under a name that something else may read, too.
    pub(super) fn hold_what_names_hold(&mut self) {
        let mut held: Vec<(NodeId, Vec<NodeId>)> = self.held.clone().into_iter().collect();
        held.sort_by_key(|(text, _)| text.0);
        for (text, holders) in held {
            let (node, holder) = (self.tree.node(text), self.tree.node(holders[0]));
            let range = node.range();
            let inside = self.noted.range((range.start, 0)..(range.end, 0)).flat_map(|(_, uses)| uses);
            let inside = inside.filter(|(_, one)| !self.is_put_in(node, one.range.start));
            let changed = |of: &Of, dataset: usize| match of {
                Of::Column(column) => !self.datasets.mappings[dataset].columns[*column].is_kept(),
                Of::Field(column, field) => {
                    let (old, new) = &self.datasets.mappings[dataset].columns[*column].fields[*field];
                    old != new
                }
                Of::Dataset | Of::Unlisted(_) => false,
            };
            let sources: BTreeSet<usize> =
                inside.filter(|(_, one)| changed(&one.of, one.dataset)).map(|(source, _)| *source).collect();
            for source in sources {
                let holder = if holder.is_leaf() { holder.text() } else { "a function" };
                let why = format!("{holder} holds the name of a column, and whoever reads that has it, too");
                self.doubt(source, Doubt::annotate(range.clone(), why));
            }
            if let Some(source) = self.known.get(&text).copied() {
                self.hold_table(source, &holders);
                if self.mixed.contains(&text) {
                    self.doubt(source, Doubt::open(range, "it is one of several texts that are given here"));
                }
            }
        }
    }

    /// Whether what begins at a byte of the file is put into a text at run time: it is no part of what
    /// is held.
    fn is_put_in(&self, text: Node<'t>, at: usize) -> bool {
        let holes = &self.tree.language.facts.string.holes;
        let leaf = self.tree.last_from(at);
        let around = std::iter::once(leaf).chain(leaf.ancestors()).take_while(|up| up.id != text.id);
        around.into_iter().any(|up| holes.iter().any(|hole| hole == up.kind()))
    }

    /// A table whose name a name holds: each reader of it must be one of a table.
    fn hold_table(&mut self, source: usize, holders: &[NodeId]) {
        let names: BTreeSet<&str> = holders.iter().map(|holder| self.tree.node(*holder).text()).collect();
        let other = self.tree.iter().find(|leaf| {
            leaf.is_leaf()
                && leaf.kind().contains("identifier")
                && names.contains(leaf.text())
                && !holders.contains(&leaf.id)
                && !self.tables_read.contains(&leaf.id)
                && !is_given_a_name(*leaf)
                && !is_shown(*leaf)
        });
        if let Some(other) = other {
            let why = format!("{} holds the table's name, and what is read here by it is not followed", other.text());
            self.doubt(source, Doubt::open(other.range(), why));
        }
    }
}

/// Whether a name is no reader: what is assigned to, a keyword, a parameter.
fn is_given_a_name(leaf: Node<'_>) -> bool {
    let Some(parent) = leaf.parent() else { return false };
    match parent.kind() {
        "keyword_argument" => leaf.field_name() == Some("name"),
        "import_from_statement" | "import_statement" | "dotted_name" | "aliased_import" => true,
        kind => {
            let target = matches!(leaf.field_name(), Some("name" | "left" | "pattern" | "key"));
            target && !kind.contains("call") && kind != "method_invocation"
                || kind.contains("parameter") && leaf.field_name() != Some("value")
        }
    }
}

/// Whether a name is only shown to people: an argument of `print`, or in a text that is one.
fn is_shown(leaf: Node<'_>) -> bool {
    let mut at = leaf;
    for _ in 0..8 {
        let Some(parent) = super::use_of_value::around(at) else { return false };
        match shape(parent) {
            Shape::Call { callee, .. } => {
                let called = match callee {
                    Callee::Method { object, name } => object.id == at.id || name.id == at.id,
                    Callee::Value(name) => name.id == at.id,
                };
                return !called && super::bound::shows(callee);
            }
            Shape::Text => at = parent,
            _ if parent.kind().contains("interpolation") || parent.kind().contains("substitution") => at = parent,
            _ => return false,
        }
    }
    false
}
