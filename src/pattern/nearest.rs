//! Why a pattern matches nothing: the node that comes nearest, and the first difference.
//!
//! Must not: decide whether it matches; only [`Pattern::matches`] does.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::{Child, Pattern, Shape};
use crate::tree::{Node, Tree, same_text};

/// The node of a tree that comes nearest to a pattern that does not match it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nearest {
    /// Words of the pattern that stand in the candidate.
    pub words: usize,
    /// How near one of its words comes to one of the others, in hundredths; all of it where the pattern has only
    /// words of the language.
    pub near: usize,
    /// Tokens that agree before the first difference.
    pub agreed: usize,
    /// Bytes of the candidate.
    pub candidate: Range<usize>,
    /// Bytes of the code that differs; empty where something is missing.
    pub at: Range<usize>,
    /// What is there, and what the pattern has.
    pub difference: String,
}

impl Nearest {
    /// What candidates are compared by: names say more than shapes.
    pub fn rank(&self) -> (usize, usize, usize) {
        (self.words, self.near, self.agreed)
    }

    /// Whether it has anything to do with a pattern that names something.
    pub fn is_near(&self) -> bool {
        self.words > 0 || self.near >= NEAR
    }
}

/// How near a word must be to be the one that was meant, in hundredths.
const NEAR: usize = 85;

/// The nearest candidate of a tree; `None` where no node is of the pattern's kind.
pub fn nearest(pattern: &Pattern, tree: &Tree) -> Option<Nearest> {
    let kind = pattern.root.kind();
    let mut best: Option<Nearest> = None;
    for node in tree.iter().filter(|node| kind.is_none_or(|kind| kind == node.kind_id())) {
        let mut walk = Walk { pattern, agreed: 0, bound: HashMap::new() };
        let Err(Difference { at, words: difference }) = walk.shape(&pattern.root, node) else { continue };
        let (words, near) = named(pattern, node);
        let found = Nearest { words, near, agreed: walk.agreed, candidate: node.local_range(), at, difference };
        if best.as_ref().is_none_or(|best| found.rank() > best.rank()) {
            best = Some(found);
        }
    }
    best
}

/// How many names and values of a pattern stand in a node, and how near another one comes to one of the rest. Words of
/// the language stand in all that is of its kind.
fn named(pattern: &Pattern, node: Node<'_>) -> (usize, usize) {
    let mut words = Vec::new();
    names(&pattern.root, &mut words);
    if words.is_empty() {
        return (0, 100);
    }
    let leaves: HashSet<&str> = std::iter::once(node)
        .chain(node.descendants())
        .filter(|n| n.is_named() && n.named_children().next().is_none())
        .map(Node::text)
        .collect();
    let is_there = |word: &&&str| leaves.contains(**word);
    let there = words.iter().filter(is_there).count();
    let others = words.iter().filter(|word| !is_there(word));
    let scores = others.flat_map(|word| leaves.iter().map(|leaf| likeness(word, leaf)));
    (there, (scores.fold(0.0, f64::max) * 100.0) as usize)
}

/// The texts of the named leaves of a pattern that say something.
fn names<'p>(shape: &'p Shape, into: &mut Vec<&'p str>) {
    match shape {
        Shape::Leaf { named: true, text, .. } if text.bytes().any(|b| b.is_ascii_alphanumeric()) => into.push(text),
        Shape::Inner { children, .. } => children.iter().for_each(|child| names(&child.shape, into)),
        _ => {}
    }
}

/// How near two words come: the same in other quotes is the same, and a part of the other one is near.
fn likeness(word: &str, leaf: &str) -> f64 {
    let bare = |text: &str| text.trim_matches(['"', '\'', '`']).to_owned();
    let (word, leaf) = (bare(word), bare(leaf));
    let part = word.len().min(leaf.len()) > 2 && (leaf.contains(&word) || word.contains(&leaf));
    let score = strsim::normalized_damerau_levenshtein(&word, &leaf);
    if part { score.max(NEAR as f64 / 100.0) } else { score }
}

struct Difference {
    at: Range<usize>,
    words: String,
}

struct Walk<'p, 't> {
    pattern: &'p Pattern,
    agreed: usize,
    bound: HashMap<usize, Node<'t>>,
}

type Same = Result<(), Difference>;

