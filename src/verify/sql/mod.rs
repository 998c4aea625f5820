//! Queries that change, compared: the old one over generated data of the old dataset, the
//! new one over the same data as the mapping has it in the new dataset.
//!
//! A runner in Python does it, with DuckDB, sqlglot and Jinja, in the sandbox: see `runner/`.
//! What it says is believed only where it says it completely. A comparison counts where its
//! result is not empty and a deliberately wrong mapping changes it.
//! Must not: take what was not compared for the same.

mod answers;
mod questions;
mod tools;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Subject;
use super::observed::Observed;
use super::results::{TestEnd, TestReport, TestResult};
use super::verdict::{Evidence, StepEnd, StepResult, Strength};
use crate::config::{Seed, Step, VerifySql};
use crate::dataset::{Datasets, Dialects};
use crate::digest::{Digest, DigestBuilder};
use crate::files;
use crate::sandbox::{Job, Sandbox, SandboxError};
use crate::workspace::{Content, FileVersion, Manifest};

pub use tools::{PrepareError, prepare};

use questions::Questions;

/// What the comparisons are called as a step.
pub const STEP: &str = "SQL";
/// What the step may take besides the comparisons.
const SLACK: Duration = Duration::from_secs(60);
/// What the engine may use, in MiB.
const ENGINE_MEMORY: u64 = 512;
/// Where the runner lies below the home folder.
const PLACE: &str = "~/gander-sql";
/// Starts the runner, wherever the home folder is.
const START: &str = "import os, runpy, sys; here = os.path.expanduser('~/gander-sql'); \
                     sys.argv = [here, os.path.join(here, 'questions.json')]; \
                     runpy.run_path(os.path.join(here, 'runner', 'compare.py'))";

/// The files of the runner.
const RUNNER: [(&str, &str); 4] = [
    ("compare.py", include_str!("runner/compare.py")),
    ("data.py", include_str!("runner/data.py")),
    ("reading.py", include_str!("runner/reading.py")),
    ("rendering.py", include_str!("runner/rendering.py")),
];

/// How queries of a migration are compared.
#[derive(Debug)]
pub struct Sql {
    config: VerifySql,
    datasets: Arc<Datasets>,
    dialects: Dialects,
    /// gander's own folder for it.
    folder: PathBuf,
    memory: u64,
}

/// One query, and what its comparison came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// `queries/markets.sql:3`: the file, and the line in which the old query begins.
    pub name: String,
    /// What it came to.
    pub outcome: Compared,
    /// Why, where it is no plain equality.
    pub why: String,
    /// How many rows the old query returned.
    pub rows: u64,
    /// The deliberately wrong mappings that were tried, and whether each changed the result.
    pub wrongs: BTreeMap<String, bool>,
}

/// What a comparison came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Compared {
    /// The same rows under the same names, and a wrong mapping changes them.
    Equal,
    /// Other rows, other names, or the new query fails.
    Different,
    /// The same, but that says nothing: no rows, or no wrong mapping is noticed.
    Uncounted,
    /// The change does not touch what it does.
    Unchanged,
    /// It could not be compared.
    NotCompared,
}

impl Compared {
    /// As it is written for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "the same rows",
            Self::Different => "other rows",
            Self::Uncounted => "does not count",
            Self::Unchanged => "unchanged",
            Self::NotCompared => "not compared",
        }
    }
}

/// All comparisons of a change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compare {
    /// By file and line.
    pub comparisons: Vec<Comparison>,
    /// Whether every edit lies in something that was asked about.
    pub covered: bool,
}

impl Compare {
    /// Whether all that changes was compared, and counts.
    pub fn is_complete(&self) -> bool {
        let fine = |one: &Comparison| matches!(one.outcome, Compared::Equal | Compared::Unchanged);
        self.covered && self.counted().next().is_some() && self.comparisons.iter().all(fine)
    }

    /// Those that say something.
    pub fn counted(&self) -> impl Iterator<Item = &Comparison> {
        self.comparisons.iter().filter(|one| matches!(one.outcome, Compared::Equal | Compared::Different))
    }

