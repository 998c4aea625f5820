//! What a node must be: patterns, kinds, queries, texts, and their composition.

use std::collections::BTreeSet;
use std::collections::btree_map::Entry;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use regex::Regex;
use regex_syntax::hir::literal::{ExtractKind, Extractor};
use tree_sitter::{CaptureQuantifier, Query};

use super::around::{Context, Side};
use super::exercise;
use super::prefilter::Clause;
use super::symbols::{PathSet, SymbolMatcher};
use super::used::UseMatcher;
use crate::language::{Language, literal};
use crate::pattern::{Binding, Bindings, Invocation, Pattern};
use crate::symbol::Certainty;
use crate::tree::{Node, NodeId, QueryHits, Tree, literal_value, text_value};

/// What a node must be.
pub enum Matcher {
    /// Code with holes.
    Pattern(Pattern),
    /// A call, in whatever shape.
    Invocation(Box<Invocation>),
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
    /// It refers to one of these paths, however it was imported.
    Symbol(SymbolMatcher),
    /// It is a value that is declared or made to be of one of these types.
    Typed(PathSet),
    /// It is the part of an import that brings one of these paths.
    Imported(PathSet),
    /// A string literal that is a path and nothing else.
    Named(PathSet),
    /// Its place among its named siblings, from 0; from the end where it is negative.
    Nth(i64),
    /// It fills the field of this name.
    Field(String),
    /// It is a use of a dataset, or of a column of one.
    Use(UseMatcher),
    /// It is what the seed of a follow-up gave under this name.
    Given(String),
    /// What is around, below or beside it.
    Near(Box<Context>),
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
        let keys = keys
            .into_iter()
            .map(|k| language.bare_name(&k).to_owned())
            .map(|k| if fold { k.to_ascii_lowercase() } else { k })
            .collect();
        Self { keys, fold }
    }

    /// Its text, if that is one.
    pub fn only(&self) -> Option<&str> {
        self.keys.first().filter(|_| self.keys.len() == 1).map(String::as_str)
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
    /// Tells it from every other query of this process: trees keep what it found.
    number: u64,
}

/// Deepest nesting of a query's parentheses: tree-sitter reads them recursively.
const MAX_NESTING: usize = 100;

impl QueryMatcher {
    /// Compiles `source`.
    ///
    /// # Errors
    /// What tree-sitter says of it, with its line and column; or no capture at all.
    pub fn new(language: &Language, source: &str) -> Result<Self, String> {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        let deepest = source.bytes().scan(0_usize, |depth, byte| {
            match byte {
                b'(' | b'[' => *depth += 1,
                b')' | b']' => *depth = depth.saturating_sub(1),
                _ => {}
            }
            Some(*depth)
        });
        if deepest.max().unwrap_or(0) > MAX_NESTING || source.len() > 64 << 10 {
            return Err(format!("the query is longer than 64 KiB or nested more than {MAX_NESTING} deep"));
        }
        let query = Query::new(&language.grammar, source).map_err(|e| e.to_string())?;
        let names = query.capture_names();
        let root = names.iter().position(|n| *n == "match").unwrap_or(0);
        if names.is_empty() {
            return Err("the query captures nothing; mark the node that is meant with @match".to_owned());
        }
        Ok(Self { query, root: root as u32, number: NUMBERS.fetch_add(1, Ordering::Relaxed) })
    }

