//! Changes that make tests hold more easily: a test deleted or skipped, an assertion
//! deleted or loosened, a failure passed over. And files that a rule has no business
//! in. What a language's idioms are says its `tests.scm`.
//!
//! Must not: judge whether that was meant. It is for a person to see.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{LazyLock, Mutex};

use regex::Regex;
use tree_sitter::{Query, QueryCursor, StreamingIterator as _};

use super::Subject;
use super::verdict::{Evidence, Flag, FlagKind, Strength};
use crate::language::{FileLanguages, Language};
use crate::rule::Paths;
use crate::transform::{FileOutcome, FilePlan};
use crate::tree;
use crate::workspace::{Content, FileVersion};

/// Ways to pass over a failure outside of test code: in scripts, workflows and build
/// files.
static PASSED_OVER: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    [
        (r"\|\|\s*(?:true|:|exit 0)(?:\s|$|;)", "a failure is passed over"),
        (r"^\s*set \+e\b", "failures are passed over"),
        (r"\bcontinue-on-error:\s*true\b|\ballow_failure:\s*true\b", "a failure is passed over"),
        (r"-DskipTests\b|-Dmaven\.test\.skip\b|<skipTests>\s*true|\bskipTests\s*=\s*true", "tests are skipped"),
        (r"--passWithNoTests\b", "a run without tests passes"),
        (r"-Dmaven\.test\.failure\.ignore\b|\bignoreFailures\s*=\s*true", "failing tests are passed over"),
        (r#"\s--(?:ignore|deselect|exclude)(?:=|\s)|\s-k\s+["']?not\b|\s--skip(?:=|\s)"#, "tests are left out"),
    ]
    .iter()
    .filter_map(|(pattern, what)| Some((Regex::new(pattern).ok()?, *what)))
    .collect()
});

/// What a file's tests look like.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tests {
    names: BTreeMap<String, usize>,
    /// Captures of `skip`, `assert`, `strict` and `lax`.
    counts: BTreeMap<&'static str, usize>,
}

const COUNTED: [&str; 4] = ["skip", "assert", "strict", "lax"];

/// What a rule declares to be its business.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// The languages of its files.
    pub languages: BTreeSet<String>,
    /// Their paths.
    pub paths: Paths,
    /// Whether it sets versions in the files of builds, wherever these lie.
    pub builds: bool,
}

/// The scope of each rule, by its id.
pub type Declared = BTreeMap<String, Scope>;

/// Every way in which `changes` weakens what tests the consumer, ordered.
pub fn flags(changes: &[FileVersion], languages: &FileLanguages) -> Vec<Flag> {
    let mut flags = BTreeSet::new();
    for change in changes {
        // What a move takes away it puts elsewhere.
        let moved = |other: &&FileVersion| other.renamed_from.as_deref() == Some(change.path.as_str());
        if change.after.is_none() && changes.iter().any(|other| moved(&other)) {
            continue;
        }
        let from = change.renamed_from.as_deref();
        let before = match from {
            Some(from) => changes.iter().find(|other| other.path == from).and_then(|other| other.before.as_ref()),
            None => change.before.as_ref(),
        };
        if let Some(before) = before {
            let old_path = from.unwrap_or(&change.path);
            let old = tests(old_path, before, languages);
            let new = change.after.as_ref().map_or_else(Tests::default, |after| tests(&change.path, after, languages));
            weakened(&change.path, &old, &new, &mut flags);
            if let Some(from) = from.filter(|from| out_of_sight(from, &change.path, before, languages)) {
                let message =
                    format!("its tests lay in {from}, where test runners look, and lie where they look no more");
                flags.insert(Flag { kind: FlagKind::TestDeleted, path: change.path.clone(), message });
            }
        }
        passed_over(&change.path, before, change.after.as_ref(), &mut flags);
    }
    flags.into_iter().collect()
}

/// Whether a file with tests moves to a path where runners don't look for any.
fn out_of_sight(from: &str, to: &str, before: &Content, languages: &FileLanguages) -> bool {
    is_looked_at(from) && !is_looked_at(to) && !tests(from, before, languages).names.is_empty()
}

