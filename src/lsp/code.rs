//! The matches of rules in a file of code, and what they would make of it.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lsp_types::{Diagnostic, DiagnosticSeverity, NumberOrString, TextEdit};

use super::position::range;
use super::rule_file::of;
use super::workspace::Loaded;
use crate::edit::{Edit, Splice, apply, compose};
use crate::language::Language;
use crate::rule::{Answer, File, Origin, run};
use crate::transform::{FindingKind, file};
use crate::tree::parse;

/// A match of a rule.
pub(super) struct Found {
    /// Bytes of the text.
    pub(super) range: Range<usize>,
    pub(super) diagnostic: Diagnostic,
    /// What the rule would write, and what an editor calls that. Only where it is safe.
    pub(super) rewrite: Option<Rewrite>,
}

/// An edit for the editor.
pub(super) struct Rewrite {
    pub(super) title: String,
    pub(super) edits: Vec<TextEdit>,
}

/// The path of a file as rules see it: relative to the folder that is open.
pub(super) fn name(roots: &[PathBuf], path: &Path) -> String {
    let inside = roots.iter().filter_map(|root| path.strip_prefix(root).ok());
    let shortest = inside.min_by_key(|inside| inside.components().count());
    let name = shortest.or_else(|| path.file_name().map(Path::new)).unwrap_or(path);
    name.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/")
}

/// Every match of the rules in the file of this [`name`], by place.
pub(super) fn matches(loaded: &[Loaded], name: &str, text: &str) -> Vec<Found> {
    let mut all: Vec<Found> = loaded.iter().flat_map(|one| matches_of(one, name, text)).collect();
    all.sort_by_key(|found| (found.range.start, found.range.end));
    all
}

fn matches_of(loaded: &Loaded, name: &str, text: &str) -> Vec<Found> {
    let Loaded { rules, facts, .. } = loaded;
    let Some(language) = rules.language_of(name) else { return Vec::new() };
    let hits = rules.scan(language, name, text.as_bytes());
    if !hits.any() {
        return Vec::new();
    }
    let Ok(tree) = parse(language, text).map(Arc::new) else { return Vec::new() };
    let Ok(outcomes) = run(rules, File { path: name, tree: &tree }, &hits, facts) else { return Vec::new() };
    let mut all = Vec::new();
    for outcome in outcomes {
        let id = rules.id_of(outcome.origin);
        let title = match outcome.origin {
            Origin::Rule(rule) => rules.rules[rule].title.clone(),
            Origin::Dataset(_) => None,
        };
        let title = title.unwrap_or_else(|| id.to_owned());
        let (severity, message, edits) = match outcome.answer {
            // An editor could not look into files that are not open, and half is none.
            Answer::Edit(_) if !outcome.files.is_empty() => {
                let does: Vec<String> = outcome.files.iter().map(ToString::to_string).collect();
                let message = format!("{title}: it {}, which `gander apply` does and no editor", does.join(", "));
                (DiagnosticSeverity::INFORMATION, message, Vec::new())
            }
            Answer::Edit(edits) => (DiagnosticSeverity::INFORMATION, title.clone(), edits),
            Answer::Annotate(message, edits) => (DiagnosticSeverity::WARNING, message, edits),
            Answer::Refuse(why) => (DiagnosticSeverity::WARNING, format!("refused: {why}"), Vec::new()),
            Answer::Fail(why) => (DiagnosticSeverity::ERROR, format!("the rule fails here: {why}"), Vec::new()),
            Answer::Skip(_) => continue,
        };
        let mut diagnostic = of(range(text, outcome.range.clone()), severity, message);
        diagnostic.code = Some(NumberOrString::String(id.to_owned()));
        let rewrite = rewrite(language, text, &edits).map(|edits| Rewrite { title: format!("{title} ({id})"), edits });
        all.push(Found { range: outcome.range, diagnostic, rewrite });
    }
    all.extend(checks(loaded, name, text));
    all
}

/// What the checks of the transform stage say of the file besides its rules.
fn checks(loaded: &Loaded, name: &str, text: &str) -> Vec<Found> {
    let report = file(&loaded.rules, &loaded.facts, name, text.as_bytes());
    let datasets = || loaded.rules.datasets.iter().flat_map(|datasets| datasets.ids());
    let ours = |rule: &str| loaded.rules.rules.iter().any(|r| r.id == rule) || datasets().any(|id| id == rule);
    let checks = report.findings.iter().filter(|f| f.kind == FindingKind::Refused && !ours(&f.rule));
    let one = |finding: &crate::transform::Finding| {
        let at = super::position::offset_of_column(text, finding.line.max(1), finding.column.max(1));
        let message = format!("refused: {}", finding.message);
        let diagnostic = of(range(text, at..at), DiagnosticSeverity::WARNING, message);
        Found { range: at..at, diagnostic, rewrite: None }
    };
    checks.map(one).collect()
}

/// The edits of one match, where the result reads no worse than the text.
fn rewrite(language: &'static Language, text: &str, edits: &[Edit]) -> Option<Vec<TextEdit>> {
    let splices = compose(text, edits).ok().filter(|splices| !splices.is_empty())?;
    let errors = |text: &str| parse(language, text).ok().map(|tree| tree.errors().count());
    (errors(&apply(text, &splices))? <= errors(text)?).then(|| text_edits(text, &splices))
}

/// All that the rules would change in a file, as checked by the transform stage.
pub(super) fn everything(loaded: &[Loaded], name: &str, text: &str) -> Option<Rewrite> {
    let reports = loaded.iter().map(|one| file(&one.rules, &one.facts, name, text.as_bytes()));
    // Several sets of rules may want the same bytes: each is offered alone then.
    let mut changes = reports.filter(|report| !report.moves_files()).filter_map(|report| report.change);
    let change = changes.next().filter(|change| change.splices.len() > 1)?;
    if changes.next().is_some() {
        return None;
    }
    let title = format!("All {} changes of gander in this file", change.splices.len());
    Some(Rewrite { title, edits: text_edits(text, &change.splices) })
}

fn text_edits(text: &str, splices: &[Splice]) -> Vec<TextEdit> {
    splices.iter().map(|s| TextEdit { range: range(text, s.range.clone()), new_text: s.text.clone() }).collect()
}
