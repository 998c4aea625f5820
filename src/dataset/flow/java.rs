//! The shapes of Java.

use super::shape::{Argument, Callee, Parameter, Shape, Try, call, children, operator, text_or_other};
use crate::tree::Node;

pub(super) fn shape(node: Node<'_>) -> Shape<'_> {
    let field = |name: &str| node.field(name);
    match node.kind() {
        "identifier" | "type_identifier" | "this" => Shape::Name,
        "string_literal" => text_or_other(node),
        "true" | "false" => Shape::Constant,
        kind if kind.ends_with("_literal") => Shape::Constant,
        "field_access" => match (field("object"), field("field")) {
            (Some(object), Some(name)) => Shape::Member { object, name },
            _ => Shape::Other(children(node)),
        },
        "method_invocation" => match (field("object"), field("name")) {
            (Some(object), Some(name)) => {
                Shape::Call { callee: Callee::Method { object, name }, arguments: arguments(node) }
            }
            (None, Some(name)) => Shape::Call { callee: Callee::Value(name), arguments: arguments(node) },
            _ => Shape::Other(children(node)),
        },
        "object_creation_expression" => match field("type") {
            Some(class) if !node.named_children().any(|child| child.kind() == "class_body") => {
                call(class, arguments(node))
            }
            _ => Shape::Other(children(node)),
        },
        "lambda_expression" => {
            Shape::Lambda(field("parameters").map_or(Vec::new(), parameters), field("body").into_iter().collect())
        }
        "method_reference" => match children(node).last() {
            Some(last) if last.kind() == "identifier" => match children(node)[..] {
                [object, name] => Shape::Member { object, name },
                _ => Shape::Same(*last),
            },
            _ => Shape::Other(children(node)),
        },
        "binary_expression" => match text_or_other(node) {
            Shape::Text => Shape::Text,
            _ => operator(node),
        },
        "unary_expression" | "update_expression" => operator(node),
        "ternary_expression" => {
            Shape::Choice(field("condition"), field("consequence").into_iter().chain(field("alternative")).collect())
        }
        "cast_expression" => field("value").map_or(Shape::Nothing, Shape::Same),
        "array_access" => match (field("array"), field("index")) {
            (Some(object), Some(key)) => Shape::Index { object, keys: vec![key] },
            _ => Shape::Other(children(node)),
        },
        "array_initializer" => Shape::Sequence(children(node)),
        _ => statement(node),
    }
}

fn statement(node: Node<'_>) -> Shape<'_> {
    let field = |name: &str| node.field(name);
    match node.kind() {
        "program" | "resource_specification" | "finally_clause" => Shape::Block(children(node), false),
        "try_statement" | "try_with_resources_statement" => attempt(node),
        "switch_expression" | "switch_statement" => switch(node),
        "labeled_statement" => children(node).last().map_or(Shape::Nothing, |last| Shape::Same(*last)),
        "block" | "constructor_body" => Shape::Block(children(node), true),
        "expression_statement" | "parenthesized_expression" => match children(node)[..] {
            [only] => Shape::Same(only),
            _ => Shape::Other(children(node)),
        },
        "local_variable_declaration" | "field_declaration" => Shape::Block(
            children(node).into_iter().filter(|child| child.kind() == "variable_declarator").collect(),
            false,
        ),
        "variable_declarator" | "resource" => Shape::Assign {
            targets: field("name").into_iter().collect(),
            value: field("value"),
            declared: field("type").or_else(|| node.parent().and_then(|parent| parent.field("type"))),
            binds: true,
        },
        "assignment_expression" => Shape::Assign {
            targets: field("left").into_iter().collect(),
            value: field("right"),
            declared: None,
            binds: false,
        },
        "enhanced_for_statement" => Shape::Loop {
            target: field("name"),
            over: field("value"),
            declared: field("type"),
            body: field("body").into_iter().collect(),
        },
        "for_statement" | "while_statement" | "do_statement" => {
            Shape::Loop { target: None, over: None, declared: None, body: children(node) }
        }
        "if_statement" => {
            Shape::Choice(field("condition"), field("consequence").into_iter().chain(field("alternative")).collect())
        }
        "method_declaration" | "constructor_declaration" => Shape::Function {
            name: field("name"),
            parameters: field("parameters").map_or(Vec::new(), parameters),
            body: field("body"),
        },
        "class_declaration" | "record_declaration" | "interface_declaration" | "enum_declaration" => {
            Shape::Class { name: field("name"), members: field("body").map_or(Vec::new(), children) }
        }
        "return_statement" => Shape::Return(children(node).first().copied()),
        "import_declaration"
        | "package_declaration"
        | "modifiers"
        | "line_comment"
        | "block_comment"
        | "break_statement"
        | "continue_statement" => Shape::Nothing,
        _ => Shape::Other(children(node)),
    }
}

fn attempt<'t>(node: Node<'t>) -> Shape<'t> {
    let handler = |clause: Node<'t>| (None, clause.field("body").into_iter().collect());
    let of = |kind: &str| children(node).into_iter().filter(|child| child.kind() == kind).collect::<Vec<_>>();
    Shape::Try(Try {
        body: node.field("resources").into_iter().chain(node.field("body")).collect(),
        handlers: of("catch_clause").into_iter().map(handler).collect(),
        then: Vec::new(),
        last: of("finally_clause"),
    })
}

fn switch<'t>(node: Node<'t>) -> Shape<'t> {
    let (Some(subject), Some(body)) = (node.field("condition"), node.field("body")) else {
        return Shape::Other(children(node));
    };
    let groups = children(body);
    let falls = groups.iter().any(|group| group.kind() == "switch_block_statement_group");
    let statements = |group: Node<'t>| children(group).into_iter().filter(|one| one.kind() != "switch_label").collect();
    Shape::Switch { subject, groups: groups.into_iter().map(statements).collect(), falls }
}

fn arguments(node: Node<'_>) -> Vec<Argument<'_>> {
    let list = node.field("arguments").map_or(Vec::new(), children);
    list.into_iter().map(|value| Argument { name: None, name_node: None, value }).collect()
}

fn parameters(node: Node<'_>) -> Vec<Parameter<'_>> {
    if node.kind() == "identifier" {
        return vec![Parameter { pattern: node, declared: None }];
    }
    children(node).into_iter().filter_map(parameter).collect()
}

fn parameter(node: Node<'_>) -> Option<Parameter<'_>> {
    match node.kind() {
        "identifier" => Some(Parameter { pattern: node, declared: None }),
        "formal_parameter" => Some(Parameter { pattern: node.field("name")?, declared: node.field("type") }),
        _ => None,
    }
}
