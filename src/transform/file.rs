//! One file: scanned, parsed, matched, edited, and the result checked.

use std::path::Path;
use std::sync::Arc;

use super::check;
use super::skip;
use super::{Finding, FindingKind, SkipReason};
use crate::edit::{Edit, Fragment, Splice, compose};
use crate::language::{self, Language};
use crate::rule::{Answer, Outcomes, RuleSet, run};
use crate::tree::{Tree, line_column, parse};

/// What the rules make of one file.
#[derive(Debug, Default)]
pub struct FileReport {
    /// Why it was left alone.
    pub skipped: Option<SkipReason>,
    /// Whether it was parsed.
    pub parsed: bool,
    /// Every use, in order.
    pub findings: Vec<Finding>,
    /// The change, if there is one and nothing forbids it.
    pub change: Option<Change>,
}

/// A checked change of one file. Ranges are bytes of the whole file, a byte
/// order mark included.
#[derive(Debug)]
pub struct Change {
    /// What the rules asked for.
    pub edits: Vec<Edit>,
    /// The same, composed.
    pub splices: Vec<Splice>,
    /// All new bytes.
    pub bytes: Vec<u8>,
}

const BOM: &str = "\u{feff}";

/// Runs the rules over one file. `path` is relative to its workspace.
pub fn file(rules: &RuleSet, path: &str, bytes: &[u8]) -> FileReport {
    let Some(language) = language::of_path(Path::new(path)).filter(|l| rules.speaks(l)) else {
        return FileReport { skipped: Some(SkipReason::OtherLanguage), ..FileReport::default() };
    };
    let hits = rules.scan(language, bytes);
    if !hits.any() {
        // Its names stand in other bytes, so that not finding them says nothing.
        if skip::is_utf16(bytes) {
            return left_alone_unread(path);
        }
        return FileReport { skipped: Some(SkipReason::NoLiteral), ..FileReport::default() };
    }
    if let Some(reason) = skip::by_path(path).or_else(|| skip::by_content(bytes)) {
        return left_alone(path, reason);
    }
    let Ok(whole) = std::str::from_utf8(bytes) else { return left_alone(path, SkipReason::NotUtf8) };
    let text = whole.strip_prefix(BOM).unwrap_or(whole);
    let shift = whole.len() - text.len();
    let mut report = FileReport { parsed: true, ..FileReport::default() };
    let outcomes = match read(rules, language, text, shift, &hits, path, &mut report) {
        Ok(outcomes) => outcomes,
        Err(why) => {
            report.findings.push(about(path, "gander/syntax", (0, 0), FindingKind::Refused, &why));
            return report;
        }
    };
    let edits = collect(rules, path, outcomes, &mut report);
    let forbidden = report.findings.iter().any(|f| matches!(f.kind, FindingKind::Refused | FindingKind::Errored));
    if forbidden || edits.is_empty() {
        return report;
    }
    match checked(rules, language, text, edits) {
        Ok((edits, splices, new)) => {
            let bytes = format!("{}{new}", &whole[..shift]).into_bytes();
            report.change = Some(shifted(edits, splices, bytes, shift));
        }
        Err((at, rule, why)) => {
            let place = line_column(text, at);
            report.findings.push(about(path, &rule, place, FindingKind::Refused, &why));
        }
    }
    report
}

/// A file that names what the rules look for, but is not ours to edit: said, not hidden.
pub(super) fn left_alone(path: &str, reason: SkipReason) -> FileReport {
    let message = format!("names what the rules look for, but is left alone: {}", reason.words());
    FileReport {
        skipped: Some(reason),
        findings: vec![about(path, "gander/left-alone", (0, 0), FindingKind::Skipped, &message)],
        ..FileReport::default()
    }
}

/// A file whose bytes can't be searched for names.
fn left_alone_unread(path: &str) -> FileReport {
    let message = "is UTF-16 and may name what the rules look for: look at it, or save it as UTF-8";
    FileReport {
        skipped: Some(SkipReason::NotUtf8),
        findings: vec![about(path, "gander/left-alone", (0, 0), FindingKind::Skipped, message)],
        ..FileReport::default()
    }
}

fn about(path: &str, rule: &str, place: (u32, u32), kind: FindingKind, message: &str) -> Finding {
    Finding {
        rule: rule.to_owned(),
        path: path.to_owned(),
        line: place.0,
        column: place.1,
        kind,
        message: message.to_owned(),
    }
}

