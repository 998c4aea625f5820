//! What is left to people, as text, and places in code as SARIF.
//!
//! Must not: decide what is left.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::table::{Layout, counted, one_line, style_of};
use crate::rollout::Left;
use crate::transform::{Finding, FindingKind};

/// What is left to people, a part for each owner and each consumer; places that wait for
/// another one stand below it.
pub fn todo_text(left: &[Left], guide: Option<&str>, layout: Layout) -> String {
    let mut owners: BTreeMap<&str, Vec<&Left>> = BTreeMap::new();
    for one in left {
        owners.entry(one.row.owner.as_deref().unwrap_or("nobody known")).or_default().push(one);
    }
    let mut out = String::new();
    for (owner, all) in owners {
        let _ = writeln!(out, "{}", one_line(owner));
        for Left { row, findings } in all {
            let style = style_of(row.outcome);
            let outcome =
                if layout.color { format!("{style}{}{style:#}", row.outcome) } else { row.outcome.to_string() };
            let _ = writeln!(out, "  {}  {outcome}", one_line(&row.entity));
            if findings.is_empty() {
                let _ = writeln!(out, "    {}", one_line(&row.reason));
            }
            places(&mut out, findings);
        }
    }
    let places: usize = left.iter().map(|one| one.findings.len()).sum();
    let _ = writeln!(out, "{} in {}", counted(places, "place"), counted(left.len(), "consumer"));
    if let Some(guide) = guide {
        let _ = writeln!(out, "{}", one_line(guide));
    }
    out
}

fn places(out: &mut String, findings: &[Finding]) {
    for finding in findings.iter().filter(|finding| finding.follows().is_none()) {
        let _ = writeln!(out, "    {}: {}", place_of(finding), told(finding));
        let leads =
            |other: &&Finding| other.path == finding.path && other.follows() == Some((finding.line, finding.column));
        let with: Vec<String> = findings
            .iter()
            .filter(leads)
            .map(|other| {
                let name = other.subject.as_ref().map_or("", |subject| subject.name.as_str());
                format!("{} {}:{}", one_line(name), other.line, other.column)
            })
            .collect();
        if !with.is_empty() {
            let _ = writeln!(out, "      and with it {}", with.join(", "));
        }
    }
}

/// `path:line:column`, as far as they mean something.
pub fn place_of(finding: &Finding) -> String {
    match finding.line {
        0 => one_line(&finding.path),
        line => format!("{}:{line}:{}", one_line(&finding.path), finding.column),
    }
}

/// What a finding says, for people: the subject, and why.
pub fn told(finding: &Finding) -> String {
    let message = one_line(&finding.message);
    match &finding.subject {
        None if message.is_empty() => finding.rule.clone(),
        None => message,
        Some(subject) if message.is_empty() => one_line(&subject.name),
        // Most reasons begin with the column.
        Some(subject) if message.starts_with(subject.name.rsplit('.').next().unwrap_or_default()) => message,
        Some(subject) => format!("{}: {message}", one_line(&subject.name)),
    }
}

/// Findings in the Static Analysis Results Interchange Format 2.1.0, as code hosts and
/// editors read it. Columns are of characters.
pub fn sarif(findings: &[Finding], guide: Option<&str>) -> serde_json::Value {
    let mut rules: BTreeMap<&str, usize> = findings.iter().map(|finding| (finding.rule.as_str(), 0)).collect();
    rules.values_mut().enumerate().for_each(|(index, at)| *at = index);
    let rule = |id: &&str| {
        let mut rule = serde_json::json!({ "id": id });
        if let Some(guide) = guide {
            rule["helpUri"] = guide.into();
        }
        rule
    };
    let described: Vec<serde_json::Value> = rules.keys().map(rule).collect();
    let result = |finding: &Finding| {
        let level = match finding.kind {
            FindingKind::Refused | FindingKind::Errored => "error",
            FindingKind::Mapped | FindingKind::Annotated | FindingKind::Skipped => "warning",
        };
        let mut place =
            serde_json::json!({ "artifactLocation": { "uri": uri(&finding.path), "uriBaseId": "%SRCROOT%" } });
        if finding.line > 0 {
            place["region"] = serde_json::json!({ "startLine": finding.line, "startColumn": finding.column.max(1) });
        }
        serde_json::json!({
            "ruleId": finding.rule,
            "ruleIndex": rules[finding.rule.as_str()],
            "level": level,
            "message": { "text": told(finding) },
            "locations": [{ "physicalLocation": place }],
        })
    };
    let driver = serde_json::json!({
        "name": "gander", "semanticVersion": env!("CARGO_PKG_VERSION"), "rules": described,
    });
    serde_json::json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": driver },
            "columnKind": "unicodeCodePoints",
            "results": findings.iter().map(result).collect::<Vec<_>>(),
        }],
    })
}

/// A relative path as a URI reference (RFC 3986): what is not unreserved is escaped.
fn uri(path: &str) -> String {
    let mut out = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => out.push(byte as char),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_escaped() {
        assert_eq!(uri("a b/ü:#.sql"), "a%20b/%C3%BC%3A%23.sql");
    }
}