    fn matches<'t>(&self, node: Node<'t>) -> Option<Bindings<'t>> {
        let hits = self.hits(node.tree());
        let mut bindings = Bindings::default();
        let lists = self.lists();
        for (name, ids) in hits.get(&node.id)? {
            let nodes: Vec<Node<'t>> = ids.iter().map(|id| node.tree().node(*id)).collect();
            match nodes.as_slice() {
                [one] if !lists.contains(name) => bindings.set(name, Binding::One(*one)),
                _ => bindings.set(name, Binding::Many(nodes)),
            }
        }
        Some(bindings)
    }

    /// What the query finds in the whole tree: it runs once, wherever `@match` stands in it.
    fn hits(&self, tree: &Tree) -> Arc<QueryHits> {
        let mut queried = tree.queried.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Arc::clone(queried.entry(self.number).or_insert_with(|| Arc::new(self.run(tree))))
    }

    fn run(&self, tree: &Tree) -> QueryHits {
        let mut hits = QueryHits::new();
        tree.each_match(&self.query, |one, numbers| {
            let number = |node: tree_sitter::Node<'_>| numbers.get(node);
            // It speaks of operands that are those of another operator, or of tokens that were read as more.
            if one.captures().iter().any(|c| numbers.is_moved(c.node) || number(c.node).is_none()) {
                return;
            }
            for root in one.captures().iter().filter(|c| c.index == self.root).filter_map(|c| number(c.node)) {
                let Entry::Vacant(entry) = hits.entry(root) else { continue };
                let mut names: Vec<(String, Vec<NodeId>)> = Vec::new();
                for capture in one.captures() {
                    let name = self.query.capture_names()[capture.index as usize];
                    let Some(id) = number(capture.node).filter(|_| is_hole(name)) else { continue };
                    match names.iter_mut().find(|(n, _)| n == name) {
                        Some((_, ids)) => ids.push(id),
                        None => names.push((name.to_owned(), vec![id])),
                    }
                }
                entry.insert(names);
            }
        });
        hits
    }

    fn names(&self, which: impl Fn(CaptureQuantifier) -> bool) -> BTreeSet<String> {
        let names = self.query.capture_names();
        let patterns = 0..self.query.pattern_count();
        let of = |index: usize| patterns.clone().map(move |p| self.query.capture_quantifiers(p)[index]);
        let chosen = (0..names.len()).filter(|i| is_hole(names[*i]) && of(*i).any(&which));
        chosen.map(|i| names[i].to_owned()).collect()
    }

    fn lists(&self) -> BTreeSet<String> {
        self.names(|q| matches!(q, CaptureQuantifier::ZeroOrMore | CaptureQuantifier::OneOrMore))
    }

    fn sometimes(&self) -> BTreeSet<String> {
        let optional =
            |q| matches!(q, CaptureQuantifier::Zero | CaptureQuantifier::ZeroOrOne | CaptureQuantifier::ZeroOrMore);
        self.names(optional)
    }
}

fn is_hole(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
}

