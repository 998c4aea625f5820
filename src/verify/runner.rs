//! Runs the sides of one subject, as often as the judgement needs: what is fetched
//! once is used for all runs of that side, and a baseline that is known is not run.
//!
//! Must not: judge.

use std::collections::{BTreeMap, BTreeSet};

use super::judge::{self, Confirmed};
use super::observed::{Observed, Run, Unit};
use super::sql::{self, Compare};
use super::verdict::{Color, Evidence, Snapshot, Strength, Verdict};
use super::{Subject, blame, challenge, signature, snapshot};
use crate::config::Step;
use crate::digest::Digest;
use crate::sandbox::{Fetched, Job, Sandbox, SandboxError, StepEnd};
use crate::workspace::FileVersion;

/// One subject while it is verified.
pub struct Runner<'a> {
    sandbox: &'a Sandbox,
    subject: &'a Subject<'a>,
    /// The steps after everything was fetched.
    steps: Vec<Step>,
    /// What was fetched for the baseline, and for the patched side.
    fetched: [Option<Fetched>; 2],
    golden: Option<Run>,
    /// What comparing queries came to, for the whole change, and how long it took.
    compared: Option<(Compare, u64)>,
    key: Option<Digest>,
    snapshots: Vec<Snapshot>,
}

impl<'a> Runner<'a> {
    /// Nothing has been run yet.
    pub fn new(sandbox: &'a Sandbox, subject: &'a Subject<'a>) -> Self {
        let steps = subject.steps.iter().filter(|step| step.fetch.is_none()).cloned().collect();
        let key = subject.cache.zip(subject.tree).and_then(|(cache, tree)| cache.key(tree, subject.steps));
        Self {
            sandbox,
            subject,
            steps,
            fetched: [None, None],
            golden: None,
            compared: None,
            key,
            snapshots: Vec::new(),
        }
    }

    /// The first run of the baseline, or what is known of it.
    pub fn baseline(&mut self) -> Result<Run, SandboxError> {
        let known = self.subject.cache.zip(self.key).and_then(|(cache, key)| cache.get(&key));
        let run = match known {
            Some(run) => run,
            None => {
                let mut run = self.run(0, &[], &self.steps.clone(), None)?;
                run.steps.iter_mut().for_each(snapshot::golden);
                if let Some((cache, key)) = self.subject.cache.zip(self.key) {
                    // A baseline that is not kept is run again.
                    let _ = cache.put(&key, &run);
                }
                run
            }
        };
        let mut run = run;
        self.compare_queries()?;
        run.steps.extend(self.compared().and_then(Compare::golden));
        self.golden = Some(run.clone());
        Ok(run)
    }

    /// What is verified.
    pub fn subject(&self) -> &'a Subject<'a> {
        self.subject
    }

    /// The baseline once more: whatever is known of it.
    pub fn baseline_again(&mut self) -> Result<Run, SandboxError> {
        let mut run = self.run(0, &[], &self.steps.clone(), None)?;
        self.compare_snapshots(&mut run);
        run.steps.extend(self.compared().and_then(Compare::golden));
        Ok(run)
    }

    /// What comparing queries came to, where that is asked for.
    pub fn compared(&self) -> Option<&Compare> {
        self.compared.as_ref().map(|(compared, _)| compared)
    }

    /// Compares the queries of the whole change, once.
    fn compare_queries(&mut self) -> Result<(), SandboxError> {
        if let (Some((sql, manifest)), None) = (self.subject.sql, &self.compared) {
            self.compared = Some(sql.compare(self.sandbox, self.subject, manifest, self.subject.changes)?);
        }
        Ok(())
    }

    /// The same for these changes, as a step of a run.
    fn queries_of(&self, changes: &[FileVersion]) -> Result<Option<Observed>, SandboxError> {
        let (Some((sql, manifest)), Some(meant)) = (self.subject.sql, self.compared()) else { return Ok(None) };
        if meant.counted().next().is_none() {
            return Ok(None);
        }
        let (found, millis) = sql.compare(self.sandbox, self.subject, manifest, changes)?;
        let touched = changes.iter().filter(|change| change.before != change.after);
        let changed: BTreeSet<&str> = touched.map(|change| change.path.as_str()).collect();
        Ok(found.observed(meant, Some(&changed), millis))
    }

