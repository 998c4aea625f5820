//! The shapes of Scala.

use super::shape::{Argument, Case, Clause, Parameter, Shape, Try, call, children, operator, text_or_other};
use crate::tree::Node;

pub(super) fn shape(node: Node<'_>) -> Shape<'_> {
    let field = |name: &str| node.field(name);
    match node.kind() {
        "identifier" | "type_identifier" | "wildcard" | "operator_identifier" => Shape::Name,
        "interpolated_string_expression" if field("interpolator").is_some_and(|word| word.text() == "$") => {
            Shape::Mention
        }
        "quote_expression" => Shape::Mention,
        "string" | "interpolated_string_expression" => text_or_other(node),
        "integer_literal"
        | "floating_point_literal"
        | "boolean_literal"
        | "null_literal"
        | "unit"
        | "character_literal" => Shape::Constant,
        "field_expression" => match (field("value"), field("field")) {
            (Some(object), Some(name)) => Shape::Member { object, name },
            _ => Shape::Other(children(node)),
        },
        "generic_function" => field("function").map_or(Shape::Nothing, Shape::Same),
        "call_expression" => match (field("function"), field("arguments")) {
            (Some(function), Some(list)) => {
                let function = if function.kind() == "generic_function" {
                    function.field("function").unwrap_or(function)
                } else {
                    function
                };
                call(function, arguments(list))
            }
            _ => Shape::Other(children(node)),
        },
        "instance_expression" => {
            let below = children(node);
            let list = below.iter().find(|child| child.kind() == "arguments");
            match below.first() {
                Some(class) if !below.iter().any(|child| child.kind() == "template_body") => {
                    call(*class, list.map_or(Vec::new(), |list| arguments(*list)))
                }
                _ => Shape::Other(below),
            }
        }
        "infix_expression" => match text_or_other(node) {
            Shape::Text => Shape::Text,
            _ => operator(node),
        },
        "prefix_expression" | "postfix_expression" => operator(node),
        "lambda_expression" => {
            let given = field("parameters");
            let body =
                children(node).into_iter().filter(|child| Some(child.id) != given.map(|given| given.id)).collect();
            Shape::Lambda(given.map_or(Vec::new(), parameters), body)
        }
        "case_block" => Shape::Cases(cases(node)),
        "tuple_expression" | "tuple_pattern" => Shape::Sequence(children(node)),
        "parenthesized_expression" | "ascription_expression" | "typed_pattern" => {
            children(node).first().map_or(Shape::Nothing, |first| Shape::Same(*first))
        }
        "if_expression" => {
            Shape::Choice(field("condition"), field("consequence").into_iter().chain(field("alternative")).collect())
        }
        "match_expression" => match (field("value"), field("body")) {
            (Some(value), Some(body)) => Shape::Match(value, cases(body)),
            _ => Shape::Other(children(node)),
        },
        "for_expression" => {
            // The parentheses around them fill the field, too.
            let all = children(node).into_iter().filter(|child| child.kind() == "enumerators");
            let clauses = all.flat_map(children).flat_map(clauses).collect();
            Shape::Comprehension { clauses, body: field("body").into_iter().collect() }
        }
        _ => statement(node),
    }
}

fn statement(node: Node<'_>) -> Shape<'_> {
    let field = |name: &str| node.field(name);
    match node.kind() {
        "compilation_unit" | "template_body" | "package_object" | "finally_clause" => {
            Shape::Block(children(node), false)
        }
        "try_expression" => {
            let of = |kind: &str| children(node).into_iter().filter(|child| child.kind() == kind).collect::<Vec<_>>();
            let caught = of("catch_clause").into_iter().flat_map(|clause| clause.named_children()).flat_map(cases);
            Shape::Try(Try {
                body: field("body").into_iter().collect(),
                handlers: caught.map(|case| (Some(case.pattern), case.body.into_iter().collect())).collect(),
                then: Vec::new(),
                last: of("finally_clause"),
            })
        }
        "block" | "indented_block" => match children(node)[..] {
            [only] if matches!(only.kind(), "lambda_expression" | "case_block") => Shape::Same(only),
            _ => Shape::Block(children(node), true),
        },
        "val_definition" | "var_definition" => Shape::Assign {
            targets: field("pattern").into_iter().collect(),
            value: field("value"),
            declared: field("type"),
            binds: true,
        },
        "assignment_expression" => Shape::Assign {
            targets: field("left").into_iter().collect(),
            value: field("right"),
            declared: None,
            binds: false,
        },
        "while_expression" | "do_while_expression" => {
            Shape::Loop { target: None, over: None, declared: None, body: children(node) }
        }
        "function_definition" => {
            let lists = node.named_children().filter(|child| child.kind() == "parameters");
            Shape::Function {
                name: field("name"),
                parameters: lists.flat_map(parameters).collect(),
                body: field("body"),
            }
        }
        "object_definition" | "class_definition" | "trait_definition" => {
            Shape::Class { name: field("name"), members: field("body").map_or(Vec::new(), children) }
        }
        "return_expression" => Shape::Return(children(node).first().copied()),
        // `import row._`
        "import_declaration" => Shape::Other(children(node).into_iter().take(1).collect()),
        "package_clause"
        | "annotation"
        | "function_declaration"
        | "val_declaration"
        | "type_definition"
        | "comment"
        | "block_comment" => Shape::Nothing,
        _ => Shape::Other(children(node)),
    }
}

fn arguments(list: Node<'_>) -> Vec<Argument<'_>> {
    if list.kind() != "arguments" {
        return vec![Argument { name: None, name_node: None, value: list }];
    }
    children(list).into_iter().map(argument).collect()
}

fn argument(node: Node<'_>) -> Argument<'_> {
    match (node.kind(), node.field("left"), node.field("right")) {
        ("assignment_expression", Some(name), Some(value)) if name.kind() == "identifier" => {
            Argument { name: Some(name.text()), name_node: Some(name), value }
        }
        _ => Argument { name: None, name_node: None, value: node },
    }
}

fn parameters(node: Node<'_>) -> Vec<Parameter<'_>> {
    if matches!(node.kind(), "identifier" | "wildcard") {
        return vec![Parameter { pattern: node, declared: None }];
    }
    let one = |child: Node<'_>| matches!(child.kind(), "parameter" | "binding" | "class_parameter");
    children(node).into_iter().filter(|child| one(*child)).filter_map(parameter).collect()
}

fn parameter(node: Node<'_>) -> Option<Parameter<'_>> {
    Some(Parameter { pattern: node.field("name")?, declared: node.field("type") })
}

fn cases(node: Node<'_>) -> Vec<Case<'_>> {
    children(node).into_iter().filter(|child| child.kind() == "case_clause").filter_map(case).collect()
}

fn case(node: Node<'_>) -> Option<Case<'_>> {
    let guard = node.named_children().find(|child| child.kind() == "guard").and_then(|guard| guard.field("condition"));
    Some(Case { pattern: node.field("pattern")?, guard, body: node.field("body") })
}

fn clauses(enumerator: Node<'_>) -> Vec<Clause<'_>> {
    let below = children(enumerator);
    let mut found = Vec::new();
    if let [target, over, ..] = below[..]
        && target.kind() != "guard"
    {
        found.push(Clause::Each(target, over));
    }
    let guards = below.iter().filter(|child| child.kind() == "guard").filter_map(|guard| guard.field("condition"));
    found.extend(guards.map(Clause::If));
    found
}

/// Whether an argument is a function whose parameter is `_`.
pub(super) fn is_placeholder(argument: Node<'_>) -> bool {
    if argument.kind() == "wildcard" {
        return false;
    }
    argument.descendants().filter(|below| below.kind() == "wildcard").any(|wildcard| {
        if wildcard
            .ancestors()
            .take_while(|up| up.id != argument.id)
            .any(|up| matches!(up.kind(), "tuple_pattern" | "case_clause" | "lambda_expression" | "import_declaration"))
        {
            return false;
        }
        let mut at = wildcard;
        let mut first = true;
        while let Some(parent) = at.parent() {
            if at.id == argument.id {
                return true;
            }
            // A `_` that is a whole argument belongs to the call around.
            if parent.kind() == "arguments" && !first {
                return at.id == argument.id;
            }
            first = false;
            at = parent;
        }
        false
    })
}
