//! [`Pattern`] against a node: exact, with backtracking only inside one list,
//! and linear in that list unless a name is repeated.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use super::calls::Call;
use super::invocation::Invocation;
use super::{Child, Givens, Pattern, Shape};
use crate::tree::{Node, NodeId, same_text};

/// What a hole stands for.
#[derive(Clone, Debug)]
pub enum Binding<'t> {
    /// `$X`.
    One(Node<'t>),
    /// `$$$X`: every node of the run, separators included, comments left out.
    Many(Vec<Node<'t>>),
}

/// What the holes of a pattern stand for, by name, in order of appearance.
#[derive(Clone, Debug, Default)]
pub struct Bindings<'t> {
    slots: Vec<(String, Option<Binding<'t>>)>,
    /// What names stand for besides: bound as the first of equal names is.
    given: Option<Arc<Givens>>,
}

impl<'t> Bindings<'t> {
    /// None yet, where some names stand for something from the start.
    pub fn with(given: Option<Arc<Givens>>) -> Self {
        Self { slots: Vec::new(), given }
    }

    /// What names stand for from the start; `None` where none can.
    pub fn given(&self) -> Option<&Arc<Givens>> {
        self.given.as_ref()
    }

    /// What `name` stands for.
    pub fn get(&self, name: &str) -> Option<&Binding<'t>> {
        self.slots.iter().find(|(n, _)| n == name)?.1.as_ref()
    }

    /// Every name and what it stands for.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Binding<'t>)> {
        self.slots.iter().filter_map(|(name, binding)| Some((name.as_str(), binding.as_ref()?)))
    }

    /// Adds all bindings of `other`. A name that is bound already must stand for
    /// the same code; otherwise nothing is added, and the answer is `false`.
    pub fn merge(&mut self, other: Bindings<'t>) -> bool {
        let meant = |name: &str| self.given.as_ref().and_then(|given| given.get(name));
        let agrees = |(name, binding): (&str, &Binding<'t>)| {
            self.get(name).is_none_or(|b| same_binding(b, binding)) && meant(name).is_none_or(|g| g.is_bound(binding))
        };
        if !other.iter().all(agrees) {
            return false;
        }
        for (name, binding) in other.slots {
            if let Some(binding) = binding.filter(|_| self.get(&name).is_none()) {
                self.set(&name, binding);
            }
        }
        true
    }

    /// Adds or replaces a binding.
    pub fn set(&mut self, name: &str, binding: Binding<'t>) {
        match self.slots.iter_mut().find(|(n, _)| n == name) {
            Some(slot) => slot.1 = Some(binding),
            None => self.slots.push((name.to_owned(), Some(binding))),
        }
    }
}

fn is_comma(shape: &Shape) -> bool {
    matches!(shape, Shape::Leaf { named: false, text, .. } if text == ",")
}

/// Steps within one match after which it is given up: only a pattern that names
/// a list hole twice gets there, over a very long list.
const STEPS: u64 = 2_000_000;

thread_local! {
    static GAVE_UP: Cell<bool> = const { Cell::new(false) };
}

/// Whether a match was given up on this thread since this was last asked: it
/// counts as none, and must not pass unsaid.
pub fn gave_up() -> bool {
    GAVE_UP.replace(false)
}

/// The children of one node that a list of shapes is matched against.
#[derive(Clone)]
struct Run<'t> {
    nodes: Rc<Vec<Node<'t>>>,
    owner: u32,
}

