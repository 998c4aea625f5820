//! Text → [`Pattern`]. Strict: a pattern that does not parse, whose holes do not
//! survive as nodes, or that reads in two ways is an error with the trees shown.

use std::collections::BTreeSet;

use super::calls::{Call, call_at, call_languages, knows_calls};
use super::error::{PatternError, advice, marked};
use super::invocation::{Invocation, chain_of};
use super::spelling::{Spelt, spellings, written};
use super::{Child, Hole, Pattern, Shape};
use crate::language::{Context, Language};
use crate::tree::{Node, PrintOptions, Tree, parse, print};

/// Longest pattern, in bytes.
pub(super) const MAX_TEXT: usize = 64 << 10;
/// Deepest nesting of a pattern's nodes: matching recurses as deep.
pub(super) const MAX_DEPTH: usize = 500;

/// Compiles `source` for `language`, in the named context or in the one that fits.
///
/// # Errors
/// See [`PatternError`].
pub fn compile(language: &'static Language, source: &str, context: Option<&str>) -> Result<Pattern, PatternError> {
    let text = bounded(source)?;
    let contexts: Vec<&Context> =
        language.facts.context.iter().filter(|c| context.is_none_or(|n| n == c.name)).collect();
    if contexts.is_empty() {
        return Err(PatternError::NoSuchContext {
            language: language.facts.name.clone(),
            context: context.unwrap_or("").to_owned(),
            contexts: context_names(language.facts.context.iter()).join(", "),
        });
    }
    let named = context.is_some();
    let Understood { spelt, mut readings, worst } = understood(language, text, &contexts, named)?;
    match readings.len() {
        0 => Err(PatternError::Unreadable {
            pattern: text.to_owned(),
            language: language.facts.name.clone(),
            contexts: context_names(contexts.into_iter()).join(", "),
            tree: format!("{}{}", marked(text, &spelt, worst.at), worst.tree),
            advice: advice(text, context),
        }),
        1 => finish(language, text, readings.remove(0), named),
        _ => Err(ambiguous(language, text, &spelt, &readings)),
    }
}

/// The text of a pattern without what is around it.
fn bounded(source: &str) -> Result<&str, PatternError> {
    match source.trim() {
        "" => Err(PatternError::Empty),
        text if text.len() > MAX_TEXT => Err(PatternError::TooLarge),
        text => Ok(text),
    }
}

/// Compiles a pattern of a call: its parts, however the code puts them together.
pub(super) fn invocation(language: &'static Language, source: &str) -> Result<Invocation, PatternError> {
    if !knows_calls(language) {
        let known = call_languages().collect::<Vec<_>>().join(", ");
        return Err(PatternError::UnknownCalls { language: language.facts.name.clone(), known });
    }
    let text = bounded(source)?;
    let spelt = Spelt::new(language, text, false);
    let mut shown = String::new();
    for context in language.facts.context.iter().filter(|c| !c.last_resort) {
        let tree = parse(language, format!("{}{}{}", context.before, spelt.code, context.after))?;
        if is_deep(&tree) {
            return Err(PatternError::TooLarge);
        }
        let (start, end) = (context.before.len(), context.before.len() + spelt.code.len());
        let node = innermost(&tree, start, end).filter(|_| tree.errors().next().is_none());
        match node.and_then(call_at) {
            Some(call) => return of_call(language, text, &spelt, context, &call),
            None if shown.is_empty() => shown = spelt.show(&print(&tree, tree.root(), PrintOptions::default())),
            None => {}
        }
    }
    Err(PatternError::NoCall { pattern: text.to_owned(), language: language.facts.name.clone(), tree: shown })
}