    /// The patched side. The first run is the one that may be kept for a look.
    pub fn patched(&mut self, first: bool) -> Result<Run, SandboxError> {
        let keep = self.subject.keep.filter(|_| first);
        let mut run = self.run(1, self.subject.changes, &self.steps.clone(), keep)?;
        let snapshots = self.compare_snapshots(&mut run);
        if first {
            self.snapshots = snapshots;
        }
        let queries = match &self.compared {
            // What is different is looked at again.
            Some((compared, millis)) if first => compared.observed(compared, None, *millis),
            _ => self.queries_of(self.subject.changes)?,
        };
        run.steps.extend(queries);
        Ok(run)
    }

    /// Whether the patched side can tell anything: a step was green and may regress, or
    /// it was the code that failed and not the machine.
    pub fn is_worth_comparing(&self, baseline: &Run) -> bool {
        let missing = |step: &Observed| matches!(step.result.end, StepEnd::MissingProgram(_));
        let green = baseline.steps.iter().any(|step| step.color() == Color::Green);
        green || (baseline.infra().is_none() && !baseline.steps.iter().all(missing))
    }

    /// Forgets a baseline that another run has contradicted.
    pub fn forget(&self) {
        if let Some((cache, key)) = self.subject.cache.zip(self.key) {
            cache.forget(&key);
        }
    }

    /// What the steps produced.
    pub fn snapshots(&mut self) -> Vec<Snapshot> {
        std::mem::take(&mut self.snapshots)
    }

    fn compare_snapshots(&self, run: &mut Run) -> Vec<Snapshot> {
        let mut all = Vec::new();
        for observed in &mut run.steps {
            let of_name = |step: &&Observed| step.result.name == observed.result.name;
            let golden = self.golden.as_ref().and_then(|golden| golden.steps.iter().find(of_name));
            let step = self.subject.steps.iter().find(|step| step.name == observed.result.name);
            if let Some((golden, step)) = golden.zip(step) {
                all.extend(snapshot::compare(golden, observed, step, self.subject.accepted));
            }
        }
        all
    }

    /// Fetches for a side, unless that was done, and runs its steps.
    fn run(
        &mut self,
        side: usize,
        changes: &[FileVersion],
        steps: &[Step],
        keep: Option<&std::path::Path>,
    ) -> Result<Run, SandboxError> {
        if self.subject.steps.is_empty() || (steps.is_empty() && side == 1) {
            return Ok(Run::default());
        }
        let job = Job { pinned_tree: self.subject.pinned_tree, changes, steps, fetched: None, keep };
        let fetching = Job { steps: self.subject.steps, keep: None, ..job };
        let fetched = match self.fetched[side].take() {
            Some(fetched) => fetched,
            None => self.sandbox.fetch(&fetching)?,
        };
        let brought = fetched.steps.iter().all(|step| step.end == StepEnd::Exited(0));
        let mut run = Run::default();
        if brought {
            let ran = self.sandbox.run(&Job { fetched: Some(&fetched), ..job })?;
            run = Run::of(ran, steps);
        }
        let of_fetch = fetched.steps.iter().map(|result| Observed {
            result: result.clone(),
            report: Default::default(),
            snapshots: BTreeMap::new(),
        });
        run.steps = of_fetch.chain(std::mem::take(&mut run.steps)).collect();
        // What could not be brought is tried again by the next run.
        self.fetched[side] = brought.then_some(fetched);
        Ok(run)
    }

