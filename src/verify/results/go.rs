//! What `go test -json` prints: one event a line. `go test -v` alone is read too.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{TestEnd, TestReport};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Event {
    action: String,
    #[serde(default)]
    package: String,
    test: Option<String>,
    #[serde(default)]
    output: String,
}

/// The tests in `text`.
pub fn read(text: &str) -> TestReport {
    let mut report = TestReport::default();
    let mut said: BTreeMap<String, String> = BTreeMap::new();
    for line in text.lines() {
        if line.starts_with('{')
            && line.contains("\"Action\"")
            && let Ok(event) = serde_json::from_str::<Event>(line)
        {
            take(&event, &mut said, &mut report);
        } else if let Some((end, name)) = verbose(line) {
            report.add(name, end, "");
        }
    }
    report
}

fn take(event: &Event, said: &mut BTreeMap<String, String>, report: &mut TestReport) {
    let Some(test) = &event.test else { return };
    let name = format!("{} {test}", event.package);
    let end = match event.action.as_str() {
        "pass" => TestEnd::Passed,
        "fail" => TestEnd::Failed,
        "skip" => TestEnd::Skipped,
        "output" => {
            let chrome = ["=== ", "--- "].iter().any(|start| event.output.trim_start().starts_with(start));
            if !chrome {
                said.entry(name).or_default().push_str(&event.output);
            }
            return;
        }
        _ => return,
    };
    let message = said.remove(&name).unwrap_or_default();
    report.add(&name, end, if end == TestEnd::Failed { &message } else { "" });
}

/// `--- FAIL: TestX (0.00s)`, indented for a subtest.
fn verbose(line: &str) -> Option<(TestEnd, &str)> {
    let rest = line.trim_start().strip_prefix("--- ")?;
    let (word, rest) = rest.split_once(": ")?;
    let name = rest.rsplit_once(" (")?.0;
    let end = match word {
        "PASS" => TestEnd::Passed,
        "FAIL" => TestEnd::Failed,
        "SKIP" => TestEnd::Skipped,
        _ => return None,
    };
    Some((end, name))
}
