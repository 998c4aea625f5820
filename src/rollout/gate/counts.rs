//! What verification found over a wave, counted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::verify::{Strength, VerdictKind};

/// Verdicts over the consumers of a wave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// All its consumers.
    pub consumers: u64,
    /// Green and still green.
    pub pass: u64,
    /// Green and turned red.
    pub regressed: u64,
    /// Red before the change.
    pub baseline_broken: u64,
    /// Red before and green with the change: no evidence that nothing broke.
    #[serde(default)]
    pub fixed: u64,
    /// Green in one run and red in another of the same code.
    #[serde(default)]
    pub flaky: u64,
    /// Passes whose wrong variant was noticed.
    #[serde(default)]
    pub strong: u64,
    /// Passes whose wrong variant was not.
    #[serde(default)]
    pub weak: u64,
    /// Nothing was tested.
    pub no_data: u64,
    /// The machine failed.
    pub infra: u64,
}

impl Counts {
    /// Counts `consumers` consumers that share this verdict.
    pub fn add(&mut self, verdict: Option<VerdictKind>, consumers: u64) {
        self.consumers += consumers;
        let count = match verdict {
            None => return,
            Some(VerdictKind::Pass) => &mut self.pass,
            Some(VerdictKind::Regressed) => &mut self.regressed,
            Some(VerdictKind::BaselineBroken) => &mut self.baseline_broken,
            Some(VerdictKind::Fixed) => &mut self.fixed,
            Some(VerdictKind::Flaky) => &mut self.flaky,
            Some(VerdictKind::NoData | VerdictKind::NoChange) => &mut self.no_data,
            Some(VerdictKind::Infra) => &mut self.infra,
        };
        *count += consumers;
    }

    /// Counts what a pass is worth, for `consumers` consumers.
    pub fn add_strength(&mut self, strength: Option<Strength>, consumers: u64) {
        match strength {
            Some(Strength::Strong) => self.strong += consumers,
            Some(Strength::Weak) => self.weak += consumers,
            Some(Strength::Untried) | None => {}
        }
    }

    /// Consumers whose verdict says something about the change.
    pub fn evidence(&self) -> u64 {
        self.pass + self.regressed
    }
}

/// All that gander itself knows of a wave: what its own gates judge.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Verdicts, by consumers.
    pub counts: Counts,
    /// How many consumers regressed with each error.
    pub signatures: BTreeMap<String, u64>,
    /// Workspaces that turned red, and workspaces that turned green.
    pub pairs: (u64, u64),
    /// Workspaces whose delivery failed.
    pub undelivered: u64,
    /// What became of the others' deliveries.
    #[serde(default)]
    pub sent: Sent,
}

/// What became of the change sets of a wave that could go out, by workspaces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// They are out.
    pub out: u64,
    /// The place they should go to must not be touched.
    pub refused: u64,
    /// A person took them back.
    pub back: u64,
    /// A person wants them back, and that is not over.
    #[serde(default)]
    pub going: u64,
    /// They were taken back because a gate named them.
    #[serde(default)]
    pub named: u64,
    /// Their base moved, and they were withdrawn for it until they can go out again.
    #[serde(default)]
    pub withdrawn: u64,
    /// Their owners opted out.
    #[serde(default)]
    pub opted_out: u64,
    /// Nothing is to be changed in them any more.
    #[serde(default)]
    pub unwanted: u64,
    /// Their owners threw them away, or put something else there.
    pub closed: u64,
    /// They wait for a person's approval.
    pub asked: u64,
    /// Their verdict or the policy keeps them back.
    #[serde(default)]
    pub held: u64,
}
