//! Syntax trees: a file's text and the nodes that tree-sitter finds in it, laid
//! out flat so that a node is a number that any thread and any rule may hold.
//!
//! Must not: know patterns, rules or stages.

mod adopt;
mod chain;
mod fold;
mod given;
mod line_ends;
mod node;
mod numbers;
mod parse;
mod print;
mod text;

pub use node::{Node, NodeId, same_text, short};
pub use parse::{ParseError, parse, parse_embedded};
pub use print::{PrintOptions, print};
pub use text::{is_text, joins, literal_value, operands, text_value};

use std::sync::Arc;

use crate::language::Language;

/// A parsed text. Nodes lie in pre-order; number 0 is the root.
pub struct Tree {
    /// The language it was parsed as.
    pub language: &'static Language,
    text: Arc<str>,
    nodes: Vec<NodeData>,
    /// Kept for tree-sitter queries, which run on the original.
    inner: tree_sitter::Tree,
    /// Where its nodes are in ours, if operators or chains were put together anew.
    folded: Option<fold::Folded>,
    /// What was read of what macros are given.
    given: Option<given::Given>,
    /// Added to every offset when it is reported: where embedded text begins in its host.
    base: usize,
    /// Where lines begin, made when first asked for.
    lines: std::sync::OnceLock<Vec<u32>>,
    /// Whether its first line that goes in does so by a tab, and by how many spaces most do, made when first
    /// asked for, by the room that knows.
    pub(crate) unit: std::sync::OnceLock<(bool, Option<usize>)>,
    /// What queries found, by their number: each runs over a tree once.
    pub(crate) queried: std::sync::Mutex<std::collections::BTreeMap<u64, Arc<QueryHits>>>,
    /// What lies around its nodes, by the number of who asks and what is given to them: told once.
    pub(crate) around: std::sync::Mutex<std::collections::HashMap<(u64, usize), Arc<dyn std::any::Any + Send + Sync>>>,
    /// What its names refer to, made when first asked for, by the room that knows.
    pub(crate) learned: std::sync::OnceLock<Arc<dyn std::any::Any + Send + Sync>>,
    /// What is declared elsewhere for code like this, put here by whoever reads it for rules.
    pub(crate) beside: std::sync::RwLock<Option<Arc<dyn std::any::Any + Send + Sync>>>,
    /// Which of its nodes are uses of datasets, told by the room that knows.
    pub(crate) used: std::sync::OnceLock<Arc<dyn std::any::Any + Send + Sync>>,
}

/// What a query found: for each node that is its match, the names it bound.
pub(crate) type QueryHits = std::collections::BTreeMap<NodeId, Vec<(String, Vec<NodeId>)>>;

#[derive(Clone, Copy)]
struct NodeData {
    start: u32,
    end: u32,
    parent: u32,
    /// One past the last descendant, so that the next sibling is found at once.
    subtree_end: u32,
    kind: u16,
    field: u16,
    flags: u8,
}

const NAMED: u8 = 1;
const EXTRA: u8 = 2;
const MISSING: u8 = 4;
const ERROR: u8 = 8;
/// Tokens that were read as more.
const READ: u8 = 16;
/// The name of an element in such a list.
const LABEL: u8 = 32;
/// A token in such a list that was not read.
const UNREAD: u8 = 64;

impl Tree {
    /// The whole text. For embedded trees, the masked text of the literal.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where the text begins in the file: 0, unless it is embedded.
    pub fn base(&self) -> usize {
        self.base
    }

