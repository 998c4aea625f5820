//! What was not followed: names of columns that nothing has read.
//!
//! Must not: doubt a name whose declaration says that it is something else.

use std::collections::BTreeSet;

use super::Flow;
use super::shape::{Shape, shape};
use super::value::{Data, Hit};
use crate::dataset::mapping::{Position, System};
use crate::dataset::usage::{Doubt, Form, Of, Use};
use crate::dataset::word::{each, words};
use crate::tree::Node;

impl<'t> Flow<'t> {
    /// Tells names of columns, as texts and as members, that nothing has read: code that was
    /// not followed may read them.
    pub(super) fn sweep_names(&mut self) {
        self.sweep_classes();
        self.sweep_frames();
        let datasets: BTreeSet<usize> = self.datasets_of.iter().copied().collect();
        let known: BTreeSet<usize> = self.noted.keys().map(|(start, _)| *start).collect();
        let nodes: Vec<Node<'t>> = self.tree.iter().collect();
        for node in nodes {
            let (name, range) = match shape(node) {
                Shape::Text => match self.literal(node) {
                    Some(text) => text,
                    None => continue,
                },
                Shape::Member { name, .. } => (name.text().to_owned(), name.range()),
                _ => continue,
            };
            // Where a collection of names is read, that is told there.
            let is_key = node.field_name() == Some("key");
            if is_key || known.range(range.clone()).next().is_some() {
                continue;
            }
            let elsewhere = self.elsewhere.contains(&range.start);
            for dataset in &datasets {
                // A record of a generated class may be read by the name, too.
                let class = || self.class_sources.iter().any(|source| self.datasets_of[*source] == *dataset);
                // A name that holds it may give it to anything.
                let held = self.held.contains_key(&node.id);
                if elsewhere && !held && !(self.unfollowed.contains(&range.start) && class()) {
                    continue;
                }
                let mapping = &self.datasets.mappings[*dataset];
                // `address.postcode` names a column and a field of it.
                let last = name.rsplit('.').next().unwrap_or(&name);
                let changed = |column: &usize| !mapping.columns[*column].is_kept();
                let field = mapping.columns.iter().position(|column| {
                    column.fields.iter().any(|(old, new)| old != new && old.eq_ignore_ascii_case(last))
                });
                let Some(column) = mapping.index(&name, true).filter(changed).or(field) else { continue };
                let sources = (0..self.datasets_of.len()).filter(|source| self.datasets_of[*source] == *dataset);
                for source in sources.collect::<Vec<_>>() {
                    let (of, range) = (Of::Column(column), range.clone());
                    let form = Form::Told;
                    self.add(
                        source,
                        Use { range: range.clone(), dataset: *dataset, of, position: Position::Read, form },
                    );
                    self.doubt(source, Doubt::annotate(range, "gander did not follow what reads this name"));
                }
            }
        }
    }

    /// Tells where a query in a text may read a frame by the name of its variable, as DuckDB does, and where all
    /// names are handed on at once.
    fn sweep_frames(&mut self) {
        let framed = std::mem::take(&mut self.framed);
        let all: BTreeSet<usize> = framed.values().flatten().copied().collect();
        if all.is_empty() {
            return;
        }
        for node in self.tree.iter().filter(|node| matches!(shape(*node), Shape::Text)).collect::<Vec<_>>() {
            let mut before = "";
            for (_, word) in each(node.text()) {
                if ["from", "join"].iter().any(|one| one.eq_ignore_ascii_case(before))
                    && let Some(sources) = framed.get(word)
                {
                    for source in sources {
                        let why = format!("a query in a text may read {word} by its name");
                        self.doubt(*source, Doubt::open(node.range(), why));
                    }
                }
                before = word;
            }
        }
        let calls = self.tree.iter().filter(|node| node.kind() == "call");
        let given = calls.filter(|call| {
            let function = call.field("function").map_or("", Node::text);
            // `vars(args)` is what an object holds.
            let alone = || call.field("arguments").is_none_or(|list| list.named_children().next().is_none());
            matches!(function, "locals" | "globals" | "eval" | "pd.eval" | "pandas.eval")
                || function == "vars" && alone()
        });
        for call in given.collect::<Vec<_>>() {
            for source in &all {
                let why = "what stands here may read every value of this code by its name";
                self.doubt(*source, Doubt::open(call.range(), why));
            }
        }
    }

    /// Tells where a class that a macro makes of a table is used in a way that is not followed: `U.table`,
    /// `client.rows[U]`.
    fn sweep_classes(&mut self) {
        let mut classes: Vec<(String, usize)> = self.classes.clone().into_iter().collect();
        classes.sort();
        for (name, source) in classes {
            let uses = self.tree.iter().filter(|node| node.is_leaf() && node.text() == name);
            let lost: Vec<Node<'t>> = uses.filter(|node| !is_followed(*node)).collect();
            for node in lost {
                self.doubt(source, Doubt::open(node.range(), "the class is used in a way that is not followed"));
            }
        }
    }

    /// Whether a part of a query names no column that changes.
    pub(super) fn names_nothing(&self, text: Node<'t>, data: &Data) -> bool {
        let Some((content, _)) = self.literal(text) else { return false };
        words(&content, false).into_iter().all(|(_, word)| match self.hit(data, word) {
            Hit::Column(source, column) => self.datasets.mappings[self.datasets_of[source]].columns[column].is_kept(),
            Hit::Other | Hit::Unlisted(_) => true,
            Hit::Field(..) | Hit::Doubtful(_) | Hit::Parts(..) | Hit::Carried(..) => false,
        })
    }

    /// Whether the file declares a name, everywhere, to be of another class.
    pub(super) fn is_declared_otherwise(&self, object: Node<'t>) -> bool {
        if !matches!(shape(object), Shape::Name) {
            return false;
        }
        let name = object.text();
        let declared = self.tree.iter().filter(|node| {
            matches!(node.field_name(), Some("name" | "pattern" | "left"))
                && node.text() == name
                && node.parent().is_some_and(|parent| !matches!(parent.kind(), "method_invocation" | "field_access"))
        });
        let mut any = false;
        for node in declared {
            let holder = node.parent();
            let of = holder.and_then(|holder| {
                holder.field("type").or_else(|| holder.parent().and_then(|around| around.field("type")))
            });
            let Some(of) = of.filter(|of| !matches!(of.text(), "var" | "val")) else { return false };
            let path = self.imported(of.text()).unwrap_or(of.text());
            let ours =
                |mapping: &crate::dataset::mapping::Mapping| mapping.names(System::Type).any(|known| known.old == path);
            if self.datasets.mappings.iter().any(ours) {
                return false;
            }
            any = true;
        }
        any
    }
}

/// Whether a mention of such a class says what something is, and what reads it is known.
fn is_followed(class: Node<'_>) -> bool {
    let Some(parent) = class.parent() else { return true };
    if parent.kind() == "field_expression" {
        return parent.field("value").is_none_or(|value| value.id != class.id);
    }
    let list = class.ancestors().take(3).find(|up| up.kind() == "type_arguments");
    let Some(call) = list.and_then(|list| list.parent()).filter(|call| call.kind() == "generic_function") else {
        return true;
    };
    let function = call.field("function").map_or("", Node::text);
    let word = function.rsplit('.').next().unwrap_or("");
    word.starts_with("typedBigQuery") || matches!(word, "asInstanceOf" | "classOf" | "map" | "flatMap" | "parallelize")
}
