//! A tree as text for people: one node a line, with field names and places.

use std::fmt::Write;

use super::{Node, Tree};

/// What `gander tree` shows besides named nodes.
#[derive(Clone, Copy, Debug, Default)]
pub struct PrintOptions {
    /// Tokens (`(`, `,`, keywords) too.
    pub anonymous: bool,
    /// Line and column ranges.
    pub ranges: bool,
}

/// Longest text of a leaf that is shown whole, in characters.
const LEAF_TEXT: usize = 60;

/// Renders the subtree below `node`, two spaces a level. The field that `node`
/// itself fills is not part of it.
pub fn print(tree: &Tree, node: Node<'_>, options: PrintOptions) -> String {
    let mut out = String::new();
    let mut stack = vec![(node, 0_usize)];
    while let Some((node, depth)) = stack.pop() {
        line(&mut out, tree, node, depth, options);
        let children: Vec<_> =
            node.children().filter(|c| options.anonymous || c.is_named() || c.is_missing()).collect();
        stack.extend(children.into_iter().rev().map(|c| (c, depth + 1)));
    }
    out
}

fn line(out: &mut String, tree: &Tree, node: Node<'_>, depth: usize, options: PrintOptions) {
    out.extend(std::iter::repeat_n("  ", depth));
    if let Some(field) = node.field_name().filter(|_| depth > 0) {
        let _ = write!(out, "{field}: ");
    }
    if node.is_missing() {
        out.push_str("MISSING ");
    }
    if node.is_named() || node.is_error() {
        out.push_str(node.kind());
    } else {
        let _ = write!(out, "{:?}", node.kind());
    }
    if options.ranges {
        let range = node.local_range();
        let ((l1, c1), (l2, c2)) = (tree.line_column(range.start), tree.line_column(range.end));
        let _ = write!(out, " [{l1}:{c1}-{l2}:{c2}]");
    }
    let text = node.text();
    if node.is_named() && node.children().all(|c| !c.is_named()) && !text.is_empty() {
        let short: String = text.chars().take(LEAF_TEXT).collect();
        let cut = if short.len() < text.len() { "…" } else { "" };
        let _ = write!(out, " {short:?}{cut}");
    }
    out.push('\n');
}
