//! All rules over one tree, in one traversal: matches become [`Outcome`]s.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use super::follow::Seed;
use super::prefilter::Hits;
use super::runner::Runner;
use super::set::{Origin, RuleSet, Unit};
use super::used::{Used, nodes_of};
use super::uses::{self, Subject};
use super::{Action, Facts, ImportRequest, Place, Variant, exercise, ignore};
use crate::dataset::file::Decided;
use crate::edit::{Edit, FileEdit};
use crate::language::Language;
use crate::pattern::gave_up;
use crate::tree::{ParseError, Tree};

/// What became of one match.
#[derive(Debug)]
pub struct Outcome {
    /// What it comes from.
    pub origin: Origin,
    /// Bytes of the file that matched.
    pub range: Range<usize>,
    /// Line and column in the file, from 1.
    pub place: (u32, u32),
    /// The answer, as edits of the file.
    pub answer: Answer,
    /// What its edits need of the imports of the file.
    pub imports: Vec<ImportRequest>,
    /// What it asks of whole files, besides.
    pub files: Vec<FileEdit>,
    /// For a match in embedded code: the literal that holds it, and the language in it.
    pub literal: Option<(Range<usize>, &'static Language)>,
    /// For a use of a dataset: of what.
    pub subject: Option<Subject>,
    /// The follow-ups that its edits ask for.
    pub seeds: Vec<Seed>,
}

/// The answer to a match.
#[derive(Debug)]
pub enum Answer {
    /// These edits, all or none.
    Edit(Vec<Edit>),
    /// A note for a person; the edits are its comment, none where one is there
    /// already or the language has no comments.
    Annotate(String, Vec<Edit>),
    /// No change set for this consumer.
    Refuse(String),
    /// Not meant.
    Skip(String),
    /// The rule failed.
    Fail(String),
}

/// Outcomes in the order of places, then of rules.
pub type Outcomes = Vec<Outcome>;

/// The engine itself gave up on a file.
pub type Failure = ParseError;
/// What the rules that collect learn from one file, and where they failed.
///
/// # Errors
/// As [`run`].
pub fn collect(set: &RuleSet, file: File<'_>, hits: &Hits) -> Result<(Facts, Outcomes), Failure> {
    let mut learned = Facts::default();
    let units = units_of(set, file, hits, &Facts::default())?;
    let failed = traverse(set, file, hits, Phase::Collect(&mut learned), units.as_deref())?;
    Ok((learned, failed))
}

/// Runs every possible rule over one file, given the facts of its workspace.
///
/// # Errors
/// Only where an embedded text is beyond the parser's budget.
pub fn run(set: &RuleSet, file: File<'_>, hits: &Hits, facts: &Arc<Facts>) -> Result<Outcomes, Failure> {
    let asked = may_use(hits, file.path, facts);
    let units = units_of(set, file, hits, facts)?;
    let mut outcomes = traverse(set, file, hits, Phase::Edit(facts), units.as_deref())?;
    ignore::respect(set, file.tree, &mut outcomes);
    if let Some(datasets) = set.datasets.as_ref().filter(|_| asked) {
        outcomes.extend(uses::outcomes(datasets, file, units.unwrap_or_default(), set.guide.as_deref())?);
        outcomes.sort_by_key(place_and_origin);
    }
    Ok(outcomes)
}

/// Whether a file may use a dataset, told from its bytes or from the files beside it.
fn may_use(hits: &Hits, path: &str, facts: &Facts) -> bool {
    hits.datasets || facts.units_of(path).is_some() || facts.elsewhere(path).is_some()
}

/// The units of a file, where datasets may be used in it or a rule asks for uses of them.
fn units_of(set: &RuleSet, file: File<'_>, hits: &Hits, facts: &Facts) -> Result<Option<Vec<Decided>>, Failure> {
    let Some(datasets) = &set.datasets else { return Ok(None) };
    let asks = || set.units.iter().zip(&hits.possible).any(|(unit, possible)| *possible && unit.asks_for_uses);
    let wanted = may_use(hits, file.path, facts) || asks();
    wanted.then(|| uses::units(datasets, file, facts)).transpose()
}

/// By place, then as the migration orders what asks.
fn place_and_origin(outcome: &Outcome) -> (usize, Origin, usize) {
    (outcome.range.start, outcome.origin, outcome.range.end)
}

/// A file to look at.
#[derive(Clone, Copy)]
pub struct File<'f> {
    /// Relative to the workspace, with `/`.
    pub path: &'f str,
    /// Its code.
    pub tree: &'f Arc<Tree>,
}

