//! What rules say and ask of names: what they refer to, where that is defined, and
//! where else it is used.

use std::sync::Arc;

use rhai::{Array, Dynamic, EvalAltResult, NativeCallContext};

use super::budget::charge;
use super::builder::Handle;
use super::draft::Then;
use super::error::fail;
use super::finder::{Spec, texts};
use super::nodes::{Cx, RhaiNode};
use super::reference::Api;
use super::table::entries;
use crate::rule::{IfUnknown, doubt};
use crate::symbol::{Certainty, Name, Symbols, normal};
use crate::tree::NodeId;

type Fallible<T> = Result<T, Box<EvalAltResult>>;

pub(super) fn register(api: &mut Api<'_>) {
    matchers(api);
    methods(api);
    nodes(api);
    of_imports(api);
}

fn matchers(api: &mut Api<'_>) {
    let docs = "A name that refers to this path, or one of several, however the file imported it; never a local of that name. `a.{b,c}` are alternatives, `pkg.Type#member` is a member of a value of that type.";
    let example = r#".find(symbol("datetime.datetime.utcnow")).replace("now").example("from datetime import datetime as d\nd.utcnow()", "from datetime import datetime as d\nnow()").unchanged("def f(datetime):\n    datetime.datetime.utcnow()")"#;
    api.function("symbol(paths) -> Matcher", docs, example, |paths: Dynamic| texts(&paths, "symbol").map(Spec::Symbol));
    let docs = "A value that the file declares to be, or makes as, a value of this type, or of one of several.";
    let example = r#".find("$X.send()").where(#{ X: typed("lib.Client") }).replace("$X.post()").example("from lib import Client\nc = Client()\nc.send()", "from lib import Client\nc = Client()\nc.post()").unchanged("from lib import Client\nd.send()")"#;
    api.function("typed(types) -> Matcher", docs, example, |paths: Dynamic| texts(&paths, "typed").map(Spec::Typed));
    let docs = "The part of an import that brings this path, or one of several.";
    let example = r#".find(imported("old.f")).edit(|m, cx| edits([replace_import("old.f", "new.f")])).example("from old import f, g\nf(g)", "from new import f\nfrom old import g\nf(g)").unchanged("old.f()")"#;
    api.function("imported(paths) -> Matcher", docs, example, |paths: Dynamic| {
        texts(&paths, "imported").map(Spec::Imported)
    });
}

fn methods(api: &mut Api<'_>) {
    let docs = "What to do where one file alone can't tell whether code is meant: `\"skip\"`, which it is anyway and says so in the ledger, `\"annotate\"`, `\"refuse\"` or `\"match\"`.";
    let example = r#".find(symbol("m.f")).if_unknown("match").replace("g").example("from m import *\nf(1)", "from m import *\ng(1)").unchanged("from n import f\nf(1)")"#;
    api.function("Rule.if_unknown(word) -> Rule", docs, example, |h: &mut Handle, text: &str| -> Fallible<Handle> {
        let what = match text {
            "skip" => IfUnknown::Skip,
            "annotate" => IfUnknown::Annotate,
            "refuse" => IfUnknown::Refuse,
            "match" => IfUnknown::Match,
            other => {
                let words = "\"annotate\", \"refuse\", \"skip\" or \"match\"";
                return Err(fail(format!("if_unknown takes {words}, not {other:?}")));
            }
        };
        Ok(h.change(|d| d.if_unknown = what))
    });
    let docs = "Names that moved or were renamed: imports and uses follow, from old paths to new ones. An alias stays, and so does a name that others may import from the file. A text that is an old path is left to `if_unknown`. It finds what it needs by itself.";
    let example = r##".rename_symbols(#{ "enc.force_text": "enc.force_str" }).example("from enc import force_text, x\nforce_text(x)", "from enc import force_str, x\nforce_str(x)").example("import enc\nenc.force_text(1)", "import enc\nenc.force_str(1)").unchanged("force_text(1)")"##;
    api.function(
        "Rule.rename_symbols(paths) -> Rule",
        docs,
        example,
        |cx: NativeCallContext, h: &mut Handle, map: Dynamic| -> Fallible<Handle> {
            let mut pairs = Vec::new();
            for (old, new) in entries(&map)? {
                let new = new.into_immutable_string().map_err(|kind| {
                    fail(format!("rename_symbols takes a map of old paths to new ones; `{old}` is given {kind}"))
                })?;
                pairs.push((old, new.to_string()));
            }
            let paths: Vec<String> = pairs.iter().map(|(old, _)| old.clone()).collect();
            let sought = Spec::Moved(paths);
            let h = h.change(|d| d.find = d.find.take().or(Some((sought, cx.call_position()))));
            Ok(h.change(|d| d.actions.push((Then::Move(pairs), cx.call_position()))))
        },
    );
}

