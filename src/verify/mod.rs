//! Stage 3: a changed workspace → [`Verdict`]. Built and tested in a sandbox as
//! it was (the baseline), and with the change (patched); the two are compared step
//! by step and test by test. What differs is looked at again before it is believed,
//! and a regression is traced to the edits that cause it.
//!
//! Must not: deliver anything, or touch a consumer's own folder.

pub mod accepted;
mod blame;
mod cache;
mod challenge;
mod detect;
mod judge;
mod observed;
mod results;
mod runner;
mod schedule;
mod signature;
pub mod snapshot;
pub mod sql;
mod steps;
pub mod verdict;
mod weakened;

use std::path::Path;
use std::sync::LazyLock;

use crate::config::Step;
use crate::language::FileLanguages;
use crate::sandbox::{Sandbox, SandboxError};
use crate::transform::FilePlan;
use crate::workspace::{FileVersion, Manifest};

pub use cache::Cache;
pub use schedule::{Job, Progress, jobs_for, verify_all};
pub use snapshot::Accepted;
pub use sql::{Compared, Comparison, Sql};
pub use steps::steps_for;
pub use verdict::{
    Blame, Color, Difference, Evidence, Flag, FlagKind, Site, Snapshot, StepEnd, StepResult, Strength, Verdict,
    VerdictKind,
};
pub use weakened::{Declared, Scope};

use judge::Confirmed;
use observed::{Run, Unit};
use runner::Runner;

/// The most differences that a verdict lists.
const MOST_DIFFERENCES: usize = 200;
/// How often the patched side is run in all where something differs, and the baseline.
const PATCHED_RUNS: usize = 3;
const BASELINE_RUNS: usize = 2;

/// What is verified: a pinned tree, its change set, and how.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// A folder that holds exactly the pinned bytes; it is only read.
    pub pinned_tree: &'a Path,
    /// Names those bytes; without it, no baseline is kept.
    pub tree: Option<&'a str>,
    /// Every file that changes.
    pub changes: &'a [FileVersion],
    /// The same as the rules made it: edits can be blamed only where it is known.
    pub files: &'a [FilePlan],
    /// The languages and paths that the rules declare; `None` where there are no rules.
    pub declared: Option<&'a Declared>,
    /// What language each file is of.
    pub languages: &'a FileLanguages,
    /// What to run, in order: see [`steps_for`].
    pub steps: &'a [Step],
    /// Whether a pass is tried with a deliberately wrong edit.
    pub challenge: bool,
    /// Differences in snapshots that a person has accepted.
    pub accepted: &'a Accepted,
    /// Baselines of earlier runs.
    pub cache: Option<&'a Cache>,
    /// Where the changed tree is to be left, as the steps have left it.
    pub keep: Option<&'a Path>,
    /// How queries are compared, and what lies in the tree.
    pub sql: Option<(&'a Sql, &'a Manifest)>,
}

impl<'a> Subject<'a> {
    /// A tree, its change and its steps; all else as plain as can be.
    pub fn new(pinned_tree: &'a Path, changes: &'a [FileVersion], steps: &'a [Step]) -> Self {
        static NONE: Accepted = Accepted::new();
        static BY_NAME: LazyLock<FileLanguages> = LazyLock::new(FileLanguages::default);
        Self {
            pinned_tree,
            tree: None,
            changes,
            files: &[],
            declared: None,
            languages: &BY_NAME,
            steps,
            challenge: false,
            accepted: &NONE,
            cache: None,
            keep: None,
            sql: None,
        }
    }
}

/// Runs both sides of `subject` and compares them; `judge` says by which rules.
///
/// The patched side is run only where the machine did not fail with the baseline, or
/// something was green before it did: nothing else can regress or be fixed. A sandbox that
/// cannot be run at all is an `infra` verdict that says why. What Ctrl-C ends has no
/// verdict.
pub fn verify(sandbox: &Sandbox, subject: &Subject<'_>) -> Option<Verdict> {
    let mut flags = weakened::flags(subject.changes, subject.languages);
    if let Some(declared) = subject.declared {
        flags.extend(weakened::outside(subject.files, declared, subject.languages));
    }
    if subject.changes.iter().all(|change| change.before == change.after) {
        return Some(Verdict::without_runs(VerdictKind::NoChange, "there is no change"));
    }
    let verdict = match judged(&mut Runner::new(sandbox, subject)) {
        Ok(verdict) => verdict,
        Err(error) if error.is_interrupt() => return None,
        Err(error) => Verdict::without_runs(VerdictKind::Infra, error.to_string()),
    };
    flags.extend(gone(&verdict));
    flags.sort();
    flags.dedup();
    (!crate::interrupt::wanted()).then_some(Verdict { flags, ..verdict })
}

