//! Calls in every shape that a language writes them in, told by its `calls.scm`: what is
//! called, on what, with which arguments.
//!
//! Must not: know what a called name refers to.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tree_sitter::Query;

use crate::language::Language;
use crate::tree::{Node, NodeId, QueryHits, Tree};

macro_rules! calls {
    ($($language:literal in $folder:literal)*) => {
        /// A language, the folder of its query, and the query.
        static SOURCES: &[(&str, &str, &str)] =
            &[$(($language, $folder, include_str!(concat!("../../grammars/", $folder, "/calls.scm")))),*];
    };
}

calls! {
    "python" in "python"
    "java" in "java"
    "scala" in "scala"
    "kotlin" in "kotlin"
    "swift" in "swift"
    "javascript" in "javascript"
    "typescript" in "typescript"
    "tsx" in "typescript"
    "go" in "go"
    "rust" in "rust"
}

/// The number under which a tree keeps its calls: those of queries are counted from zero.
const KEPT_AS: u64 = u64::MAX;

/// One call.
#[derive(Clone, Debug)]
pub struct Call<'t> {
    /// The whole of it.
    pub node: Node<'t>,
    /// What the name is a member of.
    pub receiver: Option<Node<'t>>,
    /// The path before the name, where the language parts paths and members.
    pub path: Option<Node<'t>>,
    /// The name that is called.
    pub name: Node<'t>,
    /// Type arguments, separators included, comments and brackets left out.
    pub types: Option<Vec<Node<'t>>>,
    /// Arguments, separators included, comments and brackets left out.
    pub arguments: Vec<Node<'t>>,
    /// The list that the first of them stand in, if they stand in one.
    pub list: Option<Node<'t>>,
}

