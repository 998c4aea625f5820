//! What may come next in a rule: API names, kinds and fields of the rule's language,
//! its metavariables.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use regex::Regex;

use crate::language::{self, Language};
use crate::script::{Entry, builtins, entries};

/// Something that may come next.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    /// What is written.
    pub word: String,
    /// What it is.
    pub kind: Kind,
    /// Signature or language, for people.
    pub detail: String,
    /// Documentation, as Markdown; empty where there is none.
    pub docs: String,
}

/// What a candidate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A hole of the rule's pattern.
    Metavariable,
    /// A function or method.
    Function,
    /// A property or constant.
    Property,
    /// A node kind.
    NodeKind,
    /// A field of a node.
    Field,
    /// A language.
    Language,
    /// A method of Rhai's own types.
    Builtin,
}

/// What may stand at `offset` of a rule file, and where the word begins that it
/// would replace.
pub fn complete(text: &str, offset: usize) -> (usize, Vec<Candidate>) {
    let before = &text[..offset.min(text.len())];
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let start = before.len() - before.chars().rev().take_while(|c| is_word(*c)).map(char::len_utf8).sum::<usize>();
    let head = &before[..start];
    let rule = rule_at(text, offset);
    let mut found = if let Some(call) = open_call(head) {
        in_text(&call, head, &rule)
    } else if head.ends_with('$') {
        metavariables(&rule)
    } else if let Some(receiver) = head.strip_suffix('.') {
        members(receiver, &rule)
    } else {
        entries().iter().filter(|e| e.of.is_none() && is_name(&e.name)).map(candidate).collect()
    };
    let word = &before[start..];
    found.retain(|c| c.word.starts_with(word));
    found.sort();
    found.dedup();
    (start, found)
}

/// Kinds and fields of a language, and API names: what the prompt completes.
pub fn words(language: &Language) -> Vec<Candidate> {
    let mut all: Vec<Candidate> = entries().iter().filter(|e| is_name(&e.name)).map(candidate).collect();
    all.extend(kinds(language));
    all.extend(fields(language));
    all.sort();
    all.dedup_by(|a, b| a.word == b.word);
    all
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
}

/// The text of the rule around a place: from its `rule(` to the next one.
pub(super) fn rule_at(text: &str, offset: usize) -> String {
    let starts: Vec<usize> = text.match_indices("rule(").map(|(at, _)| at).collect();
    let from = starts.iter().copied().rfind(|at| *at <= offset).unwrap_or(0);
    let to = starts.iter().copied().find(|at| *at > offset).unwrap_or(text.len());
    text[from..to].to_owned()
}

fn regex(pattern: &'static str, cell: &'static OnceLock<Option<Regex>>) -> Option<&'static Regex> {
    cell.get_or_init(|| Regex::new(pattern).ok()).as_ref()
}

/// The languages that a rule names.
pub(super) fn languages(rule: &str) -> Vec<&'static Language> {
    static CALL: OnceLock<Option<Regex>> = OnceLock::new();
    static NAME: OnceLock<Option<Regex>> = OnceLock::new();
    let Some(names) = regex(r"\.lang\(([^)]*)\)", &CALL).and_then(|r| r.captures(rule)).map(|c| c[1].to_owned()) else {
        return Vec::new();
    };
    let Some(name) = regex(r#""([^"]+)""#, &NAME) else { return Vec::new() };
    name.captures_iter(&names).filter_map(|c| language::by_name(&c[1])).collect()
}

/// The holes that a rule names.
pub(super) fn holes(rule: &str) -> BTreeSet<(String, bool)> {
    static HOLE: OnceLock<Option<Regex>> = OnceLock::new();
    let Some(hole) = regex(r"(\$\$\$|\$)([A-Z][A-Z0-9_]*)", &HOLE) else { return BTreeSet::new() };
    hole.captures_iter(rule).map(|c| (c[2].to_owned(), &c[1] == "$$$")).collect()
}

fn metavariables(rule: &str) -> Vec<Candidate> {
    let one = |(word, many): (String, bool)| {
        let detail = if many { format!("$$${word}: any number of nodes") } else { format!("${word}: one node") };
        Candidate { word, kind: Kind::Metavariable, detail, docs: String::new() }
    };
    holes(rule).into_iter().map(one).collect()
}

