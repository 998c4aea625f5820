//! One file: scanned, parsed, matched, edited, and the result checked.

use std::path::Path;
use std::sync::Arc;

use super::check;
use super::skip;
use super::{Finding, FindingKind, SkipReason};
use crate::edit::{Edit, Fragment, Splice, compose};
use crate::language::{self, Language};
use crate::rule::{Answer, Facts, Outcome, Outcomes, RuleSet, run};
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

/// What a file tells the rules that collect; rules that fail on it fail again, and
/// are reported, when it is edited. `path` is relative to its workspace.
pub fn collect(rules: &RuleSet, path: &str, bytes: &[u8]) -> Result<Facts, Finding> {
    let Some(language) = language::of_path(Path::new(path)).filter(|l| rules.speaks(l)) else {
        return Ok(Facts::default());
    };
    let hits = rules.scan(language, bytes);
    let skipped = !hits.any() || skip::by_path(path).or_else(|| skip::by_content(bytes)).is_some();
    let Some(text) = std::str::from_utf8(bytes).ok().filter(|_| !skipped) else { return Ok(Facts::default()) };
    let failed = |why: &str| about(path, "gander/syntax", (0, 0), FindingKind::Errored, why);
    let tree = parse(language, text.strip_prefix(BOM).unwrap_or(text)).map_err(|e| failed(&e.to_string()))?;
    let (facts, failures) = crate::rule::collect(rules, &Arc::new(tree), &hits).map_err(|e| failed(&e.to_string()))?;
    match failures.into_iter().next() {
        Some(Outcome { rule, place, answer: Answer::Fail(why), .. }) => {
            Err(about(path, &rules.rules[rule].id, place, FindingKind::Errored, &why))
        }
        _ => Ok(facts),
    }
}

/// Whether the rules, given these facts, would still change a file: the rule that would.
pub(super) fn unsettled(rules: &RuleSet, facts: &Arc<Facts>, path: &str, bytes: &[u8]) -> Option<String> {
    let report = file(rules, facts, path, bytes);
    let change = report.change?;
    change.edits.first().map(|edit| edit.rule.clone())
}

/// Runs the rules over one file, given the facts of its workspace. `path` is
/// relative to the workspace.
pub fn file(rules: &RuleSet, facts: &Arc<Facts>, path: &str, bytes: &[u8]) -> FileReport {
    let Some(language) = language::of_path(Path::new(path)).filter(|l| rules.speaks(l)) else {
        return FileReport { skipped: Some(SkipReason::OtherLanguage), ..FileReport::default() };
    };
    // In UTF-16 no name would be found: said, so that nobody takes it for searched.
    if skip::is_utf16(bytes) {
        return left_alone(path, SkipReason::NotUtf8);
    }
    let hits = rules.scan(language, bytes);
    if !hits.any() {
        return FileReport { skipped: Some(SkipReason::NoLiteral), ..FileReport::default() };
    }
    if let Some(reason) = skip::by_path(path).or_else(|| skip::by_content(bytes)) {
        return left_alone(path, reason);
    }
    let Ok(whole) = std::str::from_utf8(bytes) else { return left_alone(path, SkipReason::NotUtf8) };
    let text = whole.strip_prefix(BOM).unwrap_or(whole);
    let shift = whole.len() - text.len();
    let mut report = FileReport { parsed: true, ..FileReport::default() };
    let outcomes = match read(rules, facts, language, text, shift, &hits, path, &mut report) {
        Ok(outcomes) => outcomes,
        Err(why) => {
            report.findings.push(about(path, "gander/syntax", (0, 0), FindingKind::Refused, &why));
            return report;
        }
    };
    let edits = sort_out(rules, path, outcomes, &mut report);
    let forbidden = report.findings.iter().any(|f| matches!(f.kind, FindingKind::Refused | FindingKind::Errored));
    if forbidden || edits.is_empty() {
        return report;
    }
    match checked(rules, facts, language, text, edits) {
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
    let message = match reason {
        SkipReason::NotUtf8 => "is not UTF-8 and is left alone".to_owned(),
        _ => format!("names what the rules look for, but is left alone: {}", reason.words()),
    };
    FileReport {
        skipped: Some(reason),
        findings: vec![about(path, "gander/left-alone", (0, 0), FindingKind::Skipped, &message)],
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
    facts: &Arc<Facts>,
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
    run(rules, &tree, hits, facts).map_err(|e| e.to_string())
}

fn error_place(tree: &Tree, range: &std::ops::Range<usize>) -> (u32, u32) {
    tree.errors().find(|e| range.contains(&e.local_range().start)).map_or((1, 1), |e| e.line_column())
}

/// Splits outcomes into findings and the edits of those that edit.
fn sort_out(rules: &RuleSet, path: &str, outcomes: Outcomes, report: &mut FileReport) -> Vec<Edit> {
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
    facts: &Arc<Facts>,
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
    if rules.collects() {
        // What the result tells is only known once every file of the workspace is
        // done: the stage checks it then.
        return Ok((edits, splices, new));
    }
    let hits = rules.scan(language, new.as_bytes());
    let again =
        run(rules, &Arc::new(new_tree), &hits, facts).map_err(|e| (0, "gander/syntax".to_owned(), e.to_string()))?;
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
