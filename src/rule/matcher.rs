//! What a node must be: patterns, kinds, queries, texts, and their composition.

use std::collections::BTreeSet;

use regex::Regex;
use tree_sitter::{Query, QueryCursor, StreamingIterator};

use super::prefilter::Clause;
use crate::language::{Language, literal};
use crate::pattern::{Binding, Bindings, Pattern};
use crate::tree::Node;

/// What a node must be.
pub enum Matcher {
    /// Code with holes.
    Pattern(Pattern),
    /// One of these node kinds.
    Kind(Vec<u16>),
    /// A tree-sitter query.
    Query(QueryMatcher),
    /// Its text, or the value of a string literal, is one of these.
    Lookup(Lookup),
    /// Its text, or the value of a string literal, matches.
    Regex(Regex),
    /// It is a string literal whose value matches.
    Literal(Regex),
    /// One of them holds; the first that does gives the bindings.
    Any(Vec<Matcher>),
    /// All of them hold; each adds its bindings.
    All(Vec<Matcher>),
    /// It does not hold.
    Not(Box<Matcher>),
}

/// A set of texts, folded to lower case where the language ignores case.
pub struct Lookup {
    keys: BTreeSet<String>,
    fold: bool,
}

impl Lookup {
    /// A set for one language.
    pub fn new(language: &Language, keys: impl IntoIterator<Item = String>) -> Self {
        let fold = language.facts.case_insensitive;
        let keys = keys.into_iter().map(|k| if fold { k.to_ascii_lowercase() } else { k }).collect();
        Self { keys, fold }
    }

    fn contains(&self, text: &str) -> bool {
        if self.fold { self.keys.contains(&text.to_ascii_lowercase()) } else { self.keys.contains(text) }
    }
}

/// A tree-sitter query: `@match` is the matched node, captures in upper case are holes.
pub struct QueryMatcher {
    query: Query,
    /// Index of the capture that is the match.
    root: u32,
}

impl QueryMatcher {
    /// Compiles `source`.
    ///
    /// # Errors
    /// What tree-sitter says of it, with its line and column; or no capture at all.
    pub fn new(language: &Language, source: &str) -> Result<Self, String> {
        let query = Query::new(&language.grammar, source).map_err(|e| e.to_string())?;
        let names = query.capture_names();
        let root = names.iter().position(|n| *n == "match").unwrap_or(0);
        if names.is_empty() {
            return Err("the query captures nothing; mark the node that is meant with @match".to_owned());
        }
        Ok(Self { query, root: root as u32 })
    }

    fn matches<'t>(&self, node: Node<'t>) -> Option<Bindings<'t>> {
        let tree = node.tree();
        let mut cursor = QueryCursor::new();
        cursor.set_byte_range(node.local_range());
        let inner =
            tree.inner().root_node().descendant_for_byte_range(node.local_range().start, node.local_range().end)?;
        // The smallest node of the range may lie below ours: climb to the kind that is meant.
        let mut found = cursor.matches(&self.query, climb(inner, node)?, tree.text().as_bytes());
        while let Some(one) = found.next() {
            let at_root = one.captures().iter().any(|c| c.index == self.root && same(c.node, node));
            if !at_root {
                continue;
            }
            let mut bindings = Bindings::default();
            for capture in one.captures() {
                let name = self.query.capture_names()[capture.index as usize];
                if name.starts_with(|c: char| c.is_ascii_uppercase())
                    && let Some(bound) = tree.iter_within(node).find(|n| same(capture.node, *n))
                {
                    bindings.set(name, Binding::One(bound));
                }
            }
            return Some(bindings);
        }
        None
    }
}

fn climb<'a>(mut inner: tree_sitter::Node<'a>, node: Node<'_>) -> Option<tree_sitter::Node<'a>> {
    while !same(inner, node) {
        inner = inner.parent()?;
    }
    Some(inner)
}

fn same(theirs: tree_sitter::Node<'_>, ours: Node<'_>) -> bool {
    theirs.kind_id() == ours.kind_id() && theirs.byte_range() == ours.local_range()
}

