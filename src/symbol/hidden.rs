//! Names that the file does not define, where something that it does not show may have them: a class above the one
//! around, or what a wildcard import brings.
//!
//! Must not: doubt what hardly anybody means otherwise. A path that says two packages is one, a name that begins in
//! upper case is a type, and what the file imports by its name is meant.

use super::{Certainty, Symbols, name_of};
use crate::tree::Node;

impl Symbols {
    /// Whether the first name of a path in code, which the file does not define, may be one that it does not show.
    pub(super) fn may_be_hidden(&self, node: Node<'_>) -> bool {
        let facts = &node.tree().language.facts.symbols;
        if !facts.inherits && !facts.globs {
            return false;
        }
        let (head, behind) = self.parted(node);
        let name = facts.names.iter().any(|k| k == head.kind());
        if behind.is_empty() || !name || facts.certain.iter().any(|root| root == name_of(head)) {
            return false;
        }
        if !self.seen_at(head, name_of(head)).is_empty() {
            return false;
        }
        // `log.X` and `log.x()`: of a longer path, what stands in the middle tells that it is one of packages.
        let short = behind.len() == 1 || behind[0].starts_with(char::is_uppercase);
        facts.inherits && short && !self.says_type(head, node) && self.is_in_heir(head)
            || facts.globs && self.may_come_by_glob(head)
    }

    /// Whether a name by itself may be a member that a class around inherits, by how it is written.
    pub(super) fn may_be_inherited(&self, node: Node<'_>) -> bool {
        let facts = &node.tree().language.facts.symbols;
        facts.inherits && name_of(node).starts_with(char::is_lowercase) && self.is_in_heir(node)
    }

    /// The first name of a path, and what is taken of it.
    fn parted<'t>(&self, node: Node<'t>) -> (Node<'t>, Vec<&'t str>) {
        let tree = node.tree();
        let (mut head, mut behind) = (node, Vec::new());
        loop {
            if let Some((object, name)) = self.member_at(head) {
                behind.insert(0, name_of(name));
                head = object;
                continue;
            }
            let spelled = self.spelled(head);
            let Some((first, rest)) = spelled.split_first() else { return (head, behind) };
            behind.splice(0..0, rest.iter().map(|name| name_of(*name)));
            return (tree.node(first.id), behind);
        }
    }

    /// Whether a path stands where only a type can: fields have names of their own.
    fn says_type(&self, head: Node<'_>, path: Node<'_>) -> bool {
        let types = &head.tree().language.facts.symbols.types;
        let is = |node: Node<'_>| types.kinds.iter().chain(&types.namespace).any(|k| k == node.kind());
        let mut around = std::iter::once(head).chain(head.ancestors().take_while(|a| path.contains(*a)));
        around.any(is) || path.parent().is_some_and(is)
    }

    /// Whether a class around, or one above it in the file, is below one that the file does not have.
    fn is_in_heir(&self, node: Node<'_>) -> bool {
        let facts = &node.tree().language.facts.symbols;
        let mut pending = Vec::new();
        for around in node.ancestors() {
            // An object of a class without a name is below one that has one; a grammar may take its body for an
            // argument of it.
            let (first, last) = (around.children().next(), around.children().last());
            let anonymous = |n: &Node<'_>| facts.anonymous.iter().any(|k| k == n.kind());
            let made = anonymous(&around) || first.filter(anonymous).is_some_and(|object| !object.contains(node));
            if made && last.is_some_and(|body| body.contains(node)) {
                return true;
            }
            pending.extend(self.class_names.get(&around.id).copied());
        }
        let mut seen = std::collections::HashSet::new();
        while let Some(class) = pending.pop() {
            if !seen.insert(class) {
                continue;
            }
            for parent in self.parents.get(&class).into_iter().flatten() {
                let parent = super::typed::unwrapped(node.tree().node(*parent));
                let own = self.definitions_of(parent);
                if own.is_empty() || own.iter().any(|d| d.kind != super::Kind::Class) {
                    return true;
                }
                pending.extend(own.iter().map(|d| d.node));
            }
        }
        false
    }

    /// Whether a wildcard import that is seen where a name stands may bring it: one of what the file itself has
    /// around a module brings what stands there.
    fn may_come_by_glob(&self, head: Node<'_>) -> bool {
        let tree = head.tree();
        let around = |scope: u32| {
            let up = |at: &u32| self.scopes[*at as usize].parent.filter(|_| !self.scopes[*at as usize].module);
            std::iter::successors(Some(scope), up)
        };
        let Some(at) = self.scope_of.get(head.id.0 as usize) else { return false };
        let mut globs = self.imports.iter().filter(|i| i.name.is_none()).filter_map(|import| {
            let scope = *self.scope_of.get(import.statement.0 as usize)?;
            around(*at).any(|seen| seen == scope).then_some((import, scope))
        });
        globs.any(|(import, scope)| {
            // `use super::*` in a module of the file.
            let module = around(scope).last().filter(|at| self.scopes[*at as usize].module);
            let outside = module.and_then(|module| self.scopes[module as usize].owner).map(|owner| tree.node(owner));
            match outside.filter(|_| import.path == "super") {
                Some(module) => {
                    let own = self.scope_of[module.id.0 as usize];
                    self.by_name.contains_key(&(own, name_of(head).to_owned())) || self.has_glob(own)
                }
                None => true,
            }
        })
    }

    fn has_glob(&self, scope: u32) -> bool {
        let mut globs = self.imports.iter().filter(|i| i.name.is_none());
        globs.any(|i| self.scope_of.get(i.statement.0 as usize) == Some(&scope))
    }
}

/// Yes, or unknown where there is a doubt.
pub(super) fn unless(doubt: bool) -> Certainty {
    if doubt { Certainty::Unknown } else { Certainty::Yes }
}
