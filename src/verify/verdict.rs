//! What verification found out, as a value.

use serde::{Deserialize, Serialize};

/// The evidence about one change set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The judgement.
    pub kind: VerdictKind,
    /// One line for people: which step, and how it ended.
    pub reason: String,
    /// Steps over the pinned tree, in order.
    pub baseline: Vec<StepResult>,
    /// The same steps over the changed tree.
    pub patched: Vec<StepResult>,
    /// The promises that the sandbox enforced, by the names `gander doctor` prints.
    pub enforced: Vec<String>,
}

/// What the two runs say together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VerdictKind {
    /// Every step was green and stayed green.
    Pass,
    /// A step was green and turned red.
    Regressed,
    /// A step was red before the change, and nothing green turned red.
    BaselineBroken,
    /// Nothing was tested: no step applies, or its program is missing.
    NoData,
    /// The machine failed, not the code: time-out, out of memory, killed.
    Infra,
}

/// One step on one side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepResult {
    /// [`crate::config::Step::name`].
    pub name: String,
    /// The argument vector.
    pub command: Vec<String>,
    /// How it ended.
    pub end: StepEnd,
    /// Wall-clock time in milliseconds: for people, part of no digest.
    pub millis: u64,
    /// The end of what it printed (stdout and stderr), at most 16 KiB, lossily UTF-8.
    pub output: String,
}

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "value")]
pub enum StepEnd {
    /// It exited with this code; 0 is green.
    Exited(i32),
    /// A signal that gander did not send ended it.
    Signalled(i32),
    /// It ran into its wall-clock limit.
    TimedOut,
    /// It used more memory than allowed.
    OutOfMemory,
    /// The program is not there; its name.
    MissingProgram(String),
    /// The sandbox could not run it; why.
    NotStarted(String),
}
