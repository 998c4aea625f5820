//! What closures see of the code: the match, its nodes and lists of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use rhai::{Array, Dynamic, EvalAltResult, ImmutableString, Map};

use super::budget::charge;
use super::error::fail;
use super::facts::{Collected, hint};
use super::finder::{Spec, spec};
use super::reference::Api;
use super::survey::Survey;
use crate::language::Language;
use crate::language::literal::{self, Number};
use crate::pattern::{Binding, Bindings, Givens};
use crate::rule::{Bound, Facts, Match, Matcher, doubt};
use crate::symbol::Certainty;
use crate::tree::{Node, NodeId, Tree, literal_value, text_value};

/// `m`.
#[derive(Clone)]
pub(super) struct RhaiMatch(pub(super) Arc<Match>);

/// `cx`.
#[derive(Clone)]
pub(super) struct Cx {
    pub(super) language: String,
    /// What the rules that collect have learned; nothing while they do.
    pub(super) facts: Option<Arc<Facts>>,
    pub(super) tree: Arc<Tree>,
    pub(super) path: Arc<str>,
    pub(super) survey: Option<Arc<Survey>>,
    pub(super) given: Option<Arc<Givens>>,
}

/// A node that a script holds.
#[derive(Clone)]
pub(super) struct RhaiNode {
    pub(super) tree: Arc<Tree>,
    pub(super) id: NodeId,
}

/// What `$$$X` stands for.
#[derive(Clone)]
pub(super) struct RhaiList {
    pub(super) tree: Arc<Tree>,
    pub(super) ids: Vec<NodeId>,
}

type Fallible<T> = Result<T, Box<EvalAltResult>>;

impl RhaiNode {
    pub(super) fn node(&self) -> Node<'_> {
        self.tree.node(self.id)
    }

    fn with(&self, node: Node<'_>) -> Self {
        Self { tree: Arc::clone(&self.tree), id: node.id }
    }

    fn maybe(&self, node: Option<Node<'_>>) -> Dynamic {
        node.map_or(Dynamic::UNIT, |n| Dynamic::from(self.with(n)))
    }

    fn many<'t>(&'t self, nodes: impl Iterator<Item = Node<'t>>) -> Fallible<Array> {
        let mut array = Array::new();
        for node in nodes {
            charge(1)?;
            array.push(Dynamic::from(self.with(node)));
        }
        Ok(array)
    }
}

impl RhaiList {
    pub(super) fn nodes(&self) -> impl Iterator<Item = Node<'_>> {
        self.ids.iter().map(|id| self.tree.node(*id)).filter(|n| n.is_named())
    }
}

pub(super) fn register(api: &mut Api<'_>, collected: &Collected) {
    let example = r#".find("f($X)").rewrite(|m, cx| code("g($X)", #{ X: m.X })).example("f(1)", "g(1)")"#;
    api.type_of::<RhaiMatch>("Match", "What a rule found: the first argument of its closures.", example);
    let docs = "The matched node.";
    let example = r#".find("f($X)").when(|m| m.node.line == 2).replace("g($X)").example("f(1)\nf(2)", "f(1)\ng(2)")"#;
    api.function("Match.node -> Node", docs, example, |m: &mut RhaiMatch| RhaiNode {
        tree: Arc::clone(&m.0.tree),
        id: m.0.node,
    });
    let docs = "What a hole stands for, also written `m.X`: a node for `$X`, a list for `$$$X`. A hole that the match does not bind is an error: see `has`.";
    let example = r#".find("f($X, $$$R)").when(|m| m["X"].text == "1" && m.R.len == 2).replace("g($$$R)").example("f(1, 2, 3)", "g(2, 3)").unchanged("f(1, 2)")"#;
    api.function("Match[name] -> Node or NodeList", docs, example, |m: &mut RhaiMatch, name: ImmutableString| {
        bound(m, &name)
    });
    let docs = "Whether the match binds a hole of this name: not every branch of an `any` must.";
    let example = r#".find(any(["f($X)", "g()"])).rewrite(|m, cx| if m.has("X") { code("h($X)", #{ X: m.X }) } else { code("h()") }).example("f(1); g()", "h(1); h()")"#;
    api.function("Match.has(name) -> bool", docs, example, |m: &mut RhaiMatch, name: &str| {
        m.0.bindings.contains_key(name)
    });
    register_context(api, collected);
    register_node(api);
    register_relatives(api);
    register_searches(api);
    register_list(api);
}

