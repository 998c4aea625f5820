//! What rules may use, documented where it is registered: [`Api`] registers a
//! function together with its signature, its documentation and an example, and
//! [`entries`] reads all of it back from Rhai's own metadata.
//!
//! Must not: know what any function does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use rhai::{Engine, FuncRegistration, Module, RhaiNativeFunc};
use serde::Deserialize;

/// Registers documented functions, properties and types.
///
/// A signature says how the entry is written in a rule, and what it gives:
/// `kind(names) -> Matcher`, `Node.field(name) -> Node or ()`, `Node.text -> text`,
/// `Match[name] -> Node or NodeList`, `Node == Node -> bool`.
///
/// An example is a rule file that holds `.example(before, after)` or
/// `.unchanged(code)`: the tests run it. One that begins with a dot is continued
/// from `rule("example").lang("python")`.
pub(super) struct Api<'e> {
    engine: &'e mut Engine,
    types: Module,
}

impl<'e> Api<'e> {
    pub(super) fn new(engine: &'e mut Engine) -> Self {
        Self { engine, types: Module::new() }
    }

    /// Registers a function, a method, a property or an operator.
    pub(super) fn function<A: 'static, const N: usize, const X: bool, R, const F: bool>(
        &mut self,
        signature: &str,
        docs: &str,
        example: &str,
        function: impl RhaiNativeFunc<A, N, X, R, F> + Send + Sync + 'static,
    ) where
        R: Clone + Send + Sync + 'static,
    {
        let parsed = Signature::new(signature);
        let registration = match parsed.shape {
            Shape::Property => FuncRegistration::new_getter(parsed.name),
            Shape::Index => FuncRegistration::new_index_getter(),
            Shape::Function | Shape::Operator => FuncRegistration::new(parsed.name),
        };
        let params = parsed.params.iter().map(String::as_str).chain(std::iter::once(parsed.gives));
        let comment = comment(signature, docs, example);
        registration.with_params_info(params).with_comments([comment]).register_into_engine(self.engine, function);
    }

    /// Names a type.
    pub(super) fn type_of<T: Clone + Send + Sync + 'static>(&mut self, name: &str, docs: &str, example: &str) {
        self.engine.register_type_with_name::<T>(name);
        self.types.set_custom_type_with_comments::<T>(name, &[&comment(name, docs, example)]);
    }

    /// Makes the documentation of the types part of the engine's metadata.
    pub(super) fn finish(self) {
        self.engine.register_global_module(self.types.into());
    }
}

/// The comment that Rhai keeps: signature, documentation, example.
fn comment(signature: &str, docs: &str, example: &str) -> String {
    let text = format!("{signature}\n{docs}\n{FENCE}\n{example}");
    text.split('\n').map(|line| format!("/// {line}")).collect::<Vec<_>>().join("\n")
}

const FENCE: &str = "```rhai";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Function,
    Property,
    Index,
    Operator,
}

/// A signature, taken apart.
struct Signature<'s> {
    shape: Shape,
    /// The type that it belongs to.
    of: Option<&'s str>,
    name: &'s str,
    /// For Rhai's metadata: the receiver first.
    params: Vec<String>,
    gives: &'s str,
}

impl<'s> Signature<'s> {
    fn new(signature: &'s str) -> Self {
        let (call, gives) = signature.split_once(" -> ").unwrap_or((signature, "()"));
        if let [left, name, right] = call.split(' ').collect::<Vec<_>>().as_slice()
            && !name.contains(char::is_alphanumeric)
        {
            let params = vec![format!("left: {left}"), format!("right: {right}")];
            return Self { shape: Shape::Operator, of: None, name, params, gives };
        }
        if let Some((of, key)) = call.split_once('[') {
            let params = vec![format!("self: {of}"), key.trim_end_matches(']').to_owned()];
            return Self { shape: Shape::Index, of: Some(of), name: "[]", params, gives };
        }
        let (path, arguments) = call.split_once('(').map_or((call, None), |(p, a)| (p, Some(a.trim_end_matches(')'))));
        let (of, name) = path.split_once('.').map_or((None, path), |(of, name)| (Some(of), name));
        let own = of.map(|of| format!("self: {of}"));
        let given = arguments.unwrap_or("").split(", ").filter(|a| !a.is_empty()).map(str::to_owned);
        let params = own.into_iter().chain(given).collect();
        let shape = if arguments.is_some() { Shape::Function } else { Shape::Property };
        Self { shape, of, name, params, gives }
    }
}

