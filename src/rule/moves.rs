//! Names that moved: every import of them, and every use, follows.

use std::collections::BTreeMap;
use std::ops::Range;

use super::spoken::{Spoken, place};
use super::symbols::above;
use super::{Decision, ImportRequest, Match, Replacement};
use crate::edit::Fragment;
use crate::language::Language;
use crate::symbol::{Import, Manner, Name, Symbols, Through, Wanted, name_of, normal};
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
        if let Some(import) = self.below(&symbols, node) {
            return self.import_follows(node.tree().language, import);
        }
        if let Some((old, new)) = self.imported(&symbols, node) {
            let wanted = Wanted::parse(node.tree().language, new);
            let rename = !self.stays(&symbols, found, old) && renames(&symbols, node, old, &wanted);
            if let Some(why) = hinders(&symbols, node.tree(), old, &wanted, rename) {
                return Decision::Refuse(why);
            }
            return asks(ImportRequest::Replace { old: old.to_owned(), new: wanted, rename });
        }
        if let Some(taken) = symbols.taken(node) {
            return match self.of_names(node.tree().language, &taken) {
                Some((old, new)) => taken_anew(node, old, new),
                None => Decision::Edits(Vec::new()),
            };
        }
        let names = symbols.names(node);
        let path = self.of_names(node.tree().language, &names);
        match path {
            Some(_) if self.goes_with_member(&symbols, node) => Decision::Edits(Vec::new()),
            Some((old, new)) => {
                if let Some(decision) = self.follows(&symbols, node, new) {
                    return decision;
                }
                let stays = self.stays(&symbols, found, old);
                Use { symbols: &symbols, node, old, stays, carried: self.carries(old, new) }.decide(new)
            }
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
        let import = symbols.import_of(object).filter(|import| import.name.as_deref() == Some(name_of(object)))?;
        let wanted = Wanted::parse(tree.language, new);
        let (wanted, through) = as_before(symbols, object, wanted);
        let facts = &tree.language.facts.symbols;
        let module = Wanted { name: None, alias: None, ..wanted.clone() };
        let whole = through == Through::Module || facts.import.through_module;
        let apart = normal(&import.path) != normal(&wanted.module);
        if !(whole && apart && module.bound() == name_of(object)) || tree.text().contains(super::ignore::MARK) {
            return None;
        }
        // Each use asks it: what they take of the module is found once.
        let taken = symbols.all_taken(object);
        let goes = |path: &String| {
            let to = self.of_path(tree.language, path).map(|(_, new)| Wanted::parse(tree.language, new));
            to.is_some_and(|to| normal(&to.module) == normal(&wanted.module))
        };
        if !taken.as_ref().as_ref().is_some_and(|paths| paths.iter().all(goes)) {
            return None;
        }
        let text =
            format!("{}{}{}", object.text(), facts.separator, wanted.name.as_deref()?.replace('.', &facts.separator));
        let request = ImportRequest::Follow { old: import.path.clone(), new: module };
        Some(replaces(node.range(), vec![Fragment::Text(text)], vec![request]))
    }

    fn of_names(&self, language: &Language, names: &[Name]) -> Option<(&String, &String)> {
        names.iter().find_map(|name| match name {
            Name::Path(path) => self.of_path(language, path),
            Name::Free(path) | Name::Local(Some(path)) => self.0.get_key_value(path),
            Name::Local(None) => None,
        })
    }

    fn imported<'m>(&'m self, symbols: &'m Symbols, node: Node<'_>) -> Option<(&'m str, &'m str)> {
        let mut of = symbols.imports().iter().filter(|i| i.element == node.id);
        of.find_map(|import| self.of_import(import)).map(|(old, new)| (old.as_str(), new.as_str()))
    }

    /// What an import brings, where that moves.
    fn of_import(&self, import: &Import) -> Option<(&String, &String)> {
        let path = normal(&import.path);
        match import.name {
            Some(_) => self.0.get_key_value(&path),
            None => ["*", "_"].iter().find_map(|all| self.0.get_key_value(&format!("{path}.{all}"))),
        }
    }

    /// The import of what lies below a path that moves, where it does not move by itself.
    fn below<'m>(&self, symbols: &'m Symbols, node: Node<'_>) -> Option<&'m Import> {
        let moves = |i: &&Import| above(&normal(&i.brought())).any(|path| self.0.contains_key(path));
        let of = symbols.imports().iter().filter(|i| i.element == node.id);
        of.filter(|i| self.of_import(i).is_none()).find(moves)
    }

    /// An import goes where what it looks into goes.
    fn import_follows(&self, language: &Language, import: &Import) -> Decision {
        let whole = import.brought();
        let path = normal(&whole);
        let Some((old, new)) = above(&path).find_map(|above| self.0.get_key_value(above)) else {
            return Decision::Edits(Vec::new());
        };
        if language.facts.symbols.import.file_modules {
            return Decision::Skip(format!("it takes what lies below `{old}`, which moves: look at it by hand"));
        }
        let wanted = Wanted::parse(language, &format!("{}{}", normal(new), &path[old.len()..]));
        asks(ImportRequest::Replace { old: whole, new: wanted, rename: false })
    }

    /// Whether what a path is a member of moves to where the path does: then it brings the path along.
    fn carries(&self, old: &str, new: &str) -> bool {
        let to = above(old).next().and_then(|of| self.0.get(of));
        to.is_some_and(|to| Some(normal(to).as_str()) == above(&normal(new)).next())
    }

    /// Whether a member of what `node` speaks of moves elsewhere, and what stands for both is replaced.
    fn goes_with_member(&self, symbols: &Symbols, node: Node<'_>) -> bool {
        let member = symbols.taken_of(node).map(|member| symbols.names(member));
        let moved = member.as_ref().and_then(|names| self.of_names(node.tree().language, names));
        moved.is_some_and(|(old, new)| !self.carries(old, new) && !is_within(old, new))
    }

    /// Whether others may import from this file what it imports: then it is called as before.
    fn stays(&self, symbols: &Symbols, found: &Match, old: &str) -> bool {
        let node = found.node();
        let facts = &node.tree().language.facts.symbols;
        let file = found.path.rsplit('/').next().unwrap_or_default();
        facts.exporting_files.iter().any(|name| name == file) || symbols.may_be_exported(node.tree(), old)
    }

    /// What a path becomes. A module's default export may be the module itself.
    pub(super) fn of_path(&self, language: &Language, path: &str) -> Option<(&String, &String)> {
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
    // An import that somebody has marked to be left stays, and so do its uses.
    if last != wanted.bound() && node.tree().text().contains(super::ignore::MARK) {
        return false;
    }
    last == wanted.bound() || takes(symbols, node, wanted) && symbols.is_sole(node.tree(), last, old)
}