/// Tests that ran before the change and do not run with it, though nothing says why.
fn gone(verdict: &Verdict) -> Vec<Flag> {
    let flag = |difference: &Difference| {
        let kind = match (difference.before.first()?, difference.after.first()?) {
            (Color::Green, Color::Absent) => FlagKind::TestDeleted,
            (Color::Green, Color::Skipped) => FlagKind::TestSkipped,
            _ => return None,
        };
        let test = difference.test.as_ref()?;
        let message = format!("the test {test} of step `{}` does not run any more", difference.step);
        Some(Flag { kind, path: String::new(), message })
    };
    verdict.differences.iter().filter_map(flag).collect()
}

fn judged(runner: &mut Runner<'_>) -> Result<Verdict, SandboxError> {
    let first = runner.baseline()?;
    let mut before = vec![first];
    let mut after = Vec::new();
    let mut compared = judge::Compared::default();
    let mut confirmed = Confirmed::default();
    if runner.is_worth_comparing(&before[0]) {
        after.push(runner.patched(true)?);
        compared = judge::compare(&before[0], &after[0]);
        if !compared.regressed.is_empty() || !compared.fixed.is_empty() {
            while after.len() < PATCHED_RUNS {
                after.push(runner.patched(false)?);
            }
            while before.len() < BASELINE_RUNS {
                before.push(runner.baseline_again()?);
            }
            confirmed = judge::confirm(&compared, &before, &after);
        }
    }
    let (kind, reason) = judge::judge(&before, &after, &confirmed);
    let (kind, reason) = match runner.compared() {
        Some(compared) => with_queries(kind, reason, compared, &before),
        None => (kind, reason),
    };
    if kind == VerdictKind::Flaky {
        runner.forget();
    }
    let mut verdict = Verdict { kind, reason, ..told(&before, &after, &compared, &confirmed) };
    match kind {
        VerdictKind::Regressed => runner.blame(&confirmed, &before[0], &mut verdict)?,
        VerdictKind::Pass => {
            let challenged = runner.challenge(&after[0])?;
            let evidence = challenged.or_else(|| runner.compared().and_then(sql::Compare::evidence));
            verdict.evidence = weakened::rewritten(runner.subject(), evidence);
        }
        _ => {}
    }
    verdict.snapshots = runner.snapshots();
    verdict.sql = runner.compared().map(|compared| compared.comparisons.clone()).unwrap_or_default();
    Ok(verdict)
}

/// What comparing queries adds to the judgement: a consumer whose tests are missing passes where
/// all that changes was compared, and nobody passes for a part of its queries alone.
fn with_queries(kind: VerdictKind, reason: String, compared: &sql::Compare, before: &[Run]) -> (VerdictKind, String) {
    let only = || before.iter().flat_map(|run| &run.steps).all(|step| step.result.name == sql::STEP);
    match kind {
        VerdictKind::NoData if compared.is_complete() => (VerdictKind::Pass, format!("{}; {reason}", compared.said())),
        VerdictKind::NoData if !compared.comparisons.is_empty() => (kind, format!("{reason}; {}", compared.said())),
        VerdictKind::Pass if only() && !compared.is_complete() => (VerdictKind::NoData, compared.said()),
        VerdictKind::Pass if only() => (kind, compared.said()),
        _ => (kind, reason),
    }
}

/// All that the runs tell besides the judgement.
fn told(before: &[Run], after: &[Run], compared: &judge::Compared, confirmed: &Confirmed) -> Verdict {
    let colors = |runs: &[Run], unit: &Unit| runs.iter().map(|run| run.color(unit)).collect::<Vec<_>>();
    let units = compared.regressed.iter().chain(&compared.fixed).chain(&compared.gone).chain(&confirmed.flaky);
    let units: std::collections::BTreeSet<&Unit> = units.collect();
    let difference = |unit: &&Unit| {
        let red = after.iter().chain(before).find(|run| run.color(unit) == Color::Red);
        Difference {
            step: unit.step.clone(),
            test: unit.test.clone(),
            before: colors(before, unit),
            after: colors(after, unit),
            message: red.map(|run| run.said(unit)).unwrap_or_default().to_owned(),
        }
    };
    let mut enforced = before.first().map(|run| run.enforced.clone()).unwrap_or_default();
    for run in before.iter().chain(after) {
        enforced.retain(|name| run.enforced.contains(name));
    }
    let tests = |runs: &[Run]| runs.first().map_or(0, Run::tests);
    let results = |runs: &[Run]| runs.first().map(Run::results).unwrap_or_default();
    Verdict {
        baseline: results(before),
        patched: results(after),
        enforced,
        tests: (tests(before), tests(after)),
        differences: units.iter().take(MOST_DIFFERENCES).map(difference).collect(),
        ..Verdict::without_runs(VerdictKind::NoData, "")
    }
}
