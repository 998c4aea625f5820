//! What a step produces, as a test: the baseline's output is the golden master, and
//! the patched run must reproduce it, or differ only as the migration declares.
//!
//! Must not: keep what is random. Filters take that out before anything is compared.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use globset::GlobBuilder;
use regex::Regex;

use super::observed::Observed;
use super::results::{TestEnd, TestResult, plain};
use super::verdict::Snapshot;
use crate::config::{Filter, Replace, Step};
use crate::digest::Digest;
use crate::sandbox::Left;

/// The largest snapshot that is kept as text, in bytes; larger ones are compared by
/// their digest.
const LARGEST: usize = 1 << 20;

static TIMES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let date = r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2})?(?:[.,]\d+)?(?:Z|[+-]\d{2}:?\d{2})?)?";
    let time = r"\b\d{1,2}:\d{2}:\d{2}(?:[.,]\d+)?\b";
    let duration = r"\b\d+(?:\.\d+)? ?(?:ns|µs|us|ms|s|sec|secs|seconds|min|minutes)\b";
    Regex::new(&format!("{date}|{time}|{duration}")).ok()
});
static PATHS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#"/(?:[\w.+@-]+/)+[\w.+@-]*"#).ok());

/// What `step` has left that it declares, by name, filtered.
pub fn take(step: &Step, left: &Left) -> BTreeMap<String, String> {
    let mut taken = BTreeMap::new();
    for glob in &step.snapshot {
        if glob == "stdout" {
            let whole = if left.whole { filtered(&left.stdout, &step.filters) } else { digest(&left.stdout) };
            taken.insert("stdout".to_owned(), whole);
            continue;
        }
        let Ok(matcher) = GlobBuilder::new(glob).literal_separator(true).build() else { continue };
        let matcher = matcher.compile_matcher();
        for (path, bytes) in left.files.iter().filter(|(path, _)| matcher.is_match(path)) {
            taken.insert(path.clone(), filtered(bytes, &step.filters));
        }
    }
    taken
}

fn filtered(bytes: &[u8], filters: &[Filter]) -> String {
    let Ok(text) = std::str::from_utf8(bytes) else { return digest(bytes) };
    if text.contains('\0') {
        return digest(bytes);
    }
    let mut text = plain(text);
    for filter in filters {
        text = apply(filter, &text);
    }
    if text.len() > LARGEST { digest(text.as_bytes()) } else { text }
}

fn digest(bytes: &[u8]) -> String {
    format!("{} bytes, blake3 {}\n", bytes.len(), Digest::of(bytes))
}

fn apply(filter: &Filter, text: &str) -> String {
    let replace = |pattern: &LazyLock<Option<Regex>>, with: &str| match &**pattern {
        Some(pattern) => pattern.replace_all(text, with).into_owned(),
        None => text.to_owned(),
    };
    match filter {
        Filter::Times => replace(&TIMES, "<time>"),
        Filter::Paths => replace(&PATHS, "<path>"),
        Filter::Order => {
            let mut lines: Vec<&str> = text.lines().collect();
            lines.sort_unstable();
            lines.iter().map(|line| format!("{line}\n")).collect()
        }
        Filter::Replace(rule) => replaced(rule, text),
    }
}

fn replaced(rule: &Replace, text: &str) -> String {
    match Regex::new(&rule.pattern) {
        Ok(pattern) => pattern.replace_all(text, rule.with.as_str()).into_owned(),
        // The migration was checked when it was read.
        Err(_) => text.to_owned(),
    }
}

/// Differences that a person has accepted: step and name → what is there instead.
pub type Accepted = BTreeMap<(String, String), String>;

/// Makes tests of snapshots: each of `other`'s is green where it is the golden one's.
/// What is golden itself is green.
pub fn compare(golden: &Observed, other: &mut Observed, step: &Step, accepted: &Accepted) -> Vec<Snapshot> {
    let mut all = Vec::new();
    if golden.color() != super::verdict::Color::Green || other.color() != super::verdict::Color::Green {
        return all;
    }
    let names: std::collections::BTreeSet<&String> = golden.snapshots.keys().chain(other.snapshots.keys()).collect();
    let names: Vec<String> = names.into_iter().cloned().collect();
    for name in names {
        let (before, after) = (golden.snapshots.get(&name), other.snapshots.get(&name));
        let key = (step.name.clone(), name.clone());
        let meant = before.is_some() && after.is_some_and(|after| is_declared(before, after, step))
            || after.is_some() && accepted.get(&key) == after;
        let end = if before == after || meant { TestEnd::Passed } else { TestEnd::Failed };
        let message = if end == TestEnd::Failed { difference(before, after) } else { String::new() };
        other.report.tests.insert(test_name(&name), TestResult { end, message });
        all.push(Snapshot {
            step: step.name.clone(),
            name,
            before: before.cloned(),
            after: after.filter(|_| before != after).cloned(),
            meant: meant && before != after,
        });
    }
    all
}

/// The snapshots of the baseline are what is compared with: all of them are green.
pub fn golden(observed: &mut Observed) {
    let names: Vec<String> = observed.snapshots.keys().map(|name| test_name(name)).collect();
    for name in names {
        observed.report.tests.insert(name, TestResult { end: TestEnd::Passed, message: String::new() });
    }
}