impl Matcher {
    /// Matches one node; new bindings are added to `bindings`.
    pub fn matches<'t>(&self, node: Node<'t>, bindings: &mut Bindings<'t>) -> bool {
        let found = match self {
            Self::Pattern(pattern) => pattern.matches(node),
            Self::Query(query) => query.matches(node),
            Self::Kind(kinds) => return kinds.contains(&node.kind_id()),
            Self::Lookup(lookup) => return texts(node).iter().any(|t| lookup.contains(t)),
            Self::Regex(regex) => return texts(node).iter().any(|t| regex.is_match(t)),
            Self::Literal(regex) => return literal_value(node).is_some_and(|v| regex.is_match(&v)),
            Self::Any(matchers) => return matchers.iter().any(|m| m.matches(node, bindings)),
            Self::All(matchers) => return matchers.iter().all(|m| m.matches(node, bindings)),
            Self::Not(matcher) => return !matcher.matches(node, &mut Bindings::default()),
        };
        let Some(found) = found else { return false };
        for (name, binding) in found.iter() {
            bindings.set(name, binding.clone());
        }
        true
    }

    /// Kinds that a match can have; `None` where it can be any.
    pub fn root_kinds(&self) -> Option<Vec<u16>> {
        match self {
            Self::Pattern(pattern) => pattern.root_kind().map(|k| vec![k]),
            Self::Kind(kinds) => Some(kinds.clone()),
            Self::Any(matchers) => matchers
                .iter()
                .map(Self::root_kinds)
                .collect::<Option<Vec<_>>>()
                .map(|kinds| kinds.into_iter().flatten().collect()),
            Self::All(matchers) => matchers.iter().find_map(Self::root_kinds),
            _ => None,
        }
    }

    /// The holes that every match binds, and those that only some branch binds.
    pub fn holes(&self) -> (BTreeSet<String>, BTreeSet<String>) {
        match self {
            Self::Pattern(pattern) => (pattern.names.iter().cloned().collect(), BTreeSet::new()),
            Self::Query(query) => {
                let names =
                    query.query.capture_names().iter().filter(|n| n.starts_with(|c: char| c.is_ascii_uppercase()));
                (names.map(|n| (*n).to_owned()).collect(), BTreeSet::new())
            }
            Self::Any(matchers) => {
                let each: Vec<_> = matchers.iter().map(Self::holes).collect();
                let all: BTreeSet<String> = each.iter().flat_map(|(a, b)| a.iter().chain(b).cloned()).collect();
                let always = all.iter().filter(|n| each.iter().all(|(a, _)| a.contains(*n))).cloned().collect();
                let sometimes = all.difference(&always).cloned().collect();
                (always, sometimes)
            }
            Self::All(matchers) => matchers.iter().map(Self::holes).fold(Default::default(), |mut sum, (a, b)| {
                sum.0.extend(a);
                sum.1.extend(b);
                sum
            }),
            _ => Default::default(),
        }
    }

    /// What a file must hold for this to match anywhere in it.
    pub fn required(&self, language: &Language) -> Vec<Clause> {
        let fold = language.facts.case_insensitive;
        match self {
            Self::Pattern(p) => p.literals().iter().map(|l| Clause::one(l.clone(), fold)).collect(),
            Self::Lookup(lookup) => {
                // Keys with characters that a literal may escape prove nothing.
                let plain = |k: &String| !k.is_empty() && !k.contains(['\\', '"', '\'', '`', '\n', '\r', '\t']);
                if lookup.keys.iter().all(plain) {
                    vec![Clause::of(lookup.keys.iter().cloned(), fold)]
                } else {
                    Vec::new()
                }
            }
            Self::All(matchers) => matchers.iter().flat_map(|m| m.required(language)).collect(),
            Self::Any(matchers) => Clause::either(matchers.iter().map(|m| m.required(language))),
            Self::Kind(_) | Self::Query(_) | Self::Regex(_) | Self::Literal(_) | Self::Not(_) => Vec::new(),
        }
    }
}

/// The texts that a node is compared by: its own, and the value of a literal.
fn texts(node: Node<'_>) -> Vec<String> {
    match literal_value(node) {
        Some(value) => vec![value],
        None => vec![node.text().to_owned()],
    }
}

/// The value of a string literal without holes, where it is certain.
pub fn literal_value(node: Node<'_>) -> Option<String> {
    let language = node.tree().language;
    if !language.is_string(node.kind_id()) {
        return None;
    }
    let holes = &language.facts.string.holes;
    if node.descendants().any(|n| holes.iter().any(|h| h == n.kind())) {
        return None;
    }
    literal::value(language, node.text())
}
