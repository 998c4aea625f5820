//! Names that moved: every import of them, and every use, follows.

use std::collections::BTreeMap;

use super::{Decision, ImportRequest, Match, Replacement};
use crate::edit::Fragment;
use crate::language::Language;
use crate::symbol::{Name, Symbols, Wanted, normal};
use crate::tree::Node;

/// Old paths and new ones.
#[derive(Clone, Debug)]
pub struct Moves(BTreeMap<String, String>);

impl Moves {
    /// Takes pairs of an old and a new path.
    pub fn new(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(pairs.into_iter().map(|(old, new)| (normal(&old), new)).collect())
    }

    /// The old paths.
    pub fn paths(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    /// What a match, an import or a use of an old path, becomes.
    pub(super) fn decide(&self, found: &Match) -> Decision {
        let node = found.node();
        let symbols = Symbols::of(node.tree());
        if let Some((old, new)) = self.imported(&symbols, node) {
            let wanted = Wanted::parse(node.tree().language, new);
            let rename = takes(&symbols, node, &wanted);
            return asks(ImportRequest::Replace { old: old.to_owned(), new: wanted, rename });
        }
        let names = symbols.names(node);
        let path = names.iter().find_map(|name| match name {
            Name::Path(path) | Name::Free(path) | Name::Local(Some(path)) => self.0.get_key_value(path),
            Name::Local(None) => None,
        });
        match path {
            Some((old, new)) => used(&symbols, node, old, new),
            None => Decision::Skip("it is imported in more than one way".to_owned()),
        }
    }

    fn imported<'m>(&'m self, symbols: &'m Symbols, node: Node<'_>) -> Option<(&'m str, &'m str)> {
        let of = symbols.imports().iter().filter(|i| i.element == node.id && i.name.is_some());
        of.filter_map(|i| self.0.get_key_value(&normal(&i.path))).map(|(old, new)| (old.as_str(), new.as_str())).next()
    }
}

/// Whether the file has room for the new name.
fn takes(symbols: &Symbols, node: Node<'_>, wanted: &Wanted) -> bool {
    let path = wanted.path();
    let name = wanted.bound();
    let there = symbols.imports().iter().any(|i| i.name.as_deref() == Some(name.as_str()) && normal(&i.path) == path);
    there || symbols.is_free(node, &name)
}

fn used(symbols: &Symbols, node: Node<'_>, old: &str, new: &str) -> Decision {
    let language: &Language = node.tree().language;
    let wanted = Wanted::parse(language, new);
    let module = |path: &str| path.rsplit_once('.').map(|(module, _)| module.to_owned());
    let (last, new_last) = (old.rsplit('.').next().unwrap_or(old), wanted.bound());
    if let Some((_, name)) = symbols.member_at(node) {
        // `encoding.force_text`: what it is a member of stays where it was.
        if module(old) == Some(normal(&wanted.module)) {
            return replaces(name, new_last, Vec::new());
        }
        let reached = symbols.reach(node, &wanted, false);
        let mut imports: Vec<ImportRequest> = reached.import.into_iter().map(ImportRequest::Add).collect();
        imports.push(ImportRequest::DropOrphans);
        return replaces(node, reached.text, imports);
    }
    // An alias stays, and what it stands for is the import's to say.
    let by_import = symbols.import_of(node).is_some();
    if !by_import || node.text() != last || last == new_last || !takes(symbols, node, &wanted) {
        return Decision::Edits(Vec::new());
    }
    replaces(node, new_last, Vec::new())
}

fn replaces(node: Node<'_>, text: String, imports: Vec<ImportRequest>) -> Decision {
    Decision::Edits(vec![Replacement { range: node.range(), fragments: vec![Fragment::Text(text)], imports }])
}

fn asks(request: ImportRequest) -> Decision {
    Decision::Edits(vec![Replacement { range: 0..0, fragments: Vec::new(), imports: vec![request] }])
}
        if symbols.is_written(node) || symbols.is_written(name) {
            return Decision::Refuse(format!("`{old}` is assigned to, and its module changes"));
        }