    /// How many nodes there are, anonymous ones included.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is no node at all; a parsed text has at least its root.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The root.
    pub fn root(&self) -> Node<'_> {
        self.node(NodeId(0))
    }

    /// The node of this number; the root where there is no such node.
    pub fn node(&self, id: NodeId) -> Node<'_> {
        let id = if (id.0 as usize) < self.nodes.len() { id } else { NodeId(0) };
        Node { tree: self, id }
    }

    /// All nodes in pre-order.
    pub fn iter(&self) -> impl Iterator<Item = Node<'_>> {
        (0..self.nodes.len() as u32).map(|i| Node { tree: self, id: NodeId(i) })
    }

    /// A node and everything below it, in pre-order.
    pub fn iter_within<'t>(&'t self, node: Node<'t>) -> impl Iterator<Item = Node<'t>> {
        std::iter::once(node).chain(node.descendants())
    }

    /// tree-sitter's own tree, without what macros are given: queries are asked by `Tree::each_match`.
    pub fn inner(&self) -> &tree_sitter::Tree {
        &self.inner
    }

    /// The topmost node that spans exactly these bytes of the text.
    pub fn spanning(&self, start: usize, end: usize) -> Option<Node<'_>> {
        let first = self.nodes.partition_point(|n| (n.start as usize) < start);
        self.nodes[first..]
            .iter()
            .take_while(|n| n.start as usize == start)
            .position(|n| n.end as usize == end)
            .map(|offset| self.node(NodeId((first + offset) as u32)))
    }

    /// Every ERROR and MISSING node, in order.
    pub fn errors(&self) -> impl Iterator<Item = Node<'_>> {
        self.iter().filter(|node| node.is_error() || node.is_missing())
    }

    /// The ranges in which the parser lost its way: the top-level child around
    /// each error, or everything where the root itself is one. What a rule finds
    /// or misses in there proves nothing.
    pub fn unreadable(&self) -> Vec<std::ops::Range<usize>> {
        let mut ranges: Vec<std::ops::Range<usize>> = Vec::new();
        for error in self.errors() {
            let top =
                std::iter::successors(Some(error), Node::parent).take_while(|n| n.id.0 != 0).last().unwrap_or(error);
            let range = if top.id.0 == 0 || self.root().is_error() { 0..self.text.len() } else { top.local_range() };
            match ranges.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => ranges.push(range),
            }
        }
        ranges
    }

    /// Line and column, both from 1, of a byte of the text; columns count characters.
    pub fn line_column(&self, offset: usize) -> (u32, u32) {
        let starts = self.lines.get_or_init(|| {
            let breaks = memchr::memchr_iter(b'\n', self.text.as_bytes()).map(|at| at as u32 + 1);
            std::iter::once(0).chain(breaks).collect()
        });
        let offset = offset.min(self.text.len());
        let line = starts.partition_point(|start| *start as usize <= offset).max(1);
        let start = starts[line - 1] as usize;
        let (_, column) = line_column(&self.text[start..], offset - start);
        (line as u32, column)
    }

    /// The last node that begins at this byte or before: starts never fall in
    /// pre-order, so that whatever covers the byte is this node or around it.
    pub fn last_from(&self, at: usize) -> Node<'_> {
        let last = self.nodes.partition_point(|n| n.start as usize <= at).saturating_sub(1);
        self.node(NodeId(last as u32))
    }

    /// A range without the comments at its ends: a grammar may put them beside the list that they come
    /// with. What holds nothing else stays as it is.
    pub fn without_comments(&self, whole: std::ops::Range<usize>) -> std::ops::Range<usize> {
        let comment = |at: usize| {
            let last = self.last_from(at);
            // A comment begins and ends with a token of its own: whatever is in it, those are near. To the root
            // it may be far, and all that is matched is asked.
            let mut around = std::iter::once(last).chain(last.ancestors()).take(16);
            around.find(|n| n.is_extra() && n.is_named() && n.local_range().contains(&at)).map(|n| n.local_range())
        };
        let text = |from: usize, to: usize| self.text.get(from..to).unwrap_or("");
        let mut range = whole.clone();
        while let Some(own) = comment(range.start).filter(|own| own.start == range.start && own.end < range.end) {
            range.start = range.end - text(own.end, range.end).trim_start().len();
        }
        let ends = |own: &std::ops::Range<usize>, range: &std::ops::Range<usize>| {
            range.start < own.start && own.end == range.end
        };
        while let Some(own) = comment(range.end.saturating_sub(1)).filter(|own| ends(own, &range)) {
            range.end = range.start + text(range.start, own.start).trim_end().len();
        }
        if range.is_empty() { whole } else { range }
    }

    /// The outermost node that begins on one side of a border of this range of
    /// the text and ends on the other, without holding all of it.
    pub fn crossing(&self, range: &std::ops::Range<usize>) -> Option<Node<'_>> {
        let crosses = |node: &Node<'_>| {
            let mut own = node.local_range();
            if self.language.facts.loose_ends {
                own.end = own.start + node.text().trim_end().len();
                // A comment behind code is on no side of it.
                let code = self.without_comments(own.clone()).end;
                if range.end <= code {
                    own.end = code;
                }
            }
            let (left, right) = (own.start < range.start, range.end < own.end);
            let over_start = left && range.start < own.end && own.end < range.end;
            let over_end = right && range.start < own.start && own.start < range.end;
            over_start || over_end
        };
        let around = |at: usize| {
            let node = self.last_from(at);
            std::iter::once(node).chain(node.ancestors())
        };
        if range.is_empty() {
            return None;
        }
        around(range.start).chain(around(range.end - 1)).filter(crosses).max_by_key(|n| n.local_range().len())
    }
}

/// Line and column, both from 1, of a byte of `text`; columns count characters.
pub fn line_column(text: &str, offset: usize) -> (u32, u32) {
    let offset = (0..=offset.min(text.len())).rev().find(|o| text.is_char_boundary(*o)).unwrap_or(0);
    let before = &text[..offset];
    let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    (line as u32, column as u32)
}

impl std::fmt::Debug for Tree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tree({:?}, {} nodes)", self.language, self.nodes.len())
    }
}
