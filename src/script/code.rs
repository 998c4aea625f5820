//! `code`, `lit`, `edits`, `replace` …: how closures say what should be written.
//! Holes take nodes, code or literals, never bare strings.

use std::ops::Range;

use rhai::{Array, Dynamic, Engine, EvalAltResult, Map};

use super::budget::charge;
use super::elements::{element, elements};
use super::error::fail;
use super::nodes::{RhaiList, RhaiNode};
use crate::edit::Fragment;
use crate::language::{Language, literal};
use crate::rule::{Decision, Filling, Replacement, Template};
use crate::tree::Node;

/// Code that a rule writes, before it is known in which language.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Snippet(Vec<Part>);

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Fragment(Fragment),
    /// A literal of this value, written as `like` is where that is given.
    Literal {
        value: String,
        like: Option<String>,
    },
}

/// One edit that a closure asks for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct EditSpec {
    range: Range<usize>,
    code: Snippet,
}

impl EditSpec {
    pub(super) fn replace(range: Range<usize>, code: Snippet) -> Self {
        Self { range, code }
    }
}

type Fallible<T> = Result<T, Box<EvalAltResult>>;

pub(super) fn to_replacement(edit: &EditSpec, language: &Language) -> Replacement {
    let fragments = edit
        .code
        .0
        .iter()
        .map(|part| match part {
            Part::Fragment(fragment) => fragment.clone(),
            Part::Literal { value, like } => Fragment::Text(literal::write(language, value, like.as_deref())),
        })
        .collect();
    Replacement { range: edit.range.clone(), fragments }
}

pub(super) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Snippet>("Code");
    engine.register_type_with_name::<EditSpec>("Edit");
    engine.register_type_with_name::<Vec<EditSpec>>("Edits");
    engine.register_type_with_name::<Decision>("Verdict");
    engine.register_fn("code", |text: &str| code(text, &Map::new()));
    engine.register_fn("code", |text: &str, holes: Map| code(text, &holes));
    engine.register_fn("code_of", |node: RhaiNode| Snippet(vec![Part::Fragment(Fragment::Copy(node.node().range()))]));
    engine.register_fn("lit", |value: Dynamic| lit(&value, None));
    engine.register_fn("lit_like", |node: RhaiNode, value: Dynamic| lit(&value, Some(node.node().text().to_owned())));
    engine.register_fn("annotate", |message: &str| Decision::Annotate(message.to_owned()));
    engine.register_fn("refuse", |reason: &str| Decision::Refuse(reason.to_owned()));
    engine.register_fn("skip", |reason: &str| Decision::Skip(reason.to_owned()));
    engine.register_fn("replace", |node: RhaiNode, code: Snippet| EditSpec::replace(node.node().range(), code));
    engine.register_fn("insert_before", |node: RhaiNode, code: Snippet| {
        let start = node.node().range().start;
        EditSpec::replace(start..start, code)
    });
    engine.register_fn("insert_after", |node: RhaiNode, code: Snippet| {
        let end = node.node().range().end;
        EditSpec::replace(end..end, code)
    });
    engine.register_fn("delete", |node: RhaiNode| EditSpec::replace(whole_lines(node.node()), Snippet::default()));
    engine.register_fn("delete_element", |node: RhaiNode| -> Fallible<EditSpec> {
        charge(node.node().parent().map_or(0, |p| p.subtree_len()))?;
        let (range, kept) = element(node.node());
        let code = kept.map(|range| Part::Fragment(Fragment::Copy(range)));
        Ok(EditSpec::replace(range, Snippet(code.into_iter().collect())))
    });
    engine.register_fn("delete_elements", |nodes: Array| delete_elements(&nodes));
    engine.register_fn("edits", |edits: Array| {
        edits
            .into_iter()
            .map(|e| {
                let kind = e.type_name();
                e.try_cast::<EditSpec>().ok_or_else(|| {
                    fail(format!("edits([…]) takes replace(…), delete(…), insert_before(…) …, not {kind}"))
                })
            })
            .collect::<Fallible<Vec<EditSpec>>>()
    });
}

