//! Whether code is the value of its block, and who needs it.
//!
//! Must not: know a language; `language.toml` says where blocks have a value.

use crate::tree::Node;

/// What needs the value of a block that ends with a node; `None` where the node is no such value, or
/// nobody has use for it.
pub(super) fn needs_result(node: Node<'_>) -> Option<Node<'_>> {
    let facts = &node.tree().language.facts.results;
    let is = |kinds: &[String], node: Node<'_>| kinds.iter().any(|kind| kind == node.kind());
    let no_else = |node: Node<'_>| is(&facts.with_else, node) && !node.children().any(|child| child.text() == "else");
    let alone = node.field("consequence").is_some() && node.field("alternative").is_none() || no_else(node);
    let valueless = is(&facts.valueless, node) || is(&facts.drops, node) && !gives_value(node);
    if facts.blocks.is_empty() || valueless || alone || node.text().ends_with(';') {
        return None;
    }
    let mut inner = node;
    for around in node.ancestors() {
        if is(&facts.blocks, around) {
            let all: Vec<Node<'_>> = around.named_children().filter(|child| !child.is_extra()).collect();
            if all.last().is_none_or(|last| last.id != inner.id) || facts.single && all.len() > 1 {
                return None;
            }
        } else if inner.id == node.id {
            // It ends no block.
            return None;
        } else if gives_nothing(around) || no_else(around) || is(&facts.drops, around) && !gives_value(around) {
            return None;
        } else if !is(&facts.passes, around) {
            return Some(around);
        }
        inner = around;
    }
    None
}

/// Whether it is a function of which nobody gets a value.
fn gives_nothing(function: Node<'_>) -> bool {
    let facts = &function.tree().language.facts.results;
    let children: Vec<Node<'_>> = function.children().filter(|child| !child.is_extra()).collect();
    let behind_arrow = || children.iter().skip_while(|child| child.text() != "->").nth(1).copied();
    match function.field("return_type").or_else(behind_arrow) {
        Some(is) => facts.nothing.iter().any(|nothing| nothing == is.text()),
        None => {
            // `=` may stand in a parameter, too.
            let before = children.iter().take_while(|child| child.field_name() != Some("body")).last();
            let is_value = before.is_some_and(|before| before.text() == "=");
            facts.procedures.iter().any(|kind| kind == function.kind()) && !is_value
        }
    }
}

/// Whether something that else has no use for a value gives one on: what a loop collects, a body that is one.
fn gives_value(around: Node<'_>) -> bool {
    has_token(around, "yield") || has_token(around, "=")
}

/// Whether that is one of the tokens of a node.
pub(super) fn has_token(node: Node<'_>, token: &str) -> bool {
    node.children().any(|child| !child.is_named() && child.text() == token)
}
