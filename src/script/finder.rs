//! `find`, `where`, `inside` …: what scripts say of the code they look for,
//! before it is compiled for a language.

use rhai::{Array, Dynamic, EvalAltResult};

use super::error::fail;
use super::explain::plain;
use super::near;
pub(super) use super::near::Near;
use super::reference::Api;
use super::table::keys;
use crate::language::Language;
use crate::pattern::{Hole, PatternError, compile, compile_invocation};
use crate::rule::{Lookup, Matcher, PathSet, QueryMatcher, SymbolMatcher, UseMatcher};
use crate::symbol;

/// A matcher of no language yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Spec {
    Pattern {
        text: String,
        context: Option<String>,
    },
    Invocation(String),
    Kind(Vec<String>),
    Query(String),
    OneOf(Vec<String>),
    Regex(String),
    Literal(String),
    Any(Vec<Spec>),
    All(Vec<Spec>),
    Not(Box<Spec>),
    Symbol(Vec<String>),
    Typed(Vec<String>),
    Imported(Vec<String>),
    /// All that speaks of what moved from one of these paths.
    Moved(Vec<String>),
    Nth(i64),
    Field(String),
    /// A use of a dataset: of what, in which position, what a file must hold, and a digest of
    /// all that is known of datasets.
    Use {
        name: String,
        position: Option<String>,
        compared: Option<Hole>,
        words: Vec<String>,
        datasets: String,
    },
    /// What the seed of a follow-up gives under this name.
    Given(String),
    /// What is around, below or beside it.
    Near(Near),
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
        plain(value.type_name())
    )))
}

/// Reads a condition of `where`: as [`spec`], but text without a hole is compared as text, and so is a word in `any`,
/// `all` and `not`.
pub(super) fn condition(value: &Dynamic) -> Fallible<Spec> {
    Ok(match spec(value)? {
        Spec::Pattern { text, context: None } if !text.contains('$') => Spec::OneOf(vec![text]),
        other => words(other),
    })
}

/// Within a condition, a word is a name or a value wherever it stands: `not("old")`.
fn words(spec: Spec) -> Spec {
    let is_word = |text: &str| text.chars().all(|c| c.is_alphanumeric() || c == '_');
    match spec {
        Spec::Pattern { text, context: None } if is_word(&text) => Spec::OneOf(vec![text]),
        Spec::Any(all) => Spec::Any(all.into_iter().map(words).collect()),
        Spec::All(all) => Spec::All(all.into_iter().map(words).collect()),
        Spec::Not(one) => Spec::Not(Box::new(words(*one))),
        other => other,
    }
}