fn register_context(api: &mut Api<'_>, collected: &Collected) {
    let example = r#".find("f($X)").rewrite(|m, cx| if cx.lang == "python" { code("g()") } else { skip("not here") }).example("f(1)", "g()")"#;
    api.type_of::<Cx>("Context", "What is known besides the match: the second argument of closures.", example);
    let docs = "The name of the language of the matched code.";
    api.function("Context.lang -> text", docs, example, |cx: &mut Cx| cx.language.clone());
    let docs = "The path of the file, relative to the consumer's folder, with `/`.";
    let example =
        r#".find("f($X)").when(|m, cx| cx.path.starts_with("example.")).replace("g($X)").example("f(1)", "g(1)")"#;
    api.function("Context.path -> text", docs, example, |cx: &mut Cx| cx.path.to_string());
    let docs = "What the rule's `survey` says under this key, or `()`.";
    let example = r#".find("f($X)").survey(|root| #{ calls: root.find_all("f($_)").len }).when(|m, cx| cx.survey("calls") == 2).replace("g($X)").example("f(1); f(2)", "g(1); g(2)").unchanged("f(1)")"#;
    api.function("Context.survey(key) -> value or ()", docs, example, |cx: &mut Cx, key: &str| match &cx.survey {
        Some(survey) => survey.get(&cx.tree, key),
        None => Err(fail("the rule surveys no file; give it .survey(|root| #{ … })")),
    });
    let docs = "What the rules that `collect` under this name learned from all files of the workspace: texts, sorted.";
    let example = r#"rule("moved").lang("python")
    .find("moved($NAME)")
    .collect("moved", |m| m.NAME.value);
rule("example").lang("python")
    .find("use($X)")
    .edit(|m, cx| if m.X.text in cx.facts("moved") { edits([replace(m.X, code("new"))]) } else { skip("not moved") })
    .example("moved('a')\nuse(a)\nuse(b)", "moved('a')\nuse(new)\nuse(b)");"#;
    let collected = Arc::clone(collected);
    api.function("Context.facts(name) -> Array", docs, example, move |cx: &mut Cx, name: &str| -> Fallible<Array> {
        if let Some(names) = collected.get().filter(|names| !names.contains(name)) {
            return Err(fail(format!("no rule collects `{name}`; {}", hint(name, names))));
        }
        let Some(facts) = &cx.facts else {
            return Err(fail(
                "facts are known once every file was read: a rule that collects can't ask for them; ask in the rule that \
                 edits",
            ));
        };
        let facts: Array = facts.get(name).map(|fact| Dynamic::from(fact.to_owned())).collect();
        charge(facts.len())?;
        Ok(facts)
    });
}

fn bound(m: &RhaiMatch, name: &str) -> Fallible<Dynamic> {
    let tree = Arc::clone(&m.0.tree);
    match m.0.bindings.get(name) {
        Some(Bound::One(id)) => Ok(Dynamic::from(RhaiNode { tree, id: *id })),
        Some(Bound::Many(ids)) => Ok(Dynamic::from(RhaiList { tree, ids: ids.clone() })),
        None => {
            let names: Vec<&str> = m.0.bindings.keys().map(String::as_str).collect();
            Err(fail(format!("the match binds no `{name}`; it binds: {}", names.join(", "))))
        }
    }
}

