//! JUnit's XML, which pytest, Surefire, Gradle, sbt, nextest, Jest and most others
//! write.

use std::collections::BTreeMap;

use junit_parser::{TestCase, TestStatus, TestSuite};

use super::{TestEnd, TestReport};

/// Every test of every file that is JUnit's XML; other files are passed over.
pub fn read(files: &BTreeMap<String, Vec<u8>>) -> TestReport {
    let mut report = TestReport::default();
    for (path, bytes) in files {
        if !path.to_ascii_lowercase().ends_with(".xml") || has_doctype(bytes) || is_too_deep(bytes) {
            continue;
        }
        let Ok(suites) = junit_parser::from_reader(bytes.as_slice()) else { continue };
        for suite in &suites.suites {
            add_suite(&mut report, suite);
        }
    }
    report
}

/// No runner writes one, and it is where XML's bombs are.
fn has_doctype(bytes: &[u8]) -> bool {
    memchr::memmem::find(bytes, b"<!DOCTYPE").is_some()
}

/// How deep suites may lie in suites. The parser recurses, and a stack has an end.
const DEEPEST: usize = 50;

fn is_too_deep(bytes: &[u8]) -> bool {
    let mut depth = 0_usize;
    for at in memchr::memmem::find_iter(bytes, b"testsuite") {
        match bytes.get(..at) {
            Some([.., b'<', b'/']) => depth = depth.saturating_sub(1),
            Some([.., b'<']) => {
                let tag = bytes.get(at..).unwrap_or_default();
                let end = memchr::memchr(b'>', tag).unwrap_or(tag.len());
                depth += usize::from(!tag[..end].ends_with(b"/"));
            }
            _ => {}
        }
        if depth > DEEPEST {
            return true;
        }
    }
    false
}

fn add_suite(report: &mut TestReport, suite: &TestSuite) {
    for case in &suite.cases {
        let (end, message) = ended(case);
        report.add(&name(suite, case), end, &message);
    }
    for inner in &suite.suites {
        add_suite(report, inner);
    }
}

fn name(suite: &TestSuite, case: &TestCase) -> String {
    let class = case.classname.as_deref().filter(|class| !class.is_empty());
    // What pytest calls every suite says nothing.
    let suite = Some(suite.name.as_str()).filter(|name| !name.is_empty() && *name != "pytest");
    match class.or(suite) {
        Some(class) => format!("{class}::{}", case.original_name),
        None => case.original_name.clone(),
    }
}

fn ended(case: &TestCase) -> (TestEnd, String) {
    match &case.status {
        TestStatus::Success => (TestEnd::Passed, String::new()),
        TestStatus::Skipped(_) => (TestEnd::Skipped, String::new()),
        TestStatus::Failure(failure) => (TestEnd::Failed, said(&failure.message, &failure.text)),
        TestStatus::Error(error) => (TestEnd::Failed, said(&error.message, &error.text)),
    }
}

/// The message, and the text where it says more.
fn said(message: &str, text: &str) -> String {
    if text.contains(message) { text.to_owned() } else { format!("{message}\n{text}") }
}
