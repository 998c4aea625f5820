//! Names that are a parameter or a variable of a function where they stand.

use super::{Kind, Symbols};
use crate::tree::Node;

impl Symbols {
    /// Whether a node is a name that refers to something, and no member of an object.
    pub fn speaks_by(&self, node: Node<'_>) -> bool {
        let facts = &node.tree().language.facts.symbols;
        node.is_leaf()
            && facts.names.iter().any(|kind| kind == node.kind())
            && !self.is_definition(node)
            && !self.labels.contains(&node.id)
            && !self.member_names.contains_key(&node.id)
    }

    /// The name of the parameter or variable that a name refers to where it stands in a function, and is nothing else.
    pub fn local_at<'t>(&self, node: Node<'t>) -> Option<Node<'t>> {
        let all = self.definitions_of(node);
        let local = |scope: u32| {
            let scope = &self.scopes[scope as usize];
            scope.owner.is_some() && !scope.class && !scope.module
        };
        let plain = all.iter().all(|d| d.kind == Kind::Plain && local(d.scope));
        all.first().filter(|_| plain).map(|first| node.tree().node(first.node))
    }

    /// Whether the file itself has a name: it is imported, or defined outside of all functions and classes.
    pub fn is_global(&self, name: &str) -> bool {
        self.by_name.contains_key(&(0, name.to_owned()))
    }
}
