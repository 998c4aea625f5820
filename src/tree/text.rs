//! Texts of code: a literal, or literals that are put together.
//!
//! Must not: know what is in them.

use super::Node;
use crate::language::literal;

/// Whether a node puts texts together: a join of its language, by an operator that does.
pub fn joins(node: Node<'_>) -> bool {
    let facts = &node.tree().language.facts.string;
    let operator = |c: &Node<'_>| !c.is_extra() && (!c.is_named() || c.field_name() == Some("operator"));
    facts.joins.iter().any(|j| j == node.kind())
        && node.children().filter(operator).all(|c| facts.join_operators.iter().any(|o| o == c.text()))
}

/// Whether a node is a text: a literal, or a join.
pub fn is_text(node: Node<'_>) -> bool {
    node.tree().language.is_string(node.kind_id()) || joins(node)
}

/// The literals that make up a text, in order, and the operands between them that are
/// none; a node that is no text is its own only operand.
pub fn operands(node: Node<'_>) -> Vec<Node<'_>> {
    let language = node.tree().language;
    // A long concatenation nests to the left as deep as it is long.
    let (mut found, mut pending) = (Vec::new(), vec![node]);
    while let Some(next) = pending.pop() {
        if !language.is_string(next.kind_id()) && joins(next) {
            let operands = next.named_children().filter(|child| child.field_name() != Some("operator"));
            pending.extend(operands.collect::<Vec<_>>().into_iter().rev());
        } else {
            found.push(next);
        }
    }
    found
}

/// The value of a string literal, or of a text that its language writes without quotes.
pub fn text_value(node: Node<'_>) -> Option<String> {
    let plain = &node.tree().language.facts.string.plain;
    let is_plain = || plain.iter().any(|kind| kind == node.kind()) && literal::is_plain(node.text());
    literal_value(node).or_else(|| is_plain().then(|| node.text().to_owned()))
}

/// The value of a string literal without holes, where it is certain.
pub fn literal_value(node: Node<'_>) -> Option<String> {
    let language = node.tree().language;
    if !language.is_string(node.kind_id()) {
        return None;
    }
    let holes = &language.facts.string.holes;
    if node.descendants().any(|n| holes.iter().any(|h| h == n.kind())) {
        return None;
    }
    literal::value(language, node.text())
}
