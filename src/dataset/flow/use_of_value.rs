//! What becomes of the value of a column that code reads, told by what stands around it.

use super::Flow;
use super::shape::{Callee, Shape, shape};
use crate::dataset::usage::{LiteralUse, ValueUse};
use crate::tree::Node;

/// Methods that hand on the value as it is.
const SAME: [&str; 9] =
    ["toString", "getStringValue", "getLongValue", "getNumericValue", "asInstanceOf", "get", "toLong", "toInt", "trim"];
/// Methods that compare it with their arguments.
const COMPARES: [&str; 9] =
    ["isin", "eq", "ne", "equals", "contentEquals", "eqNullSafe", "isInCollection", "equalTo", "notEqual"];
/// Operators and other methods that ask how it compares.
const OPERATORS: [&str; 25] = [
    "==",
    "!=",
    "===",
    "!==",
    "=!=",
    "<=>",
    "<",
    ">",
    "<=",
    ">=",
    "in",
    "not in",
    "is",
    "is not",
    "between",
    "like",
    "rlike",
    "array_contains",
    "arrays_overlap",
    "nullif",
    "ilike",
    "startsWith",
    "startswith",
    "contains",
    "compareTo",
];
/// What depends on which values are the same, not on what they are.
const COUNTS: [&str; 20] = [
    "isNull",
    "isNotNull",
    "isna",
    "notna",
    "isnull",
    "notnull",
    "nunique",
    "count",
    "isDefined",
    "isEmpty",
    "nonEmpty",
    "countDistinct",
    "count_distinct",
    "approx_count_distinct",
    "dropDuplicates",
    "drop_duplicates",
    "drop",
    "partitionBy",
    "size",
    "isNaN",
];

impl<'t> Flow<'t> {
    /// What becomes of the value that `node` reads.
    pub(super) fn use_of_value(&self, node: Node<'t>) -> ValueUse {
        let mut at = node;
        for _ in 0..64 {
            let Some(parent) = around(at) else { break };
            let is = |other: Node<'t>| other.id == at.id;
            match shape(parent) {
                Shape::Same(inner) if is(inner) => at = parent,
                Shape::Operator(word, operands) => {
                    let others: Vec<Node<'t>> = operands.into_iter().filter(|other| !is(*other)).collect();
                    return self.operator_use(&word, &others);
                }
                Shape::Member { object, name } => {
                    let call = around(parent).filter(|call| called(*call).is_some_and(|of| of.id == name.id));
                    // The name of an accessor, as of a getter: what it is called on comes first.
                    if is(name) {
                        at = call.unwrap_or(parent);
                        continue;
                    }
                    if !is(object) {
                        break;
                    }
                    match self.method_use(name.text(), call) {
                        Some(found) => return found,
                        None => at = call.unwrap_or(parent),
                    }
                }
                Shape::Call { callee: Callee::Method { object, name }, .. } if is(object) => {
                    match self.method_use(name.text(), Some(parent)) {
                        Some(found) => return found,
                        None => at = parent,
                    }
                }
                Shape::Call { callee: Callee::Method { name, .. } | Callee::Value(name), .. } if is(name) => {
                    at = parent
                }
                Shape::Call { callee, .. } => return self.argument_use(callee),
                Shape::Sequence(_) => at = parent,
                _ => break,
            }
        }
        ValueUse::Elsewhere("its value goes on")
    }

    /// Whether `node`, or what hands its value on, is compared with something.
    pub(super) fn is_compared(&self, node: Node<'t>) -> bool {
        let mut at = node;
        for _ in 0..64 {
            let Some(parent) = around(at) else { return false };
            match shape(parent) {
                Shape::Same(_) | Shape::Sequence(_) => at = parent,
                Shape::Operator(word, _) => return compares(&word),
                Shape::Member { name, .. } if name.id == at.id => at = parent,
                Shape::Member { name, .. } | Shape::Call { callee: Callee::Method { name, .. }, .. } => {
                    let word = name.text();
                    if compares(word) {
                        return true;
                    }
                    if name.id != at.id && !SAME.contains(&word) {
                        return false;
                    }
                    at = parent;
                }
                Shape::Call { callee: Callee::Value(name), .. } if name.id == at.id => at = parent,
                Shape::Call { callee: Callee::Value(name), .. } => return compares(name.text()),
                _ => return false,
            }
        }
        false
    }

