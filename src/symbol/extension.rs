//! Members that a class brings to values of another type, as Scala's implicit classes do, and functions that
//! are called as members, as Kotlin's extensions are: whether such a one is meant is told by the imports of
//! the file and the type of the value.
//!
//! Must not: guess what a package has from the packages above it.

use super::types::{Type, Types};
use super::{Certainty, Symbols, name_of, normal};
use crate::tree::{Node, Tree};

impl Symbols {
    /// Whether a member of `object` is one of the class of this path, given in [`normal`] form: the object
    /// is the class, a value of it, or a value that the class brings its members to.
    pub fn has_members_of(&self, object: Node<'_>, path: &str) -> Certainty {
        let (sought, paths) = (|is: &str| is == path, [path.to_owned()]);
        let own = self.is(object, &sought, &paths).or(|| self.has_type(object, &sought, &paths));
        // Whether a class brings the member, imports tell; that the type of the value is not known doesn't.
        if own == Certainty::Yes { own } else { self.is_extended(object, path).unwrap_or(own) }
    }

    /// Whether `object` may have a member by a class of this path that brings it; `None` where no class
    /// of the path brings any.
    fn is_extended(&self, object: Node<'_>, path: &str) -> Option<Certainty> {
        let tree = object.tree();
        let types = Types::of(tree);
        let classes = types.classes(path);
        let of: Vec<Type> = classes.iter().filter_map(|class| extended(&types, *class)).collect();
        if !of.is_empty() {
            let paths: Vec<String> = of.into_iter().map(|one| one.path).collect();
            let value = || self.has_type(object, &|is| paths.iter().any(|path| path == is), &paths);
            return Some(self.has_in_scope(tree, &types, path, &paths).and(value));
        }
        // A class that nobody declares may do so where the file has it.
        let near = classes.is_empty() && tree.language.facts.symbols.extensions && self.speaks_of(path);
        near.then_some(Certainty::Unknown)
    }

    /// As [`Symbols::is`], where a member of a value may be a function that the file imports: the value's own
    /// member of that name comes first, and its type may be declared elsewhere.
    pub fn is_named(&self, node: Node<'_>, sought: &dyn Fn(&str) -> bool, paths: &[String]) -> Certainty {
        self.is(node, sought, paths).or(|| self.is_called_as_member(node, paths))
    }

    fn is_called_as_member(&self, node: Node<'_>, paths: &[String]) -> Certainty {
        let tree = node.tree();
        let facts = &tree.language.facts.symbols;
        let Some((object, member)) = self.member_at(node).filter(|_| facts.extension_functions) else {
            return Certainty::No;
        };
        let member = name_of(member);
        let modules =
            |module: &str| self.package.as_deref() == Some(module) || facts.implicit.iter().any(|m| m == module);
        let brings = |path: &String| {
            let Some((module, name)) = path.rsplit_once('.') else { return false };
            let named = self.imports.iter().any(|import| match &import.name {
                Some(own) => own == member && normal(&import.path) == *path,
                None => name == member && (facts.reexports || normal(&import.path) == module),
            });
            named || name == member && modules(module)
        };
        if !paths.iter().any(brings) {
            return Certainty::No;
        }
        let own = self.type_of(object).is_some_and(|of| Types::of(tree).has_member(&of, member));
        if own { Certainty::No } else { Certainty::Unknown }
    }

    /// Whether a class is in scope: by its package, by an import, or beside a type that it extends.
    fn has_in_scope(&self, tree: &Tree, types: &Types<'_>, path: &str, extends: &[String]) -> Certainty {
        let Some((around, name)) = path.rsplit_once('.') else { return Certainty::Yes };
        let own = self.package.as_deref() == Some(around) || extends.iter().any(|of| of == around);
        if own || self.declared(tree).classes.contains_key(path) {
            return Certainty::Yes;
        }
        let brings = |import: &super::Import| match import.name {
            Some(_) => normal(&import.path) == path,
            // A library says that a package has it from elsewhere by `type Name = other.Name`.
            None => {
                let here = normal(&import.path);
                here == around || types.alias(&format!("{here}.{name}"), 1).is_some_and(|is| is.path == path)
            }
        };
        if self.imports.iter().any(brings) {
            return Certainty::Yes;
        }
        // What another wildcard looks into may have it from above.
        let open = self.imports.iter().any(|import| import.name.is_none());
        if open { Certainty::Unknown } else { Certainty::No }
    }

    /// Whether an import of the file is of the class, or of all that is in its package or one above it.
    fn speaks_of(&self, path: &str) -> bool {
        let below = |of: &str| path.strip_prefix(of).is_some_and(|rest| rest.starts_with('.'));
        self.imports.iter().any(|import| match import.name {
            Some(_) => normal(&import.path) == path,
            None => below(&normal(&import.path)),
        })
    }
}

/// The type to whose values a class brings its members.
fn extended(types: &Types<'_>, class: Node<'_>) -> Option<Type> {
    let of = *Symbols::of(class.tree()).extends.get(&class.id)?;
    types.read(class.tree().node(of), 1)
}
