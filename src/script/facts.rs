//! The names of facts: which rules collect, and which closures ask for. One that nobody collects would be an empty
//! list without a word.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use rhai::{AST, ASTNode, Expr, Position};

use super::draft::{Draft, Then};
use super::error::ScriptError;
use super::explain::nearest;
use super::{Inputs, Read};

/// The names under which rules collect, once all rules are declared. Unknown where rules of one file are loaded
/// without those of others.
pub(super) type Collected = Arc<OnceLock<BTreeSet<String>>>;

/// Notes the names, and says which constant ones are asked for in vain.
pub(super) fn collected(all: &[Read<'_>], inputs: &Inputs, known: &Collected) -> Vec<ScriptError> {
    let name = |draft: &Draft| {
        draft.actions.iter().find_map(|(then, _)| match then {
            Then::Collect(name, _) => Some(name.clone()),
            _ => None,
        })
    };
    // What did not load may collect.
    if inputs.alone || all.iter().flat_map(|read| &read.drafts).any(|draft| draft.cut_short) {
        return Vec::new();
    }
    let names: BTreeSet<String> = all.iter().flat_map(|read| &read.drafts).filter_map(name).collect();
    let mut wrong = Vec::new();
    for read in all {
        for (asked, at) in asked(&read.ast) {
            if !names.contains(&asked) {
                let error = ScriptError::in_source(read.source, at, &format!("no rule collects `{asked}`"));
                wrong.push(error.hint(&hint(&asked, &names)));
            }
        }
    }
    let _ = known.set(names);
    wrong
}

/// What to do about a name under which nobody collects.
pub(super) fn hint(asked: &str, names: &BTreeSet<String>) -> String {
    let near = nearest(asked, names.iter().cloned());
    match near.strip_prefix("; ") {
        Some(near) => near.to_owned(),
        None => format!("a rule that learns them ends with .collect({asked:?}, |m| …)"),
    }
}

/// The texts that are asked for with `cx.facts("…")`, with their places.
fn asked(ast: &AST) -> Vec<(String, Position)> {
    let mut found = Vec::new();
    ast.walk(&mut |path: &[ASTNode]| {
        if let Some(ASTNode::Expr(Expr::MethodCall(call, at))) = path.last()
            && call.name == "facts"
            && let [Expr::StringConstant(name, place)] = call.args.as_slice()
        {
            found.push((name.to_string(), if place.is_none() { *at } else { *place }));
        }
        true
    });
    found
}
