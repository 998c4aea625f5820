//! What pytest prints with `-rA`, which gander asks for by `PYTEST_ADDOPTS`, or with
//! `-v`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use super::{TestEnd, TestReport};

/// `PASSED tests/test_a.py::test_b`, `FAILED tests/test_a.py::test_b - AssertionError: …`.
static SUMMARY: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^(PASSED|FAILED|ERROR|XFAIL|XPASS) (\S+?(?:::.+?)?)(?: - (.*))?$").ok());
/// `tests/test_a.py::test_b PASSED   [ 50%]`.
static VERBOSE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^(\S+?::.+?) (PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS)(?: \(.*\))?(?: +\[ *\d+%\])?$").ok()
});

/// The tests in `text`.
pub fn read(text: &str) -> TestReport {
    let mut found: BTreeMap<&str, (TestEnd, &str)> = BTreeMap::new();
    if text.contains("= short test summary info =") || text.contains("= test session starts =") {
        let (Some(summary), Some(verbose)) = (&*SUMMARY, &*VERBOSE) else { return TestReport::default() };
        for line in text.lines() {
            if let Some(parts) = verbose.captures(line)
                && let (Some(name), Some(word)) = (parts.get(1), parts.get(2))
            {
                found.entry(name.as_str()).or_insert((end(word.as_str()), ""));
            } else if let Some(parts) = summary.captures(line)
                && let (Some(word), Some(name)) = (parts.get(1), parts.get(2))
            {
                let said = parts.get(3).map_or("", |said| said.as_str());
                found.insert(name.as_str(), (end(word.as_str()), said));
            }
        }
    }
    let mut report = TestReport::default();
    for (name, (end, said)) in found {
        report.add(name, end, said);
    }
    report
}

/// A failure that was expected is a test that does not test.
fn end(word: &str) -> TestEnd {
    match word {
        "PASSED" | "XPASS" => TestEnd::Passed,
        "FAILED" | "ERROR" => TestEnd::Failed,
        _ => TestEnd::Skipped,
    }
}
