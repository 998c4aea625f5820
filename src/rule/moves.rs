//! Names that moved: every import of them, and every use, follows.

use std::collections::BTreeMap;

use super::{Decision, ImportRequest, Match, Replacement};
use crate::edit::Fragment;
use crate::language::Language;
use crate::symbol::{Import, Name, Symbols, Through, Wanted, normal};
use crate::tree::{Node, Tree};

/// What is said of `x.m` where `p.m` moved.
const EXTENSION: &str = "this file alone can't tell whether the member is what moved, or the value's own";

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
            let rename = !self.stays(&symbols, found, old) && renames(&symbols, node, old, &wanted);
            if let Some(why) = hinders(&symbols, node.tree(), old, &wanted, rename) {
                return Decision::Refuse(why);
            }
            return asks(ImportRequest::Replace { old: old.to_owned(), new: wanted, rename });
        }
        let names = symbols.names(node);
        let path = names.iter().find_map(|name| match name {
            Name::Path(path) => self.of_path(node.tree().language, path),
            Name::Free(path) | Name::Local(Some(path)) => self.0.get_key_value(path),
            Name::Local(None) => None,
        });
        match path {
            Some((old, new)) => match self.follows(&symbols, node, new) {
                Some(decision) => decision,
                None => used(&symbols, node, old, new, self.stays(&symbols, found, old)),
            },
            None if node.tree().language.facts.symbols.extension_functions && symbols.member_at(node).is_some() => {
                Decision::Skip(EXTENSION.to_owned())
            }
            None => Decision::Skip("it is imported in more than one way".to_owned()),
        }
    }

    /// What a member of a module becomes where all that the file says of the module moves to one other that has the
    /// same name in code: the new module takes the place of the old one.
    fn follows(&self, symbols: &Symbols, node: Node<'_>, new: &str) -> Option<Decision> {
        let (object, _) = symbols.member_at(node)?;
        let tree = node.tree();
        let import = symbols.import_of(object).filter(|import| import.name.as_deref() == Some(object.text()))?;
        let wanted = Wanted::parse(tree.language, new);
        let (wanted, through) = as_before(symbols, object, wanted);
        let facts = &tree.language.facts.symbols;
        let module = Wanted { name: None, alias: None, ..wanted.clone() };
        let whole = through == Through::Module || facts.import.through_module;
        let apart = normal(&import.path) != normal(&wanted.module);
        if !(whole && apart && module.bound() == object.text()) || tree.text().contains(super::ignore::MARK) {
            return None;
        }
        let moved = |object: Node<'_>| {
            let whole = symbols.member_of_object(object)?;
            let path = symbols.names(whole).into_iter().find_map(|name| match name {
                Name::Path(path) => self.of_path(tree.language, &path),
                Name::Free(_) | Name::Local(_) => None,
            });
            let (_, new) = path.filter(|_| !symbols.is_written(whole))?;
            (normal(&Wanted::parse(tree.language, new).module) == normal(&wanted.module)).then_some(())
        };
        let mut uses = symbols.uses(object).into_iter().filter(|one| !symbols.in_import(*one));
        if !uses.all(|one| moved(one).is_some()) {
            return None;
        }
        let text =
            format!("{}{}{}", object.text(), facts.separator, wanted.name.as_deref()?.replace('.', &facts.separator));
        let request = ImportRequest::Follow { old: import.path.clone(), new: module };
        Some(replaces(node, text, vec![request]))
    }

    fn imported<'m>(&'m self, symbols: &'m Symbols, node: Node<'_>) -> Option<(&'m str, &'m str)> {
        let of = symbols.imports().iter().filter(|i| i.element == node.id && i.name.is_some());
        of.filter_map(|i| self.0.get_key_value(&normal(&i.path))).map(|(old, new)| (old.as_str(), new.as_str())).next()
    }

    /// Whether others may import from this file what it imports: then it is called as before.
    fn stays(&self, symbols: &Symbols, found: &Match, old: &str) -> bool {
        let node = found.node();
        let facts = &node.tree().language.facts.symbols;
        let file = found.path.rsplit('/').next().unwrap_or_default();
        facts.exporting_files.iter().any(|name| name == file) || symbols.may_be_exported(node.tree(), old)
    }

    /// What a path becomes. A module's default export may be the module itself.
    fn of_path(&self, language: &Language, path: &str) -> Option<(&String, &String)> {
        let itself = || language.facts.symbols.default.then(|| path.replacen(".default", "", 1));
        self.0.get_key_value(path).or_else(|| self.0.get_key_value(&itself()?))
    }
}

