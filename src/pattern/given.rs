//! What names stand for before anything is matched: a follow-up takes it from its seed.
//!
//! Must not: know what a seed is.

use std::collections::BTreeMap;

use super::Binding;
use crate::tree::{Node, literal_value};

/// What a name stands for from the start.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Given {
    /// This code, white space left out.
    Code(String),
    /// Code with this text, or a literal with this value.
    Text(String),
}

/// The same, by name.
pub type Givens = BTreeMap<String, Given>;

impl Given {
    /// The text as it was given.
    pub fn text(&self) -> &str {
        let (Self::Code(text) | Self::Text(text)) = self;
        text
    }

    /// Whether a node is it.
    pub fn is(&self, node: Node<'_>) -> bool {
        match self {
            Self::Code(code) => same_code(code, node.text()),
            Self::Text(text) => node.text() == text || literal_value(node).as_ref() == Some(text),
        }
    }

    pub(super) fn is_bound(&self, binding: &Binding<'_>) -> bool {
        match binding {
            Binding::One(node) => self.is(*node),
            Binding::Many(nodes) => match nodes.as_slice() {
                [] => self.text().is_empty(),
                [one] => self.is(*one),
                [first, .., last] => {
                    let (from, to) = (first.local_range().start, last.local_range().end);
                    same_code(self.text(), first.tree().text().get(from..to).unwrap_or(""))
                }
            },
        }
    }
}

/// Whether two pieces of code are equal but for how their words are parted.
fn same_code(a: &str, b: &str) -> bool {
    a == b || a.split_whitespace().eq(b.split_whitespace())
}
