//! Where ways part and meet: what a name may hold after that is whatever it may hold on any
//! of them.
//!
//! A body that may be left at any place (`try`, a loop with `break`) is watched: each value
//! that a name gets in it may be the one with which it is left. What a function reads from
//! outside of it may be any value that the name gets there, since nobody knows when it runs.
//! Must not: know a library.

use std::collections::{BTreeMap, HashMap};

use super::Flow;
use super::shape::{Case, Shape, Try, shape};
use super::value::Value;
use crate::tree::{Node, NodeId};

/// What names hold, from the outermost scope to the innermost.
pub(super) type Scopes<'t> = Vec<HashMap<String, Value<'t>>>;

/// A body that may be left at any place.
pub(super) struct Watch<'t> {
    /// What names may hold where it is left.
    seen: Scopes<'t>,
    /// How many calls were active where it began.
    level: usize,
}

/// What functions read from outside of them.
#[derive(Default)]
pub(super) struct Captured<'t> {
    /// Which functions have the innermost scopes, and which scope of each is the first.
    pub(super) owners: Vec<(usize, NodeId)>,
    /// Names that a function read from one around it: what it found first, and whether it
    /// found anything else.
    read: BTreeMap<(NodeId, String), (Value<'t>, bool)>,
    /// All that a name was given in a function.
    given: BTreeMap<(NodeId, String), Value<'t>>,
    /// What names that were read hold at any time.
    late: BTreeMap<(NodeId, String), Value<'t>>,
}

/// How often a loop is gone through until nothing new comes of it.
const MAX_ROUNDS: usize = 6;

impl<'t> Flow<'t> {
    fn watch(&mut self) {
        self.watches.push(Watch { seen: self.scopes.clone(), level: self.active.len() });
    }