/// Something that rules may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The type that it belongs to; `None` for free functions and operators.
    pub of: Option<String>,
    /// Its name as it is written in rules.
    pub name: String,
    /// How it is written, and what it gives.
    pub signature: String,
    /// What it does. Empty where nobody said so.
    pub docs: String,
    /// A whole rule file that shows it. Empty where there is none.
    pub example: String,
    /// Whether it is a property, read without parentheses.
    pub property: bool,
    /// Whether it is the type itself.
    pub is_type: bool,
}

/// Everything that gander registers for rules, by type and name.
pub fn entries() -> &'static [Entry] {
    static ENTRIES: OnceLock<Vec<Entry>> = OnceLock::new();
    ENTRIES.get_or_init(|| {
        let engine = super::engine::new(
            &super::Inputs::default(),
            (&Default::default(), &Default::default(), &Default::default()),
            super::engine::OPERATIONS,
        );
        read(&engine)
    })
}

/// What Rhai itself brings, by the type it belongs to: names only, for completion
/// and as a pointer to Rhai's book.
pub fn builtins() -> BTreeMap<String, Vec<String>> {
    let engine = super::engine::new(
        &super::Inputs::default(),
        (&Default::default(), &Default::default(), &Default::default()),
        super::engine::OPERATIONS,
    );
    let ours: BTreeSet<String> = metadata(&engine, false).functions.into_iter().map(|f| f.signature).collect();
    let mut names: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for function in metadata(&engine, true).functions {
        let word = function.name.strip_prefix("get$").unwrap_or(&function.name);
        let is_name = word.starts_with(|c: char| c.is_ascii_lowercase());
        let is_word = is_name && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if ours.contains(&function.signature) || !is_word || POINTLESS.contains(&word) {
            continue;
        }
        let of = function.params.first().and_then(|p| p.r#type.as_deref()).map_or("", rhai_type);
        names.entry(of.to_owned()).or_default().push(word.to_owned());
    }
    names.remove("");
    for names in names.values_mut() {
        names.sort();
        names.dedup();
    }
    names
}

/// What Rhai brings, and no rule has any use for.
const POINTLESS: [&str; 5] = ["sleep", "print", "debug", "to_debug", "get_fn_metadata_list"];

/// How people call a type of Rhai; empty where rules have little use for it.
fn rhai_type(name: &str) -> &'static str {
    match name.trim_start_matches("&mut ").trim_start_matches('&') {
        "Array" => "Array",
        "Map" => "Map",
        "String" | "ImmutableString" | "str" => "String",
        "i64" | "int" | "INT" => "Integer",
        "char" => "Character",
        _ => "",
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    #[serde(default)]
    custom_types: Vec<TypeMetadata>,
    #[serde(default)]
    functions: Vec<FunctionMetadata>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TypeMetadata {
    display_name: String,
    #[serde(default)]
    doc_comments: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FunctionMetadata {
    name: String,
    #[serde(default)]
    params: Vec<ParamMetadata>,
    num_params: usize,
    signature: String,
    #[serde(default)]
    doc_comments: Vec<String>,
}

#[derive(Deserialize)]
struct ParamMetadata {
    #[serde(default)]
    r#type: Option<String>,
}

fn metadata(engine: &Engine, packages: bool) -> Metadata {
    let json = engine.gen_fn_metadata_to_json(packages).unwrap_or_default();
    serde_json::from_str(&json).unwrap_or(Metadata { custom_types: Vec::new(), functions: Vec::new() })
}

fn read(engine: &Engine) -> Vec<Entry> {
    let all = metadata(engine, false);
    let mut entries: Vec<Entry> = all.functions.iter().map(function_entry).collect();
    let own = all.custom_types.iter().filter(|t| !t.doc_comments.is_empty());
    entries.extend(own.map(|t| {
        let (_, docs, example) = parts(&t.doc_comments);
        let name = t.display_name.clone();
        let signature = name.clone();
        Entry { of: Some(name.clone()), name, signature, docs, example, property: false, is_type: true }
    }));
    entries.extend(super::engine::CONSTANTS.iter().map(|(name, docs, example)| Entry {
        of: None,
        name: (*name).to_owned(),
        signature: (*name).to_owned(),
        docs: (*docs).to_owned(),
        example: whole(example),
        property: true,
        is_type: false,
    }));
    entries.sort_by(|a, b| {
        let key = |e: &Entry| (e.of.clone(), !e.is_type, e.name.clone(), e.signature.clone());
        key(a).cmp(&key(b))
    });
    // One entry for what takes several types of numbers.
    entries.dedup();
    entries
}

fn function_entry(function: &FunctionMetadata) -> Entry {
    let (signature, docs, example) = parts(&function.doc_comments);
    let signature = if signature.is_empty() { function.signature.clone() } else { signature };
    let parsed = Signature::new(&signature);
    // What the signature says must be what was registered.
    let says_less = parsed.params.len() != function.num_params;
    let docs = if says_less { String::new() } else { docs };
    Entry {
        of: parsed.of.map(str::to_owned),
        name: parsed.name.to_owned(),
        docs,
        example,
        property: parsed.shape == Shape::Property,
        is_type: false,
        signature: signature.clone(),
    }
}

/// Signature, documentation and example of a comment that [`comment`] made.
fn parts(comments: &[String]) -> (String, String, String) {
    let line = |l: &str| l.strip_prefix("/// ").or_else(|| l.strip_prefix("///")).unwrap_or(l).to_owned();
    let text = comments.join("\n").split('\n').map(line).collect::<Vec<_>>().join("\n");
    let Some((signature, rest)) = text.split_once('\n') else { return Default::default() };
    let Some((docs, example)) = rest.split_once(&format!("\n{FENCE}\n")) else { return Default::default() };
    (signature.to_owned(), docs.to_owned(), whole(example))
}

/// An example as the rule file that it is.
fn whole(example: &str) -> String {
    if example.trim().is_empty() {
        return String::new();
    }
    let text = if example.starts_with('.') {
        format!("rule(\"example\").lang(\"python\"){example};")
    } else {
        example.to_owned()
    };
    if text.contains('\n') { text } else { broken(&text) }
}

/// Breaks a chain of calls before each call at its top, but for the first one.
fn broken(chain: &str) -> String {
    let mut out = String::new();
    let (mut depth, mut calls) = (0_usize, 0);
    let mut quote: Option<&str> = None;
    let mut at = 0;
    while let Some(c) = chain[at..].chars().next() {
        let rest = &chain[at..];
        let mut step = c.len_utf8();
        match quote {
            Some(end) if rest.starts_with(end) => {
                step = end.len();
                quote = None;
            }
            Some(end) if c == '\\' && end == "\"" => step += rest[1..].chars().next().map_or(0, char::len_utf8),
            Some(_) => {}
            None if rest.starts_with("#\"") => {
                step = 2;
                quote = Some("\"#");
            }
            None => match c {
                '"' => quote = Some("\""),
                '`' => quote = Some("`"),
                '(' | '{' | '[' => depth += 1,
                ')' | '}' | ']' => depth = depth.saturating_sub(1),
                ';' if depth == 0 => calls = 0,
                '.' if depth == 0 => {
                    calls += 1;
                    if calls > 1 {
                        out.push_str("\n    ");
                    }
                }
                _ => {}
            },
        }
        if calls == 0 && depth == 0 && c == ' ' && out.ends_with(';') {
            out.push('\n');
        } else {
            out.push_str(&rest[..step]);
        }
        at += step;
    }
    out
}

/// The text of `docs/rules.md`.
pub fn markdown() -> String {
    let mut out = String::from(HEAD);
    let entries = entries();
    let group = |of: Option<&str>| entries.iter().filter(|e| e.of.as_deref() == of).collect::<Vec<_>>();
    let mut types: Vec<&str> = entries.iter().filter_map(|e| e.of.as_deref()).collect();
    types.sort_by_key(|t| (*t != "Rule", *t != "Match", *t != "Context", *t != "Node", *t));
    types.dedup();
    out += "\n## Functions\n";
    group(None).into_iter().for_each(|entry| section(&mut out, entry));
    for of in types {
        out += &format!("\n## {of}\n");
        for entry in group(Some(of)) {
            if entry.is_type {
                out += &format!("\n{}\n\n```rhai\n{}\n```\n", entry.docs, entry.example);
            } else {
                section(&mut out, entry);
            }
        }
    }
    out += TAIL;
    for (of, names) in builtins() {
        let names: Vec<String> = names.iter().map(|n| format!("`{n}`")).collect();
        out += &format!("* {of}: {}\n", names.join(", "));
    }
    out
}

fn section(out: &mut String, entry: &Entry) {
    *out += &format!("\n### `{}`\n\n{}\n\n```rhai\n{}\n```\n", entry.signature, entry.docs, entry.example);
}

const HEAD: &str = "\
# What rules may use

Made by `gander reference` from what gander registers: edit the comment beside the
function, not this file. Every example is a whole rule file, and the tests run it with
the parameter `flag = \"NEW_UI\"`, the mapping table `users`, in which `tables` has
`users_v1 = \"users_v2\"`, and the dataset `users`, of which rules alone say what becomes:
`a.users_v1` is `a.users_v2`, and `country_code` is `country`.
";

const TAIL: &str = "
## From Rhai

Rules are Rhai scripts, and have its language, its numbers, strings, arrays and maps.
These are the names; [Rhai's book](https://rhai.rs/book/language/) tells what they do.
What a `fn` is given is a copy, a map or an array, too: what it changes in one it has to give back.
There are no files, no clock and no `eval`, modules come from [one folder](modules.md) alone, and every
loop has a budget.

";

/// The inputs with which the examples run: those that the head of the reference names.
pub fn example_inputs() -> super::Inputs {
    let mut inputs = super::Inputs::default();
    inputs.parameters.insert("flag".to_owned(), "NEW_UI".into());
    let tables = toml::Table::from_iter([("users_v1".to_owned(), toml::Value::from("users_v2"))]);
    inputs.mappings.insert("users".to_owned(), toml::Table::from_iter([("tables".to_owned(), tables.into())]));
    inputs.datasets = super::datasets::example();
    inputs
}

/// A constant of every script: name, documentation, example.
pub(super) type Constant = (&'static str, &'static str, &'static str);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_registered_is_documented() {
        let missing: Vec<&str> = entries()
            .iter()
            .filter(|e| e.docs.is_empty() || e.example.is_empty())
            .map(|e| e.signature.as_str())
            .collect();
        assert!(
            missing.is_empty(),
            "register these through `Api`, with a signature that has every parameter, docs and an example: {missing:#?}"
        );
        assert!(entries().len() > 80);
    }

    #[test]
    fn an_undocumented_function_and_a_wrong_signature_are_seen() {
        let mut engine = Engine::new_raw();
        engine.register_fn("bare", |_: i64| 1_i64);
        Api::new(&mut engine).function("short() -> number", "Docs.", ".find(\"x\")", |_: i64| 1_i64);
        Api::new(&mut engine).function("good(x) -> number", "Docs.", ".find(\"x\")", |_: i64| 1_i64);
        let found = read(&engine);
        let docs = |name: &str| found.iter().find(|e| e.name == name).map(|e| e.docs.as_str());
        assert_eq!(docs("bare"), Some(""));
        assert_eq!(docs("short"), Some(""));
        assert_eq!(docs("good"), Some("Docs."));
    }

    #[test]
    fn rhai_s_own_names_are_known_and_apart() {
        let names = builtins();
        let has = |of: &str, name: &str| names.get(of).is_some_and(|n| n.iter().any(|n| n == name));
        for (of, name) in
            [("Array", "push"), ("Array", "filter"), ("Map", "keys"), ("String", "to_lower"), ("Integer", "abs")]
        {
            assert!(has(of, name), "{of} {name}: {names:?}");
        }
        assert!(!has("String", "rule") && !has("String", "mapping") && !has("Array", "any"));
    }

    #[test]
    fn the_reference_is_not_stale() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules.md");
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(written == markdown(), "docs/rules.md is stale: `cargo run -- reference > docs/rules.md`");
    }

    #[test]
    fn examples_are_broken_into_lines() {
        assert_eq!(
            whole(r#".find("a.b").when(|m| m.X.text == "(").replace("c")"#),
            "rule(\"example\").lang(\"python\")\n    .find(\"a.b\")\n    .when(|m| m.X.text == \"(\")\n    .replace(\"c\");"
        );
        let two = "rule(\"a\").lang(\"b\");\nrule(\"c\").lang(\"d\");";
        assert_eq!(whole(r#"rule("a").lang("b"); rule("c").lang("d");"#), two);
    }
}
