//! What the tests came to, as data.

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use super::{ExampleResult, Gap, TestError};

/// Everything that was tested.
#[derive(Debug, Default)]
pub struct Report {
    /// Ordered by file.
    pub suites: Vec<SuiteResult>,
    /// What could not be tested.
    pub errors: Vec<TestError>,
}

/// The tests of one rule file or migration.
#[derive(Debug)]
pub struct SuiteResult {
    /// The rule or migration file.
    pub file: PathBuf,
    /// The migration that names the rules, if one does.
    pub owner: Option<PathBuf>,
    /// Its rules, in order.
    pub rules: Vec<RuleResult>,
    /// Their examples.
    pub examples: Vec<ExampleResult>,
    /// The cases, by name.
    pub cases: Vec<CaseResult>,
    /// Snapshots that belong to no case.
    pub unused: Vec<PathBuf>,
    /// What no test exercised; only where it was asked for.
    pub gaps: Vec<Gap>,
}

/// One rule.
#[derive(Clone, Debug, Serialize)]
pub struct RuleResult {
    /// Its id.
    pub id: String,
    /// Where it is declared: file and line.
    pub place: String,
    /// How often it matched in examples and cases.
    pub matches: u64,
    /// The time that it took in them.
    pub time: Duration,
    /// Whether no example states it and no case makes it match.
    pub untested: bool,
}

/// One case.
#[derive(Clone, Debug)]
pub struct CaseResult {
    /// Its name.
    pub name: String,
    /// Its code.
    pub folder: PathBuf,
    /// Its snapshot, whether there is one or not.
    pub snapshot: PathBuf,
    /// What became of it.
    pub outcome: Outcome,
    /// How long it took; zero where it was remembered.
    pub time: Duration,
    /// Whether it ran, and was not remembered.
    pub ran: bool,
}

/// What became of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As the snapshot says; or nothing changed, where nothing may.
    Passed,
    /// There is no snapshot yet.
    New(String),
    /// Not as the snapshot says.
    Changed {
        /// What it says.
        old: String,
        /// What came.
        new: String,
    },
    /// Something changed where nothing may: what came.
    Touched(String),
}

impl Report {
    /// Whether everything is as it is wanted.
    pub fn passed(&self) -> bool {
        self.errors.is_empty() && self.failures() == 0
    }

    /// How many examples and cases are not as they are wanted.
    pub fn failures(&self) -> usize {
        let examples = self.suites.iter().flat_map(|s| &s.examples).filter(|e| !e.passed()).count();
        examples + self.cases().filter(|c| c.outcome != Outcome::Passed).count()
    }

    /// All cases.
    pub fn cases(&self) -> impl Iterator<Item = &CaseResult> {
        self.suites.iter().flat_map(|s| &s.cases)
    }

    /// For machines: one object.
    pub fn json(&self) -> serde_json::Value {
        let suites: Vec<serde_json::Value> = self.suites.iter().map(suite).collect();
        let errors: Vec<String> = self.errors.iter().map(ToString::to_string).collect();
        serde_json::json!({
            "passed": self.passed(),
            "failures": self.failures(),
            "suites": suites,
            "errors": errors,
        })
    }
}

fn suite(suite: &SuiteResult) -> serde_json::Value {
    let rules = suite.rules.iter().map(|r| {
        serde_json::json!({
            "id": r.id, "place": r.place, "matches": r.matches, "untested": r.untested,
            "micros": r.time.as_micros() as u64,
        })
    });
    let examples = suite.examples.iter().map(|e| {
        serde_json::json!({
            "rule": e.rule, "place": e.place, "number": e.number, "passed": e.passed(),
            "before": e.before, "wanted": e.wanted, "came": e.came, "failed": e.failed,
        })
    });
    let cases = suite.cases.iter().map(|c| {
        let (word, old, new) = match &c.outcome {
            Outcome::Passed => ("passed", None, None),
            Outcome::New(new) => ("new", None, Some(new)),
            Outcome::Changed { old, new } => ("changed", Some(old), Some(new)),
            Outcome::Touched(new) => ("touched", None, Some(new)),
        };
        serde_json::json!({
            "name": c.name, "folder": c.folder, "snapshot": c.snapshot, "outcome": word,
            "wanted": old, "came": new, "micros": c.time.as_micros() as u64,
        })
    });
    serde_json::json!({
        "file": suite.file,
        "rules": rules.collect::<Vec<_>>(),
        "examples": examples.collect::<Vec<_>>(),
        "cases": cases.collect::<Vec<_>>(),
        "unused": suite.unused,
        "gaps": suite.gaps,
    })
}