/// What a traversal is for: each rule takes part in one of the two.
pub(super) enum Phase<'f> {
    Collect(&'f mut Facts),
    Edit(&'f Arc<Facts>),
}

impl Phase<'_> {
    /// What is known of the workspace; nothing while it is collected.
    pub(super) fn facts(&self) -> Option<&Arc<Facts>> {
        match self {
            Self::Collect(_) => None,
            Self::Edit(facts) => Some(facts),
        }
    }
}

fn traverse(
    set: &RuleSet,
    File { path, tree }: File<'_>,
    hits: &Hits,
    phase: Phase<'_>,
    units: Option<&[Decided]>,
) -> Result<Outcomes, Failure> {
    let collects = matches!(phase, Phase::Collect(_));
    // What is decided with other files may name nothing in this one.
    let in_project = matches!(&phase, Phase::Edit(facts) if facts.units_of(path).is_some());
    let _recording = exercise::begin(set.exercise.as_ref());
    let mut runner = Runner::new(set, File { path, tree }, phase);
    gave_up();
    set.stand_beside(tree);
    let Some(index) = set.by_language.get(&tree.language.facts.name) else { return Ok(Vec::new()) };
    let takes_part = |unit: &Unit| matches!(set.rules[unit.rule].action, Action::Collect(..)) == collects;
    let mut files = files_had(set, tree, hits);
    for (unit, it) in set.units.iter().enumerate().filter(|(_, it)| in_project && it.asks_for_uses) {
        files[unit] |= set.is_for(it.rule, Place::At(path));
    }
    let possible = |unit: &usize| files[*unit] && takes_part(&set.units[*unit]);
    let asks = set.units.iter().enumerate().any(|(unit, it)| files[unit] && it.asks_for_uses);
    let used = match (&set.datasets, units) {
        (Some(datasets), Some(units)) if asks => Used::told(datasets, tree, units)?,
        _ => Used::default(),
    };
    let among = |units: &Vec<usize>| -> Vec<usize> { units.iter().copied().filter(possible).collect() };
    let (any, hosted) = (among(&index.any_kind), among(&index.hosted));
    let by_kind: Vec<Vec<usize>> = index.by_kind.iter().map(among).collect();
    for node in tree.iter() {
        let of_kind = by_kind.get(usize::from(node.kind_id())).into_iter().flatten();
        for unit in of_kind.chain(&any) {
            runner.candidate(*unit, tree, node, None);
        }
        for unit in &hosted {
            runner.host(*unit, node)?;
        }
    }
    let in_queries: Vec<usize> = any.iter().copied().filter(|unit| set.units[*unit].asks_for_uses).collect();
    for (text, query) in &used.texts {
        for node in nodes_of(&query.tree) {
            for unit in &in_queries {
                runner.candidate(*unit, &query.tree, query.tree.node(node), Some((query, tree.node(*text))));
            }
        }
    }
    if !tree.language.facts.macros.is_empty() {
        let units: BTreeSet<usize> = any.iter().chain(by_kind.iter().flatten()).copied().collect();
        runner.unseen(&units.into_iter().collect::<Vec<_>>(), tree);
    }
    runner.close_groups();
    runner.outcomes.sort_by_key(place_and_origin);
    Ok(runner.outcomes)
}

/// For each unit, whether it is possible, and its file has the texts that it asks for.
fn files_had(set: &RuleSet, tree: &Tree, hits: &Hits) -> Vec<bool> {
    let units = set.units.iter().enumerate();
    units.map(|(unit, it)| hits.possible.get(unit) == Some(&true) && has_texts(set.variant(it), tree)).collect()
}

/// Whether a file has the texts that a rule asks for.
pub(super) fn has_texts(variant: &Variant, tree: &Tree) -> bool {
    let fold = variant.language.facts.case_insensitive && !variant.file_has.is_empty();
    let lower = if fold { tree.text().to_ascii_lowercase() } else { String::new() };
    let has = |needle: &String| {
        if fold { lower.contains(&needle.to_ascii_lowercase()) } else { tree.text().contains(needle.as_str()) }
    };
    variant.file_has.iter().all(has)
}