/// Whether the file has room for the new name.
fn takes(symbols: &Symbols, node: Node<'_>, wanted: &Wanted) -> bool {
    let path = wanted.path();
    let name = wanted.bound();
    let there = symbols.imports().iter().any(|i| i.name.as_deref() == Some(name.as_str()) && normal(&i.path) == path);
    there || symbols.is_free(node, &name) && symbols.is_unclaimed(&name, &path)
}

/// The last name of a path.
fn last_of(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

/// Whether a path moves within what it is a member of.
fn is_within(old: &str, new: &str) -> bool {
    above(old).next().is_some() && above(old).next() == above(&normal(new)).next()
}

/// A use of what moved.
struct Use<'m, 't> {
    symbols: &'m Symbols,
    node: Node<'t>,
    old: &'m str,
    /// Whether its name stays.
    stays: bool,
    /// Whether what it is a member of moves as it does.
    carried: bool,
}

impl<'t> Use<'_, 't> {
    fn decide(&self, new: &str) -> Decision {
        let (symbols, node, old) = (self.symbols, self.node, self.old);
        let wanted = Wanted::parse(node.tree().language, new);
        let (last, new_last) = (last_of(old), wanted.bound());
        let spelled = symbols.spelled(node);
        if let Some((object, name)) = symbols.member_at(node) {
            // `encoding.force_text`: what it is a member of stays where it was, or goes by itself.
            if self.carried || is_within(old, new) {
                return renames_to(name, last_of(&new_last));
            }
            if symbols.is_written(node) || symbols.is_written(name) {
                return Decision::Refuse(format!("`{old}` is assigned to, and its module changes"));
            }
            return self.replaced(&wanted, object);
        }
        if let [first, .., name] = spelled.as_slice() {
            return if self.carried || is_within(old, new) {
                renames_to(*name, last_of(&new_last))
            } else {
                self.replaced(&wanted, *first)
            };
        }
        // An alias stays, and what it stands for is the import's to say.
        let by_import = symbols.import_of(node).is_some();
        if !by_import || name_of(node) != last || last == new_last {
            return Decision::Edits(Vec::new());
        }
        let renamed = !self.stays && renames(symbols, node, old, &wanted);
        if let Some(why) = hinders(symbols, node.tree(), old, &wanted, renamed) {
            return Decision::Refuse(why);
        }
        if !renamed {
            return Decision::Edits(Vec::new());
        }
        renames_to(node, &new_last)
    }

    /// A path is written anew: by the name that an import of the old one has afterwards, if there is one.
    fn replaced(&self, wanted: &Wanted, object: Node<'t>) -> Decision {
        if self.is_package(wanted) {
            let separator = &self.node.tree().language.facts.symbols.separator;
            let path = wanted.path().replace('.', separator);
            return replaces(place(self.symbols, self.node), vec![Fragment::Text(path)], Vec::new());
        }
        if let Some(code) = self.of_module(wanted) {
            return replaces(self.node.range(), code, Vec::new());
        }
        if let Some(name) = self.inherited(wanted) {
            let range = place(self.symbols, self.node);
            return replaces(range, vec![Fragment::Text(name)], vec![ImportRequest::DropOrphans]);
        }
        let (wanted, through) = as_before(self.symbols, object, wanted.clone());
        let spoken = Spoken::of(self.node, &wanted, &[], Manner { through, inherits: false });
        let mut imports: Vec<ImportRequest> = spoken.import.into_iter().collect();
        imports.push(ImportRequest::DropOrphans);
        replaces(spoken.range, spoken.code, imports)
    }

    /// `require("m").f`: the member of another module, without an import.
    fn of_module(&self, wanted: &Wanted) -> Option<Vec<Fragment>> {
        let (object, name) = self.symbols.member_at(self.node)?;
        let text = self.symbols.module_text(object)?;
        let last = wanted.name.as_deref().filter(|name| !name.contains('.'))?;
        let quote = text.text().chars().next()?;
        let (whole, text, name) = (self.node.range(), text.range(), name.range());
        Some(vec![
            Fragment::Copy(whole.start..text.start),
            Fragment::Text(format!("{quote}{}{quote}", wanted.module)),
            Fragment::Copy(text.end..name.start),
            Fragment::Text(last.to_owned()),
            Fragment::Copy(name.end..whole.end),
        ])
    }

    /// Whether it is the head of a path that is written out, and no name of a class: a package, which has no
    /// import.
    fn is_package(&self, wanted: &Wanted) -> bool {
        let facts = &self.node.tree().language.facts.symbols;
        let names = self.symbols.names(self.node);
        let written = !names.is_empty() && names.iter().all(|name| matches!(name, Name::Free(_)));
        let whole = self.node.parent().filter(|_| !self.symbols.spelled(self.node).is_empty());
        let head = self.symbols.taken_of(self.node).is_some()
            || whole.is_some_and(|whole| self.symbols.spelled(whole).len() > self.symbols.spelled(self.node).len());
        let class = last_of(&wanted.path()).starts_with(char::is_uppercase);
        !facts.import.runs && !facts.import.file_modules && written && head && !class
    }

    /// The name that an import of the old path will give the new one.
    fn inherited(&self, wanted: &Wanted) -> Option<String> {
        let tree = self.node.tree();
        // An import that runs may not have run here, and a member that is apart is reached through its object.
        if tree.language.facts.symbols.import.runs || self.symbols.apart(self.node).is_some() {
            return None;
        }
        let import = self.symbols.imports().iter().find(|i| i.name.is_some() && i.brings(self.old))?;
        let (name, written) = (import.name.clone()?, import.written.clone()?);
        let seen = self.symbols.brought_at(self.node, &name, self.old);
        let last = last_of(self.old);
        let renamed = name == last && !self.stays && renames(self.symbols, self.node, self.old, wanted);
        seen.then(|| if renamed { wanted.bound() } else { written })
    }
}