/// Whether runners look for tests in a file of this path, as long as nobody told them
/// otherwise: the defaults of pytest, `go test`, Cargo, Jest, Surefire and the like.
fn is_looked_at(path: &str) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
    let below = |what: &str| folder.split('/').any(|part| part == what);
    match ending {
        "py" => stem.starts_with("test_") || stem.ends_with("_test"),
        "go" => stem.ends_with("_test"),
        // An integration test, or tests in the code itself.
        "rs" => !below("tests") || folder.ends_with("tests"),
        "js" | "jsx" | "ts" | "tsx" | "mjs" | "cjs" | "mts" | "cts" => {
            stem.ends_with(".test") || stem.ends_with(".spec") || below("__tests__")
        }
        "java" | "kt" | "scala" => {
            let stems = ["Test", "Tests", "TestCase", "IT", "Spec"];
            stem.starts_with("Test") || stems.iter().any(|end| stem.ends_with(end))
        }
        "rb" => stem.starts_with("test_") || stem.ends_with("_test") || stem.ends_with("_spec"),
        "sql" => below("tests"),
        _ => false,
    }
}

/// Evidence of a pass, weaker where the change itself rewrites tests or their data: whoever
/// maps a name wrongly maps it wrongly in both.
pub fn rewritten(subject: &Subject<'_>, evidence: Option<Evidence>) -> Option<Evidence> {
    let changed = subject.changes.iter().filter(|change| change.before != change.after);
    let rewritten: Vec<String> = changed.map(|change| change.path.clone()).filter(|path| is_of_tests(path)).collect();
    if rewritten.is_empty() {
        return evidence;
    }
    let rules = evidence.map(|evidence| evidence.rules).unwrap_or_default();
    Some(Evidence { strength: Strength::Weak, rules, rewritten })
}

/// Whether a file is a test or what tests read, by where it lies.
fn is_of_tests(path: &str) -> bool {
    const FOLDERS: [&str; 12] = [
        "test",
        "tests",
        "__tests__",
        "spec",
        "testdata",
        "test_data",
        "fixtures",
        "__fixtures__",
        "seeds",
        "samples",
        "golden",
        "expected",
    ];
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    folder.split('/').any(|part| FOLDERS.contains(&part)) || (!name.ends_with(".rs") && is_looked_at(path))
}

fn weakened(path: &str, old: &Tests, new: &Tests, flags: &mut BTreeSet<Flag>) {
    let mut flag = |kind, message: String| {
        flags.insert(Flag { kind, path: path.to_owned(), message });
    };
    for (name, count) in &old.names {
        if new.names.get(name).is_none_or(|now| now < count) {
            flag(FlagKind::TestDeleted, format!("the test {name} is gone"));
        }
    }
    let of = |tests: &Tests, what: &str| tests.counts.get(what).copied().unwrap_or(0);
    let (skips, skips_now) = (of(old, "skip"), of(new, "skip"));
    if skips_now > skips {
        flag(FlagKind::TestSkipped, format!("{} more ways to skip a test than before", skips_now - skips));
    }
    let (asserts, asserts_now) = (of(old, "assert"), of(new, "assert"));
    if asserts_now < asserts {
        flag(FlagKind::AssertionDeleted, format!("{} assertions fewer than before", asserts - asserts_now));
    }
    let (strict, strict_now) = (of(old, "strict"), of(new, "strict"));
    if strict_now < strict && asserts_now >= asserts {
        flag(FlagKind::Loosened, format!("{} fewer assertions compare with a value", strict - strict_now));
    }
    let (lax, lax_now) = (of(old, "lax"), of(new, "lax"));
    if lax_now > lax {
        flag(FlagKind::Loosened, format!("{} more places let a failure or a difference pass", lax_now - lax));
    }
}

fn tests(path: &str, content: &Content, languages: &FileLanguages) -> Tests {
    let text = std::str::from_utf8(&content.bytes).ok();
    languages.of(path).zip(text).and_then(|(language, text)| tests_of(language, text)).unwrap_or_default()
}

