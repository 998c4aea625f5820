//! The shapes of TypeScript and JavaScript.

use std::rc::Rc;

use super::shape::{Argument, Parameter, Shape, Try, call, children, operator, text_or_other};
use super::value::{Function, Value};
use crate::dataset::word::each;
use crate::tree::Node;

pub(super) fn shape(node: Node<'_>) -> Shape<'_> {
    let field = |name: &str| node.field(name);
    match node.kind() {
        "identifier"
        | "shorthand_property_identifier"
        | "shorthand_property_identifier_pattern"
        | "this"
        | "property_identifier"
        | "type_identifier"
        | "private_property_identifier" => Shape::Name,
        "string" | "template_string" => text_or_other(node),
        "number" | "true" | "false" | "null" | "undefined" | "regex" => Shape::Constant,
        "member_expression" => match (field("object"), field("property")) {
            (Some(object), Some(name)) => Shape::Member { object, name },
            _ => Shape::Other(children(node)),
        },
        "subscript_expression" => match (field("object"), field("index")) {
            (Some(object), Some(key)) => Shape::Index { object, keys: vec![key] },
            _ => Shape::Other(children(node)),
        },
        "call_expression" => field("function").map_or(Shape::Nothing, |function| call(function, arguments(node))),
        "new_expression" => field("constructor").map_or(Shape::Nothing, |class| call(class, arguments(node))),
        "arrow_function" | "function_expression" => {
            Shape::Lambda(parameters(node), field("body").into_iter().collect())
        }
        "binary_expression" => match text_or_other(node) {
            Shape::Text => Shape::Text,
            _ => operator(node),
        },
        "unary_expression" | "update_expression" => operator(node),
        "ternary_expression" => {
            Shape::Choice(field("condition"), field("consequence").into_iter().chain(field("alternative")).collect())
        }
        "array" | "array_pattern" => Shape::Sequence(children(node)),
        "object" => {
            let plain = |child: &Node<'_>| matches!(child.kind(), "pair" | "shorthand_property_identifier");
            let below = children(node);
            if below.iter().all(plain) {
                Shape::Pairs(below.into_iter().filter_map(pair).collect())
            } else {
                Shape::Other(below)
            }
        }
        "object_pattern" => Shape::Pairs(children(node).into_iter().filter_map(pair).collect()),
        // What it is said to be names the columns, too, unless it says nothing.
        "as_expression" | "satisfies_expression" => match children(node)[..] {
            [value, said] if is_open(said.text()) => Shape::Same(value),
            _ => Shape::Other(children(node)),
        },
        "await_expression" | "parenthesized_expression" | "non_null_expression" | "expression_statement" => {
            children(node).first().map_or(Shape::Nothing, |first| Shape::Same(*first))
        }
        _ => statement(node),
    }
}

/// Words of types that say nothing of the names of columns.
const OPEN: [&str; 30] = [
    "any",
    "unknown",
    "const",
    "object",
    "void",
    "null",
    "undefined",
    "string",
    "number",
    "boolean",
    "Date",
    "Buffer",
    "Promise",
    "Array",
    "ReadonlyArray",
    "readonly",
    "Record",
    "Iterable",
    "AsyncIterable",
    "Iterator",
    "Map",
    "Set",
    "Readonly",
    "Partial",
    "Generator",
    "AsyncGenerator",
    "never",
    "Row",
    "RowMetadata",
    "TableRow",
];

/// Whether a type says nothing of the names of columns, as far as its words go.
pub(super) fn is_open(said: &str) -> bool {
    let mut words = said.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
    !said.contains(['{', '\'', '"']) && words.all(|word| OPEN.contains(&word))
}

impl<'t> super::Flow<'t> {
    /// A value is said to be of a type: where that names the columns, it stays as it is.
    pub(super) fn said(&mut self, value: &Value<'t>, said: Node<'t>) {
        let language = self.tree.language.facts.name.as_str();
        if language == "python" {
            if !self.changing(value).is_empty() && self.is_typed_here(said.text()) {
                self.lost(value, said, "it is said to be of a type that names the columns, too");
            }
            return;
        }
        let web = matches!(language, "typescript" | "tsx");
        if !web || self.changing(value).is_empty() || is_open(said.text()) && !self.is_own_type(said.text()) {
            return;
        }
        self.lost(value, said, "it is said to be of a type that names the columns, too");
    }

    /// As [`super::Flow::said`], of `value as T` and `f<T>()`.
    pub(super) fn said_at(&mut self, node: Node<'t>, value: &Value<'t>) {
        let said = match node.kind() {
            "as_expression" | "satisfies_expression" => children(node).get(1).copied(),
            "call_expression" => node.field("type_arguments"),
            _ => None,
        };
        said.into_iter().for_each(|said| self.said(value, said));
    }

    /// As [`super::Flow::said`], of what goes into a function whose type is written elsewhere.
    pub(super) fn said_of_function(&mut self, function: &Rc<Function<'t>>, arguments: &[Value<'t>]) {
        // `(r): r is Row`
        let asked = self.tree.node(function.id).field("return_type").filter(|said| said.kind().contains("predicate"));
        let Some(said) = self.typed.get(&function.id).copied().or(asked) else { return };
        arguments.iter().for_each(|value| self.said(value, said));
    }

    /// Whether a type of Python is one of this consumer's: a class that may name the columns.
    fn is_typed_here(&self, said: &str) -> bool {
        let libraries = ["pandas", "pyspark", "typing", "collections", "google", "datetime", "numpy", "apache_beam"];
        each(said).any(|(_, word)| {
            let imported = self.imported(word);
            let other = imported.is_some_and(|path| {
                let of = path.split('.').next().unwrap_or("");
                !libraries.contains(&of) && word.starts_with(char::is_uppercase)
            });
            self.classes_here.contains(word) || other
        })
    }

    /// Whether a type has a name that this file, or one beside it, gives to a type of its own.
    fn is_own_type(&self, said: &str) -> bool {
        let declares = |node: Node<'t>| {
            matches!(node.kind(), "interface_declaration" | "type_alias_declaration" | "class_declaration")
        };
        let words = said.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
        words.into_iter().any(|word| {
            let beside = self
                .imported(word)
                .is_some_and(|path| path.starts_with(['.', '@', '~']) && !path.starts_with("@google-cloud"));
            let named = |node: Node<'t>| node.field("name").is_some_and(|name| name.text() == word);
            beside || self.tree.iter().any(|node| declares(node) && named(node))
        })
    }
}