fn of_call(
    language: &'static Language,
    text: &str,
    spelt: &Spelt,
    context: &Context,
    call: &Call<'_>,
) -> Result<Invocation, PatternError> {
    let mut builder = Builder { spelt, names: Vec::new(), lists: BTreeSet::new(), repeats: false, found: 0 };
    let receiver = call.receiver.map(|n| builder.shape(n));
    let path = call.path.map(|n| builder.shape(n));
    let name = builder.shape(call.name);
    let mut list = |nodes: &[Node<'_>]| -> Vec<Child> {
        nodes.iter().map(|n| Child { field: n.field_id(), shape: builder.shape(*n) }).collect()
    };
    let types = call.types.as_deref().map(&mut list);
    let arguments = list(&call.arguments);
    let lost = (builder.found < spelt.holes.len()).then(|| lost_hole(spelt, call.node)).flatten();
    let mut literals = Vec::new();
    let each = [&receiver, &path].into_iter().flatten().chain([&name]);
    each.for_each(|shape| collect_literals(shape, &mut literals));
    types.iter().flatten().chain(&arguments).for_each(|child| collect_literals(&child.shape, &mut literals));
    literals.sort_by(|a, b| b.len().cmp(&a.len()).then(a.cmp(b)));
    literals.dedup();
    if let Some((hole, inside)) = lost {
        return Err(PatternError::HoleLost {
            pattern: text.to_owned(),
            language: language.facts.name.clone(),
            hole: written(&hole),
            inside: inside.to_owned(),
        });
    }
    let pattern = Pattern {
        language,
        source: text.to_owned(),
        context: context.name.clone(),
        names: builder.names,
        lists: builder.lists,
        repeats: builder.repeats,
        // Its parts are what is matched.
        root: Shape::Many { name: None },
        statement: None,
        literals,
    };
    let chain = chain_of(call).and_then(|chain| call.node.tree().text().get(chain)).map(str::to_owned);
    Ok(Invocation { pattern, receiver, path, name, types, arguments, chain })
}

/// The spelling in which a pattern reads, and how; the plain one, and why not, where it reads in none.
struct Understood {
    spelt: Spelt,
    readings: Vec<Reading>,
    worst: Attempt,
}

/// Reads a pattern with its holes spelt plainly; where that is no code, or takes a hole in, in other ways.
fn understood(
    language: &'static Language,
    text: &str,
    contexts: &[&Context],
    named: bool,
) -> Result<Understood, PatternError> {
    let plain = Spelt::new(language, text, false);
    let others = spellings(language, &plain);
    let (readings, worst) = read_all(contexts, &plain, named, language)?;
    let mut first = Understood { spelt: plain, readings, worst };
    if first.keep_whole() {
        return Ok(first);
    }
    // `{ $$$BODY }`: where statements end in `;`, a hole that is one needs its own.
    let by_semicolon = language.facts.separators.iter().any(|s| s == ";");
    let statements = by_semicolon.then(|| Spelt::new(language, text, true));
    for spelt in statements.into_iter().chain(others.iter().map(|other| Spelt::with(language, text, other))) {
        let (readings, worst) = read_all(contexts, &spelt, named, language)?;
        let mut other = Understood { spelt, readings, worst };
        if other.keep_whole() {
            return Ok(other);
        }
        if first.readings.is_empty() && !other.readings.is_empty() {
            first = Understood { worst: first.worst, ..other };
        }
    }
    Ok(first)
}

impl Understood {
    /// Drops the readings that take a hole in, if there are others.
    fn keep_whole(&mut self) -> bool {
        let whole = self.readings.iter().any(|reading| reading.lost.is_none());
        self.readings.retain(|reading| !whole || reading.lost.is_none());
        whole
    }
}

/// Every way in which the pattern reads, and the first attempt that failed.
fn read_all(
    contexts: &[&Context],
    spelt: &Spelt,
    named: bool,
    language: &'static Language,
) -> Result<(Vec<Reading>, Attempt), PatternError> {
    let (mut readings, mut resorts, mut seldom): (Vec<Reading>, Vec<Reading>, Vec<Reading>) = Default::default();
    let mut worst = Attempt::default();
    for candidate in contexts {
        if candidate.last_resort && !readings.is_empty() && candidate.competes.is_empty() {
            continue;
        }
        let tree = parse(language, format!("{}{}{}", candidate.before, spelt.code, candidate.after))?;
        match read(candidate, spelt, &tree, named)? {
            Ok(reading) if !candidate.only.is_empty() && !candidate.only.iter().any(|kind| *kind == reading.kind) => {}
            Ok(reading) if !named && candidate.except.iter().any(|kind| *kind == reading.kind) => {
                seldom.push(reading);
            }
            Ok(reading) if readings.iter().chain(&resorts).any(|r| r.tree == reading.tree) => {}
            Ok(reading) if candidate.last_resort && !reading.competes => resorts.push(reading),
            Ok(reading) => readings.push(reading),
            Err(shown) if worst.tree.is_empty() => worst = shown,
            Err(_) => {}
        }
    }
    if readings.is_empty() {
        readings = resorts;
    }
    // What is hardly ever meant is, where it reads as nothing else.
    if readings.is_empty() {
        seldom.truncate(1);
        readings = seldom;
    }
    Ok((readings, worst))
}

/// The names of contexts, each once.
fn context_names<'a>(contexts: impl Iterator<Item = &'a Context>) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    for context in contexts {
        if !names.contains(&context.name.as_str()) {
            names.push(&context.name);
        }
    }
    names
}

