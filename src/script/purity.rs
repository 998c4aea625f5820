//! A closure that writes a variable it captured would leak from one match to the
//! next, and between threads: found in the syntax tree when the rule is loaded.

use rhai::{AST, ASTNode, Expr, FnPtr, Position, Shared, Stmt};

/// Methods of arrays, maps and strings that change what they are called on.
const MUTATORS: &[&str] = &[
    "push",
    "append",
    "insert",
    "pop",
    "shift",
    "remove",
    "reverse",
    "truncate",
    "chop",
    "drain",
    "retain",
    "splice",
    "sort",
    "sort_by",
    "sort_asc",
    "sort_desc",
    "dedup",
    "clear",
    "set",
    "mixin",
    "fill_with",
    "pad",
    "extract_mut",
    "replace",
    "make_upper",
    "make_lower",
    "trim",
    "order",
    "order_by",
    "order_desc",
    "rotate",
];

/// The first write to a captured variable, with its name and place.
pub(super) fn captured_write(ast: &AST, closure: &FnPtr) -> Option<(String, Position)> {
    let defs: Vec<_> = ast.shared_lib().iter_script_fn_info().map(|(.., def)| Shared::clone(def)).collect();
    let own = defs.iter().find(|d| d.name == closure.fn_name())?;
    let captured: Vec<&str> = own.params.iter().take(closure.curry().len()).map(|p| p.as_str()).collect();
    if captured.is_empty() {
        return None;
    }
    // A closure inside the closure captures from it, under the same names.
    let inner = defs.iter().filter(|d| d.name != own.name && d.name.starts_with("anon$"));
    std::iter::once(own).chain(inner).find_map(|def| {
        let names: Vec<&str> = captured.iter().copied().filter(|n| def.params.iter().any(|p| p == n)).collect();
        write_in(ast, &def.name, &names)
    })
}

fn write_in(ast: &AST, function: &str, names: &[&str]) -> Option<(String, Position)> {
    let only = ast.clone_functions_only_filtered(|_, _, _, name, _| name == function);
    let mut found = None;
    let mut on_node = |path: &[ASTNode]| {
        let written = match path.last() {
            Some(ASTNode::Stmt(Stmt::Assignment(assignment))) => root(&assignment.1.lhs),
            Some(ASTNode::Expr(Expr::Dot(chain, ..))) if mutates(&chain.rhs) => root(&chain.lhs),
            _ => None,
        };
        if let Some((name, position)) = written
            && names.contains(&name)
        {
            found = Some((name.to_owned(), position));
        }
        found.is_none()
    };
    only.walk(&mut on_node);
    found
}

/// The variable that an assignment or a method call ends up changing.
fn root(expr: &Expr) -> Option<(&str, Position)> {
    match expr {
        Expr::Variable(variable, _, position) => Some((variable.1.as_str(), *position)),
        Expr::Index(chain, ..) | Expr::Dot(chain, ..) => root(&chain.lhs),
        _ => None,
    }
}

fn mutates(method: &Expr) -> bool {
    match method {
        Expr::MethodCall(call, _) => MUTATORS.contains(&call.name.as_str()),
        Expr::Dot(chain, ..) | Expr::Index(chain, ..) => mutates(&chain.lhs) || mutates(&chain.rhs),
        _ => false,
    }
}