/// An example of a condition on `$X` of `f($X)`: what it holds for, and what not.
fn condition_example(condition: &str, holds: &str, not: &str) -> String {
    let after = holds.replace("f(", "g(");
    format!(r#".find("f($X)").when(|m| {condition}).replace("g($X)").example({holds:?}, {after:?}).unchanged({not:?})"#)
}

fn register_node(api: &mut Api<'_>) {
    let example = condition_example("m.X.kind == \"integer\"", "f(1)", "f(a)");
    api.type_of::<RhaiNode>("Node", "A node of the syntax tree. Where there is none, properties give `()`.", &example);
    let text = condition_example("m.X.text == \"1\"", "f(1)", "f(2)");
    api.function("Node.text -> text", "Its code, as it stands in the file.", &text, |n: &mut RhaiNode| {
        n.node().text().to_owned()
    });
    let docs = "Its kind, as the grammar names it.";
    api.function("Node.kind -> text", docs, &example, |n: &mut RhaiNode| n.node().kind());
    let line = condition_example("m.X.line == 2", "\nf(1)", "f(1)");
    api.function("Node.line -> number", "The line on which it begins, from 1.", &line, |n: &mut RhaiNode| {
        i64::from(n.node().line_column().0)
    });
    let start = condition_example("m.node.start == 0", "f(1)", "a; f(1)");
    api.function("Node.start -> number", "The byte of the file at which it begins.", &start, |n: &mut RhaiNode| {
        n.node().range().start as i64
    });
    let end = condition_example("m.X.end - m.X.start == 3", "f(abc)", "f(ab)");
    api.function("Node.end -> number", "The byte of the file after its last one.", &end, |n: &mut RhaiNode| {
        n.node().range().end as i64
    });
    let docs = "The value of a string literal, escapes read, of a text of YAML without quotes, or of a number; an error where it is neither, or its value can't be told.";
    let value = r#".find("f($X)").where(#{ X: kind(["integer", "string"]) }).when(|m| m.X.value in ["a", 255]).replace("g($X)").example("f('a'); f(0xff)", "g('a'); g(0xff)").unchanged("f('b'); f(1)")"#;
    api.function("Node.value -> text or number", docs, value, |n: &mut RhaiNode| value_of(n.node()));
    let docs = "Whether it is a string literal whose value can be told.";
    let is_literal = condition_example("m.X.is_literal", "f('a')", "f(a)");
    api.function("Node.is_literal -> bool", docs, &is_literal, |n: &mut RhaiNode| text_of(n.node()).is_some());
    let docs = "The name of the field of its parent that it fills, or `\"\"`.";
    let field = condition_example("m.node.field_name == \"right\"", "a = f(1)", "f(1)");
    api.function("Node.field_name -> text", docs, &field, |n: &mut RhaiNode| n.node().field_name().unwrap_or(""));
    let docs = "Whether both are the same node of the same tree.";
    let same = condition_example("m.X == m.node.root.find_all(kind(\"integer\"))[0]", "f(1)", "a = 1; f(2)");
    api.function("Node == Node -> bool", docs, &same, |a: RhaiNode, b: RhaiNode| {
        Arc::ptr_eq(&a.tree, &b.tree) && a.id == b.id
    });
    let docs = "Whether they are not the same node.";
    let other = condition_example("m.X != m.node.root.find_all(kind(\"integer\"))[0]", "a = 1; f(2)", "f(1)");
    api.function("Node != Node -> bool", docs, &other, |a: RhaiNode, b: RhaiNode| {
        !(Arc::ptr_eq(&a.tree, &b.tree) && a.id == b.id)
    });
}

/// The value of a literal, or of a text without quotes, also where other nodes span no more than it.
pub(super) fn text_of(node: Node<'_>) -> Option<String> {
    literal_value(node).or_else(|| text_value(innermost(node)))
}

/// In a language with texts without quotes, the innermost of the nodes that span the same.
fn innermost(node: Node<'_>) -> Node<'_> {
    let quoted = node.tree().language.facts.string.plain.is_empty();
    let same = |only: &Node<'_>| !quoted && only.local_range() == node.local_range();
    std::iter::successors(Some(node), |n| n.named_children().next().filter(same)).last().unwrap_or(node)
}

fn value_of(node: Node<'_>) -> Fallible<Dynamic> {
    if let Some(text) = text_of(node) {
        return Ok(text.into());
    }
    let node = innermost(node);
    let number = literal::number_of(node.tree().language, node.text())
        .filter(|_| node.is_named() && node.named_children().next().is_none());
    match number {
        Some(Number::Whole(value)) => Ok(value.into()),
        Some(Number::Real(value)) => Ok(value.into()),
        None => Err(fail(format!("`{}` is no string or number with a known value", node.short()))),
    }
}

fn register_relatives(api: &mut Api<'_>) {
    let parent = condition_example("m.node.parent.kind == \"assignment\"", "a = f(1)", "f(1)");
    api.function("Node.parent -> Node or ()", "The node around it.", &parent, |n: &mut RhaiNode| {
        n.maybe(n.node().parent())
    });
    let next = condition_example("m.X.next == ()", "f(1)", "f(*a)").replace(".unchanged(\"f(*a)\")", "");
    api.function(
        "Node.next -> Node or ()",
        "Its next sibling with a name; comments are passed over.",
        &next,
        |n: &mut RhaiNode| n.maybe(n.node().next_named()),
    );
    let docs = "Its previous sibling with a name; comments are passed over.";
    let prev = condition_example("m.node.prev != ()", "g(0, f(1))", "f(1)");
    api.function("Node.prev -> Node or ()", docs, &prev, |n: &mut RhaiNode| n.maybe(n.node().prev_named()));
    let root = condition_example("m.node.root.text.contains(\"import old\")", "import old\nf(1)", "f(1)");
    api.function("Node.root -> Node", "The node of the whole file.", &root, |n: &mut RhaiNode| n.with(n.tree.root()));
    let children = condition_example("m.node.children[0].text == \"f\"", "f(1)", "f2(1)");
    let docs = "Its children with a name, comments left out.";
    api.function("Node.children -> Array", docs, &children, |n: &mut RhaiNode| n.many(n.node().named_children()));
    let ancestors = condition_example("m.node.ancestors.some(|a| a.kind == \"lambda\")", "a = lambda: f(1)", "f(1)");
    let docs = "The nodes around it, the nearest first.";
    api.function("Node.ancestors -> Array", docs, &ancestors, |n: &mut RhaiNode| n.many(n.node().ancestors()));
    let docs = "The first child that fills the field of this name. `gander tree` shows the fields.";
    let field = condition_example("m.X.field(\"left\") != ()", "f(1 + 2)", "f(1)");
    api.function("Node.field(name) -> Node or ()", docs, &field, |n: &mut RhaiNode, name: &str| {
        n.maybe(n.node().field(name))
    });
}

fn register_searches(api: &mut Api<'_>) {
    let docs = "Whether both are the same code: the same tokens, white space and comments left out.";
    let example = r#".find("f($X, $Y)").when(|m| m.X.same_code(m.Y)).replace("g($X)").example("f(a+1, a + 1)", "g(a+1)").unchanged("f(a, b)")"#;
    api.function("Node.same_code(other) -> bool", docs, example, |a: &mut RhaiNode, b: RhaiNode| {
        a.node().same_code(b.node())
    });
    let docs = "The nearest node around it that fits. Text names a kind here; anything else is a matcher.";
    let example = condition_example("m.node.enclosing(\"function_definition\") != ()", "def a(): f(1)", "f(1)");
    api.function("Node.enclosing(kind) -> Node or ()", docs, &example, |n: &mut RhaiNode, sought: Dynamic| {
        let matcher = compiled(&kind_or_spec(&sought)?, n.tree.language)?;
        charge(n.node().ancestors().count())?;
        Ok::<_, Box<EvalAltResult>>(
            n.maybe(n.node().ancestors().find(|a| fits(&matcher, *a, &mut Bindings::default()))),
        )
    });
    let docs = "Whether it fits a pattern or matcher. Where the file alone can't tell, and it matters to what the closure gives, the match is unknown: see `if_unknown`.";
    let example = condition_example("m.X.fits(\"h($_)\")", "f(h(1))", "f(1)");
    api.function("Node.fits(matcher) -> bool", docs, &example, |n: &mut RhaiNode, sought: Dynamic| -> Fallible<bool> {
        charge(1)?;
        let matcher = compiled(&spec(&sought)?, n.tree.language)?;
        Ok(fits(&matcher, n.node(), &mut Bindings::default()))
    });
    let docs = "What a pattern's holes stand for at this node, as a map; `()` where it does not fit.";
    let example = r#".find("f($X)").edit(|m, cx| { let inner = m.X.capture("h($Y)"); if inner == () { return skip("no h"); } edits([replace(m.X, code("$Y", #{ Y: inner.Y }))]) }).example("f(h(1))", "f(1)").unchanged("f(2)")"#;
    api.function("Node.capture(matcher) -> map or ()", docs, example, capture);
    let docs = "Every node that fits: itself, or one below it, in the order of the file.";
    let example = condition_example("m.X.find_all(kind(\"integer\")).len == 2", "f(1 + 2)", "f(1)");
    api.function(
        "Node.find_all(matcher) -> Array",
        docs,
        &example,
        |n: &mut RhaiNode, sought: Dynamic| -> Fallible<Array> {
            let matcher = compiled(&spec(&sought)?, n.tree.language)?;
            charge(n.node().subtree_len())?;
            let all = n.tree.iter_within(n.node());
            // The statement that an expression is all of is no second hit.
            n.many(all.filter(|d| doubt::is(matcher.answer(*d, &mut Bindings::default()))))
        },
    );
}

/// Whether a node fits, for a closure.
fn fits<'t>(matcher: &Matcher, node: Node<'t>, bindings: &mut Bindings<'t>) -> bool {
    // A pattern of a statement fits the statement, though what it finds is the expression that is all of it.
    let answer = matcher.answer(node, bindings);
    doubt::is(answer.or(|| matcher.expression_of(node).map_or(Certainty::No, |inner| matcher.answer(inner, bindings))))
}

/// What a pattern binds at a node, or `()` where it does not match.
fn capture(n: &mut RhaiNode, sought: Dynamic) -> Fallible<Dynamic> {
    charge(1)?;
    let matcher = compiled(&spec(&sought)?, n.tree.language)?;
    let mut bindings = Bindings::default();
    if !fits(&matcher, n.node(), &mut bindings) {
        return Ok(Dynamic::UNIT);
    }
    let mut map = Map::new();
    for (name, binding) in bindings.iter() {
        let value = match binding {
            Binding::One(node) => Dynamic::from(n.with(*node)),
            Binding::Many(nodes) => {
                Dynamic::from(RhaiList { tree: Arc::clone(&n.tree), ids: nodes.iter().map(|node| node.id).collect() })
            }
        };
        map.insert(name.into(), value);
    }
    Ok(map.into())
}

/// Nodes in the order of their texts.
fn sorted(nodes: Array) -> Fallible<Array> {
    charge(nodes.len())?;
    let text = |node: &Dynamic| match node.read_lock::<RhaiNode>() {
        Some(node) => Ok(node.node().text().to_owned()),
        None => Err(fail(format!("sorted takes nodes, not {}", super::explain::plain(node.type_name())))),
    };
    let keys = nodes.iter().map(text).collect::<Fallible<Vec<String>>>()?;
    let mut all: Vec<(String, Dynamic)> = keys.into_iter().zip(nodes).collect();
    all.sort_by(|one, two| one.0.cmp(&two.0));
    Ok(all.into_iter().map(|(_, node)| node).collect())
}

fn register_list(api: &mut Api<'_>) {
    let docs = "The same nodes, in the order of their texts.";
    let example = r#".find("f($$$X)").when(|m| m.X.nodes != sorted(m.X.nodes)).edit(|m, cx| edits([set_list(m.X, sorted(m.X.nodes))])).example("f(c, a, b)", "f(a, b, c)").unchanged("f(a, b)")"#;
    api.function("sorted(nodes) -> Array", docs, example, sorted);
    let example =
        r#".find("f($$$X)").when(|m| m.X.len == 2).replace("g($$$X)").example("f(1, 2)", "g(1, 2)").unchanged("f(1)")"#;
    api.type_of::<RhaiList>("NodeList", "What `$$$X` stands for: any number of neighbours.", example);
    api.function(
        "NodeList.len -> number",
        "How many nodes it holds; separators don't count.",
        example,
        |l: &mut RhaiList| l.nodes().count() as i64,
    );
    let example = r#".find("f($$$X)").when(|m| m.X.nodes.all(|n| n.kind == "integer")).replace("g($$$X)").example("f(1, 2)", "g(1, 2)").unchanged("f(1, a)")"#;
    api.function(
        "NodeList.nodes -> Array",
        "Its nodes; separators and comments left out.",
        example,
        |l: &mut RhaiList| -> Array {
            l.nodes().map(|n| Dynamic::from(RhaiNode { tree: Arc::clone(&l.tree), id: n.id })).collect()
        },
    );
    let example = r#".find("f($$$X)").when(|m| m.X.is_empty).replace("g()").example("f()", "g()").unchanged("f(1)")"#;
    api.function("NodeList.is_empty -> bool", "Whether it holds nothing.", example, |l: &mut RhaiList| {
        l.ids.is_empty()
    });
}

/// `enclosing("class_definition")` means a kind; anything else is a matcher.
fn kind_or_spec(value: &Dynamic) -> Fallible<Spec> {
    match value.clone().into_immutable_string() {
        Ok(kind) => Ok(Spec::Kind(vec![kind.to_string()])),
        Err(_) => spec(value),
    }
}

type Compiled = HashMap<(String, Spec), Result<Arc<Matcher>, String>>;

/// Matchers that closures write are compiled once for each language.
fn compiled(spec: &Spec, language: &'static Language) -> Fallible<Arc<Matcher>> {
    static CACHE: OnceLock<Mutex<Compiled>> = OnceLock::new();
    let mut cache = CACHE.get_or_init(Mutex::default).lock().map_err(|_| fail("a matcher failed to compile"))?;
    if cache.len() > 10_000 {
        cache.clear();
    }
    let key = (language.facts.name.clone(), spec.clone());
    let made = cache.entry(key).or_insert_with(|| spec.compile(language).map(Arc::new));
    made.clone().map_err(fail)
}
