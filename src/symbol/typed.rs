//! What the declarations, constructors and annotations of a file tell of types.

use super::{Certainty, Kind, Symbols};
use crate::tree::Node;

/// How many names are followed from one to the next.
const MAX_STEPS: usize = 16;

impl Symbols {
    /// Whether a value is declared to be of one of these types, or made as one. A
    /// subtype is not told from any other type.
    pub fn has_type(&self, node: Node<'_>, sought: &dyn Fn(&str) -> bool, paths: &[String]) -> Certainty {
        self.type_at(node, sought, paths, 0)
    }

    fn type_at(&self, node: Node<'_>, sought: &dyn Fn(&str) -> bool, paths: &[String], step: usize) -> Certainty {
        let tree = node.tree();
        if step > MAX_STEPS {
            return Certainty::Unknown;
        }
        if let Some(of) = self.constructs.get(&node.id).map(|of| tree.node(*of)) {
            // `Foo(…)` makes a `Foo`; `foo(…)` gives whatever it gives.
            let bare = tree.language.facts.symbols.capitalised_types;
            if !bare || last_segment(of.text()).starts_with(|c: char| c.is_uppercase()) {
                return self.is(unwrapped(of), sought, paths);
            }
            return Certainty::Unknown;
        }
        let node = unwrapped(node);
        if tree.language.is_string(node.kind_id()) {
            return Certainty::No;
        }
        if self.member_names.contains_key(&node.id) || self.members.contains_key(&node.id) {
            return Certainty::Unknown;
        }
        let definitions = self.definitions_of(node);
        let mut answers = definitions.into_iter().map(|definition| {
            if let Some(of) = definition.type_node.map(|of| unwrapped(tree.node(of)))
                && !matches!(of.text(), "var" | "val" | "let")
            {
                return self.is(of, sought, paths);
            }
            match (definition.kind, definition.value, &definition.member) {
                (Kind::Plain, Some(value), None) if !self.reassigned.contains(node.text()) => {
                    self.type_at(tree.node(value), sought, paths, step + 1)
                }
                (Kind::Class, ..) => Certainty::No,
                _ => Certainty::Unknown,
            }
        });
        let Some(first) = answers.next() else { return Certainty::Unknown };
        answers.fold(first, |sum, one| if sum == one { sum } else { Certainty::Unknown })
    }
}

/// The name in a type or value that is wrapped: `List` of `List<T>`.
fn unwrapped(node: Node<'_>) -> Node<'_> {
    let wrappers = &node.tree().language.facts.symbols.wrappers;
    let mut inner = node;
    while wrappers.iter().any(|k| k == inner.kind())
        && let Some(next) = inner.named_children().next()
    {
        inner = next;
    }
    inner
}

fn last_segment(path: &str) -> &str {
    path.rsplit(['.', ':']).next().unwrap_or(path)
}
