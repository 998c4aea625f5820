//! `ARGS.bind("rhs, eps = 1e-3")`: which argument of a call is which parameter.

use std::sync::Arc;

use rhai::{Dynamic, EvalAltResult};

use super::budget::charge;
use super::code::Snippet;
use super::error::fail;
use super::nodes::{RhaiList, RhaiNode};
use super::reference::Api;
use crate::rule::{Argument, Parameter, bind, signature};
use crate::tree::{Node, NodeId, Tree};

type Fallible<T> = Result<T, Box<EvalAltResult>>;

/// What `bind` gives: the arguments by parameter, or why they are not those.
#[derive(Clone)]
pub(super) struct RhaiBound {
    tree: Arc<Tree>,
    parameters: Arc<Vec<Parameter>>,
    bound: Result<Arc<crate::rule::BoundArguments>, String>,
}

impl RhaiBound {
    fn parameter(&self, name: &str) -> Fallible<&Parameter> {
        self.parameters.iter().find(|p| p.name == name).ok_or_else(|| {
            let names: Vec<&str> = self.parameters.iter().map(|p| p.name.as_str()).collect();
            fail(format!("the signature has no `{name}`; it has: {}", names.join(", ")))
        })
    }

    fn arguments(&self, name: &str) -> Fallible<&[Argument]> {
        self.parameter(name)?;
        match &self.bound {
            Ok(bound) => Ok(bound.get(name).map_or(&[], Vec::as_slice)),
            Err(why) => Err(fail(format!("the arguments are not bound: {why}; ask `.ok` first"))),
        }
    }

    /// The one argument of a parameter.
    fn one(&self, name: &str) -> Fallible<&Argument> {
        self.arguments(name)?
            .first()
            .ok_or_else(|| fail(format!("the call gives no `{name}`; ask `.has(\"{name}\")` first")))
    }

    fn node(&self, id: NodeId) -> RhaiNode {
        RhaiNode { tree: Arc::clone(&self.tree), id }
    }
}

const ASKED: &str = r#"rule("example").lang("scala").find(invocation("$R.old($$$A)"))"#;

pub(super) fn register(api: &mut Api<'_>) {
    let example = format!(
        r#"{ASKED}.edit(|m, cx| {{ let a = m.A.bind("x, y = 2"); if !a.ok {{ return skip(a.why); }} edits([replace(m.node, code("$R.renamed($Y, $X)", #{{ R: m.R, Y: a.get("y"), X: a.get("x") }}))]) }}).example("val a = o.old(1)\nval b = o.old(y = 3, x = 1)", "val a = o.renamed(2, 1)\nval b = o.renamed(3, 1)").unchanged("val a = o.old(xs: _*)");"#
    );
    let docs = "Which argument of a call is which parameter.";
    api.type_of::<RhaiBound>("Bound", docs, &example);
    let docs = "Tells the arguments of a call apart by a signature: names, `= default` where one may be left out, and `name*` for all that are left. Arguments by position, by name, and a trailing block are understood as the language does; what spreads a list over parameters is not bound.";
    api.function("NodeList.bind(signature) -> Bound", docs, &example, |list: &mut RhaiList, text: &str| {
        charge(list.ids.len())?;
        let parameters = signature(text).map_err(fail)?;
        let nodes: Vec<Node<'_>> = list.ids.iter().map(|id| list.tree.node(*id)).collect();
        let bound = bind(&nodes, &parameters).map(Arc::new);
        Ok::<_, Box<EvalAltResult>>(RhaiBound { tree: Arc::clone(&list.tree), parameters: Arc::new(parameters), bound })
    });
    let docs = "Whether the arguments fit the signature, and all could be told.";
    api.function("Bound.ok -> bool", docs, &example, |b: &mut RhaiBound| b.bound.is_ok());
    let docs = "Why they do not; `\"\"` where they do.";
    api.function("Bound.why -> text", docs, &example, |b: &mut RhaiBound| {
        b.bound.as_ref().err().cloned().unwrap_or_default()
    });
    let docs = "What the parameter is given: a node, or the code of its default; of `name*`, a list of nodes. An error where it has neither.";
    api.function(
        "Bound.get(name) -> Node, Code or Array",
        docs,
        &example,
        |b: &mut RhaiBound, name: &str| -> Fallible<Dynamic> {
            let parameter = b.parameter(name)?.clone();
            if parameter.rest {
                let all = b.arguments(name)?.iter().map(|a| Dynamic::from(b.node(a.value)));
                return Ok(all.collect::<rhai::Array>().into());
            }
            match (b.arguments(name)?.first(), &parameter.default) {
                (None, Some(default)) => Ok(Dynamic::from(Snippet::text(default))),
                _ => Ok(Dynamic::from(b.node(b.one(name)?.value))),
            }
        },
    );
    let example = format!(
        r#"{ASKED}.edit(|m, cx| {{ let a = m.A.bind("x, y = 2"); if !a.ok || !a.has("y") || !a.is_named("y") {{ return skip("no y by name"); }} edits([replace(a.name_of("y"), code("z")), replace(a.argument("x"), code("0"))]) }}).example("val a = o.old(1, y = 3)", "val a = o.old(0, z = 3)").unchanged("val a = o.old(1, 3)");"#
    );
    let docs = "Whether the call gives the parameter an argument.";
    api.function("Bound.has(name) -> bool", docs, &example, |b: &mut RhaiBound, name: &str| -> Fallible<bool> {
        Ok(!b.arguments(name)?.is_empty())
    });
    let docs = "Whether it is given by name.";
    api.function("Bound.is_named(name) -> bool", docs, &example, |b: &mut RhaiBound, name: &str| -> Fallible<bool> {
        Ok(b.arguments(name)?.first().is_some_and(|a| a.name.is_some()))
    });
    let docs = "The name that it is given by; an error where it is given by position.";
    api.function(
        "Bound.name_of(name) -> Node",
        docs,
        &example,
        |b: &mut RhaiBound, name: &str| -> Fallible<RhaiNode> {
            let given = b.one(name)?.name;
            given
                .map(|id| b.node(id))
                .ok_or_else(|| fail(format!("`{name}` is given by position; ask `.is_named(\"{name}\")` first")))
        },
    );
    let docs = "All of the argument: its name, too, where it is given by name.";
    api.function(
        "Bound.argument(name) -> Node",
        docs,
        &example,
        |b: &mut RhaiBound, name: &str| -> Fallible<RhaiNode> {
            let whole = b.one(name)?.whole;
            Ok(b.node(whole))
        },
    );
}
