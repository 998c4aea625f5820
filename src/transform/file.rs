//! One file: scanned, parsed, matched, edited, and the result checked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::asked::{Asked, sort_out};
use super::check::{self, Touched, Wrong};
use super::compose::composed;
use super::{Finding, FindingKind, SkipReason, TouchedComment};
use super::{follow, neighbours, nesting, skip, standing};
use crate::edit::{Edit, Fragment, Splice};
use crate::language::Language;
use crate::rule::{Answer, Facts, File, Hits, Outcome, Place, RuleSet, Seed, may_follow, outcomes_of_text, run};
use crate::symbol::Symbols;
use crate::tree::{ParseError, Tree, line_column, parse};

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
    /// Whether the file stays where it is.
    pub fate: Fate,
    /// The files that it wants to be there besides.
    pub creations: Vec<Creation>,
    /// The follow-ups that its edits ask for in every file of the workspace.
    pub seeds: BTreeSet<Seed>,
    /// Comments that the change takes away, or elsewhere.
    pub comments: Vec<TouchedComment>,
}

/// What becomes of a file as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Fate {
    /// It stays where it is.
    #[default]
    Stays,
    /// It has another path.
    Moves {
        /// Which.
        to: String,
        /// The rule that asks for it.
        rule: String,
    },
    /// It is gone.
    Goes {
        /// The rule that asks for it.
        rule: String,
    },
}

/// A file that a rule wants to be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Creation {
    /// Relative to the workspace, with `/`.
    pub path: String,
    /// All that it holds.
    pub text: String,
    /// The rule.
    pub rule: String,
    /// Line and column of the match that asks for it.
    pub place: (u32, u32),
}

/// A checked change of one file. Ranges are bytes of the whole file, a byte
/// order mark included.
#[derive(Debug)]
pub struct Change {
    /// What the rules asked for.
    pub edits: Vec<Edit>,
    /// The same, composed.
    pub splices: Vec<Splice>,
    /// How many of the edits are comments of annotations.
    pub comments: usize,
    /// All new bytes.
    pub bytes: Vec<u8>,
}

impl FileReport {
    /// Of a file that lacks what every rule requires.
    pub(super) fn without_literal() -> Self {
        Self { skipped: Some(SkipReason::NoLiteral), ..Self::default() }
    }

    /// Takes the change back: `rule` would go on changing the result, or refuse it.
    /// What is refused already says why.
    pub fn refuse_as_unsettled(&mut self, path: &str, rule: &str) {
        if self.objection().is_none() {
            let why = "a second run over the whole result would change this file again, or refuse it";
            self.refuse(path, rule, (0, 0), why);
        }
    }

    /// The first finding that forbids a change.
    pub(super) fn objection(&self) -> Option<&Finding> {
        self.findings.iter().find(|f| matches!(f.kind, FindingKind::Refused | FindingKind::Errored))
    }

    /// Takes back all that was asked of the file, and says why.
    pub fn refuse(&mut self, path: &str, rule: &str, place: (u32, u32), why: &str) {
        self.change = None;
        self.fate = Fate::Stays;
        self.creations.clear();
        self.seeds.clear();
        self.comments.clear();
        self.findings.push(about(path, rule, place, FindingKind::Refused, why));
    }

    /// Whether whole files are made, moved or removed.
    pub fn moves_files(&self) -> bool {
        self.fate != Fate::Stays || !self.creations.is_empty()
    }
}

pub(super) const BOM: &str = "\u{feff}";

/// What a file tells the rules that collect; rules that fail on it fail again, and
/// are reported, when it is edited. `path` is relative to its workspace.
pub fn collect<'p>(rules: &RuleSet, place: impl Into<Place<'p>>, bytes: &[u8]) -> Result<Facts, Finding> {
    let place = place.into();
    let path = place.name();
    let Some(language) = rules.spoken_in(place) else {
        return Ok(Facts::default());
    };
    let hits = rules.scan(language, place, bytes);
    let skipped = !hits.any() || skip::by_path(path).or_else(|| skip::by_content(bytes)).is_some();
    let Some(text) = std::str::from_utf8(bytes).ok().filter(|_| !skipped) else { return Ok(Facts::default()) };
    let failed = |why: &str| about(path, "gander/syntax", (0, 0), FindingKind::Errored, why);
    let tree = parse(language, text.strip_prefix(BOM).unwrap_or(text)).map_err(|e| failed(&e.to_string()))?;
    let tree = Arc::new(tree);
    let (facts, failures) =
        crate::rule::collect(rules, File { path, tree: &tree }, &hits).map_err(|e| failed(&e.to_string()))?;
    match failures.into_iter().next() {
        Some(Outcome { origin, place, answer: Answer::Fail(why), .. }) => {
            Err(about(path, rules.id_of(origin), place, FindingKind::Errored, &why))
        }
        _ => Ok(facts),
    }
}