fn statement(node: Node<'_>) -> Shape<'_> {
    let field = |name: &str| node.field(name);
    match node.kind() {
        "try_statement" => attempt(node),
        "switch_statement" => switch(node),
        "labeled_statement" => field("body").map_or(Shape::Nothing, Shape::Same),
        "program"
        | "finally_clause"
        | "lexical_declaration"
        | "variable_declaration"
        | "else_clause"
        | "class_body" => Shape::Block(children(node), false),
        "statement_block" => Shape::Block(children(node), true),
        "variable_declarator" => Shape::Assign {
            targets: field("name").into_iter().collect(),
            value: field("value"),
            declared: field("type"),
            binds: true,
        },
        "assignment_expression" | "augmented_assignment_expression" => Shape::Assign {
            targets: field("left").into_iter().collect(),
            value: field("right"),
            declared: None,
            binds: false,
        },
        "export_statement" => {
            match field("declaration").or_else(|| field("value")) {
                // A value that other files may read.
                Some(value) if !value.kind().contains("function") && !value.kind().contains("class") => {
                    Shape::Other(vec![value])
                }
                Some(declared) => Shape::Same(declared),
                None => Shape::Nothing,
            }
        }
        "for_in_statement" => Shape::Loop {
            target: field("left"),
            over: field("right"),
            declared: None,
            body: field("body").into_iter().collect(),
        },
        "for_statement" | "while_statement" | "do_statement" => {
            Shape::Loop { target: None, over: None, declared: None, body: children(node) }
        }
        "if_statement" => {
            Shape::Choice(field("condition"), field("consequence").into_iter().chain(field("alternative")).collect())
        }
        "function_declaration" | "method_definition" | "generator_function_declaration" => {
            Shape::Function { name: field("name"), parameters: parameters(node), body: field("body") }
        }
        "class_declaration" | "class" => {
            Shape::Class { name: field("name"), members: field("body").map_or(Vec::new(), children) }
        }
        "return_statement" => Shape::Return(children(node).first().copied()),
        "import_statement"
        | "interface_declaration"
        | "type_alias_declaration"
        | "comment"
        | "empty_statement"
        | "break_statement"
        | "continue_statement"
        | "predefined_type" => Shape::Nothing,
        _ => Shape::Other(children(node)),
    }
}

fn attempt<'t>(node: Node<'t>) -> Shape<'t> {
    let handler = |clause: Node<'t>| (clause.field("parameter"), clause.field("body").into_iter().collect());
    Shape::Try(Try {
        body: node.field("body").into_iter().collect(),
        handlers: node.field("handler").into_iter().map(handler).collect(),
        then: Vec::new(),
        last: node.field("finalizer").into_iter().collect(),
    })
}

