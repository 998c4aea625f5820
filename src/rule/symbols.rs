//! Matchers that ask what a name refers to, and of which type a value is.

use std::collections::BTreeSet;

use super::prefilter::Clause;
use super::reexports::{given, given_name};
use crate::symbol::{Certainty, Import, Symbols, name_of, normal};
use crate::tree::{Node, literal_value};

/// Paths of names or types: `datetime.datetime.utcnow`.
#[derive(Clone, Debug)]
pub struct PathSet {
    set: BTreeSet<String>,
    list: Vec<String>,
    /// Whether an import of what lies below one of the paths is meant, too.
    below: bool,
}

impl PathSet {
    /// Takes paths as rules write them: with `.` or `::`, and `{a,b}` for alternatives.
    pub fn new(paths: &[String]) -> Self {
        let list: Vec<String> = paths.iter().flat_map(|p| alternatives(&normal(p))).collect();
        Self { set: list.iter().cloned().collect(), list, below: false }
    }

    /// The same, and what lies below the paths.
    #[must_use]
    pub fn with_below(self) -> Self {
        Self { below: true, ..self }
    }

    fn answer(&self, node: Node<'_>) -> Certainty {
        Symbols::of(node.tree()).is_named(node, &|path| self.set.contains(path), &self.list)
    }

    /// Whether a value is of one of these types.
    pub(super) fn answer_type(&self, node: Node<'_>) -> Certainty {
        if self.set.is_empty() {
            return Certainty::No;
        }
        Symbols::of(node.tree()).has_type(node, &|path| self.set.contains(path), &self.list)
    }

    /// Whether a node is the part of an import that brings one of the paths.
    pub(super) fn is_imported_by(&self, node: Node<'_>) -> bool {
        let below = |path: &str| self.below && above(path).any(|above| self.set.contains(above));
        let has = |path: &str| self.set.contains(path) || below(path);
        let is = |i: &Import| match i.name {
            Some(_) => has(&normal(&i.path)),
            None => ["*", "_"].iter().any(|all| has(&format!("{}.{all}", normal(&i.path)))),
        };
        Symbols::of(node.tree()).imports().iter().any(|i| i.element == node.id && is(i))
    }

    /// Whether a node is a string literal that is one of the paths and nothing else, as tests and
    /// configurations name things by.
    pub(super) fn is_named_by(&self, node: Node<'_>) -> bool {
        let language = node.tree().language;
        if node.is_extra() {
            return self.is_documented_by(node.text(), &language.facts.elements.documents);
        }
        let code = || !Symbols::of(node.tree()).in_import(node);
        if !language.is_string(node.kind_id()) {
            return false;
        }
        let Some(value) = literal_value(node).map(|value| normal(&value)) else { return false };
        value.contains('.') && self.set.contains(&value) && code() || self.is_exported_by(node, &value)
    }

    /// Whether a comment that documents code names one of the paths.
    fn is_documented_by(&self, comment: &str, marks: &[String]) -> bool {
        if !marks.iter().any(|mark| comment.starts_with(mark.as_str())) {
            return false;
        }
        let comment = comment.replace("::", ".");
        let plain = comment.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '.');
        // `@p/a-b.C`, `module:p/d.D`: modules that have other signs in their names.
        let signs = |c: char| c.is_whitespace() || "{}[]()<>\"'`#|,;*=".contains(c);
        let words = comment.split(signs).filter(|word| word.contains(['/', '-', '@', ':']));
        let others = words.flat_map(|word| [Some(word), word.rsplit_once(':').map(|(_, path)| path)]);
        let others = others.flatten().map(|word| word.trim_end_matches(|c: char| !c.is_alphanumeric() && c != '_'));
        // `a.b.C.f` speaks of `a.b.C`, too; a sentence may end behind it.
        plain.chain(others).any(|path| {
            std::iter::once(path).chain(above(path)).any(|path| path.contains('.') && self.set.contains(path))
        })
    }

    /// Whether a node is the module of `export { f } from "m"`, which gives one of the paths to others.
    fn is_exported_by(&self, node: Node<'_>, module: &str) -> bool {
        let facts = &node.tree().language.facts.symbols;
        let Some((_, names)) = given(node) else { return false };
        let has = |path: String| {
            self.set.contains(&path) || facts.default && self.set.contains(&path.replacen(".default", "", 1))
        };
        let below = format!("{module}.");
        match names.is_empty() {
            true => self.set.iter().any(|path| path.starts_with(&below)),
            false => names.into_iter().any(|name| has(format!("{module}.{}", given_name(name)))),
        }
    }

    /// A file that speaks of a path holds its last name, even where it is aliased.
    pub(super) fn required(&self) -> Vec<Clause> {
        vec![Clause::of(self.list.iter().map(|p| last_name(p)), false)]
    }
}

/// The paths above a path, the nearest first: `a.b` and `a` of `a.b.c`.
pub(super) fn above(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(path.rsplit_once('.'), |(path, _)| path.rsplit_once('.')).map(|(path, _)| path)
}

