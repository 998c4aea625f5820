//! One run of the steps: how each ended, its tests, and what it produced.
//!
//! Must not: compare two runs; that is `judge`'s.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::results::{self, TestEnd, TestReport};
use super::snapshot;
use super::verdict::{Color, StepEnd, StepResult};
use crate::config::Step;
use crate::sandbox::Side;

/// One run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The steps that were run, in order.
    pub steps: Vec<Observed>,
    /// The promises that were enforced for all of them.
    pub enforced: Vec<String>,
}

/// One step of one run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    /// How it ended.
    pub result: StepResult,
    /// Its tests.
    pub report: TestReport,
    /// What it produced, by name, filtered.
    pub snapshots: BTreeMap<String, String>,
}

/// A step or a test of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unit {
    /// The step.
    pub step: String,
    /// The test; `None` for the step as a whole.
    pub test: Option<String>,
}

impl std::fmt::Display for Unit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.test {
            Some(test) => write!(f, "test `{test}` of step `{}`", self.step),
            None => write!(f, "step `{}`", self.step),
        }
    }
}

impl Run {
    /// What a side of `steps` shows.
    pub fn of(side: Side, steps: &[Step]) -> Self {
        let mut left = side.left.into_iter();
        let observe = |result: StepResult| {
            let left = left.next().unwrap_or_default();
            let step = steps.iter().find(|step| step.name == result.name);
            let snapshots = match step {
                Some(step) if result.end == StepEnd::Exited(0) => snapshot::take(step, &left),
                _ => BTreeMap::new(),
            };
            Observed { report: results::read(&left), result, snapshots }
        };
        Self { steps: side.steps.into_iter().map(observe).collect(), enforced: side.enforced }
    }

    /// The steps alone.
    pub fn results(&self) -> Vec<StepResult> {
        self.steps.iter().map(|step| step.result.clone()).collect()
    }

    /// How many tests ran.
    pub fn tests(&self) -> u64 {
        self.steps.iter().map(|step| step.report.ran()).sum()
    }

    /// The first step in which the machine failed.
    pub fn infra(&self) -> Option<&StepResult> {
        self.steps.iter().map(|step| &step.result).find(|step| step.end.is_infra())
    }

    /// The first step whose program is missing, with the program.
    pub fn missing(&self) -> Option<(&str, &str)> {
        self.steps.iter().find_map(|step| match &step.result.end {
            StepEnd::MissingProgram(program) => Some((step.result.name.as_str(), program.as_str())),
            _ => None,
        })
    }

    /// How a step or test ended; what is not there is absent.
    pub fn color(&self, unit: &Unit) -> Color {
        let Some(step) = self.steps.iter().find(|step| step.result.name == unit.step) else {
            return Color::Absent;
        };
        match &unit.test {
            None => step.color(),
            Some(test) => step.test_color(test),
        }
    }

    /// Every step and test, but for those in which the machine failed.
    pub fn units(&self) -> Vec<Unit> {
        let mut units = Vec::new();
        for step in self.steps.iter().filter(|step| !step.result.end.is_infra()) {
            let of = |test: Option<&String>| Unit { step: step.result.name.clone(), test: test.cloned() };
            units.push(of(None));
            units.extend(step.report.tests.keys().map(|test| of(Some(test))));
        }
        units
    }

    /// What a red step or test said.
    pub fn said(&self, unit: &Unit) -> &str {
        let Some(step) = self.steps.iter().find(|step| step.result.name == unit.step) else { return "" };
        let message = unit.test.as_ref().and_then(|test| step.report.tests.get(test)).map(|test| test.message.as_str());
        message.filter(|message| !message.is_empty()).unwrap_or(&step.result.output)
    }
}

impl Observed {
    /// The step as a whole. A missing program is red here: where it was there before
    /// the change, the change has removed it.
    pub fn color(&self) -> Color {
        match &self.result.end {
            StepEnd::Exited(0) => Color::Green,
            end if end.is_infra() => Color::Absent,
            _ => Color::Red,
        }
    }

    /// Whether it is red for its tests' sake.
    pub fn is_explained(&self) -> bool {
        self.report.failed().next().is_some()
    }

    fn test_color(&self, test: &str) -> Color {
        match self.report.tests.get(test).map(|test| test.end) {
            Some(TestEnd::Passed) => Color::Green,
            Some(TestEnd::Failed) => Color::Red,
            Some(TestEnd::Skipped) => Color::Skipped,
            None => Color::Absent,
        }
    }
}
