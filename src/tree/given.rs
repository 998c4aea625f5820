//! What a macro is given, read as the list of expressions that it is nearly always: the grammar has its tokens only.
//!
//! Where the tokens read as a list without an error, the nodes of that reading take the place of the tokens; all else
//! stays as it is. Bytes stay where they are. Must not: know a language by name, or look at what a macro does.

use std::collections::{HashMap, HashSet};

use super::fold::children;
use super::parse::{flatten, read};
use super::{EXTRA, LABEL, NAMED, NodeData, READ, UNREAD};
use crate::language::{Extent, Language, MacroCalls};

/// Calls of macros that stand deeper within each other are left as tokens: each level is read once more.
const MAX_DEPTH: usize = 8;
/// The number of a node that is in no tree of ours.
pub(super) const NONE: u32 = u32::MAX;

/// What was read in a tree beside the whole of it.
pub(super) struct Given {
    /// Our number of each of the parser's nodes, or [`NONE`].
    pub(super) place: Vec<u32>,
    pub(super) readings: Vec<Reading>,
}

/// The list that a macro is given, as the parser has it.
pub(super) struct Reading {
    pub(super) inner: tree_sitter::Tree,
    /// What the parser was given.
    pub(super) text: Vec<u8>,
    /// Our number of each of the parser's nodes, or [`NONE`].
    pub(super) place: Vec<u32>,
    /// The parser's numbers of the elements: what is around them is no code of the file.
    pub(super) elements: Vec<u32>,
}

/// What takes the place of the tokens between the brackets.
struct Part {
    /// The node of the tokens.
    tokens: u32,
    /// All below it, numbered from 0; what is at the top has no parent yet.
    nodes: Vec<NodeData>,
    readings: Vec<Reading>,
}

/// Reads what macros are given in a text; `None` where nothing comes of it.
pub(super) fn read_given(
    language: &'static Language,
    calls: &MacroCalls,
    text: &str,
    nodes: &mut Vec<NodeData>,
) -> Option<Given> {
    Reader { language, calls, depth: 0 }.expand(text, nodes)
}

struct Reader<'l> {
    language: &'static Language,
    calls: &'l MacroCalls,
    depth: usize,
}