/// `const { f } = m` takes another member of `m`; the code's own name for it stays.
fn taken_anew(node: Node<'_>, old: &str, new: &str) -> Decision {
    if !is_within(old, new) {
        return Decision::Skip(format!("`{old}` is taken out of what it leaves for `{new}`: look at it by hand"));
    }
    let name = last_of(new);
    let around = node.parent().map_or("", |pair| pair.kind());
    if around == "pair_pattern" {
        return replaces(node.range(), vec![Fragment::Text(name.to_owned())], Vec::new());
    }
    // `{ f = 1 }` takes its value along.
    let whole = node.parent().filter(|_| around == "object_assignment_pattern").unwrap_or(node).range();
    replaces(whole.clone(), vec![Fragment::Text(format!("{name}: ")), Fragment::Copy(whole)], Vec::new())
}

/// The name of what moves.
fn renames_to(name: Node<'_>, new: &str) -> Decision {
    if name.text() == new {
        return Decision::Edits(Vec::new());
    }
    replaces(name.range(), vec![Fragment::Text(new.to_owned())], Vec::new())
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
        _ => (wanted, Through::Either),
    }
}

fn replaces(range: Range<usize>, code: Vec<Fragment>, imports: Vec<ImportRequest>) -> Decision {
    Decision::Edits(vec![Replacement { imports, ..Replacement::new(range, code) }])
}

fn asks(request: ImportRequest) -> Decision {
    Decision::Edits(vec![Replacement { imports: vec![request], ..Replacement::new(0..0, Vec::new()) }])
}
