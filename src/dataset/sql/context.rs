//! What becomes of a column's value, told by what stands around it.

use super::Resolver;
use crate::dataset::usage::{LiteralUse, ValueUse};
use crate::tree::Node;

/// Functions whose result depends on which values are the same, not on what they are.
const COUNTING: [&str; 5] = ["count", "approx_count_distinct", "count_if", "approx_distinct", "hll_count.init"];

impl<'t> Resolver<'t> {
    /// What becomes of the value of `node`, a column in an expression.
    pub(super) fn value_use(&self, node: Node<'t>) -> ValueUse {
        let mut at = node;
        while let Some(parent) = at.parent().filter(|parent| parent.kind() == "parenthesized") {
            at = parent;
        }
        let Some(parent) = at.parent() else { return ValueUse::Elsewhere("its value goes on") };
        let is = |other: Option<Node<'t>>| other.is_some_and(|other| other.id == at.id);
        match parent.kind() {
            "binary" => {
                let (left, right) = (parent.field("left"), parent.field("right"));
                let operator = parent.field("operator").map_or("", |operator| operator.kind());
                let other = if is(left) { right } else { left };
                match operator {
                    "=" | "==" | "<>" | "!=" | "<=>" => self.compared(other.into_iter().collect()),
                    "<" | ">" | "<=" | ">=" => ValueUse::Elsewhere("its new values have another order"),
                    "||" => ValueUse::Elsewhere("its value becomes a part of a text"),
                    _ => ValueUse::Elsewhere("its value is calculated with"),
                }
            }
            "in" if is(parent.field("left")) => match parent.field("right") {
                Some(list) if list.kind() == "expression_list" => self.compared(list.named_children().collect()),
                _ => ValueUse::Elsewhere("it is compared with values that are not shown here"),
            },
            "in" => ValueUse::Elsewhere("it is compared with values that are not shown here"),
            "case" if is(parent.field("value")) => {
                let whens = parent.named_children().filter(|child| child.kind() == "when");
                self.compared(whens.filter_map(|when| when.field("condition")).collect())
            }
            "is" => {
                let nothing = parent.children().any(|child| matches!(child.kind(), "null" | "unknown"));
                if nothing { ValueUse::Same } else { ValueUse::Elsewhere("it is compared with another value") }
            }
            "like" => ValueUse::Elsewhere("it is compared with a pattern"),
            "between" => ValueUse::Elsewhere("its new values have another order"),
            "argument" => self.argument_use(parent),
            "grouping_item" | "partition_by" => ValueUse::Same,
            "expression_list" => match parent.parent().map(Node::kind) {
                Some("using_clause" | "star_modifier") => ValueUse::Same,
                _ => ValueUse::Elsewhere("its value goes on"),
            },
            "select_item" => ValueUse::Elsewhere(
                "the query gives them to what reads it: map them back by `case` there, or have it take the new ones",
            ),
            "order_item" => ValueUse::Elsewhere("the new values sort differently"),
            "assignment" => ValueUse::Elsewhere("its value is written elsewhere"),
            _ => ValueUse::Elsewhere("its value goes on"),
        }
    }

    fn argument_use(&self, argument: Node<'t>) -> ValueUse {
        let call = argument.ancestors().find(|around| around.kind() == "call");
        let name =
            call.and_then(|call| call.field("function")).map_or(String::new(), |name| name.text().to_lowercase());
        if COUNTING.contains(&name.as_str()) {
            return ValueUse::Same;
        }
        ValueUse::Elsewhere("its value goes through a function")
    }

    /// Literals that a column is compared with.
    fn compared(&self, others: Vec<Node<'t>>) -> ValueUse {
        let mut literals = Vec::new();
        for other in others {
            match self.literal(other) {
                Some(literal) => literals.push(literal),
                None if other.kind() == "null" => {}
                None if other.kind() == "parameter" => {
                    return ValueUse::Elsewhere("it is compared with a parameter, whose values are not known here");
                }
                None => return ValueUse::Elsewhere("it is compared with a value that is not written here"),
            }
        }
        ValueUse::Literals(literals)
    }

    /// What is written into a column: literals, or something else.
    pub(super) fn values_written(&self, values: &[Node<'t>]) -> ValueUse {
        let mut literals = Vec::new();
        for value in values {
            match self.literal(*value) {
                Some(literal) => literals.push(literal),
                None if matches!(value.kind(), "null" | "default_value") => {}
                None => return ValueUse::Elsewhere("it is written from a value that keeps the old meaning"),
            }
        }
        ValueUse::Literals(literals)
    }

    fn literal(&self, node: Node<'t>) -> Option<LiteralUse> {
        let mut node = node;
        while node.kind() == "parenthesized" {
            node = node.named_children().next()?;
        }
        let text = node.text();
        let made =
            |value: Option<String>, quoted| LiteralUse { range: node.range(), text: text.to_owned(), value, quoted };
        match node.kind() {
            "number" | "boolean" => Some(made(Some(text.to_lowercase()), false)),
            "string" if self.setting.dialect.quotes_names() && text.starts_with('"') => None,
            "string" => {
                let hole = self.has_hole(&node.local_range())
                    || node.descendants().any(|below| matches!(below.kind(), "jinja_output" | "jinja_tag"));
                let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'));
                let inner = quote.and_then(|quote| text.strip_prefix(quote)?.strip_suffix(quote));
                let plain = inner.filter(|inner| !inner.contains(['\\', '\'', '"', '{', '%', '$']));
                Some(made(plain.filter(|_| !hole).map(str::to_owned), true))
            }
            // What an f-string or a template puts in.
            "column" if self.has_hole(&node.local_range()) => Some(made(None, false)),
            _ => None,
        }
    }
}