impl Reader<'_> {
    fn expand(&self, text: &str, nodes: &mut Vec<NodeData>) -> Option<Given> {
        let tokens: Vec<(u32, Extent)> = (1..nodes.len() as u32)
            .filter(|n| nodes[*n as usize].kind == self.calls.call)
            .filter_map(|n| self.tokens_of(text, nodes, n))
            .collect();
        let mut parts = Vec::new();
        for (tokens, extent) in tokens {
            match extent == Extent::All && self.is_plain(text, nodes, tokens) {
                true => nodes[tokens as usize].flags |= READ,
                false => parts.extend(self.part(text, nodes, tokens, extent)),
            }
        }
        (!parts.is_empty()).then(|| lay_out(nodes, parts))
    }

    /// What a call is given, and how much of it is read.
    fn tokens_of(&self, text: &str, nodes: &[NodeData], call: u32) -> Option<(u32, Extent)> {
        let around = nodes[nodes[call as usize].parent as usize].kind;
        let mut parts = children(nodes, call);
        let name = text_of(text, &nodes[parts.next()? as usize]);
        let extent = self.calls.extent(self.calls.name(name))?;
        let tokens = parts.find(|part| nodes[*part as usize].kind == self.calls.tokens)?;
        self.calls.is_expression_in(around).then_some((tokens, extent))
    }

    /// Whether names and texts alone are listed: they are the same as tokens and as expressions.
    fn is_plain(&self, text: &str, nodes: &[NodeData], tokens: u32) -> bool {
        let names = &self.language.facts.symbols.names;
        let is_value = |node: &NodeData| {
            self.language.is_string(node.kind)
                || node.flags & NAMED != 0 && names.first().is_some_and(|kind| *kind == self.language.kind(node.kind))
        };
        let all: Vec<u32> = children(nodes, tokens).filter(|n| nodes[*n as usize].flags & EXTRA == 0).collect();
        let [open, inner @ .., _] = all.as_slice() else { return false };
        self.calls.list(text_of(text, &nodes[*open as usize])).is_some()
            && inner.iter().enumerate().all(|(at, n)| match at % 2 {
                0 => is_value(&nodes[*n as usize]),
                _ => text_of(text, &nodes[*n as usize]) == ",",
            })
    }

    /// The tokens as a list of expressions, where they are one.
    fn part(&self, text: &str, nodes: &[NodeData], tokens: u32, extent: Extent) -> Option<Part> {
        if self.depth >= MAX_DEPTH {
            return None;
        }
        let all: Vec<u32> = children(nodes, tokens).collect();
        let [open, inner @ .., close] = all.as_slice() else { return None };
        let list = self.calls.list(text_of(text, &nodes[*open as usize]))?;
        let comma = |n: &u32| text_of(text, &nodes[*n as usize]) == ",";
        let run = match extent {
            Extent::All => inner,
            Extent::First => inner.split(comma).next()?,
        };
        let from = nodes[*open as usize].end;
        let until = match inner.get(run.len()) {
            Some(rest) => nodes[*rest as usize].start,
            None => nodes[*close as usize].start,
        };
        let kept = self.beside(text, nodes, run);
        let mut code = text.get(from as usize..until as usize)?.as_bytes().to_vec();
        for (token, _) in &kept {
            let NodeData { start, end, .. } = nodes[*token as usize];
            code[(start - from) as usize..(end - from) as usize].fill(b' ');
        }
        let code = String::from_utf8(code).ok()?;
        let mut listed = self.listed(&list.before, &code, &list.after)?;
        let shift = i64::from(from) - list.before.len() as i64;
        listed.nodes.iter_mut().for_each(|node| {
            node.start = (i64::from(node.start) + shift) as u32;
            node.end = (i64::from(node.end) + shift) as u32;
        });
        if !same_words(text, nodes, run, &kept, &listed) {
            return None;
        }
        // What was not read stands between what was, in its order.
        let token = |node: u32, flag: u8| Piece { nodes, node, flag, read: false };
        let mut pieces = vec![token(*open, 0), token(*close, 0)];
        pieces.extend(kept.iter().map(|(node, is_name)| token(*node, if *is_name { LABEL } else { 0 })));
        pieces.extend(inner[run.len()..].iter().map(|node| token(*node, UNREAD)));
        pieces.extend(listed.top.iter().map(|node| Piece { nodes: &listed.nodes, node: *node, flag: 0, read: true }));
        pieces.sort_by_key(|piece| piece.nodes[piece.node as usize].start);
        let (mut made, mut place) = (Vec::new(), vec![NONE; listed.nodes.len()]);
        pieces.iter().for_each(|piece| piece.copy(&mut made, &mut place));
        listed.readings.iter_mut().for_each(|reading| reading.renumber(|n| place[n as usize]));
        Some(Part { tokens, nodes: made, readings: listed.readings })
    }

    /// The tokens among some that are beside the elements: their names, and marks before them. With each, whether it is
    /// such a name.
    fn beside(&self, text: &str, nodes: &[NodeData], run: &[u32]) -> Vec<(u32, bool)> {
        let word = |n: &u32| text_of(text, &nodes[*n as usize]);
        let is_name = |n: &u32| nodes[*n as usize].flags & (NAMED | EXTRA) == NAMED && word(n).starts_with(is_word);
        let mut beside = Vec::new();
        for element in run.split(|n| word(n) == ",") {
            let mut rest: Vec<u32> =
                element.iter().copied().filter(|n| nodes[*n as usize].flags & EXTRA == 0).collect();
            let named = rest.iter().enumerate().find(|(at, n)| match at % 2 {
                0 => !is_name(n),
                _ => !self.calls.is_dot(word(n)),
            });
            if let Some((at, _)) =
                named.filter(|(at, n)| at % 2 == 1 && self.calls.is_naming(word(n)) && at + 1 < rest.len())
            {
                beside.extend(
                    rest.drain(..=at).enumerate().map(|(place, n)| (n, place == 0 || place < at && place % 2 == 0)),
                );
            }
            let mark = rest.first().filter(|n| rest.len() > 1 && self.calls.is_mark(word(n)));
            beside.extend(mark.map(|n| (*n, false)));
        }
        beside
    }

    /// Code between brackets as a list of expressions.
    fn listed(&self, before: &str, code: &str, after: &str) -> Option<Listed> {
        let whole = format!("{before}{code}{after}");
        let inner = read(self.language, whole.as_bytes()).ok()?;
        if inner.root_node().has_error() {
            return None;
        }
        let mut nodes = Vec::new();
        flatten(self.language, inner.walk(), whole.len(), &mut nodes);
        let (start, end) = (before.len() as u32 - 1, (before.len() + code.len()) as u32 + 1);
        let is_list = |node: &NodeData| node.start == start && node.end == end;
        let list = nodes.iter().position(is_list)? as u32;
        let all: Vec<u32> = children(&nodes, list).collect();
        let [_, elements @ .., _] = all.as_slice() else { return None };
        if elements.iter().any(|n| !self.calls.may_be(nodes[*n as usize].kind)) {
            return None;
        }
        let elements = elements.to_vec();
        let inside = Self { depth: self.depth + 1, ..*self };
        let given = inside.expand(&whole, &mut nodes);
        let (place, mut readings) = match given {
            Some(given) => (given.place, given.readings),
            None => ((0..nodes.len() as u32).collect(), Vec::new()),
        };
        let top = elements.iter().map(|n| place[*n as usize]).collect();
        readings.push(Reading { inner, text: whole.into_bytes(), place, elements });
        Some(Listed { nodes, top, readings })
    }
}

