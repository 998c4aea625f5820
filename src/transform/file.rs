//! One file: scanned, parsed, matched, edited, and the result checked.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::check::{self, Wrong};
use super::skip;
use super::{Finding, FindingKind, SkipReason};
use crate::edit::{Edit, Fragment, Splice, apply, arrange};
use crate::language::{self, Language};
use crate::rule::{Answer, Facts, Hits, ImportRequest, Outcome, Outcomes, Place, RuleSet, run, settle};
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

impl FileReport {
    /// Of a file that lacks what every rule requires.
    pub(super) fn without_literal() -> Self {
        Self { skipped: Some(SkipReason::NoLiteral), ..Self::default() }
    }

    /// Takes the change back: `rule` would go on changing the result.
    pub fn refuse_as_unsettled(&mut self, path: &str, rule: &str) {
        self.change = None;
        let why = "a second run over the whole result would change this file again";
        self.findings.push(about(path, rule, (0, 0), FindingKind::Refused, why));
    }
}

const BOM: &str = "\u{feff}";

/// What a file tells the rules that collect; rules that fail on it fail again, and
/// are reported, when it is edited. `path` is relative to its workspace.
pub fn collect<'p>(rules: &RuleSet, place: impl Into<Place<'p>>, bytes: &[u8]) -> Result<Facts, Finding> {
    let place = place.into();
    let path = place.name();
    let Some(language) = language::of_path(Path::new(path)).filter(|l| rules.speaks(l)) else {
        return Ok(Facts::default());
    };
    let hits = rules.scan(language, place, bytes);
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
pub fn unsettled<'p>(rules: &RuleSet, facts: &Arc<Facts>, place: impl Into<Place<'p>>, bytes: &[u8]) -> Option<String> {
    let report = file(rules, facts, place, bytes);
    let change = report.change?;
    change.edits.first().map(|edit| edit.rule.clone())
}

/// Runs the rules over one file, given the facts of its workspace. `path` is
/// relative to the workspace.
pub fn file<'p>(rules: &RuleSet, facts: &Arc<Facts>, place: impl Into<Place<'p>>, bytes: &[u8]) -> FileReport {
    let place = place.into();
    let path = place.name();
    let Some(language) = language::of_path(Path::new(path)).filter(|l| rules.speaks(l)) else {
        return FileReport { skipped: Some(SkipReason::OtherLanguage), ..FileReport::default() };
    };
    // Its names stand in other bytes, so that not finding them says nothing.
    if skip::is_utf16(bytes) {
        return left_alone(path, SkipReason::NotUtf8);
    }
    let hits = rules.scan(language, place, bytes);
    if !hits.any() {
        return FileReport::without_literal();
    }
    if let Some(reason) = skip::by_path(path).or_else(|| skip::by_content(bytes)) {
        return left_alone(path, reason);
    }
    let Ok(whole) = std::str::from_utf8(bytes) else { return left_alone(path, SkipReason::NotUtf8) };
    let text = whole.strip_prefix(BOM).unwrap_or(whole);
    let shift = whole.len() - text.len();
    let mut report = FileReport { parsed: true, ..FileReport::default() };
    let parsed = parse(language, text).map(Arc::new).and_then(|tree| {
        report.findings.extend(unreadable(&tree, &hits, shift, path));
        let outcomes = run(rules, &tree, &hits, facts)?;
        Ok((tree, outcomes))
    });
    let (tree, outcomes) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => {
            report.findings.push(about(path, "gander/syntax", (0, 0), FindingKind::Refused, &error.to_string()));
            return report;
        }
    };
    let asked = sort_out(rules, path, outcomes, &mut report);
    let forbidden = report.findings.iter().any(|f| matches!(f.kind, FindingKind::Refused | FindingKind::Errored));
    if forbidden || asked.edits.is_empty() && asked.imports.is_empty() {
        return report;
    }
    match checked((rules, place), facts, &tree, asked) {
        Ok((_, _, new)) if new == text => {}
        Ok((edits, splices, new)) => {
            let bytes = format!("{}{new}", &whole[..shift]).into_bytes();
            report.change = Some(shifted(edits, splices, bytes, shift));
        }
        Err(wrong) => {
            let place = line_column(text, wrong.at);
            report.findings.push(about(path, &wrong.rule, place, FindingKind::Refused, &wrong.why));
        }
    }
    report
}