fn nodes(api: &mut Api<'_>) {
    let docs = "Every place of the file that refers to the same as this name, its definitions included. Of a member of a class, `this.f` and what is taken of values of that class count; where the file alone can't tell of which type another object is that a member of this name is taken of, or a text speaks of the name, the match is unknown: see `if_unknown`.";
    let example = r#".find("f($X)").when(|m| m.X.uses().len == 2).replace("g($X)").example("a = 1\nf(a)", "a = 1\ng(a)").unchanged("a = 1\nf(a)\nh(a)")"#;
    api.function("Node.uses() -> array of Node", docs, example, |n: &mut RhaiNode| -> Fallible<Array> {
        charge(n.tree.len())?;
        let uses = Symbols::of(&n.tree).uses(n.node());
        if uses.open {
            doubt::raise();
        }
        Ok(uses.certain.into_iter().map(|u| Dynamic::from(held(n, u.id))).collect())
    });
    let docs = "The name where what this one refers to is introduced; `()` where the file does that not once but never, or several times.";
    let example = r#".find("f($X)").when(|m| m.X.definition() != () && m.X.definition().line == 1).replace("g($X)").example("a = 1\nf(a)", "a = 1\ng(a)").unchanged("f(b)")"#;
    api.function("Node.definition() -> Node or ()", docs, example, |n: &mut RhaiNode| -> Dynamic {
        match Symbols::of(&n.tree).introduced_by(n.node()).as_slice() {
            [one] => Dynamic::from(held(n, *one)),
            _ => Dynamic::UNIT,
        }
    });
    let docs = "The path that a name refers to; `()` where it has none for certain.";
    let example = r#".find("f($X)").when(|m| m.X.symbol == "a.b.c").replace("g($X)").example("from a import b as k\nf(k.c)", "from a import b as k\ng(k.c)").unchanged("f(b.c)")"#;
    api.function("Node.symbol -> text or ()", docs, example, |n: &mut RhaiNode| -> Dynamic {
        let symbols = Symbols::of(&n.tree);
        match symbols.names(n.node()).as_slice() {
            // What nothing in the file introduces may be anything.
            [Name::Free(path)]
                if symbols.is(n.node(), &|is| is == path, std::slice::from_ref(path)) != Certainty::Yes =>
            {
                Dynamic::UNIT
            }
            // As `symbol` does: a module's default export may be the module itself.
            [Name::Path(path)] if n.tree.language.facts.symbols.default => path.replacen(".default", "", 1).into(),
            [Name::Path(path) | Name::Free(path) | Name::Local(Some(path))] => path.clone().into(),
            _ => Dynamic::UNIT,
        }
    });
    let docs = "`\"write\"` where the code is assigned to, changed or deleted, else `\"read\"`.";
    let example = r#".find("$X.meta").when(|m| m.node.access == "read").replace("$X.head").example("a = r.meta", "a = r.head").unchanged("r.meta = a")"#;
    api.function("Node.access -> text", docs, example, |n: &mut RhaiNode| {
        if Symbols::of(&n.tree).is_written(n.node()) { "write" } else { "read" }
    });
}

fn of_imports(api: &mut Api<'_>) {
    let docs = "The path that this part of an import brings; `()` for any other code.";
    let example = r##".find(imported(["a.f", "a.g"])).edit(|m, cx| edits([replace_import(m.node.imported, #{ "a.f": "b.f", "a.g": "c.g" }[m.node.imported])])).example("from a import f, h", "from b import f\nfrom a import h")"##;
    api.function("Node.imported -> text or ()", docs, example, |n: &mut RhaiNode| -> Dynamic {
        let symbols = Symbols::of(&n.tree);
        let found = symbols.imports().iter().find(|i| i.element == n.id);
        found.map_or(Dynamic::UNIT, |i| i.brought().into())
    });
    let docs = "Whether the file imports this path, under whatever name.";
    let example = r#".find("f($X)").when(|m, cx| cx.brings("a.b")).replace("g($X)").example("from a import b as c\nf(1)", "from a import b as c\ng(1)").unchanged("b = a.b\nf(1)")"#;
    api.function("Context.brings(path) -> bool", docs, example, |cx: &mut Cx, path: &str| {
        Symbols::of(&cx.tree).brings(&cx.tree, &normal(path))
    });
    let docs = "Whether nothing in the file has this name, so that an import could take it.";
    let example = r#".find("f($X)").when(|m, cx| cx.is_free("g")).replace("g($X)").example("f(1)", "g(1)").unchanged("g = 1\nf(1)")"#;
    api.function("Context.is_free(name) -> bool", docs, example, |cx: &mut Cx, name: &str| -> Fallible<bool> {
        charge(cx.tree.len())?;
        Ok(Symbols::of(&cx.tree).is_free(cx.tree.root(), name))
    });
}

fn held(n: &RhaiNode, id: NodeId) -> RhaiNode {
    RhaiNode { tree: Arc::clone(&n.tree), id }
}
