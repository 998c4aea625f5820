//! Whether a wave may be followed by the next: a pure function of gates and counts.
//! What is not known never passes.

use serde::{Deserialize, Serialize};

use crate::config::Gate;
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

/// What the gates of a wave say together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "reason")]
pub enum Judgement {
    /// The next wave may open.
    Passed(String),
    /// The wave got worse.
    Failed(String),
    /// It can't be told; the rollout pauses.
    Inconclusive(String),
}

/// Judges a wave: failed where one gate fails, else inconclusive where one can't
/// tell or nothing at all was learned, else passed. A migration that wants to
/// go on without any evidence has to say so with an evidence gate of `min = 0`.
pub fn judge(gates: &[Gate], counts: &Counts) -> Judgement {
    let most = gates.iter().filter_map(|gate| match gate {
        Gate::Regressions { max } => Some(*max),
        Gate::Evidence { .. } => None,
    });
    if let Some(max) = most.min()
        && counts.regressed > max
    {
        let (regressed, consumers) = (counts.regressed, counts.consumers);
        return Judgement::Failed(format!("{regressed} of {consumers} regressed, {max} allowed"));
    }
    let least = gates.iter().filter_map(|gate| match gate {
        Gate::Evidence { min } => Some(*min),
        Gate::Regressions { .. } => None,
    });
    let least = least.max().unwrap_or(1);
    let evidence = counts.evidence();
    if evidence < least {
        return Judgement::Inconclusive(format!(
            "{evidence} of {} yielded evidence, at least {least} needed ({})",
            counts.consumers,
            silence(counts)
        ));
    }
    let worth = match (counts.strong, counts.weak) {
        (0, 0) => String::new(),
        (strong, weak) => format!(" ({strong} strong, {weak} weak)"),
    };
    Judgement::Passed(format!(
        "{} passed{worth}, {} regressed, {} without evidence",
        counts.pass,
        counts.regressed,
        counts.consumers.saturating_sub(evidence)
    ))
}

fn silence(counts: &Counts) -> String {
    let mut text = format!(
        "{} red before the change, {} without data, {} failed by the machine",
        counts.baseline_broken, counts.no_data, counts.infra
    );
    for (count, what) in [(counts.flaky, "flaky"), (counts.fixed, "fixed")] {
        if count > 0 {
            text.push_str(&format!(", {count} {what}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(pass: u64, regressed: u64, no_data: u64) -> Counts {
        let mut counts = Counts::default();
        counts.add(Some(VerdictKind::Pass), pass);
        counts.add(Some(VerdictKind::Regressed), regressed);
        counts.add(Some(VerdictKind::NoData), no_data);
        counts
    }

    fn word(gates: &[Gate], counts: Counts) -> &'static str {
        match judge(gates, &counts) {
            Judgement::Passed(_) => "passed",
            Judgement::Failed(_) => "failed",
            Judgement::Inconclusive(_) => "inconclusive",
        }
    }

    #[test]
    fn no_data_is_never_a_success() {
        let regressions = [Gate::Regressions { max: 0 }];
        for gates in [&[][..], &regressions] {
            assert_eq!(word(gates, counts(0, 0, 9)), "inconclusive");
            assert_eq!(word(gates, counts(0, 0, 0)), "inconclusive");
            assert_eq!(word(gates, counts(1, 0, 9)), "passed");
        }
        let mut infra = Counts::default();
        infra.add(Some(VerdictKind::Infra), 3);
        infra.add(Some(VerdictKind::BaselineBroken), 3);
        infra.add(None, 3);
        assert_eq!(word(&regressions, infra), "inconclusive");
        assert_eq!(infra.consumers, 9);
        assert_eq!(word(&[Gate::Evidence { min: 0 }], infra), "passed");
    }

    #[test]
    fn all_gates_must_pass_and_failure_outweighs_doubt() {
        let gates = [Gate::Regressions { max: 1 }, Gate::Evidence { min: 3 }, Gate::Regressions { max: 4 }];
        assert_eq!(word(&gates, counts(2, 1, 0)), "passed");
        assert_eq!(word(&gates, counts(1, 1, 5)), "inconclusive");
        assert_eq!(word(&gates, counts(0, 2, 5)), "failed");
        assert_eq!(word(&[], counts(0, 5, 0)), "passed");
    }
}
