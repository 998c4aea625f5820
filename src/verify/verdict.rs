//! What verification found out, as a value.

use serde::{Deserialize, Serialize};

pub use crate::sandbox::{StepEnd, StepResult};

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

impl VerdictKind {
    /// As it is written everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Regressed => "regressed",
            Self::BaselineBroken => "red before",
            Self::NoData => "no data",
            Self::Infra => "infra",
        }
    }
}
