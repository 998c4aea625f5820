//! Every rule that lies in this repository does what its examples say: run
//! together with the other rules of its file or migration, as a user runs it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use gander::config;
use gander::pipeline::load_rules;
use gander::rule::{Rule, RuleSet};
use gander::script::{self, Inputs};
use gander::transform::{FindingKind, file};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files below `folder` with this name or ending, sorted.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let walk = walkdir::WalkDir::new(folder).sort_by_file_name();
    let entries = walk.into_iter().map(|e| e.unwrap_or_else(|e| panic!("{e}")).into_path());
    entries.filter(|p| p.to_string_lossy().ends_with(ending)).collect()
}

/// A file name that makes gander read an example in the rule's (first) language.
fn file_name(rule: &Rule) -> String {
    let variant = rule.variants.first().unwrap_or_else(|| panic!("{}: no language", rule.id));
    let language = variant.hosts.first().map_or(variant.language, |h| h.language);
    format!("example.{}", language.facts.extensions.first().unwrap_or_else(|| panic!("{}: no extension", rule.id)))
}

/// What is wrong with the examples of these rules.
fn wrong(rules: &RuleSet) -> Vec<String> {
    let mut wrong = Vec::new();
    for rule in &rules.rules {
        for example in &rule.examples {
            let report = file(rules, &Arc::default(), &file_name(rule), example.before.as_bytes());
            let failed = report.findings.iter().find(|f| matches!(f.kind, FindingKind::Errored | FindingKind::Refused));
            let after = report.change.map_or_else(
                || example.before.clone(),
                |c| String::from_utf8(c.bytes).unwrap_or_else(|e| panic!("{}: {e}", rule.id)),
            );
            let said = failed.map_or_else(String::new, |f| format!(" ({})", f.message));
            if after != example.after || failed.is_some() {
                let (before, wanted) = (&example.before, &example.after);
                wrong.push(format!(
                    "{} {}{said}\n--- of\n{before}\n--- came\n{after}\n--- not\n{wanted}",
                    rule.place, rule.id
                ));
            }
        }
    }
    wrong
}

#[test]
fn rules_do_what_their_examples_say() {
    let found = files(&root().join("rules"), ".rhai");
    assert!(!found.is_empty());
    for path in found {
        let sources = script::read(std::slice::from_ref(&path)).unwrap_or_else(|e| panic!("{e}"));
        let rules = script::load(&sources, &Inputs::default()).unwrap_or_else(|e| panic!("{e}"));
        assert!(rules.rules.iter().all(|r| r.title.is_some()), "{}: every rule has a title", path.display());
        assert!(rules.rules.iter().any(|r| !r.examples.is_empty()), "{}: no rule has an example", path.display());
        let wrong = wrong(&rules);
        assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    }
}

#[test]
fn rules_of_the_fleets_do_what_their_examples_say() {
    let found = files(&root().join("fixtures/fleets"), "migration.toml");
    assert!(!found.is_empty());
    let mut examples = 0;
    for path in found {
        let migration = config::load(&path).unwrap_or_else(|e| panic!("{e}"));
        let (rules, _) = load_rules(&migration).unwrap_or_else(|e| panic!("{e}"));
        examples += rules.rules.iter().map(|r| r.examples.len()).sum::<usize>();
        let wrong = wrong(&rules);
        assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    }
    assert!(examples > 0);
}

/// Below the version that a place needs, only what Python never evaluates goes.
#[test]
fn an_older_python_keeps_what_it_evaluates() {
    let path = root().join("rules/python/typing.rhai");
    let sources = script::read(&[path]).unwrap_or_else(|e| panic!("{e}"));
    let after = |python: &str, before: &str| {
        let mut inputs = Inputs::default();
        inputs.parameters.insert("python".to_owned(), python.into());
        let rules = script::load(&sources, &inputs).unwrap_or_else(|e| panic!("{e}"));
        let report = file(&rules, &Arc::default(), "a.py", before.as_bytes());
        report.change.map_or_else(|| before.to_owned(), |c| String::from_utf8_lossy(&c.bytes).into_owned())
    };
    let code = "from typing import List, Optional\na: List[int]\nb: Optional[int]\n";
    assert_eq!(after("3.8", code), code);
    assert_eq!(after("3.9", code), "from typing import Optional\na: list[int]\nb: Optional[int]\n");
    assert_eq!(after("3.10", code), "a: list[int]\nb: int | None\n");
    let lazy = "from __future__ import annotations\n";
    assert_eq!(
        after("3.7", &format!("{lazy}{code}A = List[int]\n")),
        format!("{lazy}from typing import List\na: list[int]\nb: int | None\nA = List[int]\n")
    );
    let local = "from typing import Optional\ndef f():\n    a: Optional[Any] = 1\n";
    assert_eq!(after("3.8", local), "def f():\n    a: Any | None = 1\n");
    let forward = "from typing import List\na: List[\"A\"]\n";
    assert_eq!(after("3.10", forward), forward);
    assert_eq!(after("3.11", forward), "a: list[\"A\"]\n");
}
