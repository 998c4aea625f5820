//! What a node of code is, told alike for every language: one level at a time.
//!
//! Each language says in a table of its own which of its nodes have which shape. What no
//! table tells is [`Shape::Other`], which nothing is followed through.
//! Must not: know a library.

use crate::tree::{Node, is_text, operands};

/// What a node is.
pub(super) enum Shape<'t> {
    /// A name that is read.
    Name,
    /// A text, whole or put together.
    Text,
    /// A number, a truth value, nothing.
    Constant,
    /// `$"c"`, `'c`: the name of a column, written as one.
    Mention,
    /// `object.name`
    Member { object: Node<'t>, name: Node<'t> },
    /// `object[keys]`
    Index { object: Node<'t>, keys: Vec<Node<'t>> },
    /// `function(arguments)`
    Call { callee: Callee<'t>, arguments: Vec<Argument<'t>> },
    /// A function as a value.
    Lambda(Vec<Parameter<'t>>, Vec<Node<'t>>),
    /// Cases that take a value apart: patterns, guards and bodies.
    Cases(Vec<Case<'t>>),
    /// As [`Shape::Cases`], of this value.
    Match(Node<'t>, Vec<Case<'t>>),
    /// An operator and what it stands between.
    Operator(String, Vec<Node<'t>>),
    /// A tuple, a list, a set.
    Sequence(Vec<Node<'t>>),
    /// Keys and values, written out.
    Pairs(Vec<(Node<'t>, Node<'t>)>),
    /// Nothing but what is in it: parentheses, `await`, a cast.
    Same(Node<'t>),
    /// One of several ways; what is asked first.
    Choice(Option<Node<'t>>, Vec<Node<'t>>),
    /// A body that may be left at any place, and what goes on from there.
    Try(Try<'t>),
    /// One of several groups of statements; whether one goes on into the next.
    Switch { subject: Node<'t>, groups: Vec<Vec<Node<'t>>>, falls: bool },
    /// Statements in a scope of their own, or of the one around them.
    Block(Vec<Node<'t>>, bool),
    /// A value gets a name; whether the name is new here.
    Assign { targets: Vec<Node<'t>>, value: Option<Node<'t>>, declared: Option<Node<'t>>, binds: bool },
    /// A body that is run for each element.
    Loop { target: Option<Node<'t>>, over: Option<Node<'t>>, declared: Option<Node<'t>>, body: Vec<Node<'t>> },
    /// Each element of something, as a new collection.
    Comprehension { clauses: Vec<Clause<'t>>, body: Vec<Node<'t>> },
    /// A function with a name, or none; an empty body where it has none.
    Function { name: Option<Node<'t>>, parameters: Vec<Parameter<'t>>, body: Option<Node<'t>> },
    /// A class or an object, and what stands in it.
    Class { name: Option<Node<'t>>, members: Vec<Node<'t>> },
    /// What a function gives.
    Return(Option<Node<'t>>),
    /// Nothing that has a value: an import, a comment.
    Nothing,
    /// Anything else, and what is below it.
    Other(Vec<Node<'t>>),
}

/// What is called.
#[derive(Clone, Copy)]
pub(super) enum Callee<'t> {
    /// A method of something.
    Method { object: Node<'t>, name: Node<'t> },
    /// A name, or a value.
    Value(Node<'t>),
}

pub(super) struct Argument<'t> {
    pub(super) name: Option<&'t str>,
    pub(super) name_node: Option<Node<'t>>,
    pub(super) value: Node<'t>,
}

#[derive(Clone)]
pub(super) struct Parameter<'t> {
    pub(super) pattern: Node<'t>,
    pub(super) declared: Option<Node<'t>>,
}

pub(super) struct Try<'t> {
    pub(super) body: Vec<Node<'t>>,
    /// For each handler the name of what it catches, and its statements.
    pub(super) handlers: Vec<(Option<Node<'t>>, Vec<Node<'t>>)>,
    /// What follows where the body ends by itself.
    pub(super) then: Vec<Node<'t>>,
    /// What is run in any case.
    pub(super) last: Vec<Node<'t>>,
}

#[derive(Clone)]
pub(super) struct Case<'t> {
    pub(super) pattern: Node<'t>,
    pub(super) guard: Option<Node<'t>>,
    pub(super) body: Option<Node<'t>>,
}

pub(super) enum Clause<'t> {
    Each(Node<'t>, Node<'t>),
    If(Node<'t>),
}

/// A call of what a node holds.
pub(super) fn call<'t>(function: Node<'t>, arguments: Vec<Argument<'t>>) -> Shape<'t> {
    let callee = match shape(function) {
        Shape::Member { object, name } => Callee::Method { object, name },
        _ => Callee::Value(function),
    };
    Shape::Call { callee, arguments }
}

/// Whether values are followed in this language.
pub(super) fn speaks(language: &str) -> bool {
    matches!(language, "python" | "scala" | "java" | "typescript" | "tsx" | "javascript")
}

/// What a node is.
pub(super) fn shape(node: Node<'_>) -> Shape<'_> {
    if node.is_error() || node.is_missing() {
        return Shape::Other(node.named_children().collect());
    }
    if node.is_extra() {
        return Shape::Nothing;
    }
    match node.tree().language.facts.name.as_str() {
        "python" => super::python::shape(node),
        "scala" => super::scala::shape(node),
        "java" => super::java::shape(node),
        _ => super::typescript::shape(node),
    }
}

/// What stands below a node and is no comment.
pub(super) fn children(node: Node<'_>) -> Vec<Node<'_>> {
    node.named_children().filter(|child| !child.is_extra()).collect()
}

/// A text, or whatever else stands there. What is added up is one only where a literal is
/// among it.
pub(super) fn text_or_other(node: Node<'_>) -> Shape<'_> {
    let language = node.tree().language;
    let literal = || operands(node).iter().any(|one| language.is_string(one.kind_id()));
    if is_text(node) && literal() { Shape::Text } else { Shape::Other(children(node)) }
}

/// `left operator right`, whose operator is a token or a field.
pub(super) fn operator(node: Node<'_>) -> Shape<'_> {
    let is_operator = |child: &Node<'_>| matches!(child.field_name(), Some("operator" | "operators"));
    let field = node.children().find(is_operator);
    let token = || node.children().find(|child| !child.is_named());
    let word = field.or_else(token).map_or("", Node::text);
    let operands = children(node).into_iter().filter(|child| !is_operator(child)).collect();
    Shape::Operator(word.to_owned(), operands)
}
