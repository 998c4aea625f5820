//! `find`, `where`, `inside` …: what scripts say of the code they look for,
//! before it is compiled for a language.

use rhai::{Array, Dynamic, Engine, EvalAltResult, Map};

use super::error::fail;
use crate::language::Language;
use crate::pattern::{PatternError, compile};
use crate::rule::{Lookup, Matcher, QueryMatcher};

/// A matcher of no language yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Spec {
    Pattern { text: String, context: Option<String> },
    Kind(Vec<String>),
    Query(String),
    OneOf(Vec<String>),
    Regex(String),
    Literal(String),
    Any(Vec<Spec>),
    All(Vec<Spec>),
    Not(Box<Spec>),
}

type Fallible<T> = Result<T, Box<EvalAltResult>>;

/// Reads what `find`, `inside` … were given: a pattern as text, or a matcher.
pub(super) fn spec(value: &Dynamic) -> Fallible<Spec> {
    if let Some(spec) = value.read_lock::<Spec>() {
        return Ok(spec.clone());
    }
    if let Ok(text) = value.clone().into_immutable_string() {
        return Ok(Spec::Pattern { text: text.to_string(), context: None });
    }
    Err(fail(format!(
        "expected a pattern or a matcher (kind(\"…\"), query(\"…\"), any([…]), …), not {}",
        value.type_name()
    )))
}

/// Reads a condition of `where`: as [`spec`], but text without a hole is compared as text.
pub(super) fn condition(value: &Dynamic) -> Fallible<Spec> {
    match spec(value)? {
        Spec::Pattern { text, context: None } if !text.contains('$') => Ok(Spec::OneOf(vec![text])),
        other => Ok(other),
    }
}

fn texts(value: &Dynamic, what: &str) -> Fallible<Vec<String>> {
    let one = |value: &Dynamic| {
        let text = value.clone().into_immutable_string();
        text.map(|t| t.to_string()).map_err(|kind| fail(format!("{what} takes text, not {kind}")))
    };
    match value.read_lock::<Array>() {
        Some(array) => array.iter().map(one).collect(),
        None => Ok(vec![one(value)?]),
    }
}

fn specs(array: &Array) -> Fallible<Vec<Spec>> {
    if array.is_empty() {
        return Err(fail("an empty list of matchers never matches"));
    }
    array.iter().map(spec).collect()
}

pub(super) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Spec>("Matcher");
    for context in ["expr", "stmt", "member", "item", "body", "table"] {
        engine.register_fn(context, move |text: &str| Spec::Pattern {
            text: text.to_owned(),
            context: Some(context.to_owned()),
        });
    }
    engine.register_fn("type_pattern", |text: &str| Spec::Pattern {
        text: text.to_owned(),
        context: Some("type".to_owned()),
    });
    engine.register_fn("kind", |kinds: Dynamic| texts(&kinds, "kind").map(Spec::Kind));
    engine.register_fn("query", |text: &str| Spec::Query(text.to_owned()));
    engine.register_fn("one_of", |items: Dynamic| texts(&items, "one_of").map(Spec::OneOf));
    engine.register_fn("key_of", |map: Map| Spec::OneOf(map.keys().map(|k| k.to_string()).collect()));
    engine.register_fn("regex", |text: &str| Spec::Regex(text.to_owned()));
    engine.register_fn("literal", |text: &str| Spec::Literal(text.to_owned()));
    engine.register_fn("any", |array: Array| specs(&array).map(Spec::Any));
    engine.register_fn("all", |array: Array| specs(&array).map(Spec::All));
    engine.register_fn("not", |value: Dynamic| spec(&value).map(|s| Spec::Not(Box::new(s))));
}

impl Spec {
    /// Compiles it for one language.
    pub(super) fn compile(&self, language: &'static Language) -> Result<Matcher, String> {
        let each = |specs: &[Self]| specs.iter().map(|s| s.compile(language)).collect::<Result<Vec<_>, _>>();
        match self {
            Self::Pattern { text, context } => compile(language, text, context.as_deref())
                .map(Matcher::Pattern)
                .map_err(|e: PatternError| e.to_string()),
            Self::Kind(kinds) => {
                let id = |kind: &String| {
                    let id = language.kind_id(kind, true).or_else(|| language.kind_id(kind, false));
                    id.ok_or_else(|| {
                        let name = &language.facts.name;
                        format!("{name} has no node kind `{kind}`; `gander tree FILE` shows the kinds of a file")
                    })
                };
                kinds.iter().map(id).collect::<Result<Vec<_>, _>>().map(Matcher::Kind)
            }
            Self::Query(text) => QueryMatcher::new(language, text).map(Matcher::Query),
            Self::OneOf(keys) => Ok(Matcher::Lookup(Lookup::new(language, keys.iter().cloned()))),
            Self::Regex(text) => regex(text).map(Matcher::Regex),
            Self::Literal(text) => regex(text).map(Matcher::Literal),
            Self::Any(specs) => each(specs).map(Matcher::Any),
            Self::All(specs) => each(specs).map(Matcher::All),
            Self::Not(spec) => Ok(Matcher::Not(Box::new(spec.compile(language)?))),
        }
    }
}

fn regex(text: &str) -> Result<regex::Regex, String> {
    regex::RegexBuilder::new(text).size_limit(1 << 20).build().map_err(|e| e.to_string())
}