/// A reading that failed: the tree, and where in the pattern, as it was spelt, it goes wrong.
#[derive(Default)]
struct Attempt {
    tree: String,
    at: Option<usize>,
}

/// One way in which the pattern can be read.
struct Reading {
    context: String,
    /// The tree as text: equal trees mean the same.
    tree: String,
    kind: &'static str,
    /// Whether it counts as much as another one, though its context is a last resort.
    competes: bool,
    shape: Shape,
    names: Vec<String>,
    lists: BTreeSet<String>,
    repeats: bool,
    lost: Option<(Hole, &'static str)>,
    /// A hole for one segment of a path, where a whole path is meant.
    segment: Option<(Hole, &'static str)>,
    /// The kind of the statement that it is all of, if that is another node.
    statement: Option<u16>,
}

/// Reads the pattern in one context; the inner error is the tree, for people.
fn read(context: &Context, spelt: &Spelt, tree: &Tree, named: bool) -> Result<Result<Reading, Attempt>, PatternError> {
    let (start, end) = (context.before.len(), context.before.len() + spelt.code.len());
    // `catch(f) { … }` is hardly ever a method, unless a method is asked for.
    let broken = tree.errors().next().is_some()
        || !named && tree.iter().any(is_reserved)
        || tree.iter().any(|node| is_unmeant(node, spelt));
    let top = if broken { None } else { innermost(tree, start, end) };
    let Some(node) = top else {
        let at =
            tree.errors().map(|error| error.local_range().start.saturating_sub(start)).find(|at| *at <= end - start);
        return Ok(Err(Attempt { tree: spelt.show(&print(tree, tree.root(), PrintOptions::default())), at }));
    };
    if is_deep(tree) {
        return Err(PatternError::TooLarge);
    }
    let mut builder = Builder { spelt, names: Vec::new(), lists: BTreeSet::new(), repeats: false, found: 0 };
    let shape = builder.shape(node);
    let lost = (builder.found < spelt.holes.len()).then(|| lost_hole(spelt, node)).flatten();
    Ok(Ok(Reading {
        context: context.name.clone(),
        tree: print(tree, node, PrintOptions { anonymous: true, ranges: false }),
        kind: node.kind(),
        competes: competes(context, node),
        shape,
        names: builder.names,
        lists: builder.lists,
        repeats: builder.repeats,
        lost,
        segment: first_segment(spelt, node),
        statement: node.parent().filter(|up| up.is_statement() && !node.is_statement()).map(|up| up.kind_id()),
    }))
}

/// Whether a reading in a context that is a last resort is as likely as another one.
fn competes(context: &Context, node: Node<'_>) -> bool {
    let is = |kinds: &[String], node: Node<'_>| kinds.iter().any(|kind| kind == node.kind());
    is(&context.competes, node) && !node.descendants().any(|part| is(&context.unlikely, part)) && !is_split(node)
}

/// Whether a reading takes one operator of the language for two: `A && B`, as a type.
fn is_split(node: Node<'_>) -> bool {
    let tokens: Vec<Node<'_>> = node.descendants().filter(|part| part.is_leaf() && !part.is_named()).collect();
    tokens.windows(2).any(|pair| {
        let (first, second) = (pair[0], pair[1]);
        // What closes a list closes another one behind it.
        first.local_range().end == second.local_range().start
            && first.text() != ">"
            && node.tree().language.kind_id(&format!("{}{}", first.text(), second.text()), false).is_some()
    })
}

/// Whether a node is a name that no code may have.
fn is_reserved(node: Node<'_>) -> bool {
    let reserved = &node.tree().language.facts.reserved;
    if reserved.is_empty() || !node.is_named() || node.named_children().next().is_some() {
        return false;
    }
    let place = || Some(format!("{}.{}", node.parent()?.kind(), node.field_name()?));
    let words = reserved.get(node.kind()).or_else(|| reserved.get(&place()?));
    words.is_some_and(|words| words.iter().any(|word| word == node.text()))
}

/// Whether the grammar reads code so, and nobody writes it to say that.
fn is_unmeant(node: Node<'_>, spelt: &Spelt) -> bool {
    let is = |node: Node<'_>, what: &str| match what {
        LIST => spelt.hole(node.text()).is_some_and(|hole| hole.many),
        kind => node.kind() == kind,
    };
    node.tree().language.facts.unmeant.iter().any(|path| {
        let mut up = Some(node);
        path.split(' ').rev().all(|what| {
            let here = up.filter(|node| is(*node, what));
            up = here.and_then(|node| node.parent());
            here.is_some()
        })
    })
}

/// Any hole for many in a path of `unmeant`.
const LIST: &str = "$$$";

fn is_deep(tree: &Tree) -> bool {
    let mut open: Vec<Node<'_>> = Vec::new();
    tree.iter().any(|node| {
        while open.last().is_some_and(|n| !n.contains(node)) {
            open.pop();
        }
        open.push(node);
        open.len() > MAX_DEPTH
    })
}

/// The deepest node that spans the pattern, unwrapping nodes that only wrap it;
/// a statement is thus read as the expression it consists of.
fn innermost<'t>(tree: &'t Tree, start: usize, end: usize) -> Option<Node<'t>> {
    let keeps = &tree.language.facts.keeps;
    let mut node = tree.spanning(start, end)?;
    // A keyword alone is the statement, and not the word at the head of others: `return`.
    while let Some(only) = node.children().find(|c| c.is_named() && c.local_range() == node.local_range())
        && !keeps.iter().any(|k| k == node.kind())
    {
        node = only;
    }
    // A wrapper may end in a token of the pattern's own (`f();`): keep it then.
    Some(node)
}

