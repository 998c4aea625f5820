//! What leaves a file by its names: functions that other files may call, and values that
//! they may read. What moves with them here, or comes back there, is not seen.
//!
//! Must not: look into another file; [`Around`](super::Around) says who speaks of what.

use std::ops::Range;
use std::rc::Rc;

use super::Flow;
use super::shape::{Shape, shape};
use super::value::{Function, Value};
use crate::dataset::usage::Doubt;
use crate::dataset::visible;
use crate::tree::{Node, NodeId};

/// Where a function meets other files.
#[derive(Default)]
pub(super) struct Meeting<'t> {
    /// Sources of what goes in.
    given: Vec<usize>,
    /// Sources of what comes back.
    gives: Vec<usize>,
    /// Functions that it gives.
    makes: Vec<NodeId>,
    /// What it gives that holds names of columns.
    names: Vec<Value<'t>>,
}

/// How many values that hold names are kept of a function.
const MAX_NAMES: usize = 64;

impl<'t> Flow<'t> {
    /// The declaration that gives a function its name, and the name's node.
    pub(super) fn declaration(&self, function: NodeId) -> Option<(Node<'t>, Node<'t>)> {
        let node = self.tree.node(function);
        match shape(node) {
            Shape::Function { name: Some(name), .. } => Some((node, name)),
            // `const f = (row) => …`
            _ => {
                let around = node.parent()?;
                let Shape::Assign { targets, .. } = shape(around) else { return None };
                let [name] = targets[..] else { return None };
                Some((around, name))
            }
        }
    }

