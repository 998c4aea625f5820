//! Text → [`Tree`], with a parser kept for every thread and language.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use tree_sitter::{ParseOptions, ParseState, Parser, TreeCursor};

use super::adopt::adopt;
use super::chain::chain;
use super::fold::fold;
use super::given::read_given;
use super::line_ends::{blank_behind, may_break, missed, without_ends};
use super::{ERROR, EXTRA, MISSING, NAMED, NodeData, Tree};
use crate::language::{Language, LineEnds};

/// Why a text has no tree.
#[derive(Debug, thiserror::Error)]
pub enum ParseError {
    /// The grammar was built for another tree-sitter.
    #[error("the {0} grammar does not load: {1}")]
    Grammar(String, String),
    /// The parser asked for more steps than any sane text needs.
    #[error("parsing took more than {0} steps; the file is left alone")]
    Budget(u64),
    /// Offsets are 32 bits wide.
    #[error("the text is longer than 1 GiB")]
    TooLong,
}

/// Steps that tree-sitter reports (one in about a hundred operations) beyond
/// which a text is taken for an attack: far above what real files need.
const STEPS_PER_BYTE: u64 = 4;
const STEPS_AT_LEAST: u64 = 1_000_000;
const MAX_BYTES: usize = 1 << 30;
/// How often a text is read at most: one that could not be read shows its next statements only then.
const MOST_READINGS: usize = 16;

thread_local! {
    static PARSERS: RefCell<HashMap<*const Language, Parser>> = RefCell::new(HashMap::new());
    /// The list of nodes of a tree that is gone.
    static SPARE: RefCell<Vec<NodeData>> = const { RefCell::new(Vec::new()) };
}

/// Larger lists of nodes are not kept: a long file would hold on to its memory.
const SPARE_NODES: usize = 1 << 17;

impl Drop for Tree {
    /// Leaves the list of nodes to the next tree of this thread: freeing one for each file
    /// lets the allocator put all its small pieces together again, each time.
    fn drop(&mut self) {
        let mut nodes = std::mem::take(&mut self.nodes);
        if nodes.capacity() <= SPARE_NODES {
            nodes.clear();
            // A thread that ends has none any more.
            let _ = SPARE.try_with(|spare| spare.replace(nodes));
        }
    }
}

/// Parses a whole text. Never fails on bad code: errors are nodes of the tree.
///
/// # Errors
/// A text that is too long or costs too many steps, or a grammar that does not load.
pub fn parse(language: &'static Language, text: impl Into<Arc<str>>) -> Result<Tree, ParseError> {
    parse_embedded(language, text, 0)
}

/// As [`parse`], for a text that begins at byte `base` of its host file.
///
/// # Errors
/// As [`parse`].
pub fn parse_embedded(language: &'static Language, text: impl Into<Arc<str>>, base: usize) -> Result<Tree, ParseError> {
    let text = text.into();
    if text.len() > MAX_BYTES {
        return Err(ParseError::TooLong);
    }
    let mut inner = read(language, text.as_bytes())?;
    let mut nodes = SPARE.take();
    flatten(language, inner.walk(), text.len(), &mut nodes);
    if let Some(ends) = language.line_ends.as_ref().filter(|ends| may_break(&nodes, ends, &text)) {
        inner = read_by_lines(language, ends, &text, inner, &mut nodes)?;
    }
    adopt(&mut nodes, &language.adopted);
    // A language that has macros has nothing put together otherwise: it would not load.
    let given = language.macro_calls.as_ref().and_then(|calls| read_given(language, calls, &text, &mut nodes));
    if memchr::memchr(b'\r', text.as_bytes()).is_some() {
        without_returns(&mut nodes, text.as_bytes());
    }
    if language.facts.loose_ends {
        tighten(&mut nodes, &text);
    }
    let operators = &language.operators;
    // No language has both: it would not load.
    let folded = match &language.chains {
        Some(chains) => chain(&mut nodes, chains),
        None if operators.is_empty() => None,
        None => fold(&mut nodes, operators, &text),
    };
    let (lines, unit, queried, around, learned, beside, used) = Default::default();
    Ok(Tree { language, text, nodes, inner, folded, given, base, lines, unit, queried, around, learned, beside, used })
}

