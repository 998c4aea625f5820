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
    if node.is_extra() {
        return node.text().split_whitespace().collect();
    }
    let holes = &node.tree().language.facts.string.holes;
    let is_hole = holes.iter().any(|kind| kind == node.kind());
    let around = node.parent().filter(|parent| parent.is_string() && !is_hole);
    if around.is_none() && !node.is_string() {
        let text = if node.is_leaf() { node.text().to_owned() } else { node.gaps().concat() };
        let shown = node.tree().language.facts.texts.iter().any(|kind| kind == node.kind());
        return if shown { rendered(&text) } else { text.trim().to_owned() };
    }
    let range = node.local_range();
    let is_end = around.is_none_or(|around| {
        let whole = around.local_range();
        whole.start == range.start || whole.end == range.end
    });
    let text = between_children(node);
    if is_end { unquoted(&text) } else { unescaped(&text) }
}

/// What stands beside the children of a node: where they stand among it says something.
fn between_children(node: Node<'_>) -> String {
    let (mut text, mut at) = (String::new(), node.local_range().start);
    let whole = node.tree().text();
    for child in node.children() {
        text.push_str(&whole[at..child.local_range().start]);
        text.push('\0');
        at = child.local_range().end;
    }
    text.push_str(&whole[at..node.local_range().end]);
    text
}

/// A literal, or an end of one, without its quotes; white space in it says something, and so do quotes.
fn unquoted(text: &str) -> String {
    let is_quote = |c: char| matches!(c, '"' | '\'');
    let Some(from) = text.find(is_quote) else { return unescaped(text) };
    let quotes = text[from..].len() - text[from..].trim_start_matches(is_quote).len();
    let (prefix, rest) = (&text[..from], &text[from + quotes..]);
    // Of nothing but quotes it is an end, or empty.
    let trailing = rest.len() - rest.trim_end_matches(is_quote).len();
    if prefix.is_empty() && rest.is_empty() {
        return String::new();
    }
    format!("{prefix}\0{}", unescaped(&rest[..rest.len() - trailing.min(quotes)]))
}

fn unescaped(text: &str) -> String {
    text.replace("\\\"", "\"").replace("\\'", "'")
}

/// Text between tags, as it is shown: line breaks, and what is around them, are one blank within and nothing at an
/// end.
fn rendered(text: &str) -> String {
    let lines: Vec<&str> = text.split('\n').collect();
    let last = lines.len() - 1;
    let line = |(at, line): (usize, &&str)| {
        let line = if at > 0 { line.trim_start() } else { line };
        if at < last { line.trim_end().to_owned() } else { line.to_owned() }
    };
    lines.iter().enumerate().map(line).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}