impl<'t> Walk<'_, 't> {
    fn shape(&mut self, shape: &Shape, node: Node<'t>) -> Same {
        match shape {
            Shape::Leaf { kind, text, .. } => {
                let fold = self.pattern.language.facts.case_insensitive;
                let blank = !node.is_named() && text.trim().is_empty();
                if self.pattern.language.is_alike(node.kind_id(), *kind)
                    && (blank
                        || same_text(text, self.pattern.language.bare_name(node.text()), fold && !node.is_string()))
                {
                    self.agreed += 1;
                    return Ok(());
                }
                Err(self.differs(node, shape))
            }
            Shape::Inner { kind, children, gaps } => {
                if !self.pattern.language.is_alike(node.kind_id(), *kind) {
                    return Err(self.differs(node, shape));
                }
                if node.gaps() != gaps.iter().map(String::as_str).collect::<Vec<_>>() {
                    let words = format!("here is `{}`, and the pattern has `{}`", short(node.text()), gaps.join(" "));
                    return Err(Difference { at: node.local_range(), words });
                }
                self.agreed += 1;
                let nodes: Vec<Node<'t>> = node.children().filter(|child| !child.is_extra()).collect();
                self.list(children, &nodes, node)
            }
            Shape::One { name, .. } => match name.and_then(|name| self.bound.get(&name).map(|first| (name, *first))) {
                Some((name, first)) if !first.same_code(node) => {
                    let hole = &self.pattern.names[name];
                    let words = format!(
                        "`${hole}` stands for `{}` already, and here is `{}`",
                        short(first.text()),
                        short(node.text())
                    );
                    Err(Difference { at: node.local_range(), words })
                }
                _ => {
                    name.map(|name| self.bound.insert(name, node));
                    self.agreed += 1;
                    Ok(())
                }
            },
            Shape::Many { .. } => Ok(()),
        }
    }

    fn list(&mut self, shapes: &[Child], nodes: &[Node<'t>], owner: Node<'t>) -> Same {
        let many = |child: &Child| matches!(child.shape, Shape::Many { .. });
        let head = shapes.iter().position(many).unwrap_or(shapes.len());
        for (at, child) in shapes[..head].iter().enumerate() {
            match nodes.get(at) {
                Some(node) => self
                    .placed(child, *node)
                    .and_then(|()| self.shape(&child.shape, node.on_its_line()))
                    .map_err(|difference| {
                        let parts = !node.is_named() && self.pattern.language.is_separator(node.kind());
                        match nodes.get(at + 1).filter(|more| parts && more.is_named() && !is_named(&child.shape)) {
                            Some(more) => {
                                let words =
                                    format!("here is `{}`, and the pattern has nothing more", short(more.text()));
                                Difference { at: more.local_range(), words }
                            }
                            None => difference,
                        }
                    })?,
                None => return Err(self.missing(child, owner)),
            }
        }
        if head == shapes.len() {
            let separator = |node: &&Node<'_>| !node.is_named() && self.pattern.language.is_separator(node.kind());
            return match nodes[head..].iter().find(|node| !separator(node)) {
                None => Ok(()),
                Some(more) => {
                    let words = format!("here is `{}`, and the pattern has nothing more", short(more.text()));
                    Err(Difference { at: more.local_range(), words })
                }
            };
        }
        let last = shapes.iter().rposition(many).unwrap_or(head);
        let tail = &shapes[last + 1..];
        // What parts an empty list from its neighbours may be missing.
        let from = nodes.len().saturating_sub(tail.len()).max(head);
        for (child, node) in tail.iter().zip(&nodes[from.min(nodes.len())..]) {
            self.placed(child, *node)?;
            self.shape(&child.shape, node.on_its_line())?;
        }
        Ok(())
    }

    /// Whether a node for a hole is what the hole is in its place: the condition of an `if`, say.
    fn placed(&self, child: &Child, node: Node<'_>) -> Same {
        let name = |field: u16| self.pattern.language.grammar.field_name_for_id(field);
        match (name(child.field), &child.shape) {
            (Some(field), Shape::One { .. }) if node.is_named() && child.field != node.field_id() => {
                let (here, wanted) = (short(node.text()), self.shown(&child.shape));
                let place = node.field_name().map(|own| format!(", {} `{own}`", article(own))).unwrap_or_default();
                let words =
                    format!("here is `{here}`{place}; the pattern has `{wanted}`, {} `{field}`", article(field));
                Err(Difference { at: node.local_range(), words })
            }
            _ => Ok(()),
        }
    }

    fn differs(&self, node: Node<'_>, shape: &Shape) -> Difference {
        let grammar = &self.pattern.language.grammar;
        let wanted = self.shown(shape);
        let mut words = format!("here is `{}`, and the pattern has `{wanted}`", short(node.text()));
        let kind = shape.kind().and_then(|kind| grammar.node_kind_for_id(kind)).unwrap_or_default();
        if node.is_named() && is_named(shape) && kind != node.kind() && !kind.is_empty() {
            words = format!(
                "here is `{}`, {} `{}`; the pattern has `{wanted}`, {} `{kind}`",
                short(node.text()),
                article(node.kind()),
                node.kind(),
                article(kind)
            );
        }
        Difference { at: node.local_range(), words }
    }

    fn missing(&self, child: &Child, owner: Node<'_>) -> Difference {
        let end = owner.local_range().end;
        let words = format!("here is nothing more, and the pattern has `{}`", self.shown(&child.shape));
        Difference { at: end..end, words }
    }

    /// A part of the pattern for people.
    fn shown(&self, shape: &Shape) -> String {
        fn collect(walk: &Walk<'_, '_>, shape: &Shape, out: &mut Vec<String>) {
            let name = |name: &Option<usize>| name.map_or("_", |name| walk.pattern.names[name].as_str()).to_owned();
            match shape {
                Shape::Leaf { text, .. } => out.push(text.clone()),
                Shape::Inner { children, gaps, .. } => {
                    children.iter().for_each(|child| collect(walk, &child.shape, out));
                    out.extend(gaps.iter().cloned());
                }
                Shape::One { name: hole, .. } => out.push(format!("${}", name(hole))),
                Shape::Many { name: hole } => out.push(format!("$$${}", name(hole))),
            }
        }
        let mut parts = Vec::new();
        collect(self, shape, &mut parts);
        short(&parts.join(" "))
    }
}