fn test_name(name: &str) -> String {
    format!("snapshot {name}")
}

fn is_declared(before: Option<&String>, after: &str, step: &Step) -> bool {
    let Some(before) = before.filter(|_| !step.differs.is_empty()) else { return false };
    let mut expected = Cow::Borrowed(before.as_str());
    for rule in &step.differs {
        expected = Cow::Owned(replaced(rule, &expected));
    }
    // Sorting comes last again: what was replaced may stand elsewhere now.
    let ordered = step.filters.contains(&Filter::Order);
    let expected = if ordered { Cow::Owned(apply(&Filter::Order, &expected)) } else { expected };
    expected == after
}

fn difference(before: Option<&String>, after: Option<&String>) -> String {
    match (before, after) {
        (Some(_), None) => "it is not produced any more".to_owned(),
        (None, _) => "it was not produced before the change".to_owned(),
        (Some(before), Some(after)) => {
            let diff = similar::TextDiff::from_lines(before.as_str(), after.as_str());
            diff.unified_diff().context_radius(2).to_string()
        }
    }
}

/// A snapshot as insta writes it. `content` is its body.
pub fn insta(step: &str, name: &str, content: &str) -> String {
    let quoted = |text: &str| serde_json::to_string(text).unwrap_or_default();
    format!("---\nsource: {}\nexpression: {}\n---\n{}\n", quoted(step), quoted(name), content.trim_end_matches('\n'))
}

/// The body of a snapshot as [`insta()`] writes it; `None` for anything else.
pub fn body(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("---\n")?;
    Some(rest.split_once("\n---\n")?.1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::{StepEnd, StepResult};

    fn step(filters: Vec<Filter>, differs: &[(&str, &str)]) -> Step {
        let replace = |(pattern, with): &(&str, &str)| Replace { pattern: (*pattern).into(), with: (*with).into() };
        Step {
            name: "report".to_owned(),
            snapshot: vec!["stdout".to_owned(), "out/**/*.csv".to_owned()],
            filters,
            differs: differs.iter().map(replace).collect(),
            ..Step::default()
        }
    }

    fn observed(step: &Step, stdout: &str, csv: Option<&str>) -> Observed {
        let files = csv.map(|csv| ("out/a/b.csv".to_owned(), csv.as_bytes().to_vec())).into_iter().collect();
        let left = Left { stdout: stdout.as_bytes().to_vec(), whole: true, files };
        let result = StepResult {
            name: step.name.clone(),
            command: Vec::new(),
            end: StepEnd::Exited(0),
            millis: 0,
            output: String::new(),
        };
        Observed { result, report: Default::default(), snapshots: take(step, &left) }
    }

    fn failed(step: &Step, before: (&str, Option<&str>), after: (&str, Option<&str>)) -> Vec<String> {
        let golden = observed(step, before.0, before.1);
        let mut other = observed(step, after.0, after.1);
        compare(&golden, &mut other, step, &Accepted::new());
        other.report.failed().map(|(name, _)| name.clone()).collect()
    }

    #[test]
    fn output_must_be_reproduced() {
        let plain = step(Vec::new(), &[]);
        assert!(failed(&plain, ("a\n", Some("1")), ("a\n", Some("1"))).is_empty());
        assert_eq!(failed(&plain, ("a\n", Some("1")), ("a\n", Some("2"))), ["snapshot out/a/b.csv"]);
        assert_eq!(failed(&plain, ("a\n", Some("1")), ("b\n", None)), ["snapshot out/a/b.csv", "snapshot stdout"]);
        assert_eq!(failed(&plain, ("a\n", None), ("a\n", Some("1"))), ["snapshot out/a/b.csv"]);
    }

    #[test]
    fn filters_take_out_what_differs_from_run_to_run() {
        let before = "2026-01-02T03:04:05Z /home/a/x took 3.5 ms\nb\n";
        let after = "b\n2027-01-02 03:04:05 /tmp/y took 7 ms\n";
        assert_eq!(failed(&step(Vec::new(), &[]), (before, None), (after, None)).len(), 1);
        let all = vec![Filter::Times, Filter::Paths, Filter::Order];
        assert!(failed(&step(all, &[]), (before, None), (after, None)).is_empty());
    }

    #[test]
    fn only_declared_differences_are_meant() {
        let declared = step(Vec::new(), &[("users_v1", "users_v2")]);
        assert!(failed(&declared, ("from users_v1\n", None), ("from users_v2\n", None)).is_empty());
        assert_eq!(failed(&declared, ("from users_v1\n", None), ("from users_v3\n", None)), ["snapshot stdout"]);
        assert!(failed(&declared, ("from users_v1\n", None), ("from users_v1\n", None)).is_empty());
    }

    #[test]
    fn insta_reads_what_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.snap");
        crate::files::write_whole(&path, insta("a \"step\"", "out/a.csv", "x,y\n1,2\n").as_bytes(), false).unwrap();
        let read = insta::Snapshot::from_file(&path).unwrap();
        assert_eq!(read.metadata().source(), Some("a \"step\""));
        assert_eq!(read.metadata().expression(), Some("out/a.csv"));
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(body(&text), Some("x,y\n1,2\n"));
    }
}
