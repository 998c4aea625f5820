//! [`Pattern`] against a node: exact, with backtracking only inside one list.

use super::{Child, Pattern, Shape};
use crate::tree::{Node, same_text};

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
}

impl<'t> Bindings<'t> {
    /// What `name` stands for.
    pub fn get(&self, name: &str) -> Option<&Binding<'t>> {
        self.slots.iter().find(|(n, _)| n == name)?.1.as_ref()
    }

    /// Every name and what it stands for.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Binding<'t>)> {
        self.slots.iter().filter_map(|(name, binding)| Some((name.as_str(), binding.as_ref()?)))
    }

    /// Adds or replaces a binding.
    pub fn set(&mut self, name: &str, binding: Binding<'t>) {
        match self.slots.iter_mut().find(|(n, _)| n == name) {
            Some(slot) => slot.1 = Some(binding),
            None => self.slots.push((name.to_owned(), Some(binding))),
        }
    }
}

/// Attempts within one match after which it counts as none: only a pattern with
/// many list holes over a very long list gets there.
const ATTEMPTS: u32 = 100_000;

struct Matcher<'p, 't> {
    pattern: &'p Pattern,
    slots: Vec<Option<Binding<'t>>>,
    attempts: u32,
    fold: bool,
}

pub(super) fn matches<'t>(pattern: &Pattern, node: Node<'t>) -> Option<Bindings<'t>> {
    if !std::ptr::eq(pattern.language, node.tree().language) {
        return None;
    }
    let mut matcher = Matcher {
        pattern,
        slots: vec![None; pattern.names.len()],
        attempts: ATTEMPTS,
        fold: pattern.language.facts.case_insensitive,
    };
    matcher
        .shape(&pattern.root, node)
        .then(|| Bindings { slots: pattern.names.iter().cloned().zip(matcher.slots).collect() })
}

impl<'t> Matcher<'_, 't> {
    fn shape(&mut self, shape: &Shape, node: Node<'t>) -> bool {
        if node.is_missing() || node.is_error() {
            return false;
        }
        match shape {
            Shape::Leaf { kind, named, text } => {
                node.kind_id() == *kind
                    && node.is_named() == *named
                    && (!named || same_text(text, node.text(), self.fold) && node.is_leaf())
            }
            Shape::Inner { kind, children, gaps } => node.kind_id() == *kind && self.inner(children, gaps, node),
            Shape::One { name, chain } => self.one(*name, chain, node),
            Shape::Many { name } => self.bind(*name, Binding::Many(vec![node])),
        }
    }

    fn inner(&mut self, children: &[Child], gaps: &[String], node: Node<'t>) -> bool {
        let own = node.gaps();
        if own.len() != gaps.len() || own.iter().zip(gaps).any(|(a, b)| a != b) {
            return false;
        }
        let code: Vec<Node<'t>> = node.children().filter(|c| !c.is_extra()).collect();
        self.list(children, &code)
    }

    /// Binds a hole to the innermost node that the hole's own wrapping agrees
    /// with: in Python, `$B` of `if $A: $B` is the only statement of the block.
    fn one(&mut self, name: Option<usize>, chain: &[u16], node: Node<'t>) -> bool {
        if !node.is_named() {
            return false;
        }
        let language = node.tree().language;
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
        self.bind(name, Binding::One(bound))
    }

    fn bind(&mut self, name: Option<usize>, binding: Binding<'t>) -> bool {
        let Some(slot) = name.and_then(|n| self.slots.get_mut(n)) else { return true };
        match slot {
            None => {
                *slot = Some(binding);
                true
            }
            Some(bound) => same_binding(bound, &binding),
        }
    }

    /// Matches a list of shapes against all of `code`.
    fn list(&mut self, shapes: &[Child], code: &[Node<'t>]) -> bool {
        self.attempts = self.attempts.saturating_sub(1);
        if self.attempts == 0 {
            return false;
        }
        let Some((first, rest)) = shapes.split_first() else {
            return code.iter().all(|n| self.is_separator(n));
        };
        if let Shape::Many { name } = first.shape {
            return self.many(name, rest, code);
        }
        let saved = self.slots.clone();
        if let Some((node, more)) = code.split_first() {
            if first.field == node.field_id() && self.shape(&first.shape, *node) && self.list(rest, more) {
                return true;
            }
            self.slots = saved;
            // `f(a, b,)` against `f($A, $B)`: a separator before a closing token parts nothing.
            let trailing = self.is_separator(node) && closes(&first.shape) && !more.is_empty();
            if trailing && self.list(shapes, more) {
                return true;
            }
        }
        // `f(a)` against `f($A, $$$REST)`: with nothing to part, the separator goes too.
        let parts_nothing = self.is_separator_shape(&first.shape)
            && matches!(rest.first(), Some(Child { shape: Shape::Many { .. }, .. }))
            && code.iter().all(|n| self.is_separator(n) || !n.is_named());
        parts_nothing && self.list(rest, code)
    }

    /// A list hole takes as few nodes as possible. A run neither begins nor ends
    /// with a separator.
    fn many(&mut self, name: Option<usize>, rest: &[Child], code: &[Node<'t>]) -> bool {
        for taken in 0..=code.len() {
            let run = &code[..taken];
            let ragged = [run.first(), run.last()].into_iter().flatten().any(|n| self.is_separator(n));
            if ragged {
                continue;
            }
            let saved = self.slots.clone();
            if self.bind(name, Binding::Many(run.to_vec())) {
                if self.list(rest, &code[taken..]) {
                    return true;
                }
                // `f(a)` against `f($$$REST, $A)`: the same on the other side.
                let separator_next = rest.first().is_some_and(|c| self.is_separator_shape(&c.shape));
                if taken == 0 && separator_next && self.list(&rest[1..], code) {
                    return true;
                }
            }
            self.slots = saved;
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

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
