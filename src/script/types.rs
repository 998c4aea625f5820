//! What closures see of types.

use std::sync::Arc;

use rhai::{Array, Dynamic, EvalAltResult};

use super::budget::charge;
use super::finder::texts;
use super::nodes::RhaiNode;
use super::reference::Api;
use crate::symbol::{Certainty, Symbols, Type, normal};
use crate::tree::Tree;

/// The type of an expression, and the tree that it was asked in.
#[derive(Clone)]
pub(super) struct RhaiType {
    tree: Arc<Tree>,
    is: Type,
}

pub(super) fn register(api: &mut Api<'_>) {
    let example = r#"rule("example").lang("scala").find("f($X)").when(|m| m.X.typed != () && m.X.typed.is_a("java.lang.String")).replace("g($X)").example("val x = \"a\"\nval y = f(x)", "val x = \"a\"\nval y = g(x)").unchanged("val x = 1\nval y = f(x)");"#;
    api.type_of::<RhaiType>("Type", "The type of an expression, as far as it is known.", example);
    let docs = "Of which type the expression is, or which type a type expression means; `()` where that is not known. Declarations, constructors, literals and calls tell, in the file and in a `library`.";
    api.function(
        "Node.typed -> Type or ()",
        docs,
        example,
        |n: &mut RhaiNode| -> Result<Dynamic, Box<EvalAltResult>> {
            // Each step looks at one expression and its definitions.
            charge(64)?;
            let is = Symbols::of(&n.tree).type_of(n.node());
            Ok(is.map_or(Dynamic::UNIT, |is| Dynamic::from(RhaiType { tree: Arc::clone(&n.tree), is })))
        },
    );
    let docs = "Whether it is certain that the type is this class, or one of several, or one below them.";
    api.function("Type.is_a(paths) -> bool", docs, example, |t: &mut RhaiType, paths: Dynamic| {
        let paths: Vec<String> = texts(&paths, "is_a")?.iter().map(|path| normal(path)).collect();
        charge(64)?;
        let sought = |path: &str| paths.iter().any(|p| p == path);
        Ok::<_, Box<EvalAltResult>>(Symbols::of(&t.tree).is_a(&t.tree, &t.is, &sought) == Certainty::Yes)
    });
    let example = r#"rule("example").lang("scala").find("f($X)").when(|m| m.X.typed.path == "scala.Option" && m.X.typed.name == "Option" && m.X.typed.args[0].text == "scala.Int").replace("g($X)").example("val x: Option[Int] = y\nval z = f(x)", "val x: Option[Int] = y\nval z = g(x)");"#;
    let docs = "The path of its class.";
    api.function("Type.path -> text", docs, example, |t: &mut RhaiType| t.is.path.clone());
    let docs = "The last name of that path.";
    api.function("Type.name -> text", docs, example, |t: &mut RhaiType| t.is.name().to_owned());
    let docs = "All of it, arguments included, for people.";
    api.function("Type.text -> text", docs, example, |t: &mut RhaiType| t.is.to_string());
    let docs = "What it is applied to: types, and `()` for one that is not known.";
    api.function("Type.args -> Array", docs, example, |t: &mut RhaiType| -> Array {
        let one = |is: &Type| Dynamic::from(RhaiType { tree: Arc::clone(&t.tree), is: is.clone() });
        t.is.args.iter().map(|arg| arg.as_ref().map_or(Dynamic::UNIT, one)).collect()
    });
}
