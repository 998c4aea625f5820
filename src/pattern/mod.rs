//! Patterns: code with holes, compiled once per language, matched exactly.
//!
//! `$X` is one node, `$_` one node that is never compared, `$$$X` any number of
//! neighbours, `$$$` the same without a name. A repeated name must match the
//! same code. Comments in the code never prevent a match.
//!
//! Must not: know rules, Rhai, or stages.

mod calls;
mod compile;
mod error;
mod given;
mod holes;
mod invocation;
mod matching;
mod nearest;
mod spelling;

pub use calls::{Call, call_at, call_languages, knows_calls};
pub use compile::{Reads, compile, readings};
pub use error::PatternError;
pub use given::{Given, Givens};
pub use holes::{Hole, Piece, split};
pub use invocation::{Invocation, compile_invocation};
pub use matching::{Binding, Bindings, gave_up};
pub use nearest::{Nearest, nearest};

use crate::language::Language;
use crate::tree::Node;

/// A compiled pattern of one language.
#[derive(Debug)]
pub struct Pattern {
    /// The language it reads.
    pub language: &'static Language,
    /// As written.
    pub source: String,
    /// The context that it was understood in (`expr`, `stmt`, …).
    pub context: String,
    /// Names of its holes in order of appearance, `$$$` marks left out.
    pub names: Vec<String>,
    /// Those of them that are lists (`$$$X`), and may be empty.
    pub lists: std::collections::BTreeSet<String>,
    /// Whether a name stands twice: a match then depends on what was bound before.
    repeats: bool,
    root: Shape,
    /// Of an expression that was asked for as a statement: the kind of the statement that it must be all of.
    statement: Option<u16>,
    /// Texts that any match must hold.
    literals: Vec<String>,
}

/// What a node of the code must look like.
#[derive(Debug)]
pub(crate) enum Shape {
    /// A leaf with this text.
    Leaf { kind: u16, named: bool, text: String },
    /// A node with these children; `gaps` is text between them that has no node.
    Inner { kind: u16, children: Vec<Child>, gaps: Vec<String> },
    /// One node. `chain` are the kinds of the nodes that the hole's own spelling
    /// was wrapped in, outermost first.
    One { name: Option<usize>, chain: Vec<u16> },
    /// Any number of neighbours.
    Many { name: Option<usize> },
}

impl Shape {
    /// The kind of the node, where it is told.
    pub(crate) fn kind(&self) -> Option<u16> {
        match self {
            Self::Leaf { kind, .. } | Self::Inner { kind, .. } => Some(*kind),
            Self::One { .. } | Self::Many { .. } => None,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Child {
    pub(crate) field: u16,
    pub(crate) shape: Shape,
}

impl Pattern {
    /// The kinds that a match's root can have; `None` where it can be any.
    pub fn root_kinds(&self) -> Option<Vec<u16>> {
        self.root.kind().map(|kind| self.language.alike(kind))
    }

    /// Texts that any match must hold, longest first.
    pub fn literals(&self) -> &[String] {
        &self.literals
    }

    /// Whether it is more than one token.
    pub fn has_parts(&self) -> bool {
        matches!(self.root, Shape::Inner { .. })
    }

    /// As what it was read, for people: the kind of its node, where it is told, and the context.
    pub fn reading(&self) -> String {
        match self.root.kind() {
            Some(kind) => format!("`{}` ({})", self.language.kind(kind), self.context),
            None => self.context.clone(),
        }
    }

    /// Its tokens in order, as one text between one hole and the next; words are apart.
    pub fn runs(&self) -> Vec<String> {
        fn collect(shape: &Shape, runs: &mut Vec<String>) {
            let mut push = |text: &str| {
                let Some(run) = runs.last_mut() else { return };
                let word = |c: char| c.is_alphanumeric() || c == '_';
                run.extend((run.ends_with(word) && text.starts_with(word)).then_some(' '));
                run.push_str(text);
            };
            match shape {
                Shape::Leaf { text, .. } => push(text.trim()),
                Shape::Inner { children, gaps, .. } => {
                    gaps.iter().for_each(|gap| push(gap));
                    children.iter().for_each(|child| collect(&child.shape, runs));
                }
                Shape::One { .. } | Shape::Many { .. } => runs.push(String::new()),
            }
        }
        let mut runs = vec![String::new()];
        collect(&self.root, &mut runs);
        runs.retain(|run| !run.is_empty());
        runs
    }

    /// Matches the pattern against one node.
    pub fn matches<'t>(&self, node: Node<'t>) -> Option<Bindings<'t>> {
        let around = |kind: u16| node.parent().is_some_and(|up| up.kind_id() == kind);
        self.statement.is_none_or(around).then(|| matching::matches(self, node)).flatten()
    }

    /// The expression that is all of a statement, where the pattern asks for one that is.
    pub fn expression_of<'t>(&self, statement: Node<'t>) -> Option<Node<'t>> {
        statement.named_children().next().filter(|_| self.statement == Some(statement.kind_id()))
    }
}

#[cfg(test)]
mod language_tests;
#[cfg(test)]
mod strict_tests;
#[cfg(test)]
mod tests;
