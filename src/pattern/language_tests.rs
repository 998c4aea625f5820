//! Every folder under `grammars/` brings patterns with code and the bindings that
//! are expected, and its own code must read without an error.

use std::path::Path;

use serde::Deserialize;

use super::tests::check_in;
use crate::language::by_name;
use crate::tree::parse;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    case: Vec<Case>,
}

/// One pattern, and what it finds in some code.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    pattern: String,
    /// The context to ask for; without it the pattern must read in one way only.
    context: Option<String>,
    code: String,
    /// For each match its bindings, or its text where it has none.
    finds: Vec<String>,
    /// Code that the grammar itself reads with an error, in spite of being right.
    #[serde(default)]
    misread: bool,
}

#[test]
fn patterns_of_every_language_match_what_they_should() {
    let mut wrong = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("grammars");
    let mut folders: Vec<_> = std::fs::read_dir(root).unwrap().map(|e| e.unwrap().path()).collect();
    // A crate among them is a grammar itself, not what gander knows of a language.
    folders.retain(|folder| !folder.join("Cargo.toml").exists());
    folders.sort();
    for folder in folders {
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(folder.join("patterns.toml"));
        let text = text.unwrap_or_else(|_| panic!("grammars/{name} has no patterns.toml"));
        let cases: Cases = toml::from_str(&text).unwrap_or_else(|e| panic!("grammars/{name}/patterns.toml: {e}"));
        assert!(cases.case.len() >= 4, "grammars/{name}/patterns.toml holds hardly anything");
        let language = by_name(&name).unwrap();
        for case in cases.case {
            if !case.misread && parse(language, case.code.as_str()).unwrap().errors().next().is_some() {
                wrong.push(format!("{name}: does not read without an error: {}", case.code));
            }
            let found = check_in(&name, &case.pattern, case.context.as_deref(), &case.code);
            let found = found.unwrap_or_else(|e| vec![format!("error: {e}")]);
            if found != case.finds {
                wrong.push(format!(
                    "{name}: `{}` in `{}`\n  finds {found:?}\n  not   {:?}",
                    case.pattern, case.code, case.finds
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