fn switch<'t>(node: Node<'t>) -> Shape<'t> {
    let (Some(subject), Some(body)) = (node.field("value"), node.field("body")) else {
        return Shape::Other(children(node));
    };
    let statements = |child: &Node<'t>| child.field_name() != Some("value");
    let group = |group: Node<'t>| children(group).into_iter().filter(statements).collect();
    Shape::Switch { subject, groups: children(body).into_iter().map(group).collect(), falls: true }
}

fn pair(node: Node<'_>) -> Option<(Node<'_>, Node<'_>)> {
    match node.kind() {
        "pair" | "pair_pattern" => Some((node.field("key")?, node.field("value")?)),
        "object_assignment_pattern" => {
            let left = node.field("left")?;
            Some((left, left))
        }
        _ => Some((node, node)),
    }
}

fn arguments(node: Node<'_>) -> Vec<Argument<'_>> {
    let Some(list) = node.field("arguments") else { return Vec::new() };
    let values = if list.kind() == "arguments" { children(list) } else { vec![list] };
    values.into_iter().map(|value| Argument { name: None, name_node: None, value }).collect()
}

fn parameters(node: Node<'_>) -> Vec<Parameter<'_>> {
    if let Some(only) = node.field("parameter") {
        return vec![Parameter { pattern: only, declared: None }];
    }
    node.field("parameters").map_or(Vec::new(), children).into_iter().map(parameter).collect()
}

fn parameter(node: Node<'_>) -> Parameter<'_> {
    match node.field("pattern") {
        Some(pattern) => Parameter { pattern, declared: node.field("type") },
        None => Parameter { pattern: node, declared: None },
    }
}

#[cfg(test)]
mod tests {
    use crate::dataset::flow::tests::{MOVES, becomes, stays};

    #[test]
    fn types_of_typescript_name_the_columns_too() {
        let code = |before: &str, rest: &str| {
            format!(
                "{before}export const f = async () => {{ const [rows] = await new BigQuery().dataset('a').table('users_v1').getRows(); {rest} }};\n"
            )
        };
        let own = "interface Row { country_code: string }\n";
        let each = "rows.forEach((r: Row) => console.log(r.country_code));";
        for (before, rest) in [
            (own, each),
            ("import type { Row } from './types';\n", each),
            ("import { Row } from '@acme/types';\n", each),
            ("type Row = { country_code: string };\n", "const r: Row = rows[0]; console.log(r.country_code);"),
            (
                "type Cb = (r: { country_code: string }) => void;\n",
                "const cb: Cb = (r) => console.log(r.country_code); rows.forEach(cb);",
            ),
            (
                "interface Row { country_code: string }\nconst show = ({ country_code }: Row) => console.log(country_code);\n",
                "rows.forEach(show);",
            ),
        ] {
            stays("typescript", &code(before, rest), "of a type that names the columns");
        }
        stays(
            "typescript",
            "interface Row { country_code: string }\nasync function load(): Promise<Row[]> { const [rows] = await new BigQuery().dataset('a').table('users_v1').getRows(); return rows; }\nexport const f = async () => console.log((await load()).map((r) => r.country_code).length);\n",
            "of a type that names the columns",
        );
        becomes(
            "typescript",
            &code("import type { Row } from '@google-cloud/bigquery';\n", each),
            &[MOVES, ("country_code", "country")],
        );
    }
}