    /// What they are worth: strong where every wrong mapping was noticed.
    pub fn evidence(&self) -> Option<Evidence> {
        if !self.is_complete() {
            return None;
        }
        let mut rules = BTreeMap::new();
        for one in self.counted() {
            let missed = one.wrongs.iter().find(|(_, noticed)| !**noticed);
            let tried = one.wrongs.len();
            let said = match missed {
                Some(_) => None,
                None => {
                    Some(format!("{tried} wrong {} of it noticed", if tried == 1 { "mapping" } else { "mappings" }))
                }
            };
            rules.insert(one.name.clone(), said);
        }
        let strength = if rules.values().all(Option::is_some) { Strength::Strong } else { Strength::Weak };
        Some(Evidence { strength, rules, rewritten: Vec::new() })
    }

    /// As a step: a test for each comparison of `meant` that counts. `changed` holds the files of a
    /// part of the change: what lies elsewhere is as it was.
    pub fn observed(&self, meant: &Self, changed: Option<&BTreeSet<&str>>, millis: u64) -> Option<Observed> {
        let mut report = TestReport::default();
        for one in meant.counted() {
            let found = self.comparisons.iter().find(|other| other.name == one.name);
            let touched = || changed.is_none_or(|paths| paths.iter().any(|path| one.name.starts_with(path)));
            let end = match found.map(|found| found.outcome) {
                Some(Compared::Different) => TestEnd::Failed,
                Some(Compared::Equal | Compared::Uncounted | Compared::Unchanged) => TestEnd::Passed,
                None if !touched() => TestEnd::Passed,
                Some(Compared::NotCompared) | None => continue,
            };
            let message = found.map(|found| found.why.clone()).filter(|_| end == TestEnd::Failed).unwrap_or_default();
            report.tests.insert(one.name.clone(), TestResult { end, message });
        }
        if report.tests.is_empty() {
            return None;
        }
        let red = report.failed().count();
        let result = StepResult {
            name: STEP.to_owned(),
            command: vec!["gander".to_owned(), "compares".to_owned(), "queries".to_owned()],
            end: StepEnd::Exited(i32::from(red > 0)),
            millis,
            output: report.failed().map(|(name, test)| format!("{name}: {}\n", test.message)).collect(),
        };
        Some(Observed { result, report, snapshots: BTreeMap::new() })
    }

    /// The same before the change: all of them hold.
    pub fn golden(&self) -> Option<Observed> {
        let before = |one: &Comparison| Comparison { outcome: Compared::Unchanged, ..one.clone() };
        let held = Self { comparisons: self.comparisons.iter().map(before).collect(), covered: true };
        held.observed(self, None, 0)
    }

    /// In a line: how many, and the first that is missing.
    pub fn said(&self) -> String {
        let equal = self.comparisons.iter().filter(|one| one.outcome == Compared::Equal).count();
        let asked = self.comparisons.iter().filter(|one| one.outcome != Compared::Unchanged).count();
        let missing = self
            .comparisons
            .iter()
            .find(|one| matches!(one.outcome, Compared::NotCompared | Compared::Uncounted))
            .map(|one| format!("; {} {}: {}", one.name, one.outcome.as_str(), one.why));
        let beside = if self.covered { "" } else { "; the change is not in queries alone" };
        let missing = missing.unwrap_or_default();
        if asked > 0 && self.comparisons.iter().all(|one| one.outcome == Compared::NotCompared) {
            return format!("no changed query was compared{missing}{beside}");
        }
        format!("{equal} of {asked} changed queries return the same rows{missing}{beside}")
    }
}

impl Sql {
    /// Ready to compare; `folder` is gander's own for it, `memory` what a step may use, in bytes.
    pub fn new(config: &VerifySql, datasets: Arc<Datasets>, dialects: Dialects, folder: PathBuf, memory: u64) -> Self {
        Self { config: config.clone(), datasets, dialects, folder, memory }
    }

    /// Names all that an answer rests on beside the change, the rules and the mappings.
    pub fn identity(&self) -> Digest {
        let mut digest = DigestBuilder::new("gander.sql.1").field(tools::REQUIREMENTS);
        for (name, text) in RUNNER {
            digest = digest.field(name).field(text);
        }
        let times = format!("{:?} {:?} {:?}", self.config.timeout, self.config.within, self.config.python);
        let ready = tools::find(&self.config, &self.folder).is_ok();
        digest.field(times).field([u8::from(ready)]).finish()
    }

