//! Whether two texts are the same code, laid out in another way.
//!
//! A part of what a formatter does may be something else than the whole of it: an import that it moved from one
//! line to another is twice there, or gone, where only one of the lines is taken.
//!
//! Must not: allow more than what formatters do to lay out code: white space, quotes, and commas, semicolons and
//! parentheses that change nothing of the tree.

use crate::tree::{Node, Tree};

/// Whether the trees have the same named nodes, and their leaves the same texts.
pub fn same_code(a: &Tree, b: &Tree) -> bool {
    a.errors().count() <= b.errors().count() && shape(a) == shape(b)
}

/// Each node that says something, with its depth among these, and the text of its own.
fn shape(tree: &Tree) -> Vec<(usize, u16, String)> {
    let mut shape = Vec::new();
    // Where the subtrees end that are open.
    let mut open: Vec<u32> = Vec::new();
    for node in tree.iter() {
        while open.last().is_some_and(|end| *end <= node.id.0) {
            open.pop();
        }
        let text = own(node);
        let keeps = match node.is_named() {
            true => !node.kind().contains("parenthesized"),
            false => !text.is_empty() && !matches!(text.as_str(), "(" | ")" | "," | ";"),
        };
        if keeps {
            shape.push((open.len(), node.kind_id(), text));
            open.push(node.id.0 + u32::try_from(node.subtree_len()).unwrap_or(u32::MAX));
        }
    }
    shape
}

/// The text that no child has, without what quotes it.
fn own(node: Node<'_>) -> String {
    let text = if node.is_leaf() { node.text().to_owned() } else { node.gaps().concat() };
    if node.is_extra() {
        return text.split_whitespace().collect();
    }
    text.replace("\\\"", "\"").replace("\\'", "'").replace(['"', '\''], "").trim().to_owned()
}
