//! Whether what a name refers to is one of some paths.

use super::hidden::unless;
use super::{Certainty, Import, Library, Name, Symbols, name_of};
use crate::tree::{Node, NodeId, Tree};

impl Symbols {
    /// Whether the node refers to one of these paths, given in normal form. Where
    /// a name is introduced, it does not.
    pub fn is(&self, node: Node<'_>, sought: &dyn Fn(&str) -> bool, paths: &[String]) -> Certainty {
        let of_package = || self.package_names.iter().any(|name| node.tree().node(*name).contains(node));
        if self.is_definition(node) || of_package() {
            return Certainty::No;
        }
        self.are(&self.names(node), node, sought, paths)
    }

    /// Whether the node names what a pattern takes out of an object, `f` of `const { f } = m`, and that is one
    /// of these paths.
    pub fn is_taken(&self, node: Node<'_>, sought: &dyn Fn(&str) -> bool, paths: &[String]) -> Certainty {
        let import = || self.in_import(node);
        self.taken(node).filter(|_| !import()).map_or(Certainty::No, |is| self.are(&is, node, sought, paths))
    }

    /// Whether the node is a text that speaks of one of these paths, as an annotation in quotes does.
    pub fn is_said(&self, node: Node<'_>, sought: &dyn Fn(&str) -> bool, paths: &[String]) -> bool {
        let says = |path: &str| self.are(&self.names_of_path(node, path), node, sought, paths) != Certainty::No;
        self.spoken(node).into_iter().any(says)
    }

    /// What a text names, where it is one that speaks of code.
    fn spoken<'t>(&self, node: Node<'t>) -> Vec<&'t str> {
        let Some(in_braces) = self.speaking.get(&node.id) else { return Vec::new() };
        let word = |c: char| c.is_alphanumeric() || c == '_';
        // `{x}`, `{x:?}`, and the width of `{:w$}`.
        let in_part = |part: &'t str| {
            let part = part.split('}').next().unwrap_or(part);
            let (head, form) = part.split_once(':').unwrap_or((part, ""));
            let widths = form.split_inclusive('$').filter_map(|form| form.strip_suffix('$'));
            std::iter::once(head).chain(widths.filter_map(move |width| width.rsplit(|c| !word(c)).next()))
        };
        let parts: Vec<&str> = match in_braces {
            true => node.text().split('{').skip(1).flat_map(in_part).collect(),
            false => node.text().split(|c: char| !word(c) && c != '.').collect(),
        };
        parts.into_iter().filter(|path| !path.is_empty()).collect()
    }

    /// Whether a text names what one of these introduces, as `"{x}"` does.
    pub(super) fn names_in_text(&self, tree: &Tree, name: &str, meant: &[NodeId]) -> bool {
        let here = |text: &NodeId| {
            let text = tree.node(*text);
            let is = |path: &str| path.split('.').next() == Some(name);
            text.text().contains(name)
                && self.spoken(text).into_iter().any(is)
                && self.seen_at(text, name).iter().any(|d| meant.contains(&d.node))
        };
        self.speaking.keys().any(here)
    }

    /// What a pattern takes there out of an object.
    pub fn taken(&self, node: Node<'_>) -> Option<Vec<Name>> {
        let object = node.tree().node(*self.taken.get(&node.id)?);
        Some(self.member(self.names(object), name_of(node)))
    }

    fn are(&self, names: &[Name], node: Node<'_>, sought: &dyn Fn(&str) -> bool, paths: &[String]) -> Certainty {
        let mut answers = names.iter().map(|name| self.is_name(name, node, sought, paths));
        let Some(first) = answers.next() else { return Certainty::No };
        // Defined in several ways: certain only where all of them agree.
        answers.fold(first, |sum, one| if sum == one { sum } else { Certainty::Unknown })
    }

    fn is_name(&self, name: &Name, node: Node<'_>, sought: &dyn Fn(&str) -> bool, paths: &[String]) -> Certainty {
        let tree = node.tree();
        let facts = &tree.language.facts.symbols;
        let yes = |is: bool| if is { Certainty::Yes } else { Certainty::No };
        match name {
            Name::Path(path) => {
                if sought(path) || facts.default && sought(&path.replacen(".default", "", 1)) {
                    return Certainty::Yes;
                }
                self.relative(path, tree, paths)
            }
            Name::Local(path) => yes(path.as_deref().is_some_and(sought)),
            Name::Free(written) => {
                let below = |module: &str| sought(&format!("{module}.{written}"));
                if self.package_at(node).as_deref().is_some_and(below) {
                    return unless(!written.contains('.') && self.may_be_inherited(node));
                }
                if self.packages_around(node).iter().any(|package| below(package)) {
                    return Certainty::Unknown;
                }
                let wildcards = || self.imports.iter().filter(|i| i.name.is_none());
                let suffix = format!(".{written}");
                let brought = wildcards().any(|w| below(&w.path) || !self.is_absolute(&w.path, tree))
                    || facts.reexports && wildcards().next().is_some();
                if sought(written) && !(facts.qualified_by_import && written.contains('.')) {
                    let head = written.split('.').next().unwrap_or_default();
                    let strange = !facts.globals.is_empty() && written.contains('.');
                    let unknown = match strange {
                        true => !facts.globals.iter().any(|g| g == head),
                        // What a wildcard brings may hide a built-in, and never a qualified path.
                        false => brought && facts.reexports && !written.contains('.'),
                    };
                    return if unknown { Certainty::Unknown } else { Certainty::Yes };
                }
                if facts.implicit.iter().any(|module| below(module)) {
                    return if brought { Certainty::Unknown } else { Certainty::Yes };
                }
                // What is declared to be there is brought, unless a second one is, too.
                let brings = |w: &&Import| below(&w.path) && Library::declares(tree, &format!("{}.{written}", w.path));
                if wildcards().any(|w| brings(&w)) {
                    return Certainty::Yes;
                }
                if brought && paths.iter().any(|p| p.ends_with(&suffix)) {
                    Certainty::Unknown
                } else {
                    self.relative(written, tree, paths)
                }
            }
        }
    }

    fn is_absolute(&self, path: &str, tree: &Tree) -> bool {
        let first = path.split('.').next().unwrap_or_default();
        !first.is_empty() && !tree.language.facts.symbols.relative.iter().any(|r| r == first)
    }

    /// A path that depends on where the file lies may be the one that is sought.
    fn relative(&self, path: &str, tree: &Tree, paths: &[String]) -> Certainty {
        if self.is_absolute(path, tree) {
            return Certainty::No;
        }
        let rest = path.trim_start_matches('.');
        let rest = if path.starts_with('.') { rest } else { rest.split_once('.').map_or("", |(_, rest)| rest) };
        let suffix = format!(".{rest}");
        if !rest.is_empty() && paths.iter().any(|p| p.ends_with(&suffix)) { Certainty::Unknown } else { Certainty::No }
    }
}
