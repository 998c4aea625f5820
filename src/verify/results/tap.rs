//! The Test Anything Protocol, versions 12 to 14, with subtests by indentation.

use std::sync::LazyLock;

use regex::Regex;

use super::{TestEnd, TestReport};

static LINE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^( *)(not )?ok\b *(\d+)?(?: *- *| +|$)(.*?)(?:\s+#\s*(?i:(skip|todo))\b.*)?$").ok());
static PLAN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?m)^(TAP version \d+|1\.\.\d+)\s*$").ok());
static SUBTEST: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^( *)# Subtest: (.*)$").ok());

/// The tests in `text`; none where it is not TAP, which has a plan or a version.
pub fn read(text: &str) -> TestReport {
    let mut report = TestReport::default();
    let (Some(line), Some(plan), Some(subtest)) = (&*LINE, &*PLAN, &*SUBTEST) else { return report };
    if !plan.is_match(text) {
        return report;
    }
    let mut above: Vec<(usize, String)> = Vec::new();
    // The failed test whose details are being read.
    let mut failed: Option<(String, usize, String)> = None;
    for text in text.lines() {
        if let Some(found) = subtest.captures(text) {
            let depth = found[1].len();
            above.retain(|(other, _)| *other < depth);
            above.push((depth, found[2].trim().to_owned()));
        } else if let Some(found) = line.captures(text) {
            explain(&mut report, failed.take());
            let depth = found[1].len();
            let number = found.get(3).map_or("", |number| number.as_str());
            let said = found[4].trim();
            let own = if said.is_empty() { format!("test {number}") } else { said.to_owned() };
            above.retain(|(other, _)| *other < depth);
            let path: Vec<&str> = above.iter().map(|(_, name)| name.as_str()).chain([own.as_str()]).collect();
            let name = path.join(" > ");
            let end = match (found.get(2).is_some(), found.get(5).map(|word| word.as_str().to_ascii_lowercase())) {
                (_, Some(word)) if word == "skip" => TestEnd::Skipped,
                // What is still to do may fail.
                (true, Some(_)) => TestEnd::Skipped,
                (true, None) => TestEnd::Failed,
                (false, _) => TestEnd::Passed,
            };
            report.add(&name, end, "");
            failed = (end == TestEnd::Failed).then(|| (name, depth, String::new()));
        } else if let Some((_, depth, said)) = &mut failed
            && (text.starts_with('#') || text.len() - text.trim_start().len() > *depth)
        {
            said.push_str(text.trim_start_matches('#').trim());
            said.push('\n');
        }
    }
    explain(&mut report, failed);
    report
}

fn explain(report: &mut TestReport, failed: Option<(String, usize, String)>) {
    if let Some((name, _, said)) = failed {
        report.explain(&name, &said);
    }
}
