//! What gates say that judge by gander's own evidence: pure functions of what was seen.

use super::statistics::sign_test;
use super::{Said, Seen};
use crate::config::Gate;

/// What one gate says; `None` where it asks somebody else.
pub(super) fn say(gate: &Gate, seen: &Seen) -> Option<(Said, String)> {
    let counts = &seen.counts;
    Some(match gate {
        Gate::Regressions { max } => {
            let (regressed, consumers) = (counts.regressed, counts.consumers);
            let why = format!("{regressed} of {consumers} regressed, {max} allowed");
            (if regressed > *max { Said::Fail } else { Said::Pass }, why)
        }
        Gate::RegressionRate { percent } => rate(*percent, seen),
        Gate::SameError { times } => {
            let most = seen.signatures.iter().max_by_key(|(_, count)| **count);
            match most.filter(|(_, count)| *count >= times) {
                Some((signature, count)) => (Said::Fail, format!("{count} broke by the same error: {signature}")),
                None => (Said::Pass, format!("no error broke {times} or more")),
            }
        }
        Gate::Evidence { min } => {
            let (evidence, consumers) = (counts.evidence(), counts.consumers);
            let why = format!("{evidence} of {consumers} yielded evidence, at least {min} needed ({})", silence(seen));
            match evidence < *min {
                true => {
                    let advice = "where that is all there can be, `min` of the gate `evidence` says so";
                    (Said::Inconclusive, format!("{why}; {advice}"))
                }
                false => (Said::Pass, why),
            }
        }
        Gate::Discordant { max_p } => {
            let (worse, better) = seen.pairs;
            let p = sign_test(worse, better);
            let why = format!("{worse} turned red, {better} turned green (p = {p:.4}, {max_p} allowed)");
            (if worse > better && p <= *max_p { Said::Fail } else { Said::Pass }, why)
        }
        Gate::Command { .. }
        | Gate::Http { .. }
        | Gate::Query { .. }
        | Gate::Compare { .. }
        | Gate::Approval
        | Gate::Bake { .. }
        | Gate::Runs { .. } => return None,
    })
}

#[expect(clippy::cast_precision_loss, reason = "counts of consumers are far below 2^52")]
fn rate(percent: f64, seen: &Seen) -> (Said, String) {
    let (regressed, evidence) = (seen.counts.regressed, seen.counts.evidence());
    if evidence == 0 {
        return (Said::Inconclusive, "no rate of regressions without any evidence".to_owned());
    }
    let found = regressed as f64 * 100.0 / evidence as f64;
    let why = format!("{regressed} of {evidence} with evidence regressed ({found:.1} %), {percent} % allowed");
    (if found > percent { Said::Fail } else { Said::Pass }, why)
}

/// Why so many say nothing.
pub(super) fn silence(seen: &Seen) -> String {
    let counts = &seen.counts;
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