/// What edits of files ask for in the whole workspace is done in every file of it, and may ask
/// for more: `planted` tells what all files ask for, given these facts.
///
/// # Errors
/// Where that has no end.
pub fn spread(
    rules: &RuleSet,
    mut facts: Facts,
    planted: impl Fn(&Arc<Facts>) -> BTreeSet<Seed>,
) -> Result<Arc<Facts>, Finding> {
    for _ in 0..MAX_SPREAD {
        let now = Arc::new(facts);
        let more = if rules.spreads() { planted(&now) } else { BTreeSet::new() };
        facts = Facts::clone(&now);
        if !facts.plant(more) {
            return Ok(now);
        }
    }
    let why =
        format!("the follow-ups in the workspace have no end: there was still a new one after {MAX_SPREAD} rounds");
    Err(about("", "gander/follow-ups", (0, 0), FindingKind::Errored, &why))
}

/// More rounds are no clean-up.
const MAX_SPREAD: usize = 10;

/// Whether the rules, given these facts, would still change a file, or refuse it, where `there` knows
/// the files that were asked for: the rule that would.
pub fn unsettled<'p>(
    rules: &RuleSet,
    facts: &Arc<Facts>,
    place: impl Into<Place<'p>>,
    bytes: &[u8],
    there: &dyn Fn(&Creation) -> bool,
) -> Option<String> {
    let report = file(rules, facts, place, bytes);
    let edits = report.change.as_ref().and_then(|change| change.edits.first()).map(|edit| edit.rule.clone());
    let fate = match &report.fate {
        Fate::Stays => None,
        Fate::Moves { rule, .. } | Fate::Goes { rule } => Some(rule.clone()),
    };
    let creates = || report.creations.iter().find(|creation| !there(creation)).map(|creation| creation.rule.clone());
    let refuses = || report.objection().map(|finding| finding.rule.clone());
    edits.or(fate).or_else(creates).or_else(refuses)
}

/// Runs the rules over one file, given the facts of its workspace. `path` is
/// relative to the workspace.
pub fn file<'p>(rules: &RuleSet, facts: &Arc<Facts>, place: impl Into<Place<'p>>, bytes: &[u8]) -> FileReport {
    let place = place.into();
    contained(place.name(), || looked_through(rules, facts, place, bytes))
}

/// A file that gander itself fails on must not end the run of a whole fleet: its consumer gets an
/// outcome like any other. Where it failed was printed by Rust.
pub(super) fn contained(path: &str, work: impl FnOnce() -> FileReport) -> FileReport {
    caught(work).unwrap_or_else(|| FileReport { parsed: true, findings: vec![failed(path)], ..FileReport::default() })
}

/// What comes of some work, or nothing where gander itself fails in it.
pub(super) fn caught<T>(work: impl FnOnce() -> T) -> Option<T> {
    // Nothing outlives a panic but buffers that every use clears first.
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).ok()
}

/// Says that gander itself failed on a file.
pub(super) fn failed(path: &str) -> Finding {
    let why = "gander failed on this file, and nothing of it is changed; please report what it printed and the file";
    about(path, "gander/failed", (0, 0), FindingKind::Errored, why)
}