/// A list of expressions that was read, with what is around it.
struct Listed {
    nodes: Vec<NodeData>,
    /// What is listed, and what parts it.
    top: Vec<u32>,
    readings: Vec<Reading>,
}

/// A node that comes to stand between the brackets, with all below it.
struct Piece<'n> {
    nodes: &'n [NodeData],
    node: u32,
    /// What is said of it besides.
    flag: u8,
    read: bool,
}

impl Piece<'_> {
    /// Appends it, and says where what was read is now.
    fn copy(&self, made: &mut Vec<NodeData>, place: &mut [u32]) {
        let (from, to) = (self.node, made.len() as u32);
        for number in from..self.nodes[from as usize].subtree_end {
            let node = self.nodes[number as usize];
            if self.read {
                place[number as usize] = made.len() as u32;
            }
            let (parent, field, flags) = match number == from {
                true => (NONE, 0, node.flags | self.flag),
                false => (node.parent - from + to, node.field, node.flags),
            };
            made.push(NodeData { parent, field, flags, subtree_end: node.subtree_end - from + to, ..node });
        }
    }
}

impl Reading {
    fn renumber(&mut self, new: impl Fn(u32) -> u32) {
        self.place.iter_mut().filter(|n| **n != NONE).for_each(|n| *n = new(*n));
    }
}

/// Puts what was read in the place of the tokens.
fn lay_out(nodes: &mut Vec<NodeData>, parts: Vec<Part>) -> Given {
    let old = std::mem::take(nodes);
    let mut place = places(&old, &parts);
    nodes.reserve(place[old.len()] as usize);
    let (mut readings, mut replaced) = (Vec::new(), Vec::new());
    let mut parts = parts.into_iter().peekable();
    for (number, node) in old.iter().enumerate() {
        if place[number] == NONE {
            continue;
        }
        let own = nodes.len() as u32;
        // A part goes as a whole: what ends before a node that goes is in that part itself.
        let (parent, subtree_end) = (place[node.parent as usize], place[node.subtree_end as usize]);
        nodes.push(NodeData { parent, subtree_end, ..*node });
        let Some(part) = parts.next_if(|part| part.tokens as usize == number) else { continue };
        nodes[own as usize].flags |= READ;
        let inside = own + 1;
        nodes.extend(part.nodes.iter().map(|one| NodeData {
            parent: if one.parent == NONE { own } else { one.parent + inside },
            subtree_end: one.subtree_end + inside,
            ..*one
        }));
        replaced.push((number, own as usize));
        readings.extend(part.readings.into_iter().map(|mut reading| {
            reading.renumber(|n| n + inside);
            reading
        }));
    }
    for (tokens, own) in replaced {
        keep_tokens(&old, tokens, nodes, own, &mut place);
    }
    place.pop();
    Given { place, readings }
}

/// Where each node comes to stand, and how many there are then; what goes stands nowhere.
fn places(old: &[NodeData], parts: &[Part]) -> Vec<u32> {
    let mut place = Vec::with_capacity(old.len() + 1);
    let mut waiting = parts.iter().peekable();
    let (mut next, mut gone) = (0, 0);
    for (number, node) in old.iter().enumerate() {
        if number < gone {
            place.push(NONE);
            continue;
        }
        place.push(next);
        next += 1;
        if let Some(part) = waiting.next_if(|part| part.tokens as usize == number) {
            gone = node.subtree_end as usize;
            next += part.nodes.len() as u32;
        }
    }
    place.push(next);
    place
}

/// Tokens that are the same in what was read are what stands there now.
fn keep_tokens(old: &[NodeData], tokens: usize, nodes: &[NodeData], own: usize, place: &mut [u32]) {
    let key = |node: &NodeData| (node.start, node.end, node.kind);
    let read = own + 1..nodes[own].subtree_end as usize;
    let known: HashMap<_, u32> = read.map(|number| (key(&nodes[number]), number as u32)).collect();
    for number in tokens + 1..old[tokens].subtree_end as usize {
        place[number] = known.get(&key(&old[number])).copied().unwrap_or(NONE);
    }
}

