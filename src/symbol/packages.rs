//! The packages that a file says it belongs to: a chain of clauses, or several beside each other.

use super::{Symbols, path_of};
use crate::tree::{Node, NodeId, Tree};

impl Symbols {
    /// The package of the whole file: its clauses, chained; none where one has ended before the next begins.
    pub(super) fn package_of_all(&self, tree: &Tree) -> Option<String> {
        let clauses: Vec<Node<'_>> = self.clauses(tree).map(|(clause, _)| clause).collect();
        let ends = |clause: &Node<'_>| clause.field("body").is_some();
        let apart = clauses
            .iter()
            .enumerate()
            .any(|(at, clause)| ends(clause) && clauses.iter().skip(at + 1).any(|later| !clause.contains(*later)));
        if apart { None } else { chained(self.clauses(tree).map(|(_, name)| name)) }
    }

    /// The package that code stands in.
    pub(super) fn package_at(&self, node: Node<'_>) -> Option<String> {
        if self.package.is_some() || self.package_names.is_empty() {
            return self.package.clone();
        }
        let holds = |clause: &Node<'_>| match clause.field("body") {
            Some(body) => body.contains(node),
            None => clause.parent().is_none_or(|around| around.contains(node)),
        };
        let names = self.clauses(node.tree()).filter(|(clause, _)| holds(clause)).map(|(_, name)| name);
        chained(names)
    }

    /// The packages around that one, of which each clause of a chain opens what is in it.
    pub(super) fn packages_around(&self, node: Node<'_>) -> Vec<String> {
        let Some(own) = self.package_at(node).filter(|_| self.package_names.len() > 1) else { return Vec::new() };
        let names = || self.clauses(node.tree()).map(|(_, name)| name);
        let around = (1..self.package_names.len()).filter_map(|many| chained(names().take(many)));
        around.filter(|path| own.starts_with(&format!("{path}."))).collect()
    }

    /// Whether what a scope holds belongs to a package, or to the file, and to nothing within it.
    pub(super) fn is_top(&self, tree: &Tree, scope: u32) -> bool {
        let clause = |id: NodeId| {
            let around = tree.node(id).parent();
            around.is_some_and(|around| self.clauses(tree).any(|(clause, _)| clause.id == around.id))
        };
        let mut at = Some(scope);
        while let Some(scope) = at.and_then(|at| self.scopes.get(at as usize)) {
            match scope.owner {
                None => return true,
                Some(owner) if clause(owner) => at = scope.parent,
                Some(_) => return false,
            }
        }
        false
    }

    fn clauses<'t>(&self, tree: &'t Tree) -> impl Iterator<Item = (Node<'t>, Node<'t>)> {
        let name = |id: &NodeId| tree.node(*id);
        self.package_names.iter().map(name).filter_map(|name| Some((name.parent()?, name)))
    }
}

fn chained<'t>(names: impl Iterator<Item = Node<'t>>) -> Option<String> {
    let all: Vec<String> = names.map(|name| path_of(name)).collect();
    (!all.is_empty()).then(|| all.join("."))
}