fn looked_through(rules: &RuleSet, facts: &Arc<Facts>, place: Place<'_>, bytes: &[u8]) -> FileReport {
    let path = place.name();
    let Some(language) = rules.spoken_in(place) else { return searched(rules, path, bytes) };
    // Its names stand in other bytes, so that not finding them says nothing.
    if skip::is_utf16(bytes) {
        let may = rules.datasets.as_ref().is_some_and(|datasets| datasets.may_stand(&skip::halves(bytes)));
        return if may {
            names_a_dataset(path, SkipReason::NotUtf8, true)
        } else {
            left_alone(path, SkipReason::NotUtf8)
        };
    }
    // So they do where the file itself is not here.
    if skip::is_lfs(bytes) {
        return left_alone(path, SkipReason::LfsPointer);
    }
    let hits = rules.scan(language, place, bytes);
    // A table whose name is put in may be a dataset that another file names.
    let moves_with_others =
        facts.units_of(path).is_some_and(|units| !units.is_empty()) || facts.elsewhere(path).is_some();
    if !hits.any() && !moves_with_others && !may_follow(rules, language, bytes, facts.seeds()) {
        return FileReport::without_literal();
    }
    if let Some(reason) = skip::by_path(path).or_else(|| skip::by_content(bytes)) {
        return if hits.datasets { names_a_dataset(path, reason, true) } else { left_alone(path, reason) };
    }
    let Ok(whole) = std::str::from_utf8(bytes) else { return left_alone(path, SkipReason::NotUtf8) };
    let text = whole.strip_prefix(BOM).unwrap_or(whole);
    let shift = whole.len() - text.len();
    let tree = match parse(language, text) {
        Ok(tree) => Arc::new(tree),
        Err(error) => return beyond_the_parser(path, &error),
    };
    loop {
        let kept = Symbols::of(&tree).kept();
        match made(&Again { rules, facts, place }, &tree, &hits, (whole, shift)) {
            // An import keeps its name after all: what would take it is written otherwise.
            Ok(report) if report.objection().is_some() && Symbols::of(&tree).kept() > kept => {}
            Ok(report) => return report,
            Err(error) => return beyond_the_parser(path, &error),
        }
    }
}

fn beyond_the_parser(path: &str, error: &ParseError) -> FileReport {
    let findings = vec![about(path, "gander/syntax", (0, 0), FindingKind::Refused, &error.to_string())];
    FileReport { parsed: true, findings, ..FileReport::default() }
}

/// What the rules make of a file that was parsed; its text begins so many bytes behind the begin of the whole.
///
/// # Errors
/// The parser gave up on a text in it.
fn made(
    again: &Again<'_>,
    tree: &Arc<Tree>,
    hits: &Hits,
    (whole, shift): (&str, usize),
) -> Result<FileReport, ParseError> {
    let Again { rules, facts, place } = *again;
    let (path, text) = (place.name(), tree.text());
    let mut report = FileReport { parsed: true, ..FileReport::default() };
    report.findings.extend(unreadable(tree, hits, shift, path));
    let outcomes = run(rules, File { path, tree }, hits, facts)?;
    let mut asked = sort_out(rules, path, outcomes, &mut report);
    if let Err(wrong) = neighbours::join(tree, &mut asked.edits) {
        report.refuse(path, &wrong.rule, line_column(text, wrong.at), &wrong.why);
    }
    nesting::join_lines(tree, &mut asked.edits);
    asked.in_order(rules, text, &mut report);
    if report.objection().is_none() && !(asked.seeds.is_empty() && facts.seeds().is_empty()) {
        match follow::follow(again, tree, asked, &mut report) {
            Ok(followed) => asked = followed,
            Err(wrong) => {
                let place = line_column(text, wrong.at);
                report.refuse(path, &wrong.rule, place, &wrong.why);
                return Ok(report);
            }
        }
    }
    if report.objection().is_some() || asked.is_nothing() {
        return Ok(report);
    }
    let comments = asked.comments.len();
    match asked.fate(path).and_then(|fate| again.decided(tree, asked, &fate).map(|decided| (fate, decided))) {
        Ok((fate, (changed, creations))) => {
            let touched = changed.as_ref().map(|(.., touched)| touched.as_slice()).unwrap_or_default();
            report.comments.extend(touched_comments(path, tree, touched));
            let changed = changed.map(|(edits, splices, new, _)| (edits, splices, new));
            report.fate = fate;
            report.creations = creations;
            report.change = changed.filter(|(_, _, new)| new != text).map(|(edits, splices, new)| {
                let bytes = [&whole.as_bytes()[..shift], new.as_bytes()].concat();
                Change { comments, ..shifted(edits, splices, bytes, shift) }
            });
        }
        // What is not edited asks for nothing elsewhere.
        Err(wrong) => report.refuse(path, &wrong.rule, line_column(text, wrong.at), &wrong.why),
    }
    Ok(report)
}

