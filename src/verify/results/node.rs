//! What node's own runner prints for people; for machines it prints TAP.

use std::sync::LazyLock;

use regex::Regex;

use super::{TestEnd, TestReport};

static LINE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^( *)([✔✖﹣]) (.+?) \([\d.]+m?s\)(?: # (?:SKIP|TODO).*)?$").ok());
static SUITE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^( *)▶ (.+?)(?: \([\d.]+m?s\))?$").ok());

/// The tests in `text`.
pub fn read(text: &str) -> TestReport {
    let mut report = TestReport::default();
    let (Some(line), Some(suite)) = (&*LINE, &*SUITE) else { return report };
    if !text.contains("ℹ tests ") {
        return report;
    }
    let mut above: Vec<(usize, &str)> = Vec::new();
    for text in text.lines() {
        // From here on it says again what failed.
        if text.trim() == "✖ failing tests:" {
            break;
        }
        if let Some(found) = suite.captures(text)
            && let Some(name) = found.get(2)
        {
            let depth = found[1].len();
            above.retain(|(other, _)| *other < depth);
            above.push((depth, name.as_str()));
        } else if let Some(found) = line.captures(text) {
            let depth = found[1].len();
            above.retain(|(other, _)| *other < depth);
            let path: Vec<&str> = above.iter().map(|(_, name)| *name).chain([&found[3]]).collect();
            let end = match &found[2] {
                "✔" => TestEnd::Passed,
                "✖" => TestEnd::Failed,
                _ => TestEnd::Skipped,
            };
            report.add(&path.join(" > "), end, "");
        }
    }
    for (name, said) in explained(text) {
        let key = report.tests.keys().find(|key| *key == name || key.ends_with(&format!(" > {name}"))).cloned();
        if let Some(key) = key {
            report.explain(&key, &said);
        }
    }
    report
}

/// Name and details of each test in the list of those that failed.
fn explained(text: &str) -> Vec<(&str, String)> {
    let Some((_, list)) = text.split_once("✖ failing tests:") else { return Vec::new() };
    let mut found: Vec<(&str, String)> = Vec::new();
    for line in list.lines() {
        if let Some(rest) = line.strip_prefix("✖ ") {
            let name = rest.rsplit_once(" (").map_or(rest, |(name, _)| name);
            found.push((name, String::new()));
        } else if let Some((_, said)) = found.last_mut() {
            said.push_str(line);
            said.push('\n');
        }
    }
    found
}