/// A file that names what the rules look for, but is not ours to edit: said, not hidden.
pub(super) fn left_alone(path: &str, reason: SkipReason) -> FileReport {
    let message = match reason {
        SkipReason::NotUtf8 => "is not UTF-8 and was not searched: look at it, or save it as UTF-8".to_owned(),
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

/// Places that the rules look for in code that the parser could not read: nobody can
/// tell what they mean, so each forbids the change.
fn unreadable(tree: &Tree, hits: &Hits, shift: usize, path: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for range in tree.unreadable() {
        if let Some(at) = hits.places.iter().map(|p| p.saturating_sub(shift)).find(|p| range.contains(p)) {
            let stop = error_place(tree, &range);
            let (line, column) = line_column(tree.text(), at);
            let message = format!(
                "this code can't be read as {} (the parser stops at line {}), and it names what the rules look for \
                 at {line}:{column}",
                tree.language.facts.name, stop.0
            );
            findings.push(about(path, "gander/syntax", (line, column), FindingKind::Refused, &message));
        }
    }
    findings
}

fn error_place(tree: &Tree, range: &std::ops::Range<usize>) -> (u32, u32) {
    tree.errors().find(|e| range.contains(&e.local_range().start)).map_or((1, 1), |e| e.line_column())
}

/// What the rules ask of a file.
#[derive(Default)]
struct Asked {
    edits: Vec<Edit>,
    /// Those of `edits` that are the comments of annotations, by index.
    comments: BTreeSet<usize>,
    /// What the edits need of the imports of the file, and the rules that ask.
    imports: Vec<(String, ImportRequest)>,
    /// Literals in which some edit lies, and the language in them.
    literals: BTreeMap<(usize, usize), &'static Language>,
}

/// Splits outcomes into findings and the edits of those that edit.
fn sort_out(rules: &RuleSet, path: &str, outcomes: Outcomes, report: &mut FileReport) -> Asked {
    let mut asked = Asked { edits: Vec::new(), comments: BTreeSet::new(), ..Asked::default() };
    for outcome in outcomes {
        let rule = &rules.rules[outcome.rule].id;
        let (kind, message) = match outcome.answer {
            Answer::Edit(more) => {
                asked.edits.extend(more);
                asked.imports.extend(outcome.imports.into_iter().map(|request| (rule.clone(), request)));
                asked.literals.extend(outcome.literal.map(|(range, language)| ((range.start, range.end), language)));
                (FindingKind::Mapped, String::new())
            }
            Answer::Annotate(message, more) => {
                asked.comments.extend(asked.edits.len()..asked.edits.len() + more.len());
                asked.edits.extend(more);
                (FindingKind::Annotated, message)
            }
            Answer::Refuse(reason) => (FindingKind::Refused, reason),
            Answer::Skip(reason) => (FindingKind::Skipped, reason),
            Answer::Fail(reason) => (FindingKind::Errored, reason),
        };
        report.findings.push(about(path, rule, outcome.place, kind, &message));
    }
    asked
}

type Checked = (Vec<Edit>, Vec<Splice>, String);

/// Rounds of parentheses before the rest is refused.
const ROUNDS: usize = 12;

/// Composes the edits, and checks what comes of them: it must read no worse
/// than before, nothing may be lost, and the rules must have nothing more to
/// change in it.
fn checked(
    (rules, place): (&RuleSet, Place<'_>),
    facts: &Arc<Facts>,
    old_tree: &Tree,
    mut asked: Asked,
) -> Result<Checked, Wrong> {
    let syntax = |e: crate::tree::ParseError| Wrong { at: 0, rule: "gander/syntax".to_owned(), why: e.to_string() };
    let (language, text) = (old_tree.language, old_tree.text());
    let (mut round, mut settled) = (0, false);
    let (arranged, new_tree) = loop {
        let arranged = arrange(text, &asked.edits).map_err(|error| {
            let why = format!("{error}; order them, or narrow one of them");
            Wrong { at: error.at(), rule: error.rule().to_owned(), why }
        })?;
        let new_tree = parse(language, apply(text, &arranged.splices)).map_err(syntax)?;
        round += 1;
        if round > ROUNDS || !check::parenthesise(old_tree, &new_tree, &arranged, &mut asked.edits) {
            if std::mem::replace(&mut settled, true) {
                break (arranged, new_tree);
            }
            // What the imports must be is only known now.
            let more = settle(old_tree, &new_tree, &arranged.splices, &asked.imports).map_err(|u| Wrong {
                at: 0,
                rule: u.rule,
                why: u.why,
            })?;
            if more.is_empty() {
                break (arranged, new_tree);
            }
            asked.edits.extend(more);
        }
    };
    let result = check::Result { old: old_tree, new: &new_tree, edits: &asked.edits, arranged: &arranged };
    result.check(&asked.comments, &asked.literals)?;
    let new = new_tree.text().to_owned();
    if rules.collects() {
        // What the result tells is only known once every file of the workspace is
        // done: the stage checks it then.
        return Ok((asked.edits, arranged.splices, new));
    }
    let hits = rules.scan(language, place, new.as_bytes());
    let again = run(rules, &Arc::new(new_tree), &hits, facts).map_err(syntax)?;
    for outcome in &again {
        let why = match &outcome.answer {
            Answer::Edit(edits) if edits.iter().any(|e| !is_identity(&new, e)) => {
                "a second run would change the result again: the rule matches what it writes".to_owned()
            }
            Answer::Annotate(_, edits) if !edits.is_empty() => "a second run would comment the result again".to_owned(),
            Answer::Refuse(why) | Answer::Fail(why) => format!("a second run would refuse the result: {why}"),
            _ => continue,
        };
        let at = arranged.splices.first().map_or(0, |s| s.range.start);
        return Err(Wrong { at, rule: rules.rules[outcome.rule].id.clone(), why });
    }
    Ok((asked.edits, arranged.splices, new))
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