/// A file that no rule speaks of; what it says of datasets is told.
fn searched(rules: &RuleSet, path: &str, bytes: &[u8]) -> FileReport {
    let other = FileReport { skipped: Some(SkipReason::OtherLanguage), ..FileReport::default() };
    let Some(datasets) = rules.datasets.as_ref().filter(|datasets| datasets.may_stand(bytes)) else { return other };
    if let Some(reason) = skip::by_path(path).or_else(|| skip::by_content(bytes)) {
        return names_a_dataset(path, reason, false);
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return names_a_dataset(path, SkipReason::NotUtf8, false) };
    let mut report = other;
    sort_out(rules, path, outcomes_of_text(datasets, path, text), &mut report);
    report
}

/// A file that names a dataset and can't be read: a person looks at it, unless it is
/// somebody else's or made by a program.
fn names_a_dataset(path: &str, reason: SkipReason, code: bool) -> FileReport {
    let mut report = left_alone(path, reason);
    // Code with a byte of zero in it is code still.
    if matches!(reason, SkipReason::Minified | SkipReason::NotUtf8) || code && reason == SkipReason::Binary {
        report.findings.iter_mut().for_each(|finding| {
            finding.kind = FindingKind::Annotated;
            finding.message = format!("may name a dataset that moves, and is left alone: {}", reason.words());
        });
    }
    report
}

/// A file that names what the rules look for, but is not ours to edit: said, not hidden.
pub(super) fn left_alone(path: &str, reason: SkipReason) -> FileReport {
    let message = match reason {
        SkipReason::NotUtf8 => "is not UTF-8 and was not searched: look at it, or save it as UTF-8".to_owned(),
        SkipReason::LfsPointer => "is kept in Git LFS and was not searched: look at it, or fetch it".to_owned(),
        _ => format!("names what the rules look for, but is left alone: {}", reason.words()),
    };
    FileReport {
        skipped: Some(reason),
        findings: vec![about(path, "gander/left-alone", (0, 0), FindingKind::Skipped, &message)],
        ..FileReport::default()
    }
}

pub(super) fn about(path: &str, rule: &str, place: (u32, u32), kind: FindingKind, message: &str) -> Finding {
    Finding {
        rule: rule.to_owned(),
        path: path.to_owned(),
        line: place.0,
        column: place.1,
        kind,
        message: message.to_owned(),
        subject: None,
    }
}

