//! What two runs of the same steps say together: a total function, without
//! knowledge of how they were run.
//!
//! Must not: run anything.

use super::{StepEnd, StepResult, VerdictKind};

/// Compares the baseline with the patched side. The first rule that holds decides:
///
/// 1. A step was green and is red: `regressed`. Where a program was there before
///    and is missing after the change, the change has removed it: that is red.
/// 2. A step ran into a limit, was killed or could not be started, on either
///    side: `infra`. The machine failed, so nothing is known.
/// 3. A step of the baseline was red: `baseline-broken`, whatever it is after.
/// 4. No step applies, or a program is missing: `no-data`, naming the program.
///    Steps that passed beside it do not make it a pass: what the consumer means
///    by "works" was tested in part only.
/// 5. Every step is green on both sides, and there is at least one: `pass`.
///
/// Returns the judgement and a line for people.
pub fn judge(baseline: &[StepResult], patched: &[StepResult]) -> (VerdictKind, String) {
    if let Some(verdict) = regressed(baseline, patched) {
        return verdict;
    }
    let sides = [("before", baseline), ("after", patched)];
    for (side, steps) in sides {
        if let Some(step) = steps.iter().find(|step| step.end.is_infra()) {
            let (name, end) = (&step.name, &step.end);
            let reason = format!("step `{name}`, {side} the change: {end}");
            return (VerdictKind::Infra, reason);
        }
    }
    if let Some(step) = baseline.iter().find(|step| is_red(step)) {
        let (name, end) = (&step.name, &step.end);
        let reason = format!("step `{name}` was red before the change: {end}");
        return (VerdictKind::BaselineBroken, reason);
    }
    for (side, steps) in sides {
        for step in steps {
            if let StepEnd::MissingProgram(program) = &step.end {
                let name = &step.name;
                let reason = format!("step `{name}` needs `{program}`, which is not there {side} the change");
                return (VerdictKind::NoData, reason);
            }
        }
    }
    if baseline.is_empty() {
        let reason = "no step applies: there is nothing that could be built or tested";
        return (VerdictKind::NoData, reason.to_owned());
    }
    if patched.len() != baseline.len() {
        let reason = "the two sides did not run the same steps";
        return (VerdictKind::Infra, reason.to_owned());
    }
    let names: Vec<&str> = baseline.iter().map(|step| step.name.as_str()).collect();
    let reason = format!("green before and after the change: {}", names.join(", "));
    (VerdictKind::Pass, reason)
}

fn regressed(baseline: &[StepResult], patched: &[StepResult]) -> Option<(VerdictKind, String)> {
    let (before, after) = baseline.iter().filter(|step| is_green(step)).find_map(|before| {
        let after = patched.iter().find(|after| after.name == before.name)?;
        (!is_green(after) && !after.end.is_infra()).then_some((before, after))
    })?;
    let reason = format!("step `{}` was green before the change and is red after it: {}", before.name, after.end);
    Some((VerdictKind::Regressed, reason))
}

/// Whether a step succeeded.
pub fn is_green(step: &StepResult) -> bool {
    step.end == StepEnd::Exited(0)
}

/// Whether the code failed, not the machine.
fn is_red(step: &StepResult) -> bool {
    !is_green(step) && !step.end.is_infra() && !matches!(step.end, StepEnd::MissingProgram(_))
}

#[cfg(test)]
mod tests {
    use super::*;
    use VerdictKind::{BaselineBroken, Infra, NoData, Pass, Regressed};

    fn side(ends: &[StepEnd]) -> Vec<StepResult> {
        ends.iter()
            .enumerate()
            .map(|(index, end)| StepResult {
                name: format!("step-{index}"),
                command: Vec::new(),
                end: end.clone(),
                millis: 0,
                output: String::new(),
            })
            .collect()
    }

    fn check(before: &[StepEnd], after: &[StepEnd], kind: VerdictKind, reason: &str) {
        let (judged, why) = judge(&side(before), &side(after));
        assert_eq!(judged, kind, "{before:?} → {after:?}: {why}");
        assert!(why.contains(reason), "{why:?} lacks {reason:?}");
    }

    #[test]
    fn the_truth_table() {
        let green = || StepEnd::Exited(0);
        let red = || StepEnd::Exited(1);
        let crash = || StepEnd::Signalled(11);
        let late = || StepEnd::TimedOut;
        let missing = || StepEnd::MissingProgram("sbt".to_owned());

        check(&[green()], &[green()], Pass, "step-0");
        check(&[green(), green()], &[green(), green()], Pass, "step-0, step-1");
        check(&[green()], &[red()], Regressed, "exit code 1");
        check(&[green()], &[crash()], Regressed, "signal 11");
        check(&[green()], &[missing()], Regressed, "`sbt` is not installed");
        check(&[red(), green()], &[red(), red()], Regressed, "step-1");
        check(&[green(), late()], &[red(), late()], Regressed, "step-0");
        check(&[missing(), green()], &[missing(), red()], Regressed, "step-1");

        check(&[green()], &[late()], Infra, "after the change");
        check(&[late()], &[], Infra, "before the change");
        check(&[red(), late()], &[], Infra, "step-1");
        check(&[green()], &[StepEnd::OutOfMemory], Infra, "memory");
        check(&[green()], &[StepEnd::Signalled(9)], Infra, "signal 9");
        check(&[green()], &[StepEnd::Killed("x".into())], Infra, "x");
        check(&[StepEnd::NotStarted("no mount".into())], &[], Infra, "no mount");
        check(&[green(), green()], &[green()], Infra, "same steps");

        check(&[red()], &[], BaselineBroken, "step-0");
        check(&[red(), green()], &[red(), green()], BaselineBroken, "step-0");
        check(&[red(), green()], &[green(), green()], BaselineBroken, "step-0");
        check(&[red(), missing()], &[], BaselineBroken, "step-0");

        check(&[], &[], NoData, "no step");
        check(&[missing()], &[], NoData, "`sbt`");
        check(&[green(), missing()], &[green(), missing()], NoData, "`sbt`");
    }
}
