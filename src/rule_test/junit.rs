//! A report as JUnit XML, for CI systems: one suite a file, one case a test.

use std::fmt::Write;

use super::{CaseResult, ExampleResult, Outcome, Report, SuiteResult};

/// The whole document.
pub fn junit(report: &Report) -> String {
    let tests: usize = report.suites.iter().map(|s| s.examples.len() + s.cases.len()).sum();
    let (failures, errors) = (report.failures(), report.errors.len());
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(
        out,
        "<testsuites name=\"gander test\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\">"
    );
    report.suites.iter().for_each(|one| suite(&mut out, one));
    if !report.errors.is_empty() {
        let _ = writeln!(out, "  <testsuite name=\"gander\" tests=\"{errors}\" failures=\"0\" errors=\"{errors}\">");
        for error in &report.errors {
            let text = error.to_string();
            let head = escaped(text.lines().next().unwrap_or_default());
            let _ = writeln!(
                out,
                "    <testcase classname=\"gander\" name=\"{head}\"><error message=\"{head}\">{}</error></testcase>",
                escaped(&text)
            );
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

fn suite(out: &mut String, suite: &SuiteResult) {
    let name = escaped(&suite.file.display().to_string());
    let tests = suite.examples.len() + suite.cases.len();
    let failed = suite.examples.iter().filter(|e| !e.passed()).count()
        + suite.cases.iter().filter(|c| c.outcome != Outcome::Passed).count();
    let time: f64 = suite.cases.iter().map(|c| c.time.as_secs_f64()).sum();
    let _ = writeln!(
        out,
        "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failed}\" errors=\"0\" time=\"{time:.6}\">"
    );
    suite.examples.iter().for_each(|one| example(out, &name, one));
    suite.cases.iter().for_each(|one| case(out, &name, one));
    out.push_str("  </testsuite>\n");
}

fn example(out: &mut String, suite: &str, example: &ExampleResult) {
    let name = escaped(&format!("{} example {}", example.rule, example.number));
    let _ = write!(out, "    <testcase classname=\"{suite}\" name=\"{name}\"");
    if example.passed() {
        out.push_str("/>\n");
        return;
    }
    let why = example.failed.clone().unwrap_or_else(|| "other code came of it than the rule says".to_owned());
    let text = format!(
        "{}\n--- of\n{}\n--- came\n{}\n--- not\n{}",
        example.place, example.before, example.came, example.wanted
    );
    let _ = writeln!(out, "><failure message=\"{}\">{}</failure></testcase>", escaped(&why), escaped(&text));
}

fn case(out: &mut String, suite: &str, case: &CaseResult) {
    let name = escaped(&case.name);
    let _ = write!(out, "    <testcase classname=\"{suite}\" name=\"{name}\" time=\"{:.6}\"", case.time.as_secs_f64());
    let (why, text) = match &case.outcome {
        Outcome::Passed => {
            out.push_str("/>\n");
            return;
        }
        Outcome::New(new) => ("there is no snapshot yet", new.clone()),
        Outcome::Changed { old, new } => ("not as the snapshot says", format!("--- wanted\n{old}\n--- came\n{new}")),
        Outcome::Touched(new) => ("something changed where nothing may", new.clone()),
    };
    let _ = writeln!(out, "><failure message=\"{why}\">{}</failure></testcase>", escaped(&text));
}

/// Text as XML: what no XML may hold is replaced.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
