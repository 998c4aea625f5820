//! The imports that stand at the head of a file, and what of them may be edited.
//!
//! Must not: edit anything.

use std::ops::Range;

use super::elements::{element, elements};
use super::layout::line_start;
use crate::language::ImportFacts;
use crate::symbol::{Import, Name, Symbols, Wanted, facts_of, normal};
use crate::tree::{Node, Tree};

/// What imports are ordered by.
pub(super) type Key = (u8, String, String);

/// The imports at the head of a file.
pub(super) struct Block<'t> {
    pub(super) symbols: &'t Symbols,
    pub(super) facts: &'static ImportFacts,
    /// Top-level statements that import, in order.
    pub(super) statements: Vec<Node<'t>>,
}

impl<'t> Block<'t> {
    /// Of a new text, and the old one that it comes from.
    pub(super) fn new(tree: &'t Tree, symbols: &'t Symbols, old: &Tree) -> Self {
        let mut statements: Vec<Node<'t>> = Vec::new();
        for import in symbols.imports() {
            let statement = tree.node(import.statement);
            if is_top(statement) && !statements.iter().any(|s| s.id == statement.id) {
                statements.push(statement);
            }
        }
        // One that waits for a module tells nothing of how the others are written.
        let facts = &tree.language.facts.symbols;
        // Neither does one of types, which is gone when the file runs.
        let runs = |s: &&Node<'_>| !s.text().starts_with("import type ");
        let mut written = statements
            .iter()
            .filter(runs)
            .map(|s| facts_of(*s))
            .filter(|f| !std::ptr::eq(*f, &raw const facts.dynamic));
        let signs = &facts.require.signs;
        let calls = || speaks_of(tree, symbols, signs) || speaks_of(old, &Symbols::of(old), signs);
        let first = written.next().unwrap_or_else(|| if calls() { &facts.require } else { &facts.import });
        let alike = written.all(|f| std::ptr::eq(f, first));
        Self { symbols, facts: if alike { first } else { &facts.import }, statements }
    }

    /// Whether an import can go: at the head of the file, or beside other code of its block.
    pub(super) fn may_go(&self, tree: &Tree, import: &Import) -> bool {
        let statement = tree.node(import.statement);
        let beside = || statement.parent().is_some_and(|p| p.named_children().nth(1).is_some());
        self.is_top(import) || beside()
    }

    pub(super) fn is_top(&self, import: &Import) -> bool {
        self.statements.iter().any(|s| s.id == import.statement)
    }

    /// Why a file takes no import: what it needs is brought by a call around its code, as AMD does it.
    pub(super) fn brought_by_call(&self, tree: &Tree) -> Option<String> {
        let calls = &tree.language.facts.symbols.loaders;
        let imports = self.statements.iter().any(|s| s.text().starts_with("import"));
        if calls.is_empty() || imports {
            return None;
        }
        let loads = |n: &Node<'_>| {
            let text = n.text();
            calls.iter().any(|call| text.strip_prefix(call.as_str()).is_some_and(|rest| rest.starts_with('(')))
                && n.descendants().any(|inner| inner.kind().contains("function"))
        };
        let call = tree.root().named_children().find(loads)?;
        let line = call.line_column().0;
        Some(format!(
            "what this file needs is brought by `{}` in line {line}: put the module there by hand, and a name for it into \
             the parameters of its function",
            call.short()
        ))
    }

    /// By what an import is ordered.
    pub(super) fn key(&self, statement: Node<'_>) -> Key {
        let first = self.of(statement).next().map(|(_, i)| i);
        let rank = self.rank(statement.text());
        if let Some(path) = first.map(|i| i.path.clone()).filter(|_| self.by_path()) {
            return (rank, normal(&path), String::new());
        }
        let module = first.map(|i| i.module.clone().unwrap_or_else(|| i.path.clone())).unwrap_or_default();
        let name = first.and_then(|i| i.path.rsplit('.').next().map(str::to_owned)).unwrap_or_default();
        (rank, module, name)
    }

    /// The same of a new one.
    pub(super) fn key_of(&self, statement: &str, wanted: &Wanted) -> Key {
        let rank = self.rank(statement);
        if self.by_path() {
            return (rank, wanted.path(), String::new());
        }
        (rank, normal(&wanted.module), wanted.name.clone().unwrap_or_default())
    }

    fn rank(&self, statement: &str) -> u8 {
        u8::from(statement.starts_with("from")) + u8::from(self.is_of_member(statement))
    }

    /// Whether an import is one path, whose order is that of the paths.
    fn by_path(&self) -> bool {
        let facts = self.facts;
        facts.module.is_empty() && facts.lists.is_empty() && self.symbols.imports().iter().all(|i| i.module.is_none())
    }

    /// Whether members of classes are imported in a way of their own.
    pub(super) fn has_members(&self) -> bool {
        !self.facts.member.is_empty()
    }

    /// Whether a statement brings members of classes, where that is written otherwise.
    pub(super) fn is_of_member(&self, statement: &str) -> bool {
        let begins = self.facts.member.split('<').next().unwrap_or_default();
        !begins.is_empty() && statement.starts_with(begins)
    }

    /// The imports of one statement.
    pub(super) fn of(&self, statement: Node<'_>) -> impl Iterator<Item = (usize, &Import)> {
        let id = statement.id;
        self.symbols.imports().iter().enumerate().filter(move |(_, i)| i.statement == id)
    }
}

