//! Every language that writes imports brings rules, and what they make of code.

use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;

use super::super::{FindingKind, file};
use crate::language::by_name;
use crate::script::{Inputs, Source, load};
use crate::symbol::languages;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    rules: String,
    before: String,
    after: String,
    /// What is said where the file is refused.
    #[serde(default)]
    refused: String,
}

#[test]
fn imports_follow_the_code_in_every_language() {
    let mut wrong = Vec::new();
    for language in languages() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("grammars/{language}/imports.toml"));
        let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("grammars/{language}/imports.toml: {e}"));
        let cases: Cases = toml::from_str(&text).unwrap_or_else(|e| panic!("grammars/{language}/imports.toml: {e}"));
        assert!(cases.case.len() >= 3, "grammars/{language}/imports.toml holds hardly anything");
        let extension = &by_name(language).unwrap().facts.extensions[0];
        for Case { rules, before, after, refused: says } in cases.case {
            let source = Source { name: "imports.rhai".to_owned(), text: rules.clone(), ..Source::default() };
            let set = load(&[source], &Inputs::default()).unwrap_or_else(|e| panic!("{language}: {rules}\n{e}"));
            let report = file(&set, &Arc::default(), &format!("a.{extension}"), before.as_bytes());
            let refused = report.findings.iter().filter(|f| f.kind != FindingKind::Mapped);
            let refused: Vec<&str> = refused.map(|f| f.message.as_str()).collect();
            let made = report.change.map_or(before.clone(), |c| String::from_utf8(c.bytes).unwrap());
            let said = says.is_empty() || refused.iter().any(|message| message.contains(&says));
            if made != after || !said {
                wrong.push(format!("{language}: {rules}\n{before}--- gave\n{made}--- and not\n{after}{refused:?}\n"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn imports_that_a_second_run_would_change_are_no_fixed_point() {
    let rules = "rule(\"one\").lang(\"javascript\").find(\"f($X)\").replace(\"g()\");\n\
                 rule(\"two\").lang(\"javascript\").find(imported(\"m.a\")).when(|m| m.node.uses().len == 1)\n\
                     .edit(|m, cx| edits([replace_import(\"m.a\", \"n.a\")]));";
    let said = super::check(rules, "a.js", "import { a } from 'm';\nf(a);\n");
    assert!(said.starts_with("=\nRefused") && said.contains("change the imports again"), "{said}");
    assert_eq!(super::check(rules, "a.js", "import { a } from 'm';\nf(1);\n"), "import { a } from 'n';\ng();\n");
    let pairs =
        "rule(\"p\").lang(\"javascript\").find(pair(\"old: $X\")).edit(|m, cx| edits([delete_element(m.node)]));";
    let rows = [
        ("function h() { return { a: 1, old: 2 }; }\n", "function h() { return { a: 1 }; }\n"),
        ("const h = () => ({ old: 1, b: 2 });\n", "const h = () => ({ b: 2 });\n"),
    ];
    for (code, wanted) in rows {
        assert_eq!(super::check(pairs, "a.js", code), wanted);
    }
}
