//! What closures see of the code: the match, its nodes and lists of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use rhai::{Array, Dynamic, Engine, EvalAltResult, ImmutableString, Map};

use super::budget::charge;
use super::error::fail;
use super::finder::{Spec, spec};
use super::survey::Survey;
use crate::language::Language;
use crate::pattern::{Binding, Bindings};
use crate::rule::{Bound, Facts, Match, Matcher, literal_value};
use crate::tree::{Node, NodeId, Tree};

/// `m`.
#[derive(Clone)]
pub(super) struct RhaiMatch(pub(super) Arc<Match>);

/// `cx`.
#[derive(Clone)]
pub(super) struct Cx {
    pub(super) language: String,
    pub(super) facts: Arc<Facts>,
    pub(super) tree: Arc<Tree>,
    pub(super) survey: Option<Arc<Survey>>,
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
    fn nodes(&self) -> impl Iterator<Item = Node<'_>> {
        self.ids.iter().map(|id| self.tree.node(*id)).filter(|n| n.is_named())
    }
}

pub(super) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<RhaiMatch>("Match");
    engine.register_type_with_name::<Cx>("Context");
    engine.register_get("lang", |cx: &mut Cx| cx.language.clone());
    engine.register_fn("survey", |cx: &mut Cx, key: &str| match &cx.survey {
        Some(survey) => survey.get(&cx.tree, key),
        None => Err(fail("the rule surveys no file; give it .survey(|root| #{ … })")),
    });
    engine.register_fn("facts", |cx: &mut Cx, name: &str| -> Fallible<Array> {
        let facts: Array = cx.facts.get(name).map(|fact| Dynamic::from(fact.to_owned())).collect();
        charge(facts.len())?;
        Ok(facts)
    });
    engine.register_get("node", |m: &mut RhaiMatch| RhaiNode { tree: Arc::clone(&m.0.tree), id: m.0.node });
    engine.register_indexer_get(|m: &mut RhaiMatch, name: ImmutableString| bound(m, &name));
    engine.register_fn("has", |m: &mut RhaiMatch, name: &str| m.0.bindings.contains_key(name));
    register_node(engine);
    register_list(engine);
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

fn register_node(engine: &mut Engine) {
    engine.register_type_with_name::<RhaiNode>("Node");
    engine.register_get("text", |n: &mut RhaiNode| n.node().text().to_owned());
    engine.register_get("kind", |n: &mut RhaiNode| n.node().kind());
    engine.register_get("line", |n: &mut RhaiNode| i64::from(n.node().line_column().0));
    engine.register_get("start", |n: &mut RhaiNode| n.node().range().start as i64);
    engine.register_get("end", |n: &mut RhaiNode| n.node().range().end as i64);
    engine.register_get("value", |n: &mut RhaiNode| {
        literal_value(n.node())
            .ok_or_else(|| fail(format!("`{}` is no string literal with a known value", short(n.node().text()))))
    });
    engine.register_get("is_literal", |n: &mut RhaiNode| literal_value(n.node()).is_some());
    engine.register_get("parent", |n: &mut RhaiNode| n.maybe(n.node().parent()));
    engine.register_get("next", |n: &mut RhaiNode| n.maybe(n.node().next_named()));
    engine.register_get("prev", |n: &mut RhaiNode| n.maybe(n.node().prev_named()));
    engine.register_get("root", |n: &mut RhaiNode| n.with(n.tree.root()));
    engine.register_get("children", |n: &mut RhaiNode| n.many(n.node().named_children()));
    engine.register_get("ancestors", |n: &mut RhaiNode| n.many(n.node().ancestors()));
    engine.register_get("field_name", |n: &mut RhaiNode| n.node().field_name().unwrap_or(""));
    engine.register_fn("field", |n: &mut RhaiNode, name: &str| n.maybe(n.node().field(name)));
    engine.register_fn("==", |a: RhaiNode, b: RhaiNode| Arc::ptr_eq(&a.tree, &b.tree) && a.id == b.id);
    engine.register_fn("!=", |a: RhaiNode, b: RhaiNode| !(Arc::ptr_eq(&a.tree, &b.tree) && a.id == b.id));
    engine.register_fn("same_code", |a: &mut RhaiNode, b: RhaiNode| a.node().same_code(b.node()));
    engine.register_fn("enclosing", |n: &mut RhaiNode, sought: Dynamic| -> Fallible<Dynamic> {
        let matcher = compiled(&kind_or_spec(&sought)?, n.tree.language)?;
        charge(n.node().ancestors().count())?;
        Ok(n.maybe(n.node().ancestors().find(|a| matcher.matches(*a, &mut Bindings::default()))))
    });
    engine.register_fn("fits", |n: &mut RhaiNode, sought: Dynamic| -> Fallible<bool> {
        charge(1)?;
        Ok(compiled(&spec(&sought)?, n.tree.language)?.matches(n.node(), &mut Bindings::default()))
    });
    engine.register_fn("capture", capture);
    engine.register_fn("find_all", |n: &mut RhaiNode, sought: Dynamic| -> Fallible<Array> {
        let matcher = compiled(&spec(&sought)?, n.tree.language)?;
        charge(n.node().subtree_len())?;
        let all = n.tree.iter_within(n.node());
        n.many(all.filter(|d| matcher.matches(*d, &mut Bindings::default())))
    });
}

/// What a pattern binds at a node, or `()` where it does not match.
fn capture(n: &mut RhaiNode, sought: Dynamic) -> Fallible<Dynamic> {
    charge(1)?;
    let matcher = compiled(&spec(&sought)?, n.tree.language)?;
    let mut bindings = Bindings::default();
    if !matcher.matches(n.node(), &mut bindings) {
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

fn register_list(engine: &mut Engine) {
    engine.register_type_with_name::<RhaiList>("NodeList");
    engine.register_get("nodes", |l: &mut RhaiList| -> Array {
        l.nodes().map(|n| Dynamic::from(RhaiNode { tree: Arc::clone(&l.tree), id: n.id })).collect()
    });
    engine.register_get("is_empty", |l: &mut RhaiList| l.ids.is_empty());
    engine.register_get("len", |l: &mut RhaiList| l.nodes().count() as i64);
}

/// `enclosing("class_definition")` means a kind; anything else is a matcher.
fn kind_or_spec(value: &Dynamic) -> Fallible<Spec> {
    match value.clone().into_immutable_string() {
        Ok(kind) => Ok(Spec::Kind(vec![kind.to_string()])),
        Err(_) => spec(value),
    }
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
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