    fn operator_use(&self, word: &str, others: &[Node<'t>]) -> ValueUse {
        match word {
            "==" | "!=" | "===" | "!==" | "=!=" | "<=>" | "<>" => self.compared(others),
            "in" | "not in" => match others {
                [list] => match shape(*list) {
                    Shape::Sequence(items) => self.compared(&items),
                    _ => ValueUse::Elsewhere("it is compared with values that are not shown here"),
                },
                _ => ValueUse::Elsewhere("it is compared with values that are not shown here"),
            },
            "is" | "is not" => ValueUse::Same,
            "<" | ">" | "<=" | ">=" => ValueUse::Elsewhere("its new values have another order"),
            _ => ValueUse::Elsewhere("its value is calculated with"),
        }
    }

    /// What a method of the value does with it; `None` where it hands it on.
    fn method_use(&self, method: &str, call: Option<Node<'t>>) -> Option<ValueUse> {
        if COUNTS.contains(&method) {
            return Some(ValueUse::Same);
        }
        if COMPARES.contains(&method) {
            let compared = call.map(|call| self.compared(&arguments(call)));
            return Some(compared.unwrap_or(ValueUse::Elsewhere("its value goes on")));
        }
        (!SAME.contains(&method)).then_some(ValueUse::Elsewhere("its value goes through a method"))
    }

    fn argument_use(&self, callee: Callee<'t>) -> ValueUse {
        let (object, name) = match callee {
            Callee::Method { object, name } => (Some(object), name.text()),
            Callee::Value(function) => (None, function.text()),
        };
        // `"P".equals(value)`
        if let Some(object) = object
            && COMPARES.contains(&name)
        {
            return self.compared(&[object]);
        }
        if COUNTS.contains(&name) {
            return ValueUse::Same;
        }
        ValueUse::Elsewhere("its value goes through a function")
    }

    /// Literals that a value is compared with, or that are written into it.
    pub(super) fn compared(&self, others: &[Node<'t>]) -> ValueUse {
        let mut literals = Vec::new();
        for other in others {
            let mut other = *other;
            while let Shape::Same(inner) = shape(other) {
                other = inner;
            }
            match shape(other) {
                Shape::Sequence(items) => match self.compared(&items) {
                    ValueUse::Literals(more) => literals.extend(more),
                    elsewhere => return elsewhere,
                },
                Shape::Text => {
                    let text = other.text();
                    let plain = self.literal(other).filter(|(_, content)| {
                        content.start == other.range().start + 1 && content.end + 1 == other.range().end
                    });
                    literals.push(LiteralUse {
                        range: other.range(),
                        text: text.to_owned(),
                        value: plain.map(|(value, _)| value),
                        quoted: true,
                    });
                }
                Shape::Constant if matches!(other.text(), "None" | "null" | "undefined") => {}
                Shape::Constant => literals.push(LiteralUse {
                    range: other.range(),
                    text: other.text().to_owned(),
                    value: Some(other.text().to_lowercase().trim_end_matches('l').to_owned()),
                    quoted: false,
                }),
                _ => return ValueUse::Elsewhere("it is compared with a value that is not written here"),
            }
        }
        ValueUse::Literals(literals)
    }
}

/// Whether the value at a node is only counted, or asked whether it is there.
pub(super) fn counts(node: Node<'_>) -> bool {
    let Some(parent) = around(node) else { return false };
    match shape(parent) {
        Shape::Member { object, name } | Shape::Call { callee: Callee::Method { object, name }, .. }
            if object.id == node.id =>
        {
            COUNTS.contains(&name.text())
        }
        Shape::Call { callee: Callee::Method { name, .. } | Callee::Value(name), .. } => {
            name.id != node.id && COUNTS.contains(&name.text())
        }
        _ => false,
    }
}

/// Whether an operator or a method compares.
pub(super) fn compares(word: &str) -> bool {
    COMPARES.contains(&word) || OPERATORS.contains(&word)
}

/// The node around, lists of arguments left out.
pub(super) fn around(node: Node<'_>) -> Option<Node<'_>> {
    let mut at = node.parent()?;
    while matches!(at.kind(), "argument_list" | "arguments" | "keyword_argument") {
        at = at.parent()?;
    }
    Some(at)
}

/// The name of the method that is called.
fn called(node: Node<'_>) -> Option<Node<'_>> {
    match shape(node) {
        Shape::Call { callee: Callee::Method { name, .. }, .. } => Some(name),
        _ => None,
    }
}

fn arguments(node: Node<'_>) -> Vec<Node<'_>> {
    match shape(node) {
        Shape::Call { arguments, .. } => arguments.into_iter().map(|argument| argument.value).collect(),
        _ => Vec::new(),
    }
}
