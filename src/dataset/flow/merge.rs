//! Frames of pandas that are merged, and new names that meet others.
//!
//! Must not: know what else a frame does.

use super::Flow;
use super::call::Method;
use super::note::Place;
use super::shape::{Shape, shape};
use super::value::{Data, Frame, Inner, Library, Mention, Rest, Value};
use crate::dataset::mapping::Position;
use crate::dataset::usage::Doubt;
use crate::tree::Node;

/// What pandas puts behind a name that both frames have.
const SUFFIXES: [&str; 2] = ["_x", "_y"];

impl<'t> Flow<'t> {
    pub(super) fn merged(&mut self, frame: &Frame, method: &Method<'t>) -> Value<'t> {
        let Some(other) = method.argument(0, "right") else { return Value::Frame(frame.clone()) };
        let right = match &other.value {
            Value::Frame(other) => other.data.clone(),
            value => {
                self.lost(&value.clone(), other.node, "it is merged in a way that gander does not follow");
                Data { exact: true, ..Data::other() }
            }
        };
        let both: Vec<usize> = frame.data.sources().into_iter().chain(right.sources()).collect();
        self.together(&both);
        let mut joined = frame.data.clone().joined(&right);
        for (word, data) in [("left_on", frame.data.clone()), ("right_on", right.clone())] {
            if let Some(one) = method.named(word) {
                let one = one.clone();
                for text in self.column_texts(&one, &data) {
                    let mention = Mention { whole: text, name: text, read: true, field: false };
                    self.mention(&mention, &data, Place::read(Library::Pandas).at(Position::Using));
                }
            }
        }
        self.merged_on(frame, &right, &mut joined, method);
        self.new_names_meet(&frame.data, &right, method.node);
        self.new_names_meet(&right, &frame.data, method.node);
        // Names that both have get suffixes.
        let all = self.changing_names(&frame.data).into_iter().chain(self.changing_names(&right));
        for source in all.collect::<Vec<_>>() {
            if method.named("suffixes").is_some() || self.speaks_of_suffixed(source) {
                let why = "columns of one name get suffixes, and others have one name afterwards";
                self.doubt(source, Doubt::open(method.node.range(), why));
            }
        }
        Value::frame(Library::Pandas, joined)
    }

    /// The columns that two frames are merged by.
    fn merged_on(&mut self, frame: &Frame, right: &Data, joined: &mut Data, method: &Method<'t>) {
        let on = method.argument(1, "on").cloned();
        match on {
            Some(on) if on.name == Some("on") => {
                for text in self.column_texts(&on, &joined.clone()) {
                    let mention = Mention { whole: text, name: text, read: true, field: false };
                    self.join_key(&mention, &frame.data, right, Library::Pandas);
                    if let Some((name, _)) = self.literal(text) {
                        let bound = self.bound_in(&frame.data, &name).or_else(|| self.bound_in(right, &name));
                        joined.set(&name, Self::inner(None, bound));
                    }
                }
            }
            _ if method.named("left_on").is_some() || method.named("left_index").is_some() => {}
            _ => {
                for source in self.changing_names(joined) {
                    let why = "it is merged by all columns that the two have in common";
                    self.doubt(source, Doubt::open(method.node.range(), why));
                }
            }
        }
    }

    /// A new name that the other frame has already: the two would get suffixes. Of a frame that
    /// is not known, it is told by whether the file speaks of the name.
    fn new_names_meet(&mut self, data: &Data, other: &Data, node: Node<'t>) {
        for (source, to) in self.arriving(data) {
            let has = |rest: &Rest| match rest {
                Rest::Known(schema) => self.datasets.schemas.has(*schema, &to),
                Rest::Other => self.speaks_of(|word| word == to),
                Rest::Source(_) | Rest::Fields(..) => false,
            };
            if other.names.contains_key(&to) || other.rest.iter().any(has) {
                let why = format!("the other frame may have a column {to}, which is the new name of one of these");
                self.doubt(source, Doubt::open(node.range(), why));
            }
        }
    }

    /// New names that columns of these get, and that the table had not before.
    pub(super) fn arriving(&self, data: &Data) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        let mut add = |source: usize, column: Option<usize>| {
            let mapping = &self.datasets.mappings[self.datasets_of[source]];
            let columns = mapping.columns.iter().enumerate().filter(|(at, _)| column.is_none_or(|only| only == *at));
            let new = columns.filter_map(|(_, column)| column.to()).filter(|to| mapping.arrives(&to.to_lowercase()));
            found.extend(new.map(|to| (source, to.to_owned())));
        };
        for rest in &data.rest {
            if let Rest::Source(source) = rest {
                add(*source, None);
            }
        }
        for inner in data.names.values() {
            if let Inner::Raw(source, column) = inner {
                add(*source, Some(*column));
            }
        }
        found
    }

    /// Whether the file has a name that pandas gives to one of two columns, of which one changes.
    fn speaks_of_suffixed(&self, source: usize) -> bool {
        let columns = &self.datasets.mappings[self.datasets_of[source]].columns;
        let changes =
            |name: &str| columns.iter().any(|one| !one.is_kept() && (one.name == name || one.to() == Some(name)));
        self.speaks_of(|word| SUFFIXES.iter().any(|end| word.strip_suffix(end).is_some_and(changes)))
    }

    /// Whether the file has such a name as a text or as a member.
    fn speaks_of(&self, is: impl Fn(&str) -> bool) -> bool {
        self.tree.iter().any(|node| match shape(node) {
            Shape::Text => self.literal(node).is_some_and(|(text, _)| is(&text)),
            Shape::Member { name, .. } => is(name.text()),
            _ => false,
        })
    }
}