pub(super) fn texts(value: &Dynamic, what: &str) -> Fallible<Vec<String>> {
    let one = |value: &Dynamic| {
        let text = value.clone().into_immutable_string();
        text.map(|t| t.to_string()).map_err(|kind| fail(format!("{what} takes text, not {}", plain(kind))))
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
    array.iter().map(|value| spec(value).and_then(shallow)).collect()
}

/// Matchers in matchers, as deep as anybody writes them: compiling them recurses.
const MAX_NESTING: usize = 32;

pub(super) fn shallow(spec: Spec) -> Fallible<Spec> {
    if spec.depth() < MAX_NESTING {
        return Ok(spec);
    }
    Err(fail(format!("matchers are nested more than {MAX_NESTING} deep")))
}

pub(super) fn register(api: &mut Api<'_>) {
    let docs = "What a node must be. Wherever a matcher is asked for, text is read as a pattern.";
    api.type_of::<Spec>(
        "Matcher",
        docs,
        r#".find(all([kind("call"), not("f($$$)")])).annotate("another call").unchanged("f(1)")"#,
    );
    contexts(api);
    let docs = "A call, in whatever shape the language writes one: with `$R.$F($$$A)` also `f { x }`, `a f b` and `f[T](x)` in Scala. Receiver and arguments are matched exactly; type arguments are free where the pattern has none.";
    let example = r#"rule("example").lang("scala").find(invocation("$R.$F($$$A)")).where(#{ F: "old" }).edit(|m, cx| edits([replace(m.F, code("renamed"))])).example("val x = a.old(1)\nval y = a old b\nval z = a.old[T] { c }", "val x = a.renamed(1)\nval y = a renamed b\nval z = a.renamed[T] { c }").unchanged("val x = old(1)");"#;
    api.function("invocation(pattern) -> Matcher", docs, example, |text: &str| Spec::Invocation(text.to_owned()));
    let docs = "A node of this kind, or of one of these. `gander tree` shows the kinds of a file.";
    let example = r#".find("f($X)").where(#{ X: kind(["integer", "float"]) }).replace("g($X)").example("f(1)", "g(1)").unchanged("f(a)")"#;
    api.function("kind(names) -> Matcher", docs, example, |kinds: Dynamic| texts(&kinds, "kind").map(Spec::Kind));
    let docs =
        "What a tree-sitter query finds. `@match` marks the node that is meant, and captures in upper case are holes.";
    let example = r#".find(query("(call function: (identifier) @F) @match")).where(#{ F: "f" }).annotate("a call of f").unchanged("g(1)")"#;
    api.function("query(text) -> Matcher", docs, example, |text: &str| Spec::Query(text.to_owned()));
    let docs = "A node whose text, or whose value if it is a string literal, is this or one of these.";
    let example = r#".find("f($X)").where(#{ X: one_of(["a", "b"]) }).replace("g($X)").example("f(a)", "g(a)").unchanged("f(c)")"#;
    api.function("one_of(texts) -> Matcher", docs, example, |items: Dynamic| texts(&items, "one_of").map(Spec::OneOf));
    let docs = "A node whose text, or whose value if it is a string literal, is a key of the map, or of the table.";
    let example = r#".find("f($X)").where(#{ X: key_of(mapping("users").tables) }).replace("g($X)").example("f('users_v1')", "g('users_v1')").unchanged("f('users_v2')")"#;
    api.function("key_of(map) -> Matcher", docs, example, |map: Dynamic| keys(&map).map(Spec::OneOf));
    let docs =
        "A node whose text, or whose value if it is a string literal, matches this regular expression somewhere.";
    let example = r#".find("f($X)").where(#{ X: regex("^get_") }).replace("g($X)").example("f(get_a)", "g(get_a)").unchanged("f(forget_a)")"#;
    api.function("regex(text) -> Matcher", docs, example, |text: &str| Spec::Regex(text.to_owned()));
    let docs = "A string literal whose value matches this regular expression somewhere.";
    let example = r#".find("f($X)").where(#{ X: literal("^a") }).replace("g($X)").example("f('ab')", "g('ab')").unchanged("f(ab)")"#;
    api.function("literal(text) -> Matcher", docs, example, |text: &str| Spec::Literal(text.to_owned()));
    let docs = "A node with this place among its siblings with a name, comments left out: `nth(0)` is the first, `nth(-1)` the last.";
    let example = r#".find(all([kind("integer"), nth(-1)])).inside("f($$$)").edit(|m, cx| if m.node.text == "0" { skip("it is") } else { edits([replace(m.node, code("0"))]) }).example("f(1, 2, 3)", "f(1, 2, 0)").unchanged("g(1)")"#;
    api.function("nth(place) -> Matcher", docs, example, |place: i64| Spec::Nth(place));
    let docs = "A node that fills the field of this name. `gander tree` shows the fields.";
    let example = r#".find(all([kind("integer"), field("right")])).inside("$_ + $_").edit(|m, cx| if m.node.text == "0" { skip("it is") } else { edits([replace(m.node, code("0"))]) }).example("a = 1 + 2", "a = 1 + 0").unchanged("f(1)")"#;
    api.function("field(name) -> Matcher", docs, example, |name: &str| Spec::Field(name.to_owned()));
    compositions(api);
    near::matchers(api);
}

fn contexts(api: &mut Api<'_>) {
    let in_python = |call: &str| format!(r#".find({call}).annotate("found")"#);
    let examples = [
        ("expr", "an expression", in_python(r#"expr("f($X)")"#) + r#".unchanged("g(1)")"#),
        ("stmt", "a statement", in_python(r#"stmt("import $X")"#) + r#".unchanged("from a import b")"#),
        ("body", "code of a function's body", in_python(r#"body("return $X")"#) + r#".unchanged("yield 1")"#),
        ("decorator", "a decorator", in_python(r#"decorator("@cached($$$)")"#) + r#".unchanged("@other\ndef f(): pass")"#),
        (
            "member",
            "a member of a class",
            r#"rule("example").lang("java").find(member("void old() { $$$ }")).annotate("found").unchanged("class A { void other() {} }");"#.to_owned(),
        ),
        (
            "pair",
            "a pair of an object, a dictionary or a literal",
            r#"rule("example").lang("javascript").find(pair("old: $X")).replace("renamed: $X").example("f({ a: 1, old: 2 })", "f({ a: 1, renamed: 2 })").unchanged("old: f();");"#.to_owned(),
        ),
        (
            "item",
            "a top-level item",
            r#"rule("example").lang("rust").find(item("use $P;")).annotate("found").unchanged("fn f() {}");"#.to_owned(),
        ),
        (
            "clause",
            "a clause: `from …` in SQL, a case of a `switch` or `match`, a `catch` or an `else`",
            r#"rule("example").lang("sql").find(clause("from {{ ref('users') }} as $A")).annotate("found").unchanged("select a from {{ ref('orders') }} as u");"#.to_owned(),
        ),
        (
            "pipe",
            "a pipe operator in SQL",
            r#"rule("example").lang("sql").find(pipe("|> where $C")).annotate("found").unchanged("select a from t where b");"#.to_owned(),
        ),
        (
            "jinja",
            "what Jinja's braces hold",
            r#"rule("example").lang("sql").find(jinja("ref('users')")).replace("ref('people')").example("select a from {{ ref('users') }}", "select a from {{ ref('people') }}").unchanged("select ref('users')");"#.to_owned(),
        ),
        (
            "table",
            "a table in SQL",
            r#"rule("example").lang("sql").find(table("users_v1")).replace("users_v2").example("select a from users_v1", "select a from users_v2").unchanged("select a from users_v10");"#.to_owned(),
        ),
    ];
    for (context, what, example) in examples {
        let docs = format!("A pattern that is read as {what}, where it would also read as something else.");
        api.function(&format!("{context}(pattern) -> Matcher"), &docs, &example, move |text: &str| Spec::Pattern {
            text: text.to_owned(),
            context: Some(context.to_owned()),
        });
    }
    for name in ["type", "type_pattern"] {
        let docs = "A pattern that is read as a type, where it would also read as something else.";
        let example = format!(
            r#".find({name}("Optional[$T]")).replace("$T | None").example("a: Optional[int]", "a: int | None").unchanged("a = Optional[int]")"#
        );
        api.function(&format!("{name}(pattern) -> Matcher"), docs, &example, |text: &str| Spec::Pattern {
            text: text.to_owned(),
            context: Some("type".to_owned()),
        });
    }
}

fn compositions(api: &mut Api<'_>) {
    let docs = "A node that fits one of these; the first that fits binds the holes.";
    let example = r#".find(any(["old($X)", "older($X)"])).replace("new($X)").example("old(1); older(2)", "new(1); new(2)").unchanged("oldest(1)")"#;
    api.function("any(matchers) -> Matcher", docs, example, |array: Array| specs(&array).map(Spec::Any));
    let docs = "A node that fits all of these; each binds its holes.";
    let example = r#".find("f($X)").where(#{ X: all([kind("identifier"), regex("^a")]) }).replace("g($X)").example("f(ab)", "g(ab)").unchanged("f(b); f('a')")"#;
    api.function("all(matchers) -> Matcher", docs, example, |array: Array| specs(&array).map(Spec::All));
    let docs = "A node that does not fit.";
    let example = r#".find("f($X)").where(#{ X: not(kind("string")) }).replace("g($X)").example("f(1)", "g(1)").unchanged("f('1')")"#;
    api.function("not(matcher) -> Matcher", docs, example, |value: Dynamic| {
        spec(&value).and_then(shallow).map(|s| Spec::Not(Box::new(s)))
    });
}

impl Spec {
    /// The names that a seed must give.
    pub(super) fn given(&self) -> Vec<&str> {
        match self {
            Self::Given(name) => vec![name],
            Self::Near(near) => near.given(),
            Self::Any(specs) | Self::All(specs) => specs.iter().flat_map(Self::given).collect(),
            Self::Not(spec) => spec.given(),
            _ => Vec::new(),
        }
    }

    pub(super) fn depth(&self) -> usize {
        match self {
            Self::Any(specs) | Self::All(specs) => 1 + specs.iter().map(Self::depth).max().unwrap_or(0),
            Self::Not(spec) => 1 + spec.depth(),
            Self::Near(near) => 1 + near.depth(),
            _ => 1,
        }
    }

    /// Compiles it for one language.
    pub(super) fn compile(&self, language: &'static Language) -> Result<Matcher, String> {
        let each = |specs: &[Self]| specs.iter().map(|s| s.compile(language)).collect::<Result<Vec<_>, _>>();
        match self {
            Self::Pattern { text, context } => compile(language, text, context.as_deref())
                .map(Matcher::Pattern)
                .map_err(|e: PatternError| e.to_string()),
            Self::Invocation(text) => compile_invocation(language, text)
                .map(|call| Matcher::Invocation(Box::new(call)))
                .map_err(|e: PatternError| e.to_string()),
            Self::Kind(kinds) => {
                let id = |kind: &String| {
                    let id = language.kind_id(kind, true).or_else(|| language.kind_id(kind, false));
                    id.ok_or_else(|| {
                        let name = &language.facts.name;
                        let near = nearest(language, kind).map_or(String::new(), |near| format!(", but has `{near}`"));
                        format!("{name} has no node kind `{kind}`{near}; `gander tree FILE` shows the kinds of a file")
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
            Self::Symbol(paths) => knows_symbols(language).map(|()| Matcher::Symbol(SymbolMatcher::new(paths))),
            Self::Typed(paths) => knows_symbols(language).map(|()| Matcher::Typed(PathSet::new(paths))),
            Self::Imported(paths) => knows_symbols(language).map(|()| Matcher::Imported(PathSet::new(paths))),
            Self::Moved(paths) => knows_symbols(language).map(|()| Matcher::moved(paths)),
            Self::Nth(place) => Ok(Matcher::Nth(*place)),
            Self::Field(name) if language.grammar.field_id_for_name(name).is_none() => Err(format!(
                "{} has no field `{name}`; `gander tree FILE` shows the fields of a file",
                language.facts.name
            )),
            Self::Field(name) => Ok(Matcher::Field(name.clone())),
            Self::Use { name, position, words, compared, .. } => {
                let sought = UseMatcher::new(name.clone(), position.clone(), words.clone());
                Ok(Matcher::Use(sought.compared_with(compared.clone())))
            }
            Self::Given(name) => Ok(Matcher::Given(name.clone())),
            Self::Near(near) => near.compile(language).map(|context| Matcher::Near(Box::new(context))),
            Self::Not(spec) => Ok(Matcher::Not(Box::new(spec.compile(language)?))),
        }
    }
}

/// The kind that was probably meant.
fn nearest(language: &'static Language, kind: &str) -> Option<&'static str> {
    let grammar = &language.grammar;
    let ids = (0..grammar.node_kind_count() as u16).filter(|id| grammar.node_kind_is_named(*id));
    let names = ids.filter(|id| grammar.node_kind_is_visible(*id)).filter_map(|id| grammar.node_kind_for_id(id));
    let scored = names.map(|name| (strsim::jaro_winkler(name, kind), name)).filter(|(score, _)| *score > 0.85);
    scored.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}

fn knows_symbols(language: &Language) -> Result<(), String> {
    if symbol::speaks(language) {
        return Ok(());
    }
    let known: Vec<&str> = symbol::languages().collect();
    let name = &language.facts.name;
    Err(format!("what names refer to is not known in {name}; it is in {}", known.join(", ")))
}

fn regex(text: &str) -> Result<regex::Regex, String> {
    regex::RegexBuilder::new(text).size_limit(1 << 20).build().map_err(|e| e.to_string())
}