/// The last name of a path; a default export has none where it is imported, and neither has a wildcard.
fn last_name(path: &str) -> String {
    let path = path.strip_suffix(".default").or_else(|| path.strip_suffix(".*")).unwrap_or(path);
    let path = path.strip_suffix("._").unwrap_or(path);
    path.rsplit('.').next().unwrap_or(path).to_owned()
}

/// What a name must refer to.
#[derive(Clone, Debug)]
pub struct SymbolMatcher {
    paths: PathSet,
    /// Members of types: `pkg.Type#member`.
    members: Vec<(String, String)>,
    /// Whether only whole expressions are meant, and no part of one.
    whole: bool,
    /// Whether a name between others of a path stands for the path up to it, and one in a pattern for what the
    /// pattern takes.
    inner: bool,
}

impl SymbolMatcher {
    /// Takes paths as [`PathSet::new`]; `Type#member` is a member of a value of that type.
    pub fn new(paths: &[String]) -> Self {
        let all: Vec<String> = paths.iter().flat_map(|p| alternatives(&normal(p))).collect();
        let (members, plain): (Vec<String>, Vec<String>) = all.into_iter().partition(|p| p.contains('#'));
        let split = |path: &String| path.split_once('#').map(|(owner, member)| (owner.to_owned(), member.to_owned()));
        Self {
            paths: PathSet::new(&plain),
            members: members.iter().filter_map(split).collect(),
            whole: false,
            inner: false,
        }
    }

    /// The same, and names that are no expressions: `B` of `a.B.C` stands for `a.B`, `f` of `const { f } = m` for `m.f`.
    #[must_use]
    pub fn with_inner(self) -> Self {
        Self { inner: true, ..self }
    }

    pub(super) fn of_whole(self) -> Self {
        Self { whole: true, ..self }
    }

    pub(super) fn answer(&self, node: Node<'_>) -> Certainty {
        let symbols = Symbols::of(node.tree());
        if self.whole && symbols.is_part(node, self.inner) {
            return Certainty::No;
        }
        let taken = || symbols.is_taken(node, &|path| self.paths.set.contains(path), &self.paths.list);
        let answer = self.paths.answer(node).or(|| self.member(&symbols, node));
        let answer = if self.inner { answer.or(taken) } else { answer };
        // A move keeps the name that a text says.
        let said = || symbols.is_said(node, &|path| self.paths.set.contains(path), &self.paths.list);
        if answer == Certainty::No && !self.inner && said() {
            return Certainty::Unknown;
        }
        // `{ f }` and `export { f }` say a name of their own, too.
        let around = node.parent().map_or("", |p| p.kind());
        let named = node.kind() == "shorthand_property_identifier"
            || matches!(around, "shorthand_field_initializer" | "export_specifier");
        if answer == Certainty::Yes && named && !symbols.in_import(node) {
            return Certainty::Unknown;
        }
        if answer != Certainty::No && symbols.in_import(node) { Certainty::No } else { answer }
    }

    fn member(&self, symbols: &Symbols, node: Node<'_>) -> Certainty {
        if self.members.is_empty() {
            return Certainty::No;
        }
        let Some((object, name)) = symbols.member_at(node) else { return Certainty::No };
        let of = |(owner, member): &(String, String)| {
            if member == name_of(name) { symbols.has_members_of(object, owner) } else { Certainty::No }
        };
        self.members.iter().fold(Certainty::No, |sum, one| sum.or(|| of(one)))
    }

    /// A file that speaks of a symbol holds its last name, even where it is aliased.
    pub(super) fn required(&self) -> Vec<Clause> {
        let names = self.paths.list.iter().map(|p| last_name(p));
        vec![Clause::of(names.chain(self.members.iter().map(|(_, member)| member.clone())), false)]
    }
}

/// How many paths one with braces may stand for.
const MAX_ALTERNATIVES: usize = 10_000;

/// `a.{b,c}.d` → `a.b.d`, `a.c.d`.
fn alternatives(path: &str) -> Vec<String> {
    let mut done = Vec::new();
    let mut pending = vec![path.to_owned()];
    while let Some(next) = pending.pop() {
        let braces = next.find('{').and_then(|open| Some((open, open + next[open..].find('}')?)));
        match braces {
            Some((open, close)) if pending.len() + done.len() < MAX_ALTERNATIVES => {
                let (before, after) = (&next[..open], &next[close + 1..]);
                let mut each: Vec<String> =
                    next[open + 1..close].split(',').map(|one| format!("{before}{one}{after}")).collect();
                each.reverse();
                pending.extend(each);
            }
            _ => done.push(next),
        }
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_are_alternatives() {
        assert_eq!(alternatives("fs.{F,R}_OK"), ["fs.F_OK", "fs.R_OK"]);
        assert_eq!(alternatives("{a,b}.{c,d}"), ["a.c", "a.d", "b.c", "b.d"]);
        assert_eq!(alternatives("a.b"), ["a.b"]);
    }
}