    /// Remembers what went through a function.
    pub(super) fn passed(&mut self, function: &Rc<Function<'t>>, arguments: &[Value<'t>], given: &Value<'t>) {
        if self.around.elsewhere.is_none() {
            return;
        }
        let ins: Vec<usize> = arguments.iter().flat_map(|value| self.changing(value)).collect();
        let outs = self.changing(given);
        let makes = given.alternatives().into_iter().filter_map(|one| match one {
            Value::Function(inner) => Some(inner.id),
            _ => None,
        });
        let makes: Vec<NodeId> = makes.collect();
        let names = matches!(given, Value::Columns(_) | Value::Text(_) | Value::Tuple(_) | Value::Either(_));
        if ins.is_empty() && outs.is_empty() && makes.is_empty() && !names {
            return;
        }
        let meeting = self.meetings.entry(function.id).or_default();
        if names && !meeting.names.iter().any(|known| known.same(given)) && meeting.names.len() < MAX_NAMES {
            meeting.names.push(given.clone());
        }
        for (known, more) in [(&mut meeting.given, ins), (&mut meeting.gives, outs)] {
            known.extend(more);
            known.sort_unstable();
            known.dedup();
        }
        meeting.makes.extend(makes);
    }

    /// Remembers a name that a function gets besides its own.
    pub(super) fn called_besides(&mut self, target: Node<'t>, value: &Value<'t>) {
        for one in value.alternatives() {
            match one {
                Value::Function(function) => {
                    let names = self.names.entry(function.id).or_default();
                    if !names.contains(&target.id) {
                        names.push(target.id);
                    }
                }
                Value::Tuple(all) => all.iter().for_each(|one| self.called_besides(target, one)),
                Value::Many(inner) => self.called_besides(target, &inner),
                _ => {}
            }
        }
    }

    /// Remembers the name of a collection that a function goes into.
    pub(super) fn collected(&mut self, node: Node<'t>, value: &Value<'t>) {
        let holder = node.ancestors().find(|up| !visible::targets(*up).is_empty());
        let name = holder.and_then(|holder| {
            let targets = visible::targets(holder);
            holder.descendants().find(|leaf| leaf.is_leaf() && targets.iter().any(|(name, _)| *name == leaf.text()))
        });
        name.into_iter().for_each(|name| self.called_besides(name, value));
    }

    /// A value gets a name that other files may read.
    pub(super) fn shown(&mut self, target: Node<'t>, value: &Value<'t>) {
        if self.around.elsewhere.is_none() || matches!(value, Value::Plain | Value::Nothing | Value::Function(_)) {
            return;
        }
        if let Some(place) = self.spoken_at(target, target) {
            // Names that it holds may be of another table there.
            self.read_elsewhere(value);
            let why = format!("{place} speaks of {}, too: what it reads there is not followed", target.text());
            self.lost(value, target, &why);
            self.had_elsewhere(value, target.range(), &why);
        }
    }

    /// Texts that other files have: a table that one names is read there, too.
    fn had_elsewhere(&mut self, value: &Value<'t>, range: Range<usize>, why: &str) {
        for one in value.alternatives() {
            match one {
                Value::Text(text) => self.had.push((text.id, range.clone(), why.to_owned())),
                Value::Tuple(all) => all.iter().for_each(|one| self.had_elsewhere(one, range.clone(), why)),
                _ => {}
            }
        }
    }

    /// Holds the tables whose names other files have.
    pub(super) fn hold_what_is_had(&mut self) {
        for (text, range, why) in std::mem::take(&mut self.had) {
            if let Some(source) = self.known.get(&text).copied() {
                self.doubt(source, Doubt::open(range, why));
            }
        }
    }

    fn spoken_at(&self, declaration: Node<'t>, name: Node<'t>) -> Option<String> {
        let holder = std::iter::once(declaration).chain(declaration.ancestors().take(3));
        let holder = holder.into_iter().find(|up| !visible::targets(*up).is_empty()).unwrap_or(declaration);
        self.around.spoken(name.text(), &visible::seen(holder, name.text()))
    }

    /// Tells of functions that other files may call.
    pub(super) fn tell_meetings(&mut self) {
        let mut meetings: Vec<(NodeId, Meeting<'t>)> = std::mem::take(&mut self.meetings).into_iter().collect();
        meetings.sort_by_key(|(id, _)| id.0);
        let mut made: Vec<(NodeId, String)> = Vec::new();
        let told: Vec<(usize, Option<String>)> =
            meetings.iter().enumerate().map(|(at, (id, _))| (at, self.outside(*id))).collect();
        for (at, place) in told {
            let Some(place) = place else { continue };
            let (id, meeting) = &meetings[at];
            made.extend(meeting.makes.iter().map(|inner| (*inner, place.clone())));
            self.tell_meeting(*id, meeting, &place);
        }
        for (id, place) in made {
            if let Some((_, meeting)) = meetings.iter().find(|(known, _)| *known == id) {
                self.tell_meeting(id, meeting, &place);
            }
        }
    }

    fn tell_meeting(&mut self, id: NodeId, meeting: &Meeting<'t>, place: &str) {
        meeting.names.iter().for_each(|value| self.read_elsewhere(value));
        let node = self.tree.node(id);
        let name = self.declaration(id).map(|(_, name)| name);
        let range = name.unwrap_or(node).range();
        let word = name.map_or("a function of this file", Node::text);
        let why = format!("{place} speaks of {word}, too: what it reads by what that gives is not followed");
        meeting.names.iter().for_each(|value| self.had_elsewhere(value, range.clone(), &why));
        for source in &meeting.given {
            let why = format!("{place} speaks of {word}, too: what it is given there is not followed");
            self.doubt(*source, Doubt::open(range.clone(), why));
        }
        for source in &meeting.gives {
            let why = format!("{place} speaks of {word}, too: what becomes there of what it gives is not followed");
            self.doubt(*source, Doubt::open(range.clone(), why));
        }
    }

    /// Where other files may speak of a function by any of its names.
    fn outside(&self, function: NodeId) -> Option<String> {
        let own = self
            .declaration(function)
            .and_then(|(declaration, name)| self.around.spoken(name.text(), &visible::seen(declaration, name.text())));
        own.or_else(|| {
            let names = self.names.get(&function)?;
            names.iter().find_map(|name| {
                let name = self.tree.node(*name);
                self.spoken_at(name, name)
            })
        })
    }
}
