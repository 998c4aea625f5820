//! `followup(…)`, `.then(…)` and `given(…)`: rules that go on where others made an edit.

use std::collections::BTreeMap;
use std::sync::Arc;

use rhai::{Dynamic, EvalAltResult, FnPtr, Map, NativeCallContext, Position};

use super::builder::Handle;
use super::closure::{Closure, frozen};
use super::error::fail;
use super::explain::plain;
use super::finder::{Spec, texts};
use super::nodes::{Cx, RhaiList, RhaiNode};
use super::reference::Api;
use crate::pattern::{Given, Givens};
use crate::rule::{Bind, Facts, Match, Scope};

type Fallible<T> = Result<T, Box<EvalAltResult>>;

/// `.then(…)` as declared.
#[derive(Clone)]
pub(super) struct Followed {
    pub(super) rules: Vec<String>,
    pub(super) scope: Scope,
    pub(super) bind: Option<FnPtr>,
    pub(super) at: Position,
}

const EXAMPLE: &str = r#"rule("flag").lang("python")
    .find("enabled('new')").replace("True")
    .then(["and", "if"], "parent")
    .example("if enabled('new') and x:\n    f()\n", "if x:\n    f()\n")
    .example("if enabled('new'):\n    f()\nelse:\n    g()\n", "f()\n");
followup("and", []).lang("python")
    .find("True and $X").replace("$X")
    .then("if", "parent");
followup("if", []).lang("python")
    .find(stmt("if True:\n    $$$A\nelse:\n    $$$B")).replace("$$$A");"#;

const BOUND: &str = r#"rule("flag").lang("python")
    .find("$V = enabled('new')").delete()
    .then("uses", "function", |m| #{ V: m.V, TO: "True" })
    .example("def f():\n    new = enabled('new')\n    return g(new)\n", "def f():\n    return g(True)\n");
followup("uses", ["V", "TO"]).lang("python")
    .find(all([kind("identifier"), given("V")]))
    .replace("$TO");"#;

pub(super) fn register(api: &mut Api<'_>) {
    let docs = "Lets follow-ups go on where the rule made an edit. They look at the new text, in a scope: `\"parent\"` is the edited code and the nodes right around it, the nearest first, of which one is changed; `\"function\"` and `\"class\"` are the nearest around the edit, or the file where there is none; `\"file\"`; `\"workspace\"` is every file of the consumer. Each name that a follow-up takes is the hole of that name.";
    api.function(
        "Rule.then(followups, scope) -> Rule",
        docs,
        EXAMPLE,
        |cx: NativeCallContext, h: &mut Handle, rules: Dynamic, scope: &str| {
            then(h, &rules, scope, None, cx.call_position())
        },
    );
    let docs = "The same, where a closure `|m|` gives what the follow-ups take, as a map: a node or a list is that code, a text any code with that text, or a literal with that value.";
    api.function(
        "Rule.then(followups, scope, closure) -> Rule",
        docs,
        BOUND,
        |cx: NativeCallContext, h: &mut Handle, rules: Dynamic, scope: &str, bind: FnPtr| {
            then(h, &rules, scope, Some(frozen(bind)), cx.call_position())
        },
    );
    let docs = "In a follow-up: code that is what the seed gave under this name. In its patterns, `$NAME` stands for it by itself.";
    api.function("given(name) -> Matcher", docs, BOUND, |name: &str| Spec::Given(name.to_owned()));
    let docs = "In a follow-up: the text of what the seed gave under this name.";
    let example = BOUND.replace(".replace(\"$TO\")", ".rewrite(|m, cx| code(cx.given(\"TO\")))");
    api.function("Context.given(name) -> text", docs, &example, |cx: &mut Cx, name: &str| -> Fallible<String> {
        let given = cx.given.as_ref().and_then(|given| given.get(name));
        given.map(|given| given.text().to_owned()).ok_or_else(|| fail(format!("the seed gives no `{name}`")))
    });
}

fn then(h: &mut Handle, rules: &Dynamic, scope: &str, bind: Option<FnPtr>, at: Position) -> Fallible<Handle> {
    let rules = texts(rules, "then")?;
    let scope = match scope {
        "parent" => Scope::Parent,
        "function" => Scope::Function,
        "class" => Scope::Class,
        "file" => Scope::File,
        "workspace" => Scope::Workspace,
        other => {
            return Err(fail(format!(
                "a scope is \"parent\", \"function\", \"class\", \"file\" or \"workspace\", not {other:?}"
            )));
        }
    };
    Ok(h.change(|d| d.follow_ups.push(Followed { rules, scope, bind, at })))
}

impl Bind for Closure {
    fn bind(&self, found: &Match, facts: Option<&Arc<Facts>>) -> Result<Givens, String> {
        let answer = self.call(found, facts)?;
        let Some(map) = answer.read_lock::<Map>() else {
            let kind = plain(answer.type_name());
            return Err(format!("{}: then(…) must be given a map of names, not {kind}", self.place_of()));
        };
        let one = |(name, value): (&rhai::Identifier, &Dynamic)| {
            let given = if let Some(node) = value.read_lock::<RhaiNode>() {
                Given::Code(node.node().text().to_owned())
            } else if let Some(list) = value.read_lock::<RhaiList>() {
                Given::Code(code_of(&list))
            } else {
                let text = value.clone().into_immutable_string();
                let wrong = |kind| {
                    format!("{}: `{name}` of then(…) is {}; it takes nodes and texts", self.place_of(), plain(kind))
                };
                Given::Text(text.map_err(wrong)?.to_string())
            };
            Ok((name.to_string(), given))
        };
        map.iter().map(one).collect::<Result<BTreeMap<_, _>, String>>()
    }
}

fn code_of(list: &RhaiList) -> String {
    let nodes: Vec<_> = list.nodes().map(|node| node.local_range()).collect();
    let all = nodes.first().zip(nodes.last()).map(|(first, last)| first.start..last.end);
    all.and_then(|range| list.tree.text().get(range)).unwrap_or("").to_owned()
}