#[derive(Clone)]
enum Slot<'t> {
    One(Node<'t>),
    Many(Run<'t>, Range<usize>),
}

struct Matcher<'p, 't> {
    pattern: &'p Pattern,
    slots: Vec<Option<Slot<'t>>>,
    steps: u64,
    fold: bool,
    /// Whether the fields of a list's nodes are compared.
    fields: bool,
    /// The argument whose parentheses are those of its call, while it is looked at as a list.
    within: Option<NodeId>,
    /// Lists of shapes, told by where they lie, that do not match from a child on.
    /// Kept only where no name is repeated: then nothing else decides.
    failed: HashSet<(usize, usize, u32, usize)>,
    /// For what follows a list hole: the first child from which on no place fits.
    starved: HashMap<(usize, usize, u32), usize>,
}

pub(super) fn matches<'t>(pattern: &Pattern, node: Node<'t>) -> Option<Bindings<'t>> {
    if !std::ptr::eq(pattern.language, node.tree().language) {
        return None;
    }
    // `y = 1` of `x = y = 1` is no assignment by itself.
    let chained = |n: Node<'_>| node.tree().language.is_chained(n.kind_id());
    if chained(node) && node.parent().is_some_and(chained) {
        return None;
    }
    if is_half_a_call(node) {
        return None;
    }
    let mut matcher = Matcher::new(pattern);
    let found = matcher.shape(&pattern.root, node);
    matcher.finish(found)
}

/// Whether a closure behind a call is an argument of it, though the grammar calls the call with it:
/// `f(1)` of `f(1) { a }`.
fn is_half_a_call(node: Node<'_>) -> bool {
    let trailing = &node.tree().language.facts.arguments.trailing;
    let Some(around) = node.parent().filter(|up| !trailing.is_empty() && up.kind_id() == node.kind_id()) else {
        return false;
    };
    let suffix = around.named_children().nth(1).filter(|_| around.local_range().start == node.local_range().start);
    let only = suffix.and_then(|suffix| suffix.named_children().next());
    only.is_some_and(|only| trailing.iter().any(|kind| kind == only.kind()))
}

/// As [`matches`], for the parts of a call.
pub(super) fn matches_call<'t>(sought: &Invocation, call: &Call<'t>) -> Option<Bindings<'t>> {
    let mut matcher = Matcher::new(&sought.pattern);
    // In whatever field an argument stands: `f { x }` has no list.
    matcher.fields = false;
    let parts = sought.parts(call);
    let mut found = parts.into_iter().all(|(shape, node)| matcher.shape(shape, node));
    if let Some(types) = &sought.types {
        let run = Run { nodes: Rc::new(call.types.clone().unwrap_or_default()), owner: call.node.id.0 };
        found = found && matcher.list(types, &run, 0);
    }
    // Told apart from the type arguments by the name, which owns nothing.
    let run = Run { nodes: Rc::new(call.arguments.clone()), owner: call.name.id.0 };
    let found = found && matcher.list(&sought.arguments, &run, 0);
    matcher.finish(found)
}

/// Whether two nodes are one name, which a grammar calls otherwise where it names a member: `{ x: x }`.
fn is_same_name(a: Node<'_>, b: Node<'_>) -> bool {
    let is_name = |node: Node<'_>| node.is_leaf() && node.kind().ends_with("identifier");
    is_name(a) && is_name(b) && a.text() == b.text()
}

impl<'p, 't> Matcher<'p, 't> {
    fn new(pattern: &'p Pattern) -> Self {
        Self {
            pattern,
            slots: vec![None; pattern.names.len()],
            steps: STEPS,
            fold: pattern.language.facts.case_insensitive,
            fields: true,
            within: None,
            failed: HashSet::new(),
            starved: HashMap::new(),
        }
    }