    /// Names the smallest sets of edits that turn a confirmed regression red, and its
    /// signature.
    pub fn blame(&mut self, confirmed: &Confirmed, golden: &Run, verdict: &mut Verdict) -> Result<(), SandboxError> {
        let red: Vec<Unit> = confirmed.regressed.iter().cloned().collect();
        let first = red.iter().find(|unit| unit.test.is_some()).or_else(|| red.first());
        if let Some(unit) = first {
            let of_unit =
                |difference: &&super::Difference| difference.step == unit.step && difference.test == unit.test;
            let said = verdict.differences.iter().find(of_unit).map_or("", |difference| difference.message.as_str());
            let step = verdict.patched.iter().find(|step| step.name == unit.step);
            let end = step.map(|step| step.end.to_string()).unwrap_or_default();
            verdict.signature = Some(signature::of(said, &end));
        }
        let (files, changes) = (self.subject.files, self.subject.changes);
        let parts = blame::parts(files, changes);
        // What follows the last step that turned red can't have turned it red.
        let last = self.steps.iter().rposition(|step| red.iter().any(|unit| unit.step == step.name));
        let steps: Vec<Step> = self.steps.iter().take(last.map_or(0, |last| last + 1)).cloned().collect();
        let mut failed = None;
        let of_queries = red.iter().any(|unit| unit.step == sql::STEP);
        let causes = if parts.is_empty() || (steps.is_empty() && !of_queries) {
            Vec::new()
        } else {
            blame::find(parts.len(), &mut |chosen| {
                if failed.is_some() || chosen.is_empty() {
                    return None;
                }
                let variant = blame::variant(files, changes, &parts, chosen)?;
                match self.is_red(&variant, &steps, golden, &red) {
                    Ok(red) => red,
                    Err(error) => {
                        failed = Some(error);
                        None
                    }
                }
            })
        };
        if let Some(error) = failed.filter(SandboxError::is_interrupt) {
            return Err(error);
        }
        verdict.blame = blame::named(&parts, &causes);
        if let Some(first) = verdict.blame.first() {
            let sites: Vec<String> = first.edits.iter().take(3).map(ToString::to_string).collect();
            let more = first.edits.len().saturating_sub(sites.len());
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            verdict.reason = format!("{}; because of {}{more}", verdict.reason, sites.join(", "));
        }
        Ok(())
    }

    /// Whether one of `units` is red with `changes`; `None` where the machine failed.
    fn is_red(
        &mut self,
        changes: &[FileVersion],
        steps: &[Step],
        golden: &Run,
        units: &[Unit],
    ) -> Result<Option<bool>, SandboxError> {
        let mut run = self.run(1, changes, steps, None)?;
        self.compare_snapshots(&mut run);
        if units.iter().any(|unit| unit.step == sql::STEP) {
            run.steps.extend(self.queries_of(changes)?);
        }
        if run.infra().is_some() {
            return Ok(None);
        }
        let compared = judge::compare(golden, &run);
        Ok(Some(units.iter().any(|unit| compared.regressed.contains(unit) || run.color(unit) == Color::Red)))
    }

    /// Runs the tests with deliberately wrong variants of the edits.
    pub fn challenge(&mut self, green: &Run) -> Result<Option<Evidence>, SandboxError> {
        if !self.subject.challenge {
            return Ok(None);
        }
        let (variants, untried) = challenge::variants(self.subject.files, self.subject.changes, self.subject.languages);
        let mut rules: BTreeMap<String, Option<String>> = BTreeMap::new();
        for variant in &variants {
            let noticed = self.noticed(&variant.changes, green)?;
            rules.extend(variant.rules.iter().map(|rule| (rule.clone(), noticed.clone())));
        }
        let strength = match (rules.is_empty(), rules.values().all(Option::is_some)) {
            (true, _) => Strength::Untried,
            (false, true) => Strength::Strong,
            (false, false) => Strength::Weak,
        };
        // What has no name to misspell is said, and weakens nothing.
        let untried = untried.into_iter().map(|rule| (rule, Some("nothing in it can be misspelt".to_owned())));
        rules.extend(untried);
        Ok(Some(Evidence { strength, rules, rewritten: Vec::new() }))
    }

    /// What turns red with a wrong variant.
    fn noticed(&mut self, changes: &[FileVersion], green: &Run) -> Result<Option<String>, SandboxError> {
        let steps = self.steps.clone();
        let mut run = self.run(1, changes, &steps, None)?;
        self.compare_snapshots(&mut run);
        run.steps.extend(self.queries_of(changes)?);
        let compared = judge::compare(green, &run);
        let units: BTreeSet<&Unit> = compared.regressed.iter().collect();
        let foremost = units.iter().find(|unit| unit.test.is_some()).or_else(|| units.first());
        let gone = compared.gone.first();
        Ok(foremost.map(|unit| unit.to_string()).or_else(|| gone.map(|unit| format!("{unit} does not run"))))
    }
}