fn lost_hole(spelt: &Spelt, root: Node<'_>) -> Option<(Hole, &'static str)> {
    spelt.holes.iter().find_map(|(spelling, hole)| {
        let nodes = || std::iter::once(root).chain(root.descendants());
        if nodes().any(|n| n.text() == spelling) {
            return None;
        }
        let inside = nodes().filter(|n| n.text().contains(spelling.as_str())).last()?;
        Some((hole.clone(), inside.kind()))
    })
}

/// A hole for one that begins a path whose segments lie side by side: it would find paths of one segment only.
fn first_segment(spelt: &Spelt, root: Node<'_>) -> Option<(Hole, &'static str)> {
    let flat = &root.tree().language.facts.flat_paths;
    let paths = std::iter::once(root).chain(root.descendants()).filter(|node| flat.iter().any(|k| k == node.kind()));
    let mut holes = paths.filter_map(|path| {
        let hole = spelt.hole(path.named_children().next()?.text())?;
        (!hole.many).then(|| (hole.clone(), path.kind()))
    });
    holes.next()
}

fn ambiguous(language: &Language, text: &str, spelt: &Spelt, readings: &[Reading]) -> PatternError {
    let candidates: Vec<String> =
        readings.iter().map(|r| format!("{}({text:?}):\n{}", r.context, spelt.show(&r.tree))).collect();
    PatternError::Ambiguous {
        pattern: text.to_owned(),
        language: language.facts.name.clone(),
        candidates: candidates.concat(),
    }
}

fn finish(language: &'static Language, text: &str, reading: Reading, named: bool) -> Result<Pattern, PatternError> {
    if let Some((hole, inside)) = reading.lost {
        return Err(PatternError::HoleLost {
            pattern: text.to_owned(),
            language: language.facts.name.clone(),
            hole: written(&hole),
            inside: inside.to_owned(),
        });
    }
    if let Some((hole, inside)) = reading.segment {
        return Err(PatternError::OneSegment {
            pattern: text.to_owned(),
            language: language.facts.name.clone(),
            path: written(&Hole { many: true, ..hole.clone() }),
            hole: written(&hole),
            inside: inside.to_owned(),
        });
    }
    if matches!(reading.shape, Shape::One { .. } | Shape::Many { .. }) {
        return Err(PatternError::MatchesAll(text.to_owned()));
    }
    let mut literals = Vec::new();
    collect_literals(&reading.shape, &mut literals);
    if literals.is_empty() {
        // `$A == $A` names nothing, but most files hold no `==`.
        collect_operators(language, &reading.shape, &mut literals);
    }
    literals.sort_by(|a, b| b.len().cmp(&a.len()).then(a.cmp(b)));
    literals.dedup();
    Ok(Pattern {
        language,
        source: text.to_owned(),
        statement: reading.statement.filter(|_| named && reading.context == "stmt"),
        context: reading.context,
        names: reading.names,
        lists: reading.lists,
        repeats: reading.repeats,
        root: reading.shape,
        literals,
    })
}

fn collect_literals(shape: &Shape, into: &mut Vec<String>) {
    match shape {
        Shape::Leaf { text, .. } if text.bytes().any(|b| b.is_ascii_alphanumeric()) && !text.contains(['\n', '\r']) => {
            into.push(text.clone());
        }
        Shape::Inner { children, gaps, .. } => {
            // Gap texts stand in the code as they are, but line ends may differ.
            into.extend(gaps.iter().filter(|g| g.len() > 1 && !g.contains(['\n', '\r'])).cloned());
            children.iter().for_each(|child| collect_literals(&child.shape, into));
        }
        _ => {}
    }
}