    fn finish(self, found: bool) -> Option<Bindings<'t>> {
        if self.steps == 0 {
            GAVE_UP.set(true);
            return None;
        }
        let binding = |slot: Slot<'t>| match slot {
            Slot::One(node) => Binding::One(node),
            Slot::Many(run, range) => Binding::Many(run.nodes[range].to_vec()),
        };
        let slots = self.slots.into_iter().map(|slot| slot.map(binding));
        found.then(|| Bindings { slots: self.pattern.names.iter().cloned().zip(slots).collect(), given: None })
    }

    fn pay(&mut self, steps: usize) -> bool {
        self.steps = self.steps.saturating_sub(steps as u64);
        self.steps > 0
    }

    fn shape(&mut self, shape: &Shape, node: Node<'t>) -> bool {
        if node.is_missing() || node.is_error() {
            return false;
        }
        match shape {
            Shape::Leaf { kind, named, text } => {
                let blank = !named && text.trim().is_empty();
                self.pattern.language.is_alike(node.kind_id(), *kind)
                    && node.is_named() == *named
                    && (blank || same_text(text, self.name_of(node, *named), self.fold && !node.is_string()))
                    && (!named || node.is_leaf())
            }
            Shape::Inner { kind, children, gaps } if self.pattern.language.is_alike(node.kind_id(), *kind) => {
                self.inner(children, gaps, node)
            }
            Shape::Inner { children, gaps, .. } => gaps.is_empty() && self.bare(children, node),
            Shape::One { name, chain } => self.one(*name, chain, node),
            Shape::Many { name } => {
                let run = Run { nodes: Rc::new(vec![node]), owner: node.id.0 };
                self.bind(*name, Slot::Many(run, 0..1))
            }
        }
    }

    /// The text of a leaf; of a name without its quotes.
    fn name_of(&self, node: Node<'t>, named: bool) -> &'t str {
        if named { self.pattern.language.bare_name(node.text()) } else { node.text() }
    }

    /// An argument whose own parentheses are those of the call: `f(x for x in y)`.
    fn bare(&mut self, children: &[Child], node: Node<'t>) -> bool {
        let kinds = &self.pattern.language.facts.arguments.bare;
        let opens = |child: &Child| matches!(&child.shape, Shape::Leaf { text, .. } if text == "(");
        // Its parentheses are those of the call, and not those of a tuple in it besides.
        let argument = node.field_name() == Some("arguments")
            && self.within != Some(node.id)
            && kinds.iter().any(|kind| kind == node.kind());
        if !argument || !children.first().is_some_and(opens) {
            return false;
        }
        let (Some(first), Some(last)) = (node.children().next(), node.children().last()) else { return false };
        let fields = std::mem::replace(&mut self.fields, false);
        let within = self.within.replace(node.id);
        let found = self.list(children, &Run { nodes: Rc::new(vec![first, node, last]), owner: node.id.0 }, 0);
        (self.fields, self.within) = (fields, within);
        found
    }

    fn inner(&mut self, children: &[Child], gaps: &[String], node: Node<'t>) -> bool {
        let own = node.gaps();
        if own.len() != gaps.len() || own.iter().zip(gaps).any(|(a, b)| a != b) {
            return false;
        }
        let nodes: Vec<Node<'t>> = node.children().filter(|c| !c.is_extra()).collect();
        self.list(children, &Run { nodes: Rc::new(nodes), owner: node.id.0 }, 0)
    }

    /// Binds a hole to the innermost node that the hole's own wrapping agrees
    /// with: in Python, `$B` of `if $A: $B` is the only statement of the block.
    fn one(&mut self, name: Option<usize>, chain: &[u16], node: Node<'t>) -> bool {
        if !node.is_named() {
            return false;
        }
        let language = node.tree().language;
        // A value is no assignment, though a grammar may have chains of them nest.
        if chain.len() == 1 && language.is_chained(node.kind_id()) && !chain.contains(&node.kind_id()) {
            return false;
        }
        // Nor are several names that nothing holds together.
        let bare = |list: Node<'_>| list.children().next().is_some_and(|first| first.is_named());
        if language.is_list(node.kind_id()) && !chain.contains(&node.kind_id()) && bare(node) {
            return false;
        }
        let mut bound = node;
        for (depth, kind) in chain.iter().enumerate() {
            if bound.kind_id() != *kind || depth + 1 == chain.len() {
                break;
            }
            let mut inner = bound.children().filter(|c| !c.is_extra() && !language.is_separator(c.kind()));
            match (inner.next(), inner.next()) {
                (Some(only), None) if only.is_named() => bound = only,
                // `$X` is one node: never several equals of a list.
                _ if language.is_list(*kind) => return false,
                _ => break,
            }
        }
        self.bind(name, Slot::One(bound))
    }

    fn bind(&mut self, name: Option<usize>, found: Slot<'t>) -> bool {
        let Some(slot) = name.and_then(|n| self.slots.get_mut(n)) else { return true };
        match (slot, found) {
            (slot @ None, found) => {
                *slot = Some(found);
                true
            }
            (Some(Slot::One(bound)), Slot::One(found)) => {
                let (bound, cost) = (*bound, found.subtree_len().min(bound.subtree_len()));
                self.pay(cost) && (bound.same_code(found) || is_same_name(bound, found))
            }
            (Some(Slot::Many(bound, a)), Slot::Many(found, b)) => {
                let (bound, a) = (bound.clone(), a.clone());
                let pairs = bound.nodes[a.clone()].iter().zip(&found.nodes[b.clone()]);
                a.len() == b.len() && self.pay(a.len()) && pairs.into_iter().all(|(a, b)| a.same_code(*b))
            }
            _ => false,
        }
    }

    /// Matches a list of shapes against all children from `at` on.
    fn list(&mut self, shapes: &[Child], code: &Run<'t>, at: usize) -> bool {
        if !self.pay(1) {
            return false;
        }
        let key = (shapes.as_ptr() as usize, shapes.len(), code.owner, at);
        if self.failed.contains(&key) {
            return false;
        }
        let fits = self.list_anew(shapes, code, at);
        if !fits && !self.pattern.repeats {
            self.failed.insert(key);
        }
        fits
    }

    fn list_anew(&mut self, shapes: &[Child], code: &Run<'t>, at: usize) -> bool {
        let Some((first, rest)) = shapes.split_first() else {
            return code.nodes[at..].iter().all(|n| self.is_separator(n));
        };
        if let Shape::Many { name } = first.shape {
            return self.many(name, rest, code, at);
        }
        // `Some(a) => { b }` against `Some($A) => $B,`: the comma that ends a part may be left out.
        if rest.is_empty() && at > 0 && at == code.nodes.len() && is_comma(&first.shape) {
            return true;
        }
        let saved = self.slots.clone();
        // `if a {}` against `if $A { $$$B }`: the list that has no node of its own is empty.
        if let Some(name) = only_list(&first.shape)
            && code.nodes.get(at).is_none_or(|node| first.shape.kind() != Some(node.kind_id()))
        {
            if self.bind(name, Slot::Many(code.clone(), at..at)) && self.list(rest, code, at) {
                return true;
            }
            self.slots = saved;
            return false;
        }
        if let Some(node) = code.nodes.get(at).copied() {
            let placed = !self.fields || first.field == node.field_id();
            if placed && self.shape(&first.shape, node.on_its_line()) && self.list(rest, code, at + 1) {
                return true;
            }
            self.slots = saved;
            // `f(a, b,)` against `f($A, $B)`: a separator before a closing token parts nothing.
            let next = code.nodes.get(at + 1).is_some_and(|next| next.is_named() || !self.is_separator(next));
            let trailing = self.is_separator(&node) && closes(&first.shape) && next;
            if trailing && self.list(shapes, code, at + 1) {
                return true;
            }
        }
        // Where a line break parts as well, `;` may be one.
        let by_line = self.pattern.language.is_separator("\n");
        let semicolon = |text: &str| by_line && text == ";";
        if matches!(&first.shape, Shape::Leaf { named: false, text, .. } if semicolon(text))
            && self.list(rest, code, at)
        {
            return true;
        }
        let node = code.nodes.get(at).filter(|n| !n.is_named() && semicolon(n.text()));
        if node.is_some() && self.list(shapes, code, at + 1) {
            return true;
        }
        // `f(a)` against `f($A, $$$REST)`: with nothing to part, the separator goes too.
        let parts_nothing = self.is_separator_shape(&first.shape)
            && matches!(rest.first(), Some(Child { shape: Shape::Many { .. }, .. }))
            && code.nodes[at..].iter().all(|n| self.is_separator(n) || !n.is_named());
        parts_nothing && self.list(rest, code, at)
    }

    /// A list hole takes as few nodes as possible. A run neither begins nor ends
    /// with a separator.
    fn many(&mut self, name: Option<usize>, rest: &[Child], code: &Run<'t>, at: usize) -> bool {
        let key = (rest.as_ptr() as usize, rest.len(), code.owner);
        // Every longer run from here ends where one from there ended.
        let known = self.starved.get(&key).is_some_and(|from| *from <= at);
        let clauses = &self.pattern.language.facts.clauses;
        let clause = |n: &Node<'_>| !clauses.is_empty() && clauses.iter().any(|kind| kind == n.kind());
        let end = || code.nodes[at..].iter().position(clause).unwrap_or(code.nodes.len() - at);
        let longest = if known { 0 } else { end() };
        for taken in 0..=longest {
            let run = &code.nodes[at..at + taken];
            let ragged = [run.first(), run.last()].into_iter().flatten().any(|n| self.is_separator(n));
            if ragged {
                continue;
            }
            if !self.pay(1) {
                return false;
            }
            let saved = self.slots.clone();
            if self.bind(name, Slot::Many(code.clone(), at..at + taken)) {
                // `[, a]` has an element before the comma, though nothing is written there.
                let hole = taken == 0 && is_hole(code, at);
                if !hole && self.list(rest, code, at + taken) {
                    return true;
                }
                // `f(a)` against `f($$$REST, $A)`: the same on the other side.
                let separator_next = rest.first().is_some_and(|c| self.is_separator_shape(&c.shape));
                if taken == 0 && separator_next && self.list(&rest[1..], code, at) {
                    return true;
                }
            }
            self.slots = saved;
        }
        if !known && !self.pattern.repeats && code.nodes.get(at).is_some_and(|n| !self.is_separator(n)) {
            self.starved.insert(key, at);
        }
        false
    }

    fn is_separator(&self, node: &Node<'_>) -> bool {
        !node.is_named() && self.pattern.language.is_separator(node.kind())
    }

    fn is_separator_shape(&self, shape: &Shape) -> bool {
        matches!(shape, Shape::Leaf { named: false, text, .. } if self.pattern.language.is_separator(text))
    }
}

/// Whether the comma there has no element before it.
fn is_hole(code: &Run<'_>, at: usize) -> bool {
    let token = |at: usize| code.nodes.get(at).filter(|node| !node.is_named());
    let before = at.checked_sub(1).and_then(token);
    token(at).is_some_and(|node| node.text() == ",") && before.is_some()
}

/// The name of a hole that a list consists of, and nothing else.
fn only_list(shape: &Shape) -> Option<Option<usize>> {
    let Shape::Inner { children, gaps, .. } = shape else { return None };
    match children.as_slice() {
        [Child { shape: Shape::Many { name }, .. }] if gaps.is_empty() => Some(*name),
        [Child { shape, .. }] if gaps.is_empty() => only_list(shape),
        _ => None,
    }
}

/// Whether a shape is a token that can close a list.
fn closes(shape: &Shape) -> bool {
    matches!(shape, Shape::Leaf { named: false, .. })
}

fn same_binding(a: &Binding<'_>, b: &Binding<'_>) -> bool {
    match (a, b) {
        (Binding::One(a), Binding::One(b)) => a.same_code(*b),
        (Binding::Many(a), Binding::Many(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same_code(*b)),
        _ => false,
    }
}
