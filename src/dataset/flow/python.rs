//! The shapes of Python.

use super::shape::{Argument, Case, Clause, Parameter, Shape, Try, call, children, operator, text_or_other};
use crate::tree::Node;

pub(super) fn shape(node: Node<'_>) -> Shape<'_> {
    let field = |name: &str| node.field(name);
    match node.kind() {
        "identifier" => Shape::Name,
        "string" | "concatenated_string" => text_or_other(node),
        "integer" | "float" | "true" | "false" | "none" | "ellipsis" => Shape::Constant,
        "attribute" => match (field("object"), field("attribute")) {
            (Some(object), Some(name)) => Shape::Member { object, name },
            _ => Shape::Other(children(node)),
        },
        "subscript" => {
            let keys = node.named_children().filter(|child| child.field_name() == Some("subscript")).collect();
            field("value").map_or(Shape::Nothing, |object| Shape::Index { object, keys })
        }
        "call" => match (field("function"), field("arguments")) {
            (Some(function), Some(list)) if list.kind() == "argument_list" => {
                call(function, children(list).into_iter().map(argument).collect())
            }
            (Some(function), Some(one)) => call(function, vec![Argument { name: None, name_node: None, value: one }]),
            _ => Shape::Other(children(node)),
        },
        "lambda" => {
            field("body").map_or(Shape::Nothing, |body| Shape::Lambda(parameters(field("parameters")), vec![body]))
        }
        "comparison_operator" | "boolean_operator" | "binary_operator" => match text_or_other(node) {
            Shape::Text => Shape::Text,
            _ => operator(node),
        },
        "not_operator" | "unary_operator" => operator(node),
        "tuple" | "list" | "set" | "expression_list" | "pattern_list" | "tuple_pattern" | "list_pattern" => {
            Shape::Sequence(children(node))
        }
        "dictionary" if children(node).iter().all(|child| child.kind() == "pair") => {
            Shape::Pairs(children(node).into_iter().filter_map(pair).collect())
        }
        "parenthesized_expression" | "await" | "expression_statement" | "type" => match children(node)[..] {
            [only] => Shape::Same(only),
            _ => Shape::Other(children(node)),
        },
        "conditional_expression" => match children(node)[..] {
            [yes, test, no] => Shape::Choice(Some(test), vec![yes, no]),
            _ => Shape::Other(children(node)),
        },
        "list_comprehension" | "set_comprehension" | "generator_expression" => {
            let clauses = children(node).into_iter().filter_map(clause).collect();
            Shape::Comprehension { clauses, body: field("body").into_iter().collect() }
        }
        _ => statement(node),
    }
}

fn pair(node: Node<'_>) -> Option<(Node<'_>, Node<'_>)> {
    Some((node.field("key")?, node.field("value")?))
}

fn clause(node: Node<'_>) -> Option<Clause<'_>> {
    match (node.kind(), node.field("left"), node.field("right")) {
        ("for_in_clause", Some(left), Some(right)) => Some(Clause::Each(left, right)),
        ("if_clause", ..) => children(node).first().copied().map(Clause::If),
        _ => None,
    }
}

fn case(node: Node<'_>) -> Option<Case<'_>> {
    let pattern = children(node).into_iter().find(|child| child.kind() == "case_pattern")?;
    Some(Case { pattern, guard: node.field("guard"), body: node.field("consequence") })
}

fn statement(node: Node<'_>) -> Shape<'_> {
    let field = |name: &str| node.field(name);
    match node.kind() {
        "module" | "block" => Shape::Block(children(node), false),
        "assignment" | "named_expression" => {
            let target = field("left").or_else(|| field("name"));
            let value = field("right").or_else(|| field("value"));
            // `a = b = c`: the value is an assignment of its own.
            Shape::Assign { targets: target.into_iter().collect(), value, declared: field("type"), binds: false }
        }
        "for_statement" => {
            let alternative = field("alternative");
            let body = field("body").into_iter().chain(alternative).collect();
            Shape::Loop { target: field("left"), over: field("right"), declared: None, body }
        }
        "while_statement" => {
            let body = field("condition").into_iter().chain(field("body")).collect();
            Shape::Loop { target: None, over: None, declared: None, body }
        }
        "if_statement" => {
            let others = node.named_children().filter(|child| child.field_name() == Some("alternative"));
            let ways = field("consequence").into_iter().chain(others).collect();
            Shape::Choice(field("condition"), ways)
        }
        "elif_clause" => Shape::Choice(field("condition"), field("consequence").into_iter().collect()),
        "else_clause" | "finally_clause" | "with_clause" => Shape::Block(children(node), false),
        "try_statement" => attempt(node),
        // What is entered may swallow what is raised.
        "with_statement" if children(node).first().is_some_and(|clause| clause.text().contains("suppress")) => {
            let body = children(node);
            Shape::Try(Try { body, handlers: vec![(None, Vec::new())], then: Vec::new(), last: Vec::new() })
        }
        "with_statement" => Shape::Block(children(node), false),
        "with_item" => children(node).first().map_or(Shape::Nothing, |only| Shape::Same(*only)),
        "as_pattern" => {
            let alias = field("alias").and_then(|alias| children(alias).first().copied());
            let value = children(node).first().copied();
            Shape::Assign { targets: alias.into_iter().collect(), value, declared: None, binds: false }
        }
        "function_definition" => {
            Shape::Function { name: field("name"), parameters: parameters(field("parameters")), body: field("body") }
        }
        "decorated_definition" => field("definition").map_or(Shape::Nothing, Shape::Same),
        "class_definition" => Shape::Class { name: field("name"), members: field("body").map_or(Vec::new(), children) },
        "return_statement" => Shape::Return(children(node).first().copied()),
        "match_statement" => {
            let cases = node.descendants().filter(|child| child.kind() == "case_clause");
            let cases = cases.filter_map(case).collect();
            field("subject").map_or(Shape::Nothing, |subject| Shape::Match(subject, cases))
        }
        "import_statement"
        | "import_from_statement"
        | "future_import_statement"
        | "pass_statement"
        | "break_statement"
        | "continue_statement"
        | "global_statement"
        | "nonlocal_statement"
        | "comment" => Shape::Nothing,
        _ => Shape::Other(children(node)),
    }
}

fn attempt<'t>(node: Node<'t>) -> Shape<'t> {
    let below = children(node);
    let of = |kind: &str| below.iter().copied().filter(|child| child.kind() == kind).collect::<Vec<_>>();
    let handler = |clause: Node<'t>| {
        let caught = clause.named_children().find(|child| child.kind() == "as_pattern");
        let name = caught.and_then(|caught| caught.field("alias")).and_then(|alias| children(alias).first().copied());
        (name, children(clause).into_iter().filter(|child| child.kind() == "block").collect())
    };
    let clauses = below.iter().filter(|child| matches!(child.kind(), "except_clause" | "except_group_clause"));
    Shape::Try(Try {
        body: node.field("body").into_iter().collect(),
        handlers: clauses.copied().map(handler).collect(),
        then: of("else_clause"),
        last: of("finally_clause"),
    })
}

fn argument(node: Node<'_>) -> Argument<'_> {
    match (node.kind(), node.field("name"), node.field("value")) {
        ("keyword_argument", Some(name), Some(value)) => {
            Argument { name: Some(name.text()), name_node: Some(name), value }
        }
        _ => Argument { name: None, name_node: None, value: node },
    }
}

fn parameters(list: Option<Node<'_>>) -> Vec<Parameter<'_>> {
    list.into_iter().flat_map(children).filter_map(parameter).collect()
}

fn parameter(node: Node<'_>) -> Option<Parameter<'_>> {
    let pattern = match node.kind() {
        "identifier" => node,
        _ => node.field("name").or_else(|| children(node).first().copied())?,
    };
    Some(Parameter { pattern, declared: node.field("type") })
}