/// The function in whose text argument the place is: `kind` in `kind("`.
fn open_call(head: &str) -> Option<String> {
    static CALL: OnceLock<Option<Regex>> = OnceLock::new();
    let line = head.rsplit('\n').next().unwrap_or("");
    let call = regex(r#"(\w+)\((?:[^()"]*|\[[^\]]*)"[^"]*$"#, &CALL)?;
    if line.matches('"').count().is_multiple_of(2) {
        return None;
    }
    call.captures(line).map(|c| c[1].to_owned()).or(Some(String::new()))
}

fn in_text(call: &str, head: &str, rule: &str) -> Vec<Candidate> {
    match call {
        "kind" | "enclosing" => languages(rule).into_iter().flat_map(kinds).collect(),
        "field" => languages(rule).into_iter().flat_map(fields).collect(),
        "lang" | "in_host" => {
            let one = |l: &Language| Candidate {
                word: l.facts.name.clone(),
                kind: Kind::Language,
                detail: l.version.to_owned(),
                docs: String::new(),
            };
            language::all().iter().map(one).collect()
        }
        _ if head.ends_with('$') => metavariables(rule),
        _ => Vec::new(),
    }
}

fn members(receiver: &str, rule: &str) -> Vec<Candidate> {
    let name: String = receiver.chars().rev().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    let of = |types: &[&str]| -> Vec<Candidate> {
        let ours = entries().iter().filter(|e| !e.is_type && e.of.as_deref().is_some_and(|of| types.contains(&of)));
        ours.filter(|e| is_name(&e.name)).map(candidate).collect()
    };
    match name.as_str() {
        "m" => [metavariables(rule), of(&["Match"])].concat(),
        "xc" => of(&["Context"]),
        _ if receiver.trim_end().ends_with(')') && top_level(receiver) => of(&["Rule"]),
        _ => {
            let mut all = of(&["Node", "NodeList"]);
            for (of, names) in builtins() {
                all.extend(names.into_iter().map(|word| Candidate {
                    word,
                    kind: Kind::Builtin,
                    detail: format!("Rhai, {of}"),
                    docs: String::new(),
                }));
            }
            all
        }
    }
}

/// Whether all parentheses are closed since the rule began: the place continues its chain.
fn top_level(receiver: &str) -> bool {
    let from = receiver.rfind("rule(").unwrap_or(0);
    let (mut depth, mut text) = (0_i32, false);
    for c in receiver[from..].chars() {
        match c {
            '"' => text = !text,
            '(' | '{' | '[' if !text => depth += 1,
            ')' | '}' | ']' if !text => depth -= 1,
            _ => {}
        }
    }
    depth == 0
}

fn candidate(entry: &Entry) -> Candidate {
    Candidate {
        word: entry.name.clone(),
        kind: if entry.property || entry.is_type { Kind::Property } else { Kind::Function },
        detail: entry.signature.clone(),
        docs: documentation(entry),
    }
}

/// What hover and completion say of an entry.
pub(super) fn documentation(entry: &Entry) -> String {
    format!("{}\n\n```rhai\n{}\n```", entry.docs, entry.example)
}

fn kinds(language: &Language) -> Vec<Candidate> {
    let grammar = &language.grammar;
    let ids = 0..grammar.node_kind_count() as u16;
    let named = ids.filter(|id| grammar.node_kind_is_named(*id) && grammar.node_kind_is_visible(*id));
    let one = |word: &str| Candidate {
        word: word.to_owned(),
        kind: Kind::NodeKind,
        detail: format!("kind in {}", language.facts.name),
        docs: String::new(),
    };
    named.filter_map(|id| grammar.node_kind_for_id(id)).filter(|k| is_name(k)).map(one).collect()
}

fn fields(language: &Language) -> Vec<Candidate> {
    let ids = 1..=language.grammar.field_count() as u16;
    let one = |word: &str| Candidate {
        word: word.to_owned(),
        kind: Kind::Field,
        detail: format!("field in {}", language.facts.name),
        docs: String::new(),
    };
    ids.filter_map(|id| language.grammar.field_name_for_id(id)).map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words that may stand at `|`.
    fn at(text: &str) -> Vec<String> {
        let offset = text.find('|').unwrap();
        let text = text.replacen('|', "", 1);
        complete(&text, offset).1.into_iter().map(|c| c.word).collect()
    }

    #[test]
    fn what_fits_is_offered_and_nothing_else() {
        assert_eq!(at("rule(\"a\").lang(\"python\").fi|"), ["file_has", "find"]);
        assert_eq!(at("rule(\"a\").lang(\"pyth|"), ["python"]);
        assert!(at("rule(\"a\").lang(\"python\").find(kind(\"call|").contains(&"call".to_owned()));
        assert!(
            at("rule(\"a\").lang(\"java\").find(kind([\"x\", \"method_inv|").contains(&"method_invocation".to_owned())
        );
        assert_eq!(at("rule(\"a\").lang(\"python\").find(\"f($ARG, $$$REST)\").replace(\"g($|"), ["ARG", "REST"]);
        assert_eq!(at("rule(\"a\").lang(\"python\").find(\"f($ARG)\").when({ m.AR|"), ["ARG"]);
        assert!(at("rule(\"a\").lang(\"python\").find(\"f($A)\").when({ m.A.te|").contains(&"text".to_owned()));
        assert_eq!(at("rule(\"a\").lang(\"python\").find(\"f($A)\").when({ m.A.field(\"functio|"), ["function"]);
        assert_eq!(at("rule(\"a\").when({ cx.fac|"), ["facts"]);
        assert_eq!(at("lit_l|"), ["lit_like"]);
        // The holes of another rule are none of this one's.
        assert_eq!(at("rule(\"a\").find(\"f($A)\");\nrule(\"b\").find(\"f($B)\").replace(\"$|"), ["B"]);
        assert_eq!(at("rule(\"a\").lang(\"python\").find(\"hello |"), Vec::<String>::new());
    }
}