fn article(kind: &str) -> &'static str {
    if kind.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}

fn is_named(shape: &Shape) -> bool {
    !matches!(shape, Shape::Leaf { named: false, .. })
}

fn short(text: &str) -> String {
    let line = text.lines().next().unwrap_or("");
    let cut: String = line.chars().take(40).collect();
    if cut.len() < text.len() { format!("{cut}…") } else { cut }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::by_name;
    use crate::pattern::compile;
    use crate::tree::parse;

    /// The code that differs, and how.
    fn check(language: &str, pattern: &str, code: &str) -> String {
        let language = by_name(language).unwrap();
        let pattern = compile(language, pattern, None).unwrap();
        let tree = parse(language, code).unwrap();
        assert!(!tree.iter().any(|node| pattern.matches(node).is_some()), "it matches");
        nearest(&pattern, &tree).map_or("none".to_owned(), |n| format!("{}: {}", &code[n.at.clone()], n.difference))
    }

    #[test]
    fn the_nearest_candidate_shows_the_first_difference() {
        assert_eq!(check("python", "f(1, $X)", "g(2)\nf(3, 4)\n"), "3: here is `3`, and the pattern has `1`");
        assert_eq!(check("python", "f($X)", "f(1, 2)"), "2: here is `2`, and the pattern has nothing more");
        assert_eq!(check("python", "f($X, $Y)", "f(1)"), "): here is `)`, and the pattern has `,`");
        assert_eq!(
            check("python", "f($X, key=1)", "f(1, 'a')"),
            "'a': here is `'a'`, a `string`; the pattern has `key = 1`, a `keyword_argument`"
        );
        assert_eq!(check("python", "$A == $A", "a == b"), "b: `$A` stands for `a` already, and here is `b`");
        assert_eq!(check("python", "f(\"a\")", "f('a')"), "': here is `'`, and the pattern has `\"`");
        assert_eq!(
            check("java", "$X.old($$$)", "class A { void m() { a.older(1); b(); } }"),
            "older: here is `older`, and the pattern has `old`"
        );
        assert_eq!(check("python", "class $A: $$$B", "x = 1"), "none");
        // A pattern of words of the language comes near what is of its kind.
        assert_eq!(
            check("go", "if $A { $$$B }", "package a\n\nfunc f() { if a := b(); a { c() } }"),
            "a := b(): here is `a := b()`, an `initializer`; the pattern has `$A`, a `condition`"
        );
        assert!(check("rust", "fn $F($P) { $$$B }", "pub fn f(a: u8) { b(); }").starts_with("pub: here is `pub`, a"));
        assert!(check("python", "if $A: yield\nelse: yield", "if q: yield\nelse:\n    g()\n").starts_with("g()"));
        // A name in other quotes is the same name, and a longer one is near.
        for (language, pattern, code) in [("toml", "old = $X", "\"old\" = 1"), ("json", "\"old\"", "{\"olds\": 1}")] {
            let (language, code) = (by_name(language).unwrap(), parse(by_name(language).unwrap(), code).unwrap());
            assert!(nearest(&compile(language, pattern, None).unwrap(), &code).unwrap().is_near(), "{pattern}");
        }
        // Names count for more than shapes.
        let session = "sys.exit(main())\nx = requests.Session()\n";
        assert!(
            check("python", "Session()", session)
                .starts_with("requests.Session: here is `requests.Session`, an `attribute`;")
        );
        let code = "requests.Session(a)\nrequests.get(a)\nb.gett\n";
        assert_eq!(check("python", "requests.gett($$$A)", code), "get: here is `get`, and the pattern has `gett`");
    }
}
