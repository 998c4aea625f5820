//! Every language that has a `symbols.scm` brings code, and what a symbol finds in it.

use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;

use super::{Certainty, Declarations, Library, Symbols, languages, normal};
use crate::language::by_name;
use crate::tree::{Node, parse};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    case: Vec<Case>,
}

/// Code, and what is asked of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    code: String,
    /// A path.
    symbol: Option<String>,
    /// A member, as `a.Type#m`.
    member: Option<String>,
    /// A type.
    typed: Option<String>,
    /// A name, as `line:text` of one place: what else refers to the same?
    uses: Option<String>,
    /// Declarations beside the code.
    library: Option<String>,
    /// Expressions and their types: `line:text = type`.
    #[serde(default)]
    types: Vec<String>,
    /// Places that are it for certain, as `line:text`.
    #[serde(default)]
    yes: Vec<String>,
    /// Places of which the file alone can't tell.
    #[serde(default)]
    unknown: Vec<String>,
    /// Values of which it can't tell the type, among others.
    #[serde(default)]
    untold: Vec<String>,
}

fn place(node: Node<'_>) -> String {
    format!("{}:{}", node.line_column().0, node.text())
}

fn check(language: &str, case: &Case) -> (Vec<String>, Vec<String>) {
    let tree = parse(by_name(language).unwrap(), case.code.as_str()).unwrap();
    assert!(tree.errors().next().is_none(), "{language}: does not read without an error: {}", case.code);
    if let Some(text) = &case.library {
        let name = "library".to_owned();
        let all = [Declarations { name, language: language.to_owned(), text: text.clone() }];
        let library = Arc::new(Library::new(by_name(language).unwrap(), &all).unwrap());
        Library::put_beside(Some(&library), &tree);
    }
    let symbols = Symbols::of(&tree);
    for wanted in &case.types {
        let (at, is) = wanted.rsplit_once(" = ").unwrap();
        let node = tree.iter().find(|n| n.is_named() && place(*n) == at);
        let node = node.unwrap_or_else(|| panic!("{language}: no {at:?} in {}", case.code));
        let found = symbols.type_of(node).map_or("unknown".to_owned(), |t| t.to_string());
        assert_eq!(found, is, "{language}: {at} in {}", case.code);
    }
    if !case.types.is_empty() && case.symbol.is_none() && case.typed.is_none() && case.uses.is_none() {
        return (case.yes.clone(), case.unknown.clone());
    }
    let (mut yes, mut unknown) = (Vec::new(), Vec::new());
    if let Some(wanted) = &case.uses {
        let node = tree.iter().find(|n| n.is_leaf() && place(*n) == *wanted).unwrap();
        let uses = symbols.uses(node);
        unknown.extend(uses.open.then(|| "open".to_owned()));
        return (uses.certain.into_iter().map(place).collect(), unknown);
    }
    if let Some((owner, member)) = case.member.as_ref().and_then(|member| member.split_once('#')) {
        for (object, name) in tree.iter().filter(|n| n.text() == member).filter_map(|n| symbols.member_at(n)) {
            match symbols.has_members_of(object, owner) {
                Certainty::Yes => yes.push(place(name)),
                Certainty::Unknown => unknown.push(place(name)),
                Certainty::No => {}
            }
        }
        return (yes, unknown);
    }
    let path: Vec<String> = case.symbol.iter().chain(&case.typed).map(|p| normal(p)).collect();
    let sought = |found: &str| path.iter().any(|p| p == found);
    let defined = |n: Node<'_>| symbols.definitions_of(n).iter().any(|d| d.node == n.id);
    let listed = |n: Node<'_>| case.yes.contains(&place(n)) && n.named_children().all(|c| place(c) != place(n));
    for wanted in &case.untold {
        let node = tree.iter().filter(|n| !symbols.is_definition(*n) && place(*n) == *wanted).last();
        let answer = symbols.has_type(node.unwrap(), &sought, &path);
        assert_eq!(answer, Certainty::Unknown, "{language}: {wanted} in {}", case.code);
    }
    for node in tree.iter().filter(|n| n.is_named() && !symbols.in_import(*n)) {
        let answer = match case.symbol {
            Some(_) if symbols.is_part(node, false) => continue,
            Some(_) if symbols.is_said(node, &sought, &path) => Certainty::Unknown,
            Some(_) => symbols.is_named(node, &sought, &path),
            None if defined(node) || !node.is_leaf() && !listed(node) => continue,
            None => symbols.has_type(node, &sought, &path),
        };
        match answer {
            Certainty::Yes => yes.push(place(node)),
            Certainty::Unknown if case.symbol.is_some() => unknown.push(place(node)),
            _ => {}
        }
    }
    (yes, unknown)
}

#[test]
fn names_refer_to_what_they_should() {
    let mut wrong = Vec::new();
    for language in languages() {
        let folder = super::queries::folder(language).unwrap();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("grammars/{folder}/symbols.toml"));
        let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("grammars/{folder}/symbols.toml: {e}"));
        let cases: Cases = toml::from_str(&text).unwrap_or_else(|e| panic!("grammars/{folder}/symbols.toml: {e}"));
        assert!(cases.case.len() >= 4, "grammars/{folder}/symbols.toml holds hardly anything");
        for case in &cases.case {
            let found = check(language, case);
            if found != (case.yes.clone(), case.unknown.clone()) {
                let asked =
                    [&case.symbol, &case.member, &case.typed, &case.uses].into_iter().find_map(Option::as_ref).unwrap();
                wrong.push(format!(
                    "{language}: {asked} in\n{}\n  finds {found:?}\n  not   {:?}",
                    case.code,
                    (&case.yes, &case.unknown)
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