impl Matcher {
    /// Matches one node; new bindings are added to `bindings`, and names that are
    /// bound already must stand for the same code. Without a match nothing is added.
    pub fn matches<'t>(&self, node: Node<'t>, bindings: &mut Bindings<'t>) -> bool {
        let mut found = bindings.clone();
        let matches = self.answer(node, &mut found) == Certainty::Yes;
        if matches {
            *bindings = found;
        }
        matches
    }

    /// The expression that is all of a statement, where a pattern asks for one that is.
    pub fn expression_of<'t>(&self, statement: Node<'t>) -> Option<Node<'t>> {
        match self {
            Self::Pattern(pattern) => pattern.expression_of(statement),
            Self::Any(matchers) | Self::All(matchers) => matchers.iter().find_map(|m| m.expression_of(statement)),
            _ => None,
        }
    }

    /// As [`Matcher::matches`], with a third answer: the file alone can't tell. It is
    /// unknown what a literal with an odd escape holds, and what a wildcard import brings.
    /// Bindings are added unless the answer is no.
    pub fn answer<'t>(&self, node: Node<'t>, bindings: &mut Bindings<'t>) -> Certainty {
        let yes = |is: bool| if is { Certainty::Yes } else { Certainty::No };
        let of_text = |is: bool| if !is && has_unknown_value(node) { Certainty::Unknown } else { yes(is) };
        match self {
            Self::Pattern(pattern) => yes(pattern.matches(node).is_some_and(|found| bindings.merge(found))),
            Self::Invocation(call) => yes(call.matches(node).is_some_and(|found| bindings.merge(found))),
            Self::Query(query) => yes(query.matches(node).is_some_and(|found| bindings.merge(found))),
            Self::Kind(kinds) => yes(kinds.contains(&node.kind_id())),
            Self::Lookup(lookup) => of_text(texts(node).iter().any(|t| lookup.contains(t))),
            Self::Regex(regex) => of_text(texts(node).iter().any(|t| regex.is_match(t))),
            Self::Literal(regex) => of_text(text_value(node).is_some_and(|v| regex.is_match(&v))),
            Self::Symbol(symbol) => symbol.answer(node),
            Self::Typed(types) => types.answer_type(node),
            Self::Imported(paths) => yes(paths.is_imported_by(node)),
            Self::Named(paths) => yes(paths.is_named_by(node)),
            Self::Nth(place) => yes(is_nth(node, *place)),
            Self::Field(name) => yes(node.field_name() == Some(name.as_str())),
            Self::Use(sought) => sought.answer(node, bindings),
            Self::Given(name) => match bindings.given() {
                Some(given) => yes(given.get(name).is_some_and(|given| given.is(node))),
                None => Certainty::Unknown,
            },
            Self::Near(context) => context.answer(node, bindings),
            Self::Not(matcher) => matcher.answer(node, &mut bindings.clone()).negated(),
            Self::Any(_) => self.answer_where(node, bindings, |_| Certainty::Yes),
            Self::All(matchers) => {
                let mut all = bindings.clone();
                let sum = matchers.iter().fold(Certainty::Yes, |sum, m| sum.and(|| m.answer(node, &mut all)));
                if sum != Certainty::No {
                    *bindings = all;
                }
                sum
            }
        }
    }

    /// As [`Matcher::answer`], where what was found must hold as well: of several shapes that fit,
    /// it is the first of which that holds.
    pub(super) fn answer_where<'t>(
        &self,
        node: Node<'t>,
        bindings: &mut Bindings<'t>,
        mut holds: impl FnMut(&mut Bindings<'t>) -> Certainty,
    ) -> Certainty {
        let Self::Any(shapes) = self else { return self.answer(node, bindings).and(|| holds(bindings)) };
        let (before, mut sum) = (bindings.clone(), Certainty::No);
        for shape in shapes {
            let mut found = before.clone();
            let fits = shape.answer(node, &mut found);
            exercise::asked(shape, fits == Certainty::Yes);
            let one = fits.and(|| holds(&mut found));
            if one == Certainty::Yes || one == Certainty::Unknown && sum == Certainty::No {
                (*bindings, sum) = (found, one);
            }
            if sum == Certainty::Yes {
                break;
            }
        }
        sum
    }

    /// As [`Matcher::answer`], for a node of a query in a text of the code that a rule is about, which is `host`:
    /// what speaks of that code's own language does not hold there, and what is around is around the text.
    pub(super) fn answer_in_query<'t>(&self, node: Node<'t>, host: Node<'t>, found: &mut Bindings<'t>) -> Certainty {
        match self {
            Self::Use(_) | Self::Lookup(_) | Self::Regex(_) | Self::Literal(_) => self.answer(node, found),
            Self::Near(context) if !matches!(context.side, Side::Has | Side::Lacks) => context.answer(host, found),
            Self::Any(matchers) => {
                matchers.iter().fold(Certainty::No, |sum, one| sum.or(|| one.answer_in_query(node, host, found)))
            }
            Self::All(matchers) => {
                matchers.iter().fold(Certainty::Yes, |sum, one| sum.and(|| one.answer_in_query(node, host, found)))
            }
            Self::Not(matcher) => matcher.answer_in_query(node, host, &mut found.clone()).negated(),
            _ => Certainty::No,
        }
    }

    /// Whether it asks for uses of datasets.
    pub(super) fn asks_for_uses(&self) -> bool {
        match self {
            Self::Use(_) => true,
            Self::Any(matchers) | Self::All(matchers) => matchers.iter().any(Self::asks_for_uses),
            Self::Not(matcher) => matcher.asks_for_uses(),
            Self::Near(context) => context.asks_for_uses(),
            _ => false,
        }
    }

    /// Whether it asks for what a column is compared with.
    pub(super) fn compares(&self) -> bool {
        match self {
            Self::Use(sought) => sought.compares(),
            Self::Any(matchers) | Self::All(matchers) => matchers.iter().any(Self::compares),
            _ => false,
        }
    }

    /// What speaks of paths that moved: imports of them and of what lies below, uses, and texts.
    pub fn moved(paths: &[String]) -> Self {
        let (set, symbol) = (PathSet::new(paths), SymbolMatcher::new(paths).with_inner());
        Self::Any(vec![Self::Imported(set.clone().with_below()), Self::Symbol(symbol), Self::Named(set)])
    }

    /// The same, for what a rule looks for: of `a.b.C` the whole is found, and not its last name again.
    #[must_use]
    pub fn sought(self) -> Self {
        let each = |matchers: Vec<Self>| matchers.into_iter().map(Self::sought).collect();
        match self {
            Self::Symbol(symbol) => Self::Symbol(symbol.of_whole()),
            Self::Any(matchers) => Self::Any(each(matchers)),
            Self::All(matchers) => Self::All(each(matchers)),
            other => other,
        }
    }

    /// What a match leaves unnamed, and a template would thus drop: type arguments of a call, or its `?.`.
    pub fn left_out(&self, node: Node<'_>) -> Option<Range<usize>> {
        match self {
            Self::Invocation(call) => call.left_out(node),
            Self::Any(matchers) | Self::All(matchers) => matchers.iter().find_map(|m| m.left_out(node)),
            _ => None,
        }
    }

    /// Names that may stand for a list, and for an empty one.
    pub fn lists(&self) -> BTreeSet<String> {
        match self {
            Self::Pattern(pattern) => pattern.lists.clone(),
            Self::Invocation(call) => call.pattern().lists.clone(),
            Self::Query(query) => query.lists(),
            Self::Use(sought) => {
                sought.hole().filter(|(_, many)| *many).map(|(name, _)| name.to_owned()).into_iter().collect()
            }
            Self::Near(context) if context.side.wants() => context.sought.lists(),
            Self::Any(matchers) | Self::All(matchers) => matchers.iter().flat_map(Self::lists).collect(),
            _ => BTreeSet::new(),
        }
    }

    /// Kinds that a match can have; `None` where it can be any.
    pub fn root_kinds(&self) -> Option<Vec<u16>> {
        match self {
            Self::Pattern(pattern) => pattern.root_kinds(),
            Self::Invocation(call) => Some(call.root_kinds()),
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
            Self::Invocation(call) => (call.pattern().names.iter().cloned().collect(), BTreeSet::new()),
            Self::Query(query) => {
                let (all, sometimes) = (query.names(|_| true), query.sometimes());
                (all.difference(&sometimes).cloned().collect(), sometimes)
            }
            Self::Use(sought) => {
                (sought.hole().map(|(name, _)| name.to_owned()).into_iter().collect(), BTreeSet::new())
            }
            Self::Near(context) if context.side.wants() => context.sought.holes(),
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
            Self::Invocation(call) => call.pattern().literals().iter().map(|l| Clause::one(l.clone(), fold)).collect(),
            Self::Lookup(lookup) => one_of(language, lookup.keys.iter().cloned().collect(), fold).into_iter().collect(),
            Self::Regex(regex) | Self::Literal(regex) => {
                let kinds = [ExtractKind::Prefix, ExtractKind::Suffix];
                let texts = kinds.into_iter().filter_map(|kind| ends(regex, kind));
                texts.filter_map(|texts| one_of(language, texts, false)).collect()
            }
            Self::Symbol(symbol) => symbol.required(),
            Self::Imported(paths) | Self::Named(paths) => paths.required(),
            Self::Use(sought) => sought.required(),
            Self::Near(context) if context.side.wants() => context.sought.required(language),
            Self::All(matchers) => matchers.iter().flat_map(|m| m.required(language)).collect(),
            Self::Any(matchers) => Clause::either(matchers.iter().map(|m| m.required(language))),
            Self::Kind(_)
            | Self::Query(_)
            | Self::Not(_)
            | Self::Near(_)
            | Self::Typed(_)
            | Self::Nth(_)
            | Self::Field(_)
            | Self::Given(_) => Vec::new(),
        }
    }
}