/// Places that the rules look for in code that the parser could not read: nobody can
/// tell what they mean, so each forbids the change.
fn unreadable(tree: &Tree, hits: &Hits, shift: usize, path: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    // The first place in a range that the rules look for.
    let sought = |range: &std::ops::Range<usize>| {
        hits.places.iter().map(|p| p.saturating_sub(shift)).find(|p| range.contains(p))
    };
    for range in tree.unreadable() {
        if let Some(at) = sought(&range) {
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
    for node in standing::misread(tree) {
        if let Some(at) = sought(&node.local_range()) {
            let (line, column) = line_column(tree.text(), at);
            let message = format!(
                "the grammar of {} reads `{}` as other code than it is, and it names what the rules look for at \
                 {line}:{column}: write it otherwise, as with a variable",
                tree.language.facts.name,
                node.short()
            );
            findings.push(about(path, "gander/syntax", (line, column), FindingKind::Refused, &message));
        }
    }
    findings
}

fn error_place(tree: &Tree, range: &std::ops::Range<usize>) -> (u32, u32) {
    tree.errors().find(|e| range.contains(&e.local_range().start)).map_or((1, 1), |e| e.line_column())
}

/// The edits, what they compose to, the new text, and the comments that they touch.
type Checked = (Vec<Edit>, Vec<Splice>, String, Vec<Touched>);

/// Comments of `old`, for people.
pub(super) fn touched_comments(path: &str, old: &Tree, touched: &[Touched]) -> Vec<TouchedComment> {
    let one = |touched: &Touched| TouchedComment {
        path: path.to_owned(),
        line: old.line_column(touched.at).0,
        text: touched.text.clone(),
        moved: touched.moved,
    };
    touched.iter().map(one).collect()
}

/// A run over the result, which must find nothing more to do.
pub(super) struct Again<'a> {
    pub(super) rules: &'a RuleSet,
    pub(super) facts: &'a Arc<Facts>,
    /// Where the file lies now.
    pub(super) place: Place<'a>,
}

pub(super) fn syntax(error: crate::tree::ParseError) -> Wrong {
    Wrong { at: 0, rule: "gander/syntax".to_owned(), why: error.to_string() }
}

impl Again<'_> {
    /// What all rules together make of a file, checked: its new text where it is
    /// edited, and the files that must be there.
    fn decided(
        &self,
        old_tree: &Arc<Tree>,
        asked: Asked,
        fate: &Fate,
    ) -> Result<(Option<Checked>, Vec<Creation>), Wrong> {
        let creations = asked.creations();
        match fate {
            Fate::Goes { .. } => Ok((None, creations)),
            Fate::Stays if asked.edits.is_empty() && asked.imports.is_empty() => Ok((None, creations)),
            Fate::Stays => {
                let (changed, new_tree) = checked(self.rules, old_tree, asked)?;
                self.settled(self.place, old_tree.language, new_tree, &changed.1, &creations)?;
                Ok((Some(changed), creations))
            }
            Fate::Moves { to, rule } => {
                let (changed, new_tree) = checked(self.rules, old_tree, asked)?;
                let Some(language) = self.rules.language_of(self.place.with(to)) else {
                    return Ok((Some(changed), creations));
                };
                let new_tree = if std::ptr::eq(language, old_tree.language) {
                    new_tree
                } else {
                    in_language(language, &changed.2, rule)?
                };
                self.settled(self.place.with(to), language, new_tree, &changed.1, &creations)?;
                Ok((Some(changed), creations))
            }
        }
    }
}

/// Code that gets the name of another language must be code of it.
fn in_language(language: &'static Language, text: &str, rule: &str) -> Result<Tree, Wrong> {
    let tree = parse(language, text).map_err(syntax)?;
    let Some(error) = tree.errors().next() else { return Ok(tree) };
    let (line, column) = error.line_column();
    let why = format!("under its new name it would have to be {}, and is not at {line}:{column}", language.facts.name);
    Err(Wrong { at: 0, rule: rule.to_owned(), why })
}

/// Composes the edits, and checks what comes of them: it must read no worse
/// than before, and nothing may be lost.
fn checked(rules: &RuleSet, old_tree: &Tree, mut asked: Asked) -> Result<(Checked, Tree), Wrong> {
    let (arranged, new_tree) = composed(old_tree, &mut asked)?;
    let result = check::Result {
        old: old_tree,
        new: &new_tree,
        edits: &asked.edits,
        arranged: &arranged,
        moved: &comments_of(rules, &asked.creations()),
        line: &|at| old_tree.line_column(at).0,
        means_local: &|rule, name| rules.means_local(rule, name),
    };
    let touched = if asked.worked { Vec::new() } else { result.check(&asked.comments, &asked.literals)? };
    result.whole()?;
    let new = new_tree.text().to_owned();
    Ok(((asked.edits, arranged.splices, new, touched), new_tree))
}

/// The comments of new files, and how often each is there.
pub(super) fn comments_of(rules: &RuleSet, creations: &[Creation]) -> BTreeMap<String, usize> {
    let mut comments = BTreeMap::new();
    // Several matches may ask for one file.
    let files: BTreeSet<(&str, &str)> = creations.iter().map(|c| (c.path.as_str(), c.text.as_str())).collect();
    for (path, text) in files {
        let Some(Ok(tree)) = rules.language_of(path).map(|language| parse(language, text)) else { continue };
        check::comments(&tree).for_each(|comment| *comments.entry(comment).or_default() += 1);
    }
    comments
}

pub(super) fn is_identity(text: &str, edit: &Edit) -> bool {
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
    Change { edits, splices, comments: 0, bytes }
}
