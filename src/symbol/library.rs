//! What is declared elsewhere: the classes and functions of libraries, written as the
//! language writes declarations, without bodies.
//!
//! Must not: read a file. Rules bring what they need; `grammars/` brings what comes with
//! a language.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError};

use super::Symbols;
use crate::language::Language;
use crate::tree::{Node, NodeId, ParseError, Tree, parse};

/// Declarations, as a rule pack brings them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Declarations {
    /// For diagnostics.
    pub name: String,
    /// The language.
    pub language: String,
    /// The code; each line that begins with the language's word for a package begins a part.
    pub text: String,
}

/// Declarations that can't be read.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// The code has an error.
    #[error("{name}:{line}:{column}: this is no {language} that can be read")]
    Unreadable {
        /// As it was named.
        name: String,
        /// The language.
        language: String,
        /// From 1.
        line: u32,
        /// From 1.
        column: u32,
    },
    /// The parser gave up.
    #[error(transparent)]
    Parse(#[from] ParseError),
}

/// Declarations that were read.
#[derive(Default)]
pub struct Library {
    trees: Vec<Arc<Tree>>,
    /// By path: the tree, and the name in it.
    classes: HashMap<String, Vec<(usize, NodeId)>>,
    functions: HashMap<String, Vec<(usize, NodeId)>>,
    aliases: HashMap<String, (usize, NodeId)>,
}

/// Declarations that come with a language: one line each.
static COMES_WITH: &[(&str, &str)] = &[("scala", include_str!("../../grammars/scala/library.scala"))];

impl Library {
    /// Reads declarations of one language.
    ///
    /// # Errors
    /// The first that can't be read.
    pub fn new(language: &'static Language, all: &[Declarations]) -> Result<Self, LibraryError> {
        let mut library = Self::default();
        for one in all {
            for part in parts(&one.text) {
                let tree = Arc::new(parse(language, part)?);
                if let Some(error) = tree.errors().next() {
                    let (line, column) = error.line_column();
                    let (name, language) = (one.name.clone(), one.language.clone());
                    return Err(LibraryError::Unreadable { name, language, line, column });
                }
                library.add(tree);
            }
        }
        Ok(library)
    }

    fn add(&mut self, tree: Arc<Tree>) {
        let symbols = Symbols::of(&tree);
        let (declared, number) = (symbols.declared(&tree), self.trees.len());
        for (path, names) in &declared.classes {
            self.classes.entry(path.clone()).or_default().extend(names.iter().map(|name| (number, *name)));
        }
        for (path, names) in &declared.functions {
            self.functions.entry(path.clone()).or_default().extend(names.iter().map(|name| (number, *name)));
        }
        self.aliases.extend(declared.aliases.iter().map(|(path, node)| (path.clone(), (number, *node))));
        self.trees.push(tree);
    }

    pub(super) fn classes(&self, path: &str) -> impl Iterator<Item = Node<'_>> {
        self.classes.get(path).into_iter().flatten().map(|(tree, name)| self.trees[*tree].node(*name))
    }

    pub(super) fn functions(&self, path: &str) -> impl Iterator<Item = Node<'_>> {
        self.functions.get(path).into_iter().flatten().map(|(tree, name)| self.trees[*tree].node(*name))
    }

    /// Whether what a tree is read beside declares this path.
    pub(super) fn declares(tree: &Tree, path: &str) -> bool {
        let has = |library: &Arc<Self>| library.classes.contains_key(path) || library.functions.contains_key(path);
        Self::of(tree).iter().any(has)
    }

    pub(super) fn alias(&self, path: &str) -> Option<Node<'_>> {
        self.aliases.get(path).map(|(tree, node)| self.trees[*tree].node(*node))
    }

    /// From now on the tree is read beside these declarations, and no others.
    pub fn put_beside(library: Option<&Arc<Self>>, tree: &Tree) {
        let library = library.map(|library| Arc::clone(library) as _);
        *tree.beside.write().unwrap_or_else(PoisonError::into_inner) = library;
    }

    /// What a tree is read beside, and what comes with its language.
    pub(super) fn of(tree: &Tree) -> Vec<Arc<Self>> {
        let beside = tree.beside.read().unwrap_or_else(PoisonError::into_inner).clone();
        beside.and_then(|any| any.downcast().ok()).into_iter().chain(Self::coming_with(tree.language)).collect()
    }

    fn coming_with(language: &'static Language) -> Option<Arc<Self>> {
        static READ: OnceLock<HashMap<&'static str, Arc<Library>>> = OnceLock::new();
        let read = || {
            let each = COMES_WITH.iter().filter_map(|(name, text)| {
                let all = [Declarations {
                    name: format!("grammars/{name}/library"),
                    language: (*name).to_owned(),
                    text: (*text).to_owned(),
                }];
                Some((*name, Arc::new(Self::new(crate::language::by_name(name)?, &all).ok()?)))
            });
            each.collect()
        };
        // Reading one asks for the names in it, and never for what comes with the language.
        READ.get_or_init(read).get(language.facts.name.as_str()).cloned()
    }
}

/// Each package of a text on its own, at its own lines.
fn parts(text: &str) -> Vec<String> {
    let mut parts: Vec<String> = vec![String::new()];
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let last = parts.last().map_or("", String::as_str);
        if line.starts_with("package ") && last.lines().any(|l| l.starts_with("package ")) {
            parts.push("\n".repeat(number));
        }
        if let Some(last) = parts.last_mut() {
            last.push_str(line);
        }
    }
    parts
}