/// Parses and matches; places in code that the parser could not read refuse.
fn read(
    rules: &RuleSet,
    language: &'static Language,
    text: &str,
    shift: usize,
    hits: &crate::rule::Hits,
    path: &str,
    report: &mut FileReport,
) -> Result<Outcomes, String> {
    let tree = Arc::new(parse(language, text).map_err(|e| e.to_string())?);
    for range in tree.unreadable() {
        if let Some(at) = hits.places.iter().map(|p| p.saturating_sub(shift)).find(|p| range.contains(p)) {
            let place = error_place(&tree, &range);
            let (line, column) = line_column(text, at);
            let message = format!(
                "this code can't be read as {} (the parser stops at line {}), and it names what the rules look for \
                 at {line}:{column}",
                language.facts.name, place.0
            );
            report.findings.push(about(path, "gander/syntax", (line, column), FindingKind::Refused, &message));
        }
    }
    run(rules, &tree, hits).map_err(|e| e.to_string())
}

fn error_place(tree: &Tree, range: &std::ops::Range<usize>) -> (u32, u32) {
    tree.errors().find(|e| range.contains(&e.local_range().start)).map_or((1, 1), |e| e.line_column())
}

/// Splits outcomes into findings and the edits of those that edit.
fn collect(rules: &RuleSet, path: &str, outcomes: Outcomes, report: &mut FileReport) -> Vec<Edit> {
    let mut edits = Vec::new();
    for outcome in outcomes {
        let rule = &rules.rules[outcome.rule].id;
        let (kind, message) = match outcome.answer {
            Answer::Edit(more) => {
                edits.extend(more);
                (FindingKind::Mapped, String::new())
            }
            Answer::Annotate(message, more) => {
                edits.extend(more);
                (FindingKind::Annotated, message)
            }
            Answer::Refuse(reason) => (FindingKind::Refused, reason),
            Answer::Skip(reason) => (FindingKind::Skipped, reason),
            Answer::Fail(reason) => (FindingKind::Errored, reason),
        };
        report.findings.push(about(path, rule, outcome.place, kind, &message));
    }
    edits
}

type Checked = (Vec<Edit>, Vec<Splice>, String);

/// Composes the edits, and checks what comes of them: it must read no worse
/// than before, and the rules must have nothing more to change in it.
fn checked(
    rules: &RuleSet,
    language: &'static Language,
    text: &str,
    edits: Vec<Edit>,
) -> Result<Checked, (usize, String, String)> {
    let splices = compose(text, &edits).map_err(|c| {
        let why = format!("{c}; order them, or narrow one of them");
        (c.at, c.second, why)
    })?;
    let new = crate::edit::apply(text, &splices);
    let first = |splices: &[Splice]| splices.first().map_or(0, |s| s.range.start);
    let rule_at = |at: usize| {
        let near = edits.iter().min_by_key(|e| e.range.start.abs_diff(at));
        near.map_or_else(String::new, |e| e.rule.clone())
    };
    let old_tree = parse(language, text).map_err(|e| (0, "gander/syntax".to_owned(), e.to_string()))?;
    let new_tree = parse(language, new.as_str()).map_err(|e| (0, "gander/syntax".to_owned(), e.to_string()))?;
    if let Some((at, what)) = check::new_error(&old_tree, &new_tree, &splices) {
        return Err((at, rule_at(at), format!("the edit would leave code that does not parse: {what}")));
    }
    let hits = rules.scan(language, new.as_bytes());
    let again = run(rules, &Arc::new(new_tree), &hits).map_err(|e| (0, "gander/syntax".to_owned(), e.to_string()))?;
    for outcome in &again {
        let more = match &outcome.answer {
            Answer::Edit(edits) => edits.iter().any(|e| !is_identity(&new, e)),
            Answer::Annotate(_, edits) => !edits.is_empty(),
            _ => false,
        };
        if more {
            let rule = rules.rules[outcome.rule].id.clone();
            let why = "a second run would change the result again: the rule matches what it writes".to_owned();
            return Err((first(&splices), rule, why));
        }
    }
    Ok((edits, splices, new))
}

fn is_identity(text: &str, edit: &Edit) -> bool {
    let mut new = String::new();
    for fragment in &edit.replacement {
        match fragment {
            Fragment::Text(piece) => new.push_str(piece),
            Fragment::Copy(range) => new.push_str(text.get(range.clone()).unwrap_or("")),
        }
    }
    text.get(edit.range.clone()) == Some(new.as_str())
}

fn shifted(mut edits: Vec<Edit>, mut splices: Vec<Splice>, bytes: Vec<u8>, by: usize) -> Change {
    let shift = |range: &mut std::ops::Range<usize>| *range = range.start + by..range.end + by;
    splices.iter_mut().for_each(|s| shift(&mut s.range));
    for edit in &mut edits {
        shift(&mut edit.range);
        for fragment in &mut edit.replacement {
            if let Fragment::Copy(range) = fragment {
                shift(range);
            }
        }
    }
    Change { edits, splices, bytes }
}