/// Whether a node has this place among its siblings with a name, comments left out.
fn is_nth(node: Node<'_>, place: i64) -> bool {
    let Some(parent) = node.parent() else { return false };
    let siblings = parent.named_children().filter(|n| !n.is_extra());
    let steps = usize::try_from(place.unsigned_abs()).unwrap_or(usize::MAX);
    if place >= 0 {
        return siblings.into_iter().nth(steps).is_some_and(|n| n.id == node.id);
    }
    // From the end: how many stand from this one on.
    siblings.filter(|n| n.id >= node.id).take(steps.saturating_add(1)).count() == steps && node.is_named()
}

/// What a literal may hold in place of a plain character: it may then stand for
/// any key, so that the file is read whatever else is in it.
const ESCAPES: &[&str] =
    &["\\x", "\\u", "\\U", "\\N", "\\0", "\\1", "\\2", "\\3", "\\4", "\\5", "\\6", "\\7", "\\\n", "\\\r", "\\/"];

/// What a file must hold that has one of these texts in it, as code or as the value of
/// a literal. Texts with characters that a literal may escape prove nothing.
fn one_of(language: &Language, texts: Vec<String>, fold: bool) -> Option<Clause> {
    let odd = |c: char| c.is_control() || matches!(c, '\\' | '"' | '\'' | '`');
    if texts.iter().any(|t| t.is_empty() || t.contains(odd)) {
        return None;
    }
    let escapes = escapes(language, &texts);
    Some(Clause::of(texts.into_iter().chain(escapes), fold))
}

