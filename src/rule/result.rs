//! Whether code is the value of its block, and who needs it.
//!
//! Must not: know a language; `language.toml` says where blocks have a value.

use crate::tree::Node;

/// What needs the value of a block that ends with a node; `None` where the node is no such value, or
/// nobody has use for it.
pub(super) fn needs_result(node: Node<'_>) -> Option<Node<'_>> {
    let facts = &node.tree().language.facts.results;
    let is = |kinds: &[String], node: Node<'_>| kinds.iter().any(|kind| kind == node.kind());
    let alone = node.field("consequence").is_some() && node.field("alternative").is_none();
    if facts.blocks.is_empty() || is(&facts.valueless, node) || alone || node.text().ends_with(';') {
        return None;
    }
    let mut inner = node;
    for around in node.ancestors() {
        if is(&facts.blocks, around) {
            let last = around.named_children().filter(|child| !child.is_extra()).last();
            if last.is_none_or(|last| last.id != inner.id) {
                return None;
            }
        } else if inner.id == node.id {
            // It ends no block.
            return None;
        } else if gives_nothing(around) || is(&facts.drops, around) && !has_token(around, "yield") {
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
    match function.field("return_type") {
        Some(is) => facts.nothing.iter().any(|nothing| nothing == is.text()),
        None => facts.procedures.iter().any(|kind| kind == function.kind()) && !has_token(function, "="),
    }
}

fn has_token(node: Node<'_>, token: &str) -> bool {
    node.children().any(|child| !child.is_named() && child.text() == token)
}