/// What tree-sitter makes of these bytes.
pub(super) fn read(language: &'static Language, bytes: &[u8]) -> Result<tree_sitter::Tree, ParseError> {
    PARSERS.with_borrow_mut(|parsers| {
        let parser = parsers.entry(std::ptr::from_ref(language)).or_default();
        parser
            .set_language(&language.grammar)
            .map_err(|e| ParseError::Grammar(language.facts.name.clone(), e.to_string()))?;
        let budget = STEPS_AT_LEAST + STEPS_PER_BYTE * bytes.len() as u64;
        let mut steps = 0;
        let mut count = |_: &ParseState| {
            steps += 1;
            if steps > budget { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let options = ParseOptions::new().progress_callback(&mut count);
        let tree = parser.parse_with_options(&mut |at, _| &bytes[at.min(bytes.len())..], None, Some(options));
        tree.ok_or_else(|| {
            parser.reset();
            ParseError::Budget(budget)
        })
    })
}

/// Has the text read again with an end of the statement for a blank wherever the grammar has gone on over one. Where
/// there is no blank for it, or no end of them, the code counts as unreadable.
fn read_by_lines(
    language: &'static Language,
    ends: &LineEnds,
    text: &str,
    mut inner: tree_sitter::Tree,
    nodes: &mut Vec<NodeData>,
) -> Result<tree_sitter::Tree, ParseError> {
    let (mut bytes, mut written) = (text.as_bytes().to_vec(), Vec::new());
    for _ in 0..MOST_READINGS {
        let missed = missed(nodes, ends, text);
        let blanks = missed.iter().filter_map(|(end, next)| blank_behind(nodes, ends, text, *end, *next));
        let blanks: Vec<usize> = blanks.filter(|at| bytes[*at] != ends.end).collect();
        if blanks.is_empty() {
            break;
        }
        blanks.iter().for_each(|at| bytes[*at] = ends.end);
        written.extend(blanks);
        inner = read(language, &bytes)?;
        nodes.clear();
        flatten(language, inner.walk(), text.len(), nodes);
    }
    for (_, next) in missed(nodes, ends, text) {
        nodes[next].flags |= ERROR;
    }
    written.sort_unstable();
    without_ends(nodes, &written);
    Ok(inner)
}

/// The kind of every ERROR node, whatever the grammar.
const ERROR_KIND: u16 = u16::MAX;

/// Lays the nodes out in pre-order, without recursion: nesting has no limit.
pub(super) fn flatten(language: &Language, mut cursor: TreeCursor<'_>, bytes: usize, nodes: &mut Vec<NodeData>) {
    nodes.reserve(bytes / 4 + 1);
    let mut open: Vec<u32> = Vec::new();
    loop {
        let node = cursor.node();
        let flag = |on: bool, bit: u8| if on { bit } else { 0 };
        let index = nodes.len() as u32;
        let (start, end, kind) = (node.start_byte() as u32, node.end_byte() as u32, node.kind_id());
        nodes.push(NodeData {
            start,
            end,
            parent: open.last().copied().unwrap_or(0),
            subtree_end: index + 1,
            kind,
            field: cursor.field_id().map_or(0, |id| id.get()),
            flags: flag(language.is_named(kind), NAMED)
                | flag(node.is_extra(), EXTRA)
                // Each of these asks tree-sitter once more, for millions of nodes: what is missing has no text.
                | flag(start == end && node.is_missing(), MISSING)
                | flag(kind == ERROR_KIND, ERROR),
        });
        if cursor.goto_first_child() {
            open.push(index);
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return;
            }
            if let Some(parent) = open.pop() {
                nodes[parent as usize].subtree_end = nodes.len() as u32;
            }
        }
    }
}

/// Lets nodes end with the last of their children, where only white space follows; the root stays.
fn tighten(nodes: &mut [NodeData], text: &str) {
    let mut ended = vec![false; nodes.len()];
    for last in (1..nodes.len()).rev() {
        let (end, around) = (nodes[last].end, nodes[last].parent as usize);
        if around == 0 || std::mem::replace(&mut ended[around], true) {
            continue;
        }
        let rest = text.get(end as usize..nodes[around].end as usize).unwrap_or("");
        if !rest.is_empty() && rest.trim().is_empty() {
            nodes[around].end = end;
        }
    }
}

/// Lets comments, and what ends with one, end before the `\r` of their line's end: it is no more of them than `\n` is.
fn without_returns(nodes: &mut [NodeData], text: &[u8]) {
    for comment in 1..nodes.len() {
        let NodeData { start, end, flags, .. } = nodes[comment];
        let last = (end as usize).saturating_sub(1);
        if flags & (EXTRA | NAMED) != EXTRA | NAMED || start == end || text[last] != b'\r' {
            continue;
        }
        let mut around = comment;
        while around > 0 && nodes[around].end == end {
            nodes[around].end = end - 1;
            around = nodes[around].parent as usize;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Node;
    use super::*;
    use crate::language::by_name;

    #[test]
    fn layout_agrees_with_tree_sitter() {
        let text = "def f(x):\n    # why\n    return g(x)['a'] if x else None\n";
        agrees(&parse(by_name("python").unwrap(), text).unwrap());
        let broken = parse(by_name("java").unwrap(), "class A { int f( { return 1 } } ) = ;").unwrap();
        assert!(broken.iter().any(Node::is_error) && broken.iter().any(Node::is_missing), "{broken:?}");
        agrees(&broken);
    }

    #[test]
    fn chains_hold_each_other() {
        let text = "fun f() { a.b /* why */ .c[i.x] = 1; d = 2; e!!.g[{ h.j.k = 3 }].l = 4 }\n";
        let tree = parse(by_name("kotlin").unwrap(), text).unwrap();
        for node in tree.iter() {
            let range = node.local_range();
            assert!(node.children().all(|c| c.parent().map(|p| p.id) == Some(node.id)), "{node:?}");
            assert!(node.children().all(|c| range.start <= c.local_range().start && c.local_range().end <= range.end));
        }
        let chains = tree.iter().filter(|n| n.is_named() && !n.is_leaf() && n.kind().ends_with("_expression"));
        let chains: Vec<_> = chains.filter(|n| !n.kind().starts_with("directly")).map(|n| n.text()).collect();
        let first = ["a.b /* why */ .c[i.x]", "a.b /* why */ .c", "a.b", "i.x"];
        let second = ["e!!.g[{ h.j.k = 3 }].l", "e!!.g[{ h.j.k = 3 }]", "e!!.g", "e!!", "h.j.k", "h.j"];
        assert_eq!(chains, [first.as_slice(), &second].concat());
    }

    fn agrees(tree: &Tree) {
        let mut stack = vec![(tree.inner().root_node(), tree.root())];
        let mut seen = 0;
        while let Some((theirs, ours)) = stack.pop() {
            seen += 1;
            assert_eq!((theirs.kind(), theirs.byte_range()), (ours.kind(), ours.local_range()));
            assert_eq!((theirs.is_error(), theirs.is_missing()), (ours.is_error(), ours.is_missing()));
            assert_eq!((theirs.is_named(), theirs.is_extra()), (ours.is_named(), ours.is_extra()));
            let children: Vec<_> = ours.children().collect();
            assert_eq!(children.len() as u32, theirs.child_count());
            for (index, child) in children.into_iter().enumerate() {
                assert_eq!(child.parent().map(|p| p.id), Some(ours.id));
                assert_eq!(child.field_name(), theirs.field_name_for_child(index as u32));
                stack.push((theirs.child(index as u32).unwrap(), child));
            }
        }
        assert_eq!(seen, tree.len());
    }

    #[test]
    fn deep_nesting_is_no_matter() {
        let text = format!("x = {}{}", "(".repeat(20_000), ")".repeat(20_000));
        let tree = parse(by_name("python").unwrap(), text).unwrap();
        assert!(tree.len() > 40_000 || tree.errors().next().is_some());
    }

    #[test]
    fn lines_agree_with_counting() {
        let text = "a = 'é'\r\n\n  b = \"→x\"\n";
        let tree = parse(by_name("python").unwrap(), text).unwrap();
        for at in 0..=text.len() + 1 {
            assert_eq!(tree.line_column(at), crate::tree::line_column(text, at), "{at}");
        }
    }

    #[test]
    fn nodes_that_cross_a_border_are_found() {
        let tree = parse(by_name("python").unwrap(), "y = x + 1 * 2\n").unwrap();
        assert_eq!(tree.crossing(&(4..9)).map(|n| n.text()), Some("1 * 2"));
        assert!(tree.crossing(&(8..13)).is_none() && tree.crossing(&(4..13)).is_none());
    }

    #[test]
    fn errors_poison_their_top_level_statement_only() {
        let tree = parse(by_name("python").unwrap(), "a = 1\nb = = 2\nc = 3\n").unwrap();
        let unreadable = tree.unreadable();
        assert!(unreadable.iter().any(|r| r.contains(&8)), "{unreadable:?}");
        assert!(!unreadable.iter().any(|r| r.contains(&0) || r.contains(&15)), "{unreadable:?}");
    }
}
