//! What `cargo test` and `cargo nextest run` print. With `--quiet`, `cargo test`
//! names those that failed and counts the others.

use std::sync::LazyLock;

use regex::Regex;

use super::{TestEnd, TestReport};

/// `test a::b ... ok`, also with a time behind it; doctests have blanks in their names.
static LINE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^test (.+?)(?: - should panic)? \.\.\. (ok|FAILED|ignored(?:, .*)?)(?: <[\d.]+s>)?$").ok()
});
static TOTAL: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored").ok());
/// `PASS [   0.005s] (1/2) crate::binary test::name`.
static NEXTEST: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^\s*(PASS|FAIL|SIGABRT|SIGSEGV|TIMEOUT|LEAK|SKIP) \[[^\]]*\](?: \(\s*\d+/\d+\))? +(\S+) (\S.*)$").ok()
});

/// The tests in `text`.
pub fn read(text: &str) -> TestReport {
    let mut report = TestReport::default();
    let (Some(line), Some(total), Some(nextest)) = (&*LINE, &*TOTAL, &*NEXTEST) else { return report };
    let mut block = Block::default();
    for text in text.lines() {
        if let Some(found) = line.captures(text) {
            let end = match &found[2] {
                "ok" => TestEnd::Passed,
                "FAILED" => TestEnd::Failed,
                _ => TestEnd::Skipped,
            };
            report.add(&found[1], end, "");
            block.named += 1;
        } else if let Some(found) = total.captures(text) {
            block.close(&mut report, found[1].parse().unwrap_or(0));
        } else if let Some(found) = nextest.captures(text) {
            let end = match &found[1] {
                "PASS" | "LEAK" => TestEnd::Passed,
                "SKIP" => TestEnd::Skipped,
                _ => TestEnd::Failed,
            };
            let name = format!("{} {}", &found[2], &found[3]);
            // A failure is told once more at the end.
            if !report.tests.contains_key(&name) {
                report.add(&name, end, "");
            }
        } else {
            block.read(text, &mut report);
        }
    }
    report
}

/// The part of an output that belongs to one test program.
#[derive(Default)]
struct Block {
    named: u64,
    /// The test whose output is being read.
    explained: Option<(String, String)>,
    /// Within the list of those that failed.
    listing: bool,
    failed: Vec<String>,
}

impl Block {
    fn read(&mut self, text: &str, report: &mut TestReport) {
        if let Some(name) = text.strip_prefix("---- ").and_then(|rest| rest.strip_suffix(" stdout ----")) {
            self.flush(report);
            self.explained = Some((name.to_owned(), String::new()));
        } else if text == "failures:" {
            self.flush(report);
            self.listing = true;
            self.failed.clear();
        } else if self.listing && text.starts_with("    ") {
            self.failed.push(text.trim().to_owned());
        } else if let Some((_, said)) = &mut self.explained {
            said.push_str(text);
            said.push('\n');
        }
    }

    fn flush(&mut self, report: &mut TestReport) {
        if let Some((name, said)) = self.explained.take() {
            let name = name.strip_suffix(" - should panic").unwrap_or(&name);
            if self.named == 0 && !report.failed().any(|(known, _)| known == name) {
                report.add(name, TestEnd::Failed, &said);
            } else {
                report.explain(name, &said);
            }
        }
    }

    /// Where no test was named, those of the list have failed and the others count.
    fn close(&mut self, report: &mut TestReport, passed: u64) {
        self.flush(report);
        if self.named == 0 {
            report.unnamed += passed;
            for name in std::mem::take(&mut self.failed) {
                if !report.failed().any(|(known, _)| *known == name) {
                    report.add(&name, TestEnd::Failed, "");
                }
            }
        }
        *self = Self::default();
    }
}
