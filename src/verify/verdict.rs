//! What verification found out, as a value.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use super::results::TestEnd;
use super::sql::Comparison;
pub use crate::sandbox::{StepEnd, StepResult};

/// The evidence about one change set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The judgement.
    pub kind: VerdictKind,
    /// One line for people: which step or test, and how it ended.
    pub reason: String,
    /// Steps over the pinned tree, in order.
    pub baseline: Vec<StepResult>,
    /// The same steps over the changed tree.
    pub patched: Vec<StepResult>,
    /// The promises that the sandbox enforced, by the names `gander doctor` prints.
    pub enforced: Vec<String>,
    /// How many tests ran on each side, before and after; steps without results per
    /// test count none.
    pub tests: (u64, u64),
    /// Every step and test that is not the same on both sides, or that flipped.
    pub differences: Vec<Difference>,
    /// The error of a regression without what differs from one consumer to the next.
    pub signature: Option<String>,
    /// The smallest sets of edits that turn it red, where it is a regression.
    pub blame: Vec<Blame>,
    /// How the change weakens what tests it, or leaves what its rules declare.
    pub flags: Vec<Flag>,
    /// What became of a deliberately wrong variant; `None` where none was tried.
    pub evidence: Option<Evidence>,
    /// What steps produce that must stay as it is.
    pub snapshots: Vec<Snapshot>,
    /// Queries that change, compared over generated data.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sql: Vec<Comparison>,
}

/// What the runs say together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VerdictKind {
    /// Every step and test was green and stayed green.
    Pass,
    /// A step or test was green and turned red, again and again.
    Regressed,
    /// What was red before is green with the change, and nothing green turned red.
    Fixed,
    /// A step or test was red before the change and still is, and nothing green
    /// turned red.
    BaselineBroken,
    /// A step or test was green in one run and red in another of the same code.
    Flaky,
    /// The machine failed, not the code: time-out, out of memory, disk full, killed.
    Infra,
    /// Nothing was tested: no step applies, or its program is missing.
    NoData,
    /// There is no change.
    NoChange,
}

impl VerdictKind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Pass,
        Self::Regressed,
        Self::Fixed,
        Self::BaselineBroken,
        Self::Flaky,
        Self::Infra,
        Self::NoData,
        Self::NoChange,
    ];

    /// As it is written everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Regressed => "regressed",
            Self::Fixed => "fixed",
            Self::BaselineBroken => "red before",
            Self::Flaky => "flaky",
            Self::Infra => "infra",
            Self::NoData => "no data",
            Self::NoChange => "no change",
        }
    }

    /// Whether it says something about the change: only these count at a gate.
    pub fn is_evidence(self) -> bool {
        matches!(self, Self::Pass | Self::Regressed)
    }
}

/// A step or a test, and how it ended on both sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The step.
    pub step: String,
    /// The test; `None` where the step as a whole is meant.
    pub test: Option<String>,
    /// How it ended in each run before the change.
    pub before: Vec<Color>,
    /// How it ended in each run with the change.
    pub after: Vec<Color>,
    /// What it said, where it was red.
    pub message: String,
}

/// How a step or test ended, as far as it matters for comparing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Color {
    /// It held.
    Green,
    /// It did not.
    Red,
    /// It was not run, and said so.
    Skipped,
    /// It is not there.
    Absent,
}

/// Edits that turn a step or test red, none of which can be left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blame {
    /// Rule and place of each.
    pub edits: Vec<Site>,
    /// Whether gander tried until none could be left out; else it gave up before.
    pub minimal: bool,
}

/// A rule at a place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Site {
    /// The rule.
    pub rule: String,
    /// Relative to the workspace.
    pub path: String,
    /// From 1, in the pinned file; 0 where the whole file is meant.
    pub line: u32,
}

impl std::fmt::Display for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            0 => write!(f, "{} at {}", self.rule, self.path),
            line => write!(f, "{} at {}:{line}", self.rule, self.path),
        }
    }
}

/// Something about a change that keeps it from going out by itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Flag {
    /// What kind.
    pub kind: FlagKind,
    /// Relative to the workspace; empty where no file is meant.
    pub path: String,
    /// For people.
    pub message: String,
}

/// What is wrong with a change that may well be green.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FlagKind {
    /// A test is gone.
    TestDeleted,
    /// A test is not run any more.
    TestSkipped,
    /// An assertion is gone.
    AssertionDeleted,
    /// An assertion holds more easily, or a failure is passed over.
    Loosened,
    /// A file is touched that is not of the languages its rule declares.
    OutsideRule,
}

/// What became of deliberately wrong variants of the edits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// What a green run is worth.
    pub strength: Strength,
    /// By rule, or by query that was compared: what turned red, or `None` where nothing noticed.
    pub rules: BTreeMap<String, Option<String>>,
    /// Tests and their data that the change itself rewrites: that they are green says less.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rewritten: Vec<String>,
}

/// What a green run is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strength {
    /// Every rule's wrong variant was noticed.
    Strong,
    /// One was not: no test executes what it changed.
    Weak,
    /// There is nothing in the change that can be misspelt.
    Untried,
}

impl Strength {
    /// As it is written everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Strong => "strong",
            Self::Weak => "weak",
            Self::Untried => "untried",
        }
    }
}

/// What a step produces, filtered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The step.
    pub step: String,
    /// `stdout`, or the path of the file.
    pub name: String,
    /// Before the change; `None` where it was not there.
    pub before: Option<String>,
    /// With the change, where that is something else.
    pub after: Option<String>,
    /// Whether the difference is meant: declared by the migration, or accepted.
    pub meant: bool,
}

impl Verdict {
    /// One without any run.
    pub fn without_runs(kind: VerdictKind, reason: impl Into<String>) -> Self {
        Self {
            kind,
            reason: reason.into(),
            baseline: Vec::new(),
            patched: Vec::new(),
            enforced: Vec::new(),
            tests: (0, 0),
            differences: Vec::new(),
            signature: None,
            blame: Vec::new(),
            flags: Vec::new(),
            evidence: None,
            snapshots: Vec::new(),
            sql: Vec::new(),
        }
    }

    /// What a pass is worth, where that was tried.
    pub fn strength(&self) -> Option<Strength> {
        self.evidence.as_ref().map(|evidence| evidence.strength)
    }
}
