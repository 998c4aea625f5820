//! Texts that are the name of a column that changes, and nothing else, where they go on: into a function, a
//! name, a text. What is put into a query where a value stands may be one of them.
//!
//! Must not: follow a value.

use super::Datasets;
use super::file::Decided;
use super::text::{self, Placeholders};
use super::visible;
use super::word::is_word;
use crate::tree::{Node, Tree, is_text};

/// Calls that read by a name, or show it.
const READS: [&str; 34] = [
    "col",
    "column",
    "select",
    "filter",
    "where",
    "groupBy",
    "groupby",
    "agg",
    "orderBy",
    "sort",
    "sort_values",
    "drop",
    "withColumn",
    "withColumnRenamed",
    "alias",
    "as",
    "cast",
    "print",
    "println",
    "info",
    "debug",
    "warn",
    "warning",
    "error",
    "log",
    "field",
    "has",
    "contains",
    "containsKey",
    "optString",
    "optLong",
    "Field",
    "Column",
    "pop",
];

/// What a literal holds.
pub(super) fn bare(node: Node<'_>) -> String {
    node.text().trim_matches(|c: char| !is_word(c)).to_owned()
}

/// Columns that change whose names alone are texts of a file which go on: what is put into a query where a
/// value stands may be one of them.
pub(super) fn all(tree: &Tree, datasets: &Datasets) -> Vec<(usize, String, u32)> {
    let texts = tree.iter().filter(|node| tree.language.is_string(node.kind_id()));
    let mut found = Vec::new();
    for node in texts.filter(|node| is_given(*node, datasets)) {
        let columns = datasets.mappings.iter().enumerate().filter_map(|(dataset, mapping)| {
            let column = mapping.column(&bare(node), true).filter(|column| !column.is_kept())?;
            Some((dataset, column.name.clone(), node.line_column().0))
        });
        found.extend(columns);
    }
    found
}

/// Whether something is put into the query of a unit where a value stands, outside of quotes.
pub(super) fn takes_values(tree: &Tree, one: &Decided) -> bool {
    text_around(tree, one).is_some_and(is_open)
}

/// The whole text that a unit stands in, if it is one of code.
pub(super) fn text_around<'t>(tree: &'t Tree, one: &Decided) -> Option<Node<'t>> {
    let node = tree.last_from(one.unit.uses.first()?.range.start);
    std::iter::once(node).chain(node.ancestors()).filter(|node| is_text(*node)).last()
}

pub(super) fn is_open(text: Node<'_>) -> bool {
    let read = text::read(text, Placeholders::Any, false);
    read.is_some_and(|read| read.holes.iter().any(|hole| !is_quoted(&read.masked[..hole.start])))
}

/// Whether what stands behind this part of a query is in quotes; those of its comments are none.
pub(super) fn is_quoted(before: &str) -> bool {
    let (mut open, mut rest) = (None, before);
    while let Some(first) = rest.chars().next() {
        let comment =
            if rest.starts_with("--") || first == '#' { Some("\n") } else { rest.starts_with("/*").then_some("*/") };
        match (open, comment) {
            (Some(quote), _) if first == quote => open = None,
            (None, Some(end)) => {
                rest = rest[1..].find(end).map_or("", |at| &rest[1 + at..]);
                continue;
            }
            (None, None) if matches!(first, '\'' | '"') => open = Some(first),
            _ => {}
        }
        rest = &rest[first.len_utf8()..];
    }
    open.is_some()
}

/// Whether a text is such a name, and goes on.
pub(super) fn is_given(node: Node<'_>, datasets: &Datasets) -> bool {
    let name = bare(node);
    let changes = datasets.mappings.iter().any(|mapping| mapping.column(&name, true).is_some_and(|one| !one.is_kept()));
    changes && goes_on(node)
}

fn goes_on(node: Node<'_>) -> bool {
    let mut at = node;
    for up in node.ancestors().take(8) {
        let kind = up.kind();
        let is_key = up.field("key").is_some_and(|key| key.contains(node));
        if is_key || kind.contains("subscript") || kind.contains("index") || kind.contains("compar") {
            return false;
        }
        if kind.contains("annotation")
            || kind.contains("import")
            || kind.contains("decorator")
            || kind == "field_declaration"
        {
            return false;
        }
        if matches!(kind, "binary_operator" | "binary_expression" | "infix_expression") {
            return up.children().any(|child| matches!(child.text(), "%" | "+"));
        }
        if kind.contains("assign")
            || kind.ends_with("declarator")
            || kind.ends_with("definition")
            || kind.contains("parameter")
        {
            // A default, or what a name holds.
            return true;
        }
        if kind == "let_declaration" || !visible::targets(up).is_empty() {
            return true;
        }
        if kind.contains("call") || kind == "method_invocation" || kind == "macro_invocation" {
            let function = up.field("function").or_else(|| up.field("name")).or_else(|| up.named_children().next());
            let called = function.map_or("", |function| {
                let text = function.text();
                text.rsplit(|c: char| !is_word(c)).find(|part| !part.is_empty()).unwrap_or("")
            });
            return !function.is_some_and(|function| function.contains(at))
                && !called.starts_with("get")
                && !READS.contains(&called);
        }
        at = up;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_of_comments_are_none() {
        for (before, quoted) in [
            ("where x = '", true),
            ("where x = 'it''s' and y = ", false),
            ("-- the user's id\nwhere x = ", false),
            ("-- the user's id\nwhere x = '", true),
            ("/* the user's */ where x = ", false),
            ("# don't\nwhere x = ", false),
            ("where x = '-- no comment", true),
            ("where x = '-- no comment' and y = ", false),
            ("where x = \"it's", true),
        ] {
            assert_eq!(is_quoted(before), quoted, "{before}");
        }
    }
}