/// Whether what was read has the words, texts and comments of the tokens, where they had them.
fn same_words(text: &str, nodes: &[NodeData], run: &[u32], kept: &[(u32, bool)], listed: &Listed) -> bool {
    let says = |node: &NodeData| {
        let said = text_of(text, node);
        said.starts_with(|c: char| is_word(c) && !c.is_ascii_digit() || matches!(c, '"' | '\'' | '/'))
    };
    let words = |nodes: &[NodeData], tops: &[u32]| -> Vec<(u32, u32)> {
        let all = tops.iter().flat_map(|top| *top..nodes[*top as usize].subtree_end);
        let leaves = all.filter(|n| nodes[*n as usize].subtree_end == n + 1).map(|n| nodes[n as usize]);
        leaves.filter(says).map(|node| (node.start, node.end)).collect()
    };
    let kept: HashSet<u32> = kept.iter().map(|(node, _)| *node).collect();
    let tokens: Vec<u32> = run.iter().copied().filter(|n| !kept.contains(n)).collect();
    words(nodes, &tokens) == words(&listed.nodes, &listed.top)
}

fn text_of<'t>(text: &'t str, node: &NodeData) -> &'t str {
    text.get(node.start as usize..node.end as usize).unwrap_or("")
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use crate::language::by_name;
    use crate::tree::{NodeId, Tree, parse};

    fn rust(text: &str) -> Tree {
        let tree = parse(by_name("rust").unwrap(), text).unwrap();
        let mut last = 0;
        for node in tree.iter() {
            let range = node.local_range();
            assert!(last <= range.start, "{node:?}");
            last = range.start;
            let mut at = range.start;
            for child in node.children() {
                assert_eq!(child.parent().map(|p| p.id), Some(node.id), "{child:?}");
                assert!(at <= child.local_range().start && child.local_range().end <= range.end, "{child:?}");
                at = child.local_range().end;
            }
            assert_eq!(
                node.id.0 as usize + node.subtree_len(),
                node.descendants().last().unwrap_or(node).id.0 as usize + 1
            );
        }
        assert_eq!(tree.root().subtree_len(), tree.len());
        tree
    }

    fn lists(text: &str) -> Vec<String> {
        let tree = rust(&format!("fn z() {{ {text}; }}\n"));
        let read = tree.iter().filter(|n| n.kind() == "token_tree" && !n.is_tokens());
        read.map(|n| n.named_children().map(|c| c.text()).collect::<Vec<_>>().join(" | ")).collect()
    }

    #[test]
    fn what_reads_as_a_list_is_one() {
        assert_eq!(lists("m!(f(1), a + b)"), ["f(1) | a + b"]);
        assert_eq!(lists("m![f(1); 2]"), ["f(1) | 2"]);
        assert_eq!(lists("m!(\"{a}\", b, // why\n a.b = %f(1),)"), ["\"{a}\" | b | a | b | f(1)"]);
        assert_eq!(lists("m!()"), [""]);
        assert_eq!(lists("m!(é, f(\"→\"), 'x')"), ["é | f(\"→\") | 'x'"]);
        assert_eq!(lists("a::matches!(f(1), Some(x) if x)"), ["f(1) | Some | (x) | x"]);
        assert_eq!(lists("m!(vec![f(1)], |x| { m!(x.y); x })"), ["vec![f(1)] | |x| { m!(x.y); x }", "f(1)", "x.y"]);
        assert_eq!(
            lists("m!(a == b, Vec::<Vec<u8>>::new(), &&a, || 1)"),
            ["a == b | Vec::<Vec<u8>>::new() | &&a | || 1"]
        );
    }

    #[test]
    fn what_does_not_stays_tokens() {
        for text in
            ["m!(a => b)", "m!(let a = 1)", "m! { f(1) }", "stringify!(f(1))", "m!(Some(x) = f(1))", "m!(f(1) g(2))"]
        {
            assert_eq!(lists(text), Vec::<String>::new(), "{text}");
        }
        let tree =
            rust("macro_rules! m { ($a:expr) => { f!($a + 1) }; }\nfn z(a: u8) { match a { m!(1 + 1) => 2 } }\n");
        assert!(tree.iter().all(|n| n.kind() != "token_tree" || n.is_tokens()));
    }

    #[test]
    fn depth_is_bounded() {
        let text = format!("fn z() {{ {}f(1){}; }}", "m!(1 + ".repeat(200), ")".repeat(200));
        let tree = rust(&text);
        assert_eq!(tree.iter().filter(|n| n.kind() == "token_tree" && !n.is_tokens()).count(), super::MAX_DEPTH);
        assert_eq!(tree.node(NodeId(0)).kind(), "source_file");
    }
}