fn code(text: &str, holes: &Map) -> Fallible<Snippet> {
    // Fragments carry no literals: each gets a number, and is put in afterwards.
    let mut literals: Vec<Part> = Vec::new();
    let mut wrong = None;
    let filled = Template::new(text).fill(|name| {
        let value = holes.get(name)?;
        match filling(name, value, &mut literals) {
            Ok(filling) => Some(filling),
            Err(error) => {
                wrong = Some(error);
                None
            }
        }
    });
    if let Some(error) = wrong {
        return Err(error);
    }
    let fragments = filled.map_err(|_| {
        let names: Vec<&str> = holes.keys().map(|k| k.as_str()).collect();
        fail(format!("code({text:?}, …) has a hole that is not given; given are: {}", names.join(", ")))
    })?;
    let unmark = |fragment: Fragment| match &fragment {
        Fragment::Copy(range) if range.end == MARK => literals[range.start].clone(),
        _ => Part::Fragment(fragment),
    };
    let parts: Vec<Part> = fragments.into_iter().map(unmark).collect();
    let length = |part: &Part| match part {
        Part::Fragment(Fragment::Text(text)) => text.len(),
        Part::Fragment(Fragment::Copy(_)) => 1,
        Part::Literal { value, .. } => value.len(),
    };
    // Code that is put into itself doubles with each turn.
    if parts.len() > MAX_PARTS || parts.iter().map(length).sum::<usize>() > MAX_TEXT {
        return Err(fail(format!("code(…) grew over {MAX_PARTS} parts or {} MiB", MAX_TEXT >> 20)));
    }
    Ok(Snippet(parts))
}

/// Parts of one piece of new code.
const MAX_PARTS: usize = 10_000;
/// Its text, in bytes.
const MAX_TEXT: usize = 1 << 20;

/// No file is this long: the end of a range that stands for a literal's number.
const MARK: usize = usize::MAX;

fn filling(name: &str, value: &Dynamic, literals: &mut Vec<Part>) -> Fallible<Filling> {
    if let Some(node) = value.read_lock::<RhaiNode>() {
        return Ok(Filling::Copy(node.node().range()));
    }
    if let Some(list) = value.read_lock::<RhaiList>() {
        let range = |id| list.tree.node(id).range();
        return Ok(match (list.ids.first(), list.ids.last()) {
            (Some(first), Some(last)) => Filling::Copy(range(*first).start..range(*last).end),
            _ => Filling::Nothing,
        });
    }
    if let Some(snippet) = value.read_lock::<Snippet>() {
        let parts = snippet.0.iter().map(|part| match part {
            Part::Fragment(fragment) => fragment.clone(),
            literal => {
                literals.push(literal.clone());
                Fragment::Copy(literals.len() - 1..MARK)
            }
        });
        return Ok(Filling::Code(parts.collect()));
    }
    Err(fail(format!(
        "hole `{name}` was given {}; it takes a node, a list, code(\"…\") or lit(…), never a bare string",
        value.type_name()
    )))
}

fn lit(value: &Dynamic, like: Option<String>) -> Fallible<Snippet> {
    if let Ok(text) = value.clone().into_immutable_string() {
        return Ok(Snippet(vec![Part::Literal { value: text.to_string(), like }]));
    }
    if value.is_int() || value.is_float() || value.is_bool() {
        return Ok(Snippet(vec![Part::Fragment(Fragment::Text(value.to_string()))]));
    }
    Err(fail(format!("lit(…) writes text, numbers and true or false, not {}", value.type_name())))
}

/// The edits that delete several elements of one list.
fn delete_elements(nodes: &Array) -> Fallible<Array> {
    let nodes: Option<Vec<RhaiNode>> = nodes.iter().map(|n| n.read_lock::<RhaiNode>().map(|n| n.clone())).collect();
    let nodes = nodes.ok_or_else(|| fail("delete_elements([…]) takes nodes"))?;
    let held: Vec<Node<'_>> = nodes.iter().map(RhaiNode::node).collect();
    let ranges = elements(&held).ok_or_else(|| fail("delete_elements([…]) takes elements of one list"))?;
    Ok(ranges.into_iter().map(|r| Dynamic::from(EditSpec::replace(r, Snippet::default()))).collect())
}

/// The node, or its whole lines where nothing else is on them.
fn whole_lines(node: Node<'_>) -> Range<usize> {
    let (text, range, base) = (node.tree().text(), node.local_range(), node.tree().base());
    let start = text[..range.start].rfind('\n').map_or(0, |i| i + 1);
    let end = text[range.end..].find('\n').map_or(text.len(), |i| range.end + i + 1);
    let alone = text[start..range.start].trim().is_empty() && text[range.end..end].trim().is_empty();
    let range = if alone { start..end } else { range };
    range.start + base..range.end + base
}