/// Tokens of several characters that are no words: shorter ones are in every file. What
/// parts elements of a list is left out, since it may be missing.
fn collect_operators(language: &Language, shape: &Shape, into: &mut Vec<String>) {
    match shape {
        Shape::Leaf { named: false, text, .. } if text.len() > 1 && !text.contains(char::is_whitespace) => {
            into.extend((!language.is_separator(text)).then(|| text.clone()));
        }
        Shape::Inner { children, .. } => {
            children.iter().for_each(|child| collect_operators(language, &child.shape, into));
        }
        _ => {}
    }
}

struct Builder<'s> {
    spelt: &'s Spelt,
    names: Vec<String>,
    lists: BTreeSet<String>,
    repeats: bool,
    found: usize,
}

impl Builder<'_> {
    fn shape(&mut self, node: Node<'_>) -> Shape {
        let node = node.on_its_line();
        if let Some(hole) = self.spelt.hole(node.text()).filter(|hole| hole.many || !is_exact(node)) {
            self.found += 1;
            return self.hole(node, &hole.clone());
        }
        if node.is_leaf() {
            let text = if node.is_named() { node.tree().language.bare_name(node.text()) } else { node.text() };
            return Shape::Leaf { kind: node.kind_id(), named: node.is_named(), text: text.to_owned() };
        }
        let children = node
            .children()
            .filter(|c| !c.is_extra())
            .map(|c| Child { field: c.field_id(), shape: self.shape(c) })
            .collect();
        let gaps = node.gaps().iter().map(|g| (*g).to_owned()).collect();
        Shape::Inner { kind: node.kind_id(), children, gaps }
    }

    /// A hole may be wrapped in nodes that span just it. `node` is the topmost.
    fn hole(&mut self, node: Node<'_>, hole: &Hole) -> Shape {
        let name = hole.name.as_ref().map(|name| {
            if hole.many {
                self.lists.insert(name.clone());
            }
            let known = self.names.iter().position(|n| n == name);
            self.repeats |= known.is_some();
            known.unwrap_or_else(|| {
                self.names.push(name.clone());
                self.names.len() - 1
            })
        });
        let language = node.tree().language;
        let chain: Vec<Node<'_>> = std::iter::successors(Some(node), |n| {
            n.children().find(|c| c.is_named() && c.local_range() == n.local_range())
        })
        .collect();
        if !hole.many {
            return Shape::One { name, chain: chain.iter().map(|n| n.kind_id()).collect() };
        }
        // `if $A: $$$B`: the block stays, its statements are the hole.
        match chain.iter().rposition(|n| language.is_list(n.kind_id())) {
            None => Shape::Many { name },
            Some(last) => chain[..=last].iter().rev().fold(Shape::Many { name }, |inner, list| Shape::Inner {
                kind: list.kind_id(),
                children: vec![Child { field: 0, shape: inner }],
                gaps: Vec::new(),
            }),
        }
    }
}

/// Whether a hole is the name in a node, and not the node.
fn is_exact(node: Node<'_>) -> bool {
    let exact = &node.tree().language.facts.exact;
    exact.iter().any(|kind| kind == node.kind())
        && node.children().any(|c| c.is_named() && c.local_range() == node.local_range())
}

/// How a pattern reads in one context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reads {
    /// The context.
    pub context: String,
    /// Whether it reads there at all, with every hole a node of its own.
    pub fits: bool,
    /// The tree, with the holes as they are written; with the error where it does not read.
    pub tree: String,
}

/// How a pattern reads in each context of a language, in the order in which they are
/// tried; which of them is meant, [`compile`] tells.
///
/// # Errors
/// Where it is empty, too large, or beyond the parser.
pub fn readings(language: &'static Language, source: &str) -> Result<Vec<Reads>, PatternError> {
    let text = bounded(source)?;
    let one = |name: &str| {
        let contexts: Vec<&Context> = language.facts.context.iter().filter(|c| c.name == name).collect();
        let Understood { spelt, readings, worst } = understood(language, text, &contexts, true)?;
        let (fits, tree) = match readings.first() {
            Some(reading) => (reading.lost.is_none(), &reading.tree),
            None => (false, &worst.tree),
        };
        Ok(Reads { context: name.to_owned(), fits, tree: spelt.show(tree) })
    };
    context_names(language.facts.context.iter()).into_iter().map(one).collect()
}