/// Why an import can't follow what moved.
fn hinders(symbols: &Symbols, tree: &Tree, old: &str, wanted: &Wanted, renamed: bool) -> Option<String> {
    let facts = &tree.language.facts.symbols.import;
    let last = old.rsplit('.').next().unwrap_or(old);
    let below = format!("{old}.");
    let deeper = |i: &Import| {
        i.name.as_deref() == Some(last)
            && normal(&i.path) == old
            && i.module.as_deref().is_some_and(|m| normal(m).starts_with(&below))
    };
    if symbols.imports().iter().any(deeper) {
        return Some(format!("an import of a module below `{old}` binds the same name"));
    }
    let aliases = if wanted.name.is_some() { &facts.name_as } else { &facts.module_as };
    symbols.imports().iter().find(|i| i.name.as_deref() == Some(last) && normal(&i.path) == old)?;
    let keeps = aliases.is_empty() && last != wanted.bound() && !renamed;
    if !keeps {
        return None;
    }
    let also = match symbols.besides(tree, last, old) {
        Ok(Some(other)) | Err(other) if other.id != tree.root().id => {
            let (line, column) = other.line_column();
            format!(": {line}:{column} says `{}`, too, which may be another one", last)
        }
        _ => String::new(),
    };
    Some(format!(
        "`{last}` can't take the name `{}` here{also}; an import can't have an alias, so that both can't be told \
         apart: rename it there by hand first, or leave this file out",
        wanted.bound()
    ))
}

/// Whether an import without an alias takes the new name, and every use with it: only
/// where all that is called so in the file is certain to be a plain use of this import.
fn renames(symbols: &Symbols, node: Node<'_>, old: &str, wanted: &Wanted) -> bool {
    let last = old.rsplit('.').next().unwrap_or(old);
    last == wanted.bound() || takes(symbols, node, wanted) && symbols.is_sole(node.tree(), last, old)
}

/// Whether the file has room for the new name.
fn takes(symbols: &Symbols, node: Node<'_>, wanted: &Wanted) -> bool {
    let path = wanted.path();
    let name = wanted.bound();
    let there = symbols.imports().iter().any(|i| i.name.as_deref() == Some(name.as_str()) && normal(&i.path) == path);
    there || symbols.is_free(node, &name)
}

fn used(symbols: &Symbols, node: Node<'_>, old: &str, new: &str, stays: bool) -> Decision {
    let language: &Language = node.tree().language;
    let wanted = Wanted::parse(language, new);
    let module = |path: &str| path.rsplit_once('.').map(|(module, _)| module.to_owned());
    let (last, new_last) = (old.rsplit('.').next().unwrap_or(old), wanted.bound());
    if let Some((object, name)) = symbols.member_at(node) {
        // `encoding.force_text`: what it is a member of stays where it was.
        if module(old) == Some(normal(&wanted.module)) {
            return replaces(name, new_last, Vec::new());
        }
        if symbols.is_written(node) || symbols.is_written(name) {
            return Decision::Refuse(format!("`{old}` is assigned to, and its module changes"));
        }
        let (wanted, through) = as_before(symbols, object, wanted);
        let reached = symbols.reach(node, &wanted, &[], through);
        let mut imports: Vec<ImportRequest> = reached.import.into_iter().map(ImportRequest::Add).collect();
        imports.push(ImportRequest::DropOrphans);
        return replaces(node, reached.text, imports);
    }
    // An alias stays, and what it stands for is the import's to say.
    let by_import = symbols.import_of(node).is_some();
    if !by_import || node.text() != last || last == new_last {
        return Decision::Edits(Vec::new());
    }
    let renamed = !stays && renames(symbols, node, old, &wanted);
    if let Some(why) = hinders(symbols, node.tree(), old, &wanted, renamed) {
        return Decision::Refuse(why);
    }
    if !renamed {
        return Decision::Edits(Vec::new());
    }
    replaces(node, new_last, Vec::new())
}

/// How a name that was a member of a module is reached in its new one: where modules are
/// files, as a member, too, of a module that is imported in the same way.
fn as_before(symbols: &Symbols, object: Node<'_>, wanted: Wanted) -> (Wanted, Through) {
    let files = object.tree().language.facts.symbols.import.file_modules;
    let Some(import) = symbols.import_of(object).filter(|_| files) else { return (wanted, Through::Either) };
    let module = import.module.as_deref().map(normal).unwrap_or_default();
    let path = normal(&import.path);
    match path.strip_prefix(&module) {
        Some("") => (wanted, Through::Module),
        Some(".default") => {
            let alias = Some(Wanted { name: None, ..wanted.clone() }.bound());
            let name = wanted.name.as_ref().map(|name| format!("default.{name}"));
            (Wanted { name, alias, ..wanted }, Through::Either)
        }
        _ => (wanted, Through::Either),
    }
}

fn replaces(node: Node<'_>, text: String, imports: Vec<ImportRequest>) -> Decision {
    let fragments = vec![Fragment::Text(text)];
    Decision::Edits(vec![Replacement { imports, ..Replacement::new(node.range(), fragments) }])
}

fn asks(request: ImportRequest) -> Decision {
    Decision::Edits(vec![Replacement { imports: vec![request], ..Replacement::new(0..0, Vec::new()) }])
}