/// Compiling takes longer than most files take to read: once for each language.
fn query(language: &'static Language) -> Option<&'static Query> {
    static QUERIES: LazyLock<Mutex<BTreeMap<&'static str, Option<&'static Query>>>> = LazyLock::new(Mutex::default);
    let mut queries = QUERIES.lock().ok()?;
    let compile = || Query::new(&language.grammar, language.tests).ok().map(|query| &*Box::leak(Box::new(query)));
    *queries.entry(&language.facts.name).or_insert_with(compile)
}

fn tests_of(language: &'static Language, text: &str) -> Option<Tests> {
    let query = query(language)?;
    let tree = tree::parse(language, text).ok()?;
    let mut cursor = QueryCursor::new();
    let mut matches = cursor.matches(query, tree.inner().root_node(), text.as_bytes());
    let mut seen = BTreeSet::new();
    let mut tests = Tests::default();
    while let Some(found) = matches.next() {
        for capture in found.captures() {
            let what = query.capture_names()[capture.index as usize];
            let range = capture.node.byte_range();
            if !seen.insert((what, range.start, range.end)) {
                continue;
            }
            if what == "test" {
                let name = text.get(range)?.trim_matches(['"', '\'', '`']).to_owned();
                *tests.names.entry(name).or_default() += 1;
            } else if let Some(counted) = COUNTED.iter().find(|counted| **counted == what) {
                *tests.counts.entry(counted).or_default() += 1;
            }
        }
    }
    Some(tests)
}

fn passed_over(path: &str, before: Option<&Content>, after: Option<&Content>, flags: &mut BTreeSet<Flag>) {
    let text = |content: Option<&Content>| {
        content.map(|content| String::from_utf8_lossy(&content.bytes).into_owned()).unwrap_or_default()
    };
    let (old, new) = (text(before), text(after));
    for (pattern, what) in PASSED_OVER.iter() {
        let count = |text: &str| text.lines().filter(|line| pattern.is_match(line)).count();
        if count(&new) > count(&old) {
            flags.insert(Flag { kind: FlagKind::Loosened, path: path.to_owned(), message: (*what).to_owned() });
        }
    }
}

/// The files that a rule touches and that are of none of the languages it declares, or
/// lie beside its paths.
/// A rule that is not in `declared` declares nothing.
pub fn outside(files: &[FilePlan], declared: &Declared, languages: &FileLanguages) -> Vec<Flag> {
    let mut flags = BTreeSet::new();
    for file in files {
        let rules: BTreeSet<&str> = match &file.outcome {
            FileOutcome::Edit { edits, .. } => edits.iter().map(|edit| edit.rule.as_str()).collect(),
            FileOutcome::Rename { edits, rule, .. } => {
                edits.iter().map(|edit| edit.rule.as_str()).chain([rule.as_str()]).collect()
            }
            FileOutcome::Create { rule, .. }
            | FileOutcome::Delete { rule }
            | FileOutcome::SetExecutable { rule, .. } => BTreeSet::from([rule.as_str()]),
        };
        let mut paths = vec![file.path.as_str()];
        if let FileOutcome::Rename { to, .. } = &file.outcome {
            paths.push(to);
        }
        for (rule, path) in rules.iter().flat_map(|rule| paths.iter().map(move |path| (*rule, *path))) {
            let language = languages.of(path).map(|language| language.facts.name.as_str());
            let scope = declared.get(rule);
            if scope.is_some_and(|scope| scope.builds) && crate::dependency::declares(path) {
                continue;
            }
            let mut flag = |message: String| {
                flags.insert(Flag { kind: FlagKind::OutsideRule, path: path.to_owned(), message });
            };
            if !scope.is_some_and(|scope| language.is_some_and(|name| scope.languages.contains(name))) {
                let what = language.map_or_else(|| "of no known language".to_owned(), |name| format!("{name} code"));
                flag(format!("it is {what}, which the rule {rule} does not declare"));
            }
            if let Some(scope) = scope.filter(|scope| !scope.paths.hold(path)) {
                flag(format!("it lies beside the paths of the rule {rule}: {}", scope.paths.globs().join(", ")));
            }
        }
    }
    flags.into_iter().collect()
}

#[cfg(test)]
#[path = "weakened_tests.rs"]
mod cases;