    fn watched(&mut self) -> Scopes<'t> {
        self.watches.pop().map_or_else(Vec::new, |watch| watch.seen)
    }

    /// A name of a scope has another value: those who watch see it.
    pub(super) fn changed(&mut self, at: usize, name: &str) {
        let Some(value) = self.scopes.get(at).and_then(|scope| scope.get(name)).cloned() else { return };
        let mut watches = std::mem::take(&mut self.watches);
        for watch in &mut watches {
            // The scopes of a function that is called meanwhile are others.
            if watch.level != self.active.len() && at >= self.own {
                continue;
            }
            if let Some(scope) = watch.seen.get_mut(at) {
                let both = match scope.remove(name) {
                    Some(known) => self.either(known, value.clone(), self.tree.root()),
                    None => value.clone(),
                };
                scope.insert(name.to_owned(), both);
            }
        }
        self.watches = watches;
        let key = (self.owner(at), name.to_owned());
        let all = match self.captured.given.remove(&key) {
            Some(known) => self.either(known, value, self.tree.root()),
            None => value,
        };
        self.captured.given.insert(key, all);
    }

    /// The function whose scope is at this place.
    fn owner(&self, at: usize) -> NodeId {
        let owners = self.captured.owners.iter().rev();
        owners.into_iter().find(|(first, _)| *first <= at).map_or(self.tree.root().id, |(_, id)| *id)
    }

    /// What a name of an outer function holds at any time.
    pub(super) fn late(&mut self, name: &str) -> Option<Value<'t>> {
        let at = self.scopes.iter().rposition(|scope| scope.contains_key(name));
        // One that is not there yet is one of the file.
        let at = at.unwrap_or(0);
        if at >= self.own {
            return None;
        }
        let key = (self.owner(at), name.to_owned());
        let late = self.captured.late.get(&key).cloned();
        let found = late.clone().or_else(|| self.bound(name).cloned()).unwrap_or(Value::Nothing);
        let (first, other) = self.captured.read.entry(key).or_insert_with(|| (found.clone(), false));
        *other |= !first.same(&found);
        late
    }

    /// Whether what functions read from outside may be more than they were seen to read; it
    /// is known from now on.
    pub(super) fn read_too_early(&mut self) -> bool {
        let mut late: BTreeMap<(NodeId, String), Value<'t>> = BTreeMap::new();
        for (key, (first, other)) in std::mem::take(&mut self.captured.read) {
            let Some(given) = self.captured.given.get(&key) else { continue };
            if other || !given.same(&first) || self.captured.late.contains_key(&key) {
                late.insert(key, given.clone());
            }
        }
        let same = late.len() == self.captured.late.len()
            && late.iter().all(|(key, value)| self.captured.late.get(key).is_some_and(|known| known.same(value)));
        self.captured.late = late;
        !same
    }

    pub(super) fn choice(&mut self, test: Option<Node<'t>>, ways: &[Node<'t>]) -> Value<'t> {
        if let Some(test) = test {
            self.value(test);
        }
        let before = self.scopes.clone();
        let mut after: Option<Scopes<'t>> = None;
        let mut given: Option<Value<'t>> = None;
        for way in ways {
            self.scopes.clone_from(&before);
            let one = self.value(*way);
            given = Some(self.one_of(given, one, *way));
            if let Some(known) = after {
                self.join(known);
            }
            after = Some(self.scopes.clone());
        }
        // With one way, none may be gone.
        if ways.len() < 2 {
            self.join(before);
        }
        given.unwrap_or(Value::Plain)
    }

    pub(super) fn one_of(&mut self, known: Option<Value<'t>>, one: Value<'t>, node: Node<'t>) -> Value<'t> {
        match known {
            Some(known) => self.either(known, one, node),
            None => one,
        }
    }

    /// One of two values.
    pub(super) fn either(&mut self, a: Value<'t>, b: Value<'t>, node: Node<'t>) -> Value<'t> {
        let kept = (a.clone(), b.clone());
        a.or(b).unwrap_or_else(|| {
            self.lost(&kept.0, node, "it may be one of too many values");
            self.lost(&kept.1, node, "it may be one of too many values");
            Value::Plain
        })
    }

    /// After this, names may be what they are or what they are in `other`.
    pub(super) fn join(&mut self, other: Scopes<'t>) {
        let root = self.tree.root();
        for (at, scope) in other.into_iter().enumerate() {
            for (name, value) in scope {
                let Some(known) = self.scopes.get(at).and_then(|scope| scope.get(&name)).cloned() else {
                    if let Some(scope) = self.scopes.get_mut(at) {
                        scope.insert(name, value);
                    }
                    continue;
                };
                let both = self.either(known, value, root);
                if let Some(scope) = self.scopes.get_mut(at) {
                    scope.insert(name, both);
                }
            }
        }
    }

    /// Goes through the body of a loop until names hold nothing new before it.
    pub(super) fn repeat(
        &mut self,
        target: Option<Node<'t>>,
        over: Option<Node<'t>>,
        declared: Option<Node<'t>>,
        body: &[Node<'t>],
    ) {
        let over_value = over.map_or(Value::Plain, |over| self.value(over));
        let leaves = |below: Node<'t>| matches!(below.kind(), "break_statement" | "continue_statement");
        let left = body.iter().any(|one| leaves(*one) || one.descendants().any(leaves));
        for round in 0.. {
            let start = self.scopes.clone();
            if left {
                self.watch();
            }
            if let (Some(target), Some(over)) = (target, over) {
                let mut element = self.element(&over_value, over);
                if let Some(declared) = declared {
                    element = self.as_declared(element, declared);
                }
                self.assign(target, element, None, true);
            }
            for one in body {
                self.value(*one);
            }
            if left {
                let seen = self.watched();
                self.join(seen);
            }
            self.join(start.clone());
            let new: Vec<Value<'t>> = news(&start, &self.scopes);
            if new.is_empty() {
                break;
            }
            if round == MAX_ROUNDS {
                let at = body.first().copied().unwrap_or_else(|| self.tree.root());
                new.iter().for_each(|value| self.lost(value, at, "it is another value each time around a loop"));
                break;
            }
        }
    }

    /// A body, what may go on from any place in it, and what is run in any case.
    pub(super) fn attempt(&mut self, attempt: &Try<'t>) -> Value<'t> {
        self.watch();
        let mut given = Value::Plain;
        for one in &attempt.body {
            given = self.value(*one);
        }
        let inside = self.watched();
        for one in &attempt.then {
            self.value(*one);
        }
        let mut after = self.scopes.clone();
        let mut any = inside.clone();
        for (name, body) in &attempt.handlers {
            self.scopes.clone_from(&inside);
            if let Some(name) = name {
                self.assign(*name, Value::Nothing, None, false);
            }
            let mut one = Value::Nothing;
            for statement in body {
                one = self.value(*statement);
            }
            if !body.last().is_some_and(|last| ends(*last)) {
                given = self.either(given, one, *body.last().unwrap_or(&self.tree.root()));
                self.join(std::mem::take(&mut after));
                after = self.scopes.clone();
            }
            self.join(std::mem::take(&mut any));
            any = self.scopes.clone();
        }
        if !attempt.last.is_empty() {
            // It is run on every way, also on those that end there.
            self.scopes = any;
            self.join(after.clone());
            for one in &attempt.last {
                self.value(*one);
            }
        }
        self.scopes = after;
        for one in &attempt.last {
            self.value(*one);
        }
        given
    }

    /// One of several groups of statements, left at any place.
    pub(super) fn switch(&mut self, subject: Node<'t>, groups: &[Vec<Node<'t>>], falls: bool) -> Value<'t> {
        self.value(subject);
        let before = self.scopes.clone();
        self.watch();
        let mut end: Option<Scopes<'t>> = None;
        let mut given: Option<Value<'t>> = None;
        for group in groups {
            self.scopes.clone_from(&before);
            if let Some(end) = end.take().filter(|_| falls) {
                self.join(end);
            }
            let mut one = Value::Nothing;
            for statement in group {
                one = self.value(*statement);
            }
            given = Some(self.one_of(given, one, group.last().copied().unwrap_or(subject)));
            end = Some(self.scopes.clone());
        }
        let inside = self.watched();
        self.join(inside);
        given.unwrap_or(Value::Plain)
    }

    /// Cases that take a value apart. Where a function has one scope, so have they.
    pub(super) fn cases(&mut self, value: &Value<'t>, cases: &[Case<'t>]) -> Value<'t> {
        let shares = self.tree.language.facts.name == "python";
        let before = self.scopes.clone();
        let mut after: Option<Scopes<'t>> = None;
        let mut given: Option<Value<'t>> = None;
        for case in cases {
            self.scopes.clone_from(&before);
            if !shares {
                self.scopes.push(HashMap::new());
            }
            self.assign(case.pattern, value.clone(), None, !shares);
            if let Some(guard) = case.guard {
                self.value(guard);
            }
            let one = case.body.map_or(Value::Plain, |body| self.value(body));
            if !shares {
                self.scopes.pop();
            }
            given = Some(self.one_of(given, one, case.pattern));
            if let Some(known) = after {
                self.join(known);
            }
            after = Some(self.scopes.clone());
        }
        if shares {
            // None of them may be the one.
            self.join(before);
        }
        given.unwrap_or(Value::Plain)
    }

    /// Operands of which the later ones may not be reached.
    pub(super) fn reached_in_turn(&mut self, operands: &[Node<'t>]) -> Vec<(Node<'t>, Value<'t>)> {
        let mut values = Vec::new();
        for (at, operand) in operands.iter().enumerate() {
            let before = (at > 0 && binds(*operand)).then(|| self.scopes.clone());
            values.push((*operand, self.value(*operand)));
            if let Some(before) = before {
                self.join(before);
            }
        }
        values
    }
}

/// Whether an expression gives a name to something.
pub(super) fn binds(node: Node<'_>) -> bool {
    let one = |node: Node<'_>| matches!(node.kind(), "named_expression" | "assignment_expression");
    one(node) || node.descendants().any(one)
}

/// Whether a block does not end by itself.
fn ends(node: Node<'_>) -> bool {
    let is_end = |node: Node<'_>| {
        matches!(
            node.kind(),
            "raise_statement" | "throw_statement" | "return_statement" | "throw_expression" | "return_expression"
        )
    };
    if is_end(node) {
        return true;
    }
    match shape(node) {
        Shape::Block(statements, _) => statements.last().is_some_and(|last| ends(*last)),
        _ => false,
    }
}

/// What names hold that they did not hold before.
fn news<'t>(before: &Scopes<'t>, after: &Scopes<'t>) -> Vec<Value<'t>> {
    let mut found = Vec::new();
    for (at, scope) in after.iter().enumerate() {
        for (name, value) in scope {
            let known = before.get(at).and_then(|scope| scope.get(name));
            if !known.is_some_and(|known| known.same(value)) {
                found.push(value.clone());
            }
        }
    }
    found
}