/// The call that a node is, if it is one.
pub fn call_at(node: Node<'_>) -> Option<Call<'_>> {
    let language = node.tree().language;
    if !kinds(language).contains(&node.kind_id()) {
        return None;
    }
    let hits = hits(node.tree())?;
    let captures = hits.get(&node.id)?;
    let get = |name: &str| {
        let (_, ids) = captures.iter().find(|(n, _)| n == name)?;
        ids.first().map(|id| node.tree().node(*id))
    };
    let list = get("arguments");
    let mut arguments = list.map(inside).unwrap_or_default();
    arguments.extend(get("argument"));
    Some(Call {
        node,
        receiver: get("receiver"),
        path: get("path"),
        name: get("name")?,
        types: get("types").map(inside),
        arguments,
        list,
    })
}

/// What stands between the brackets of a list.
fn inside(list: Node<'_>) -> Vec<Node<'_>> {
    let bracket =
        |n: &Node<'_>| !n.is_named() && matches!(n.text(), "(" | ")" | "[" | "]" | "<" | ">" | "::" | "{" | "}");
    let mut all: Vec<Node<'_>> = list.children().filter(|c| !c.is_extra() && !bracket(c)).collect();
    let separator = |n: &Node<'_>| !n.is_named() && list.tree().language.is_separator(n.kind());
    // `f(a,)`: a separator that parts nothing.
    while all.last().is_some_and(separator) {
        all.pop();
    }
    all
}

/// Whether the calls of a language are known.
pub fn knows_calls(language: &Language) -> bool {
    SOURCES.iter().any(|(name, ..)| *name == language.facts.name)
}

/// Names of the languages whose calls are known.
pub fn call_languages() -> impl Iterator<Item = &'static str> {
    SOURCES.iter().map(|(name, ..)| *name)
}

struct Compiled {
    query: Query,
    kinds: Vec<u16>,
}

/// The kinds of nodes that are calls.
pub(super) fn kinds(language: &'static Language) -> &'static [u16] {
    compiled(language).map_or(&[], |c| &c.kinds)
}

fn compiled(language: &'static Language) -> Option<&'static Compiled> {
    type Cells = HashMap<&'static str, &'static OnceLock<Option<Compiled>>>;
    static CELLS: OnceLock<Mutex<Cells>> = OnceLock::new();
    let (name, _, source) = SOURCES.iter().find(|(name, ..)| *name == language.facts.name)?;
    let cell = {
        let mut all = CELLS.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
        // One small cell for each language, for the life of the process.
        *all.entry(name).or_insert_with(|| Box::leak(Box::default()))
    };
    let make = || {
        let query = Query::new(&language.grammar, source).ok()?;
        // Each pattern begins a line with the kind that it is about.
        let heads = source.lines().filter_map(|line| line.strip_prefix('('));
        let mut kinds: Vec<u16> = heads
            .filter_map(|rest| language.kind_id(rest.split(|c: char| !c.is_alphanumeric() && c != '_').next()?, true))
            .collect();
        kinds.sort_unstable();
        kinds.dedup();
        Some(Compiled { query, kinds })
    };
    cell.get_or_init(make).as_ref()
}

/// Every call of a tree; found once, and kept with it.
fn hits(tree: &Tree) -> Option<Arc<QueryHits>> {
    let compiled = compiled(tree.language)?;
    let mut queried = tree.queried.lock().unwrap_or_else(PoisonError::into_inner);
    Some(Arc::clone(queried.entry(KEPT_AS).or_insert_with(|| Arc::new(run(&compiled.query, tree)))))
}

type Captures = Vec<(String, Vec<NodeId>)>;

/// Of several patterns the first one tells, and of it what says the most.
fn run(query: &Query, tree: &Tree) -> QueryHits {
    let names = query.capture_names();
    let mut best: BTreeMap<NodeId, (usize, Captures)> = BTreeMap::new();
    tree.each_match(query, |one, numbers| {
        let mut captures: Captures = Vec::new();
        let mut call = None;
        for capture in one.captures() {
            match names[capture.index as usize] {
                "call" => call = numbers.itself(capture.node),
                name => captures.extend(numbers.get(capture.node).map(|id| (name.to_owned(), vec![id]))),
            }
        }
        let Some(call) = call.filter(|_| apart(tree, &mut captures)) else { return };
        let pattern = one.pattern_index;
        let better =
            |(known, held): &(usize, Captures)| pattern < *known || pattern == *known && captures.len() > held.len();
        if best.get(&call).is_none_or(better) {
            best.insert(call, (pattern, captures));
        }
    });
    best.into_iter().map(|(call, (_, captures))| (call, captures)).collect()
}

/// Takes what is called apart, where the query marks it as a whole: its name, and what that is a
/// member of. Whether it has a name.
fn apart(tree: &Tree, captures: &mut Captures) -> bool {
    let Some(at) = captures.iter().position(|(name, _)| name == "callee") else { return true };
    let (_, ids) = captures.remove(at);
    let Some(callee) = ids.first().map(|id| tree.node(*id)) else { return false };
    // `f?(x)` is no call of `f` alone.
    if callee.parent().is_some_and(|call| call.children().filter(|c| !c.is_extra()).count() != 2) {
        return false;
    }
    let mut one = |name: &str, node: Node<'_>| captures.push((name.to_owned(), vec![node.id]));
    if tree.language.facts.symbols.names.iter().any(|kind| kind == callee.kind()) {
        one("name", callee);
        return true;
    }
    let members = &tree.language.facts.arguments.members;
    let parts = callee.named_children().next().zip(callee.descendants().last());
    let Some((receiver, name)) = parts.filter(|_| members.iter().any(|kind| kind == callee.kind())) else {
        return false;
    };
    one("receiver", receiver);
    one("name", name);
    true
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde::Deserialize;

    use super::*;
    use crate::language::by_name;
    use crate::tree::parse;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Cases {
        case: Vec<Case>,
    }

    /// Code, a pattern of a call, and the calls that it finds.
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Case {
        code: String,
        invocation: String,
        found: Vec<String>,
    }

    #[test]
    fn every_query_compiles_and_names_what_it_is_about() {
        for (name, folder, source) in SOURCES {
            let language = by_name(name).unwrap();
            if let Err(error) = Query::new(&language.grammar, source) {
                panic!("grammars/{folder}/calls.scm in {name}: {error}");
            }
            assert!(!kinds(language).is_empty(), "{name}");
        }
    }

    /// A call with its holes: `1: R=a F=f A=[1, 2]`.
    fn shown(node: Node<'_>, bindings: &super::super::Bindings<'_>) -> String {
        let each = bindings.iter().map(|(name, binding)| match binding {
            super::super::Binding::One(one) => format!(" {name}={}", one.text()),
            super::super::Binding::Many(all) => {
                let texts: Vec<&str> = all.iter().filter(|n| n.is_named()).map(|n| n.text()).collect();
                format!(" {name}=[{}]", texts.join(", "))
            }
        });
        format!("{}:{}", node.line_column().0, each.collect::<String>())
    }

    #[test]
    fn calls_are_found_in_every_shape() {
        let mut wrong = Vec::new();
        for (name, folder, _) in SOURCES {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("grammars/{folder}/calls.toml"));
            let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("grammars/{folder}/calls.toml: {e}"));
            let cases: Cases = toml::from_str(&text).unwrap_or_else(|e| panic!("grammars/{folder}/calls.toml: {e}"));
            for case in cases.case {
                let language = by_name(name).unwrap();
                let tree = parse(language, case.code.as_str()).unwrap();
                assert!(tree.errors().next().is_none(), "{name}: does not read: {}", case.code);
                let sought = super::super::compile_invocation(language, &case.invocation).unwrap();
                let found: Vec<String> =
                    tree.iter().filter_map(|n| sought.matches(n).map(|bindings| shown(n, &bindings))).collect();
                if found != case.found {
                    wrong.push(format!("{name}: {} in\n{}\nfinds {found:#?}", case.invocation, case.code));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