    /// Compares all queries that `changes` touches; also how long that took, in milliseconds.
    ///
    /// # Errors
    /// The sandbox can't be run, or the user wanted an end.
    pub fn compare(
        &self,
        sandbox: &Sandbox,
        subject: &Subject<'_>,
        manifest: &Manifest,
        changes: &[FileVersion],
    ) -> Result<(Compare, u64), SandboxError> {
        let questions = Questions::of(self, subject, manifest, changes);
        if questions.is_empty() {
            return Ok((Compare { comparisons: questions.untold, covered: questions.covered }, 0));
        }
        let (answers, millis) = match tools::find(&self.config, &self.folder) {
            Err(why) => (Err(why), 0),
            Ok((python, packages)) => self.ask(sandbox, &questions, &python, &packages)?,
        };
        let mut comparisons = answers.unwrap_or_else(|why| questions.without_answer(&why));
        comparisons.extend(questions.untold);
        comparisons.sort_by(|a, b| a.name.cmp(&b.name));
        Ok((Compare { comparisons, covered: questions.covered }, millis))
    }

    /// What was answered, or why nothing was, and how long it took.
    fn ask(
        &self,
        sandbox: &Sandbox,
        questions: &Questions,
        python: &Path,
        packages: &Path,
    ) -> Result<(Result<Vec<Comparison>, String>, u64), SandboxError> {
        let laid = match self.lay_out(questions) {
            Ok(laid) => laid,
            Err(why) => return Ok((Err(why), 0)),
        };
        let seed = |from: PathBuf, name: &str| Seed { from, to: format!("{PLACE}/{name}") };
        let step = Step {
            name: STEP.to_owned(),
            run: [python.to_string_lossy().as_ref(), "-I", "-S", "-B", "-c", START].map(str::to_owned).to_vec(),
            timeout: self.config.within + SLACK,
            seeds: vec![
                seed(laid.path().join("runner"), "runner"),
                seed(laid.path().join("questions.json"), "questions.json"),
                seed(packages.to_owned(), "packages"),
            ],
            ..Step::default()
        };
        let tree = laid.path().join("tree");
        let steps = [step];
        let job = Job { pinned_tree: &tree, changes: &[], steps: &steps, fetched: None, keep: None };
        let mut side = sandbox.run(&job)?;
        let (Some(result), left) = (side.steps.pop(), side.left.pop().unwrap_or_default()) else {
            return Ok((Err("it was not run".to_owned()), 0));
        };
        let read = match result.end {
            StepEnd::Exited(0) if left.whole => answers::read(&left.stdout, questions),
            StepEnd::Exited(0) => Err("its answer is longer than [sandbox] output".to_owned()),
            end => {
                let last = result.output.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("");
                Err(format!("the comparison failed: {end} {last}").trim().to_owned())
            }
        };
        Ok((read, result.millis))
    }

    /// The folder of one question.
    fn lay_out(&self, questions: &Questions) -> Result<tempfile::TempDir, String> {
        let failed = |error: &dyn std::fmt::Display| format!("the comparison can't be prepared: {error}");
        files::make_folder(&self.folder).map_err(|e| failed(&e))?;
        let laid = tempfile::Builder::new().prefix("ask-").tempdir_in(&self.folder).map_err(|e| failed(&e))?;
        let text = serde_json::to_vec(&questions.asked).map_err(|e| failed(&e))?;
        files::make_folder(&laid.path().join("tree")).map_err(|e| failed(&e))?;
        let file = |bytes: &[u8]| Content { bytes: bytes.to_vec(), executable: false };
        files::write_scratch(laid.path(), "questions.json", &file(&text)).map_err(|e| failed(&e))?;
        for (name, text) in RUNNER {
            let path = format!("runner/{name}");
            files::write_scratch(laid.path(), &path, &file(text.as_bytes())).map_err(|e| failed(&e))?;
        }
        Ok(laid)
    }
}