/// What a literal of this language may hold in place of some character of `texts`.
pub(super) fn escapes(language: &Language, texts: &[String]) -> BTreeSet<String> {
    let facts = &language.facts.string;
    let chars: BTreeSet<char> = texts.iter().flat_map(|t| t.chars()).collect();
    let pairs = facts.doubled.iter().filter(|p| p.starts_with(|c| chars.contains(&c)));
    let mut escapes: BTreeSet<String> = pairs.cloned().collect();
    if facts.escapes {
        escapes.extend(ESCAPES.iter().map(|e| (*e).to_owned()));
        let itself = |c: &&char| match c {
            'n' | 't' | 'r' | 'b' | 'f' | 'v' => false,
            c if c.is_alphanumeric() => facts.escapes_any,
            _ => true,
        };
        escapes.extend(chars.iter().filter(itself).map(|c| format!("\\{c}")));
        escapes.extend(chars.contains(&' ').then(|| "\\s".to_owned()));
    }
    escapes
}

/// Shorter beginnings and ends of matches are in almost every file.
const SHORTEST_END: usize = 3;

/// Texts of which every match of a regular expression begins, or ends, with one.
fn ends(regex: &Regex, kind: ExtractKind) -> Option<Vec<String>> {
    let hir = regex_syntax::parse(regex.as_str()).ok()?;
    let sequence = Extractor::new().kind(kind).extract(&hir);
    let text = |literal: &regex_syntax::hir::literal::Literal| {
        let text = std::str::from_utf8(literal.as_bytes()).ok()?;
        (text.len() >= SHORTEST_END).then(|| text.to_owned())
    };
    // No sequence means that there are too many; an empty one, that nothing matches.
    sequence.literals()?.iter().map(text).collect::<Option<Vec<_>>>().filter(|texts| !texts.is_empty())
}

/// Whether it is a string literal whose value can't be told, though no hole is in it.
fn has_unknown_value(node: Node<'_>) -> bool {
    let language = node.tree().language;
    language.is_string(node.kind_id()) && literal_value(node).is_none() && literal::is_uncertain(language, node.text())
}

/// The texts that a node is compared by: its own, and the value of a literal.
fn texts(node: Node<'_>) -> Vec<String> {
    match literal_value(node) {
        Some(value) => vec![value],
        None => vec![node.tree().language.bare_name(node.text()).to_owned()],
    }
}