/// Whether a path is that of a member of a class, and not of a class: by how names are written, and by what
/// the import was in whose place it comes. A static import finds classes in a class, too.
pub(super) fn is_member(wanted: &Wanted, was: Option<bool>) -> bool {
    let name = wanted.name.as_deref().unwrap_or_default();
    let last = wanted.module.rsplit('.').next().unwrap_or_default();
    let of_class = last.starts_with(char::is_uppercase);
    let plain = name.starts_with(char::is_lowercase);
    let constant = name.chars().count() > 1 && !name.contains(char::is_lowercase);
    match was {
        Some(was) => was && (of_class || plain),
        None => of_class && (plain || constant || name == "*"),
    }
}

/// Whether a file that imports and exports nothing by statements speaks of what no file defines that does.
fn speaks_of(tree: &Tree, symbols: &Symbols, signs: &[String]) -> bool {
    let by_statement = |n: Node<'_>| n.kind().starts_with("import_") || n.kind().starts_with("export_");
    let is_sign = |n: Node<'_>| {
        n.is_leaf()
            && signs.iter().any(|sign| match sign.split_once('.') {
                Some((first, _)) => {
                    first == n.text() && n.parent().is_some_and(|p| p.text().starts_with(sign.as_str()))
                }
                None => sign == n.text(),
            })
            && symbols.names(n) == [Name::Free(n.text().to_owned())]
    };
    !signs.is_empty() && !tree.root().named_children().any(by_statement) && tree.iter().any(is_sign)
}

/// Whether an import stands at the head of the file, and not in a block of code.
pub(super) fn is_top(statement: Node<'_>) -> bool {
    statement.ancestors().all(|a| a.parent().is_none() || a.kind().starts_with("import"))
}

/// Why a statement that imports is not edited.
pub(super) fn delicate(statement: Node<'_>) -> Option<&'static str> {
    let many = |kind: &str| statement.children().filter(|c| c.kind() == kind).count();
    if statement.kind().ends_with("_declaration") && (many("variable_declarator") > 1 || many(",") > 0) {
        return Some("the statement declares more than this import");
    }
    if statement.descendants().any(|n| n.kind() == "rest_pattern") {
        return Some("what is not named in this import is in the rest of it");
    }
    let around = statement.parent();
    let mut before = around.iter().flat_map(|p| p.children()).filter(|c| c.id < statement.id && !c.is_extra());
    if before.by_ref().last().is_some_and(|b| b.kind() == "attribute_item") {
        return Some("an attribute is about this import");
    }
    statement.text().starts_with("pub").then_some("the import is public: other files may use it")
}

/// The lines of a statement, with a comment that ends them.
pub(super) fn whole_lines(tree: &Tree, node: Node<'_>) -> Range<usize> {
    let (text, range) = (tree.text(), node.local_range());
    let start = line_start(text, range.start);
    let end = text[range.end..].find('\n').map_or(text.len(), |i| range.end + i + 1);
    let rest = text[range.end..end].trim().trim_start_matches(';').trim_start();
    let comment = tree.iter().any(|n| n.is_extra() && n.local_range().start >= range.end && n.local_range().end <= end);
    let whole = text[start..range.start].trim().is_empty() && (rest.is_empty() || comment);
    if whole { start..end } else { range }
}

/// The bytes of a statement that go with some of its names, where others stay.
pub(super) fn left_out<'t>(statement: Node<'t>, names: &[Node<'t>], goes: &[Node<'t>]) -> Vec<Range<usize>> {
    let gone: std::collections::HashSet<_> = goes.iter().map(|gone| gone.id).collect();
    let goes_too = |name: &Node<'_>| gone.contains(&name.id);
    let all_go = |n: &Node<'_>| names.iter().filter(|name| n.contains(**name)).all(goes_too);
    // `{ path::{Path}, fs }`: what holds nothing else goes whole, where it is one of several itself.
    let is_listed = |n: &Node<'_>| n.parent().and_then(|list| list.children().next()).is_some_and(|c| c.text() == "{");
    let outer = |one: &Node<'t>| {
        let within = one.ancestors().take_while(|up| up.id != statement.id);
        within.filter(|up| all_go(up) && is_listed(up)).last().unwrap_or(*one)
    };
    let mut goes: Vec<Node<'t>> = goes.iter().map(outer).collect();
    goes.dedup_by_key(|one| one.id);
    // All names of a list: the list goes, and what stands beside it stays.
    let list = goes.first().and_then(|first| first.parent()).filter(|list| list.id != statement.id);
    if let Some(list) = list.filter(|list| all_go(list) && goes.iter().all(|gone| list.contains(*gone))) {
        // `{ types: { isDate } }`: a list that is the value of a pair goes with its key.
        let whole = list.parent().filter(|pair| pair.kind() == "pair_pattern").unwrap_or(list);
        return vec![element(whole, whole).0];
    }
    let around = |one: &Node<'_>| one.parent().map(|list| list.id);
    goes.sort_by_key(|one| (around(one), one.id));
    let each = |all: &[Node<'t>]| all.iter().map(|one| element(*one, *one).0).collect();
    goes.chunk_by(|a, b| around(a) == around(b)).flat_map(|all| elements(all).unwrap_or_else(|| each(all))).collect()
}
