//! What runs of the same steps say together: a total function, without knowledge of
//! how they were run.
//!
//! Must not: run anything.

use std::collections::BTreeSet;

use super::VerdictKind;
use super::observed::{Observed, Run, Unit};
use super::verdict::{Color, StepEnd};

/// What the first run of each side says, before anything is confirmed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// Steps and tests that were green and are red.
    pub regressed: BTreeSet<Unit>,
    /// Steps and tests that were red and are green.
    pub fixed: BTreeSet<Unit>,
    /// Tests that were green and do not run any more.
    pub gone: BTreeSet<Unit>,
}

/// Compares one run of each side, step by step and test by test.
pub fn compare(before: &Run, after: &Run) -> Compared {
    let mut found = Compared::default();
    for step in &before.steps {
        let name = &step.result.name;
        let Some(now) = after.steps.iter().find(|after| after.result.name == *name) else { continue };
        if step.result.end.is_infra() || now.result.end.is_infra() {
            continue;
        }
        compare_tests(step, now, &mut found);
        let whole = || Unit { step: name.clone(), test: None };
        let by_tests = |found: &BTreeSet<Unit>| found.iter().any(|unit| unit.step == *name);
        match (step.color(), now.color()) {
            (Color::Green, Color::Red) if !by_tests(&found.regressed) => {
                found.regressed.insert(whole());
            }
            // It does not get as far as its tests any more.
            (Color::Red, Color::Red) if lost_its_tests(step, now) => {
                found.regressed.insert(whole());
            }
            (Color::Red, Color::Green) if !by_tests(&found.fixed) => {
                found.fixed.insert(whole());
            }
            _ => {}
        }
    }
    found
}

fn compare_tests(before: &Observed, after: &Observed, found: &mut Compared) {
    let unit = |test: &str| Unit { step: before.result.name.clone(), test: Some(test.to_owned()) };
    // Counted and not named: as many as before, so that whoever fails now was among them.
    let unnamed = before.report.unnamed > 0 && before.report.ran() == after.report.ran();
    let names: BTreeSet<&String> = before.report.tests.keys().chain(after.report.tests.keys()).collect();
    let (before_colors, after_colors) = (colors(before), colors(after));
    for name in names {
        let was = before_colors.get(name.as_str()).copied().unwrap_or(Color::Absent);
        let is = after_colors.get(name.as_str()).copied().unwrap_or(Color::Absent);
        match (was, is) {
            (Color::Green, Color::Red) => {
                found.regressed.insert(unit(name));
            }
            (Color::Absent, Color::Red) if unnamed => {
                found.regressed.insert(unit(name));
            }
            (Color::Red, Color::Green) => {
                found.fixed.insert(unit(name));
            }
            // Where passes have no names, what failed and is named no more has passed.
            (Color::Red, Color::Absent) if after.report.unnamed > 0 => {
                found.fixed.insert(unit(name));
            }
            (Color::Green, Color::Absent | Color::Skipped) if after.color() == Color::Green || after.is_explained() => {
                found.gone.insert(unit(name));
            }
            _ => {}
        }
    }
}

fn colors(step: &Observed) -> std::collections::BTreeMap<&str, Color> {
    use super::verdict::TestEnd;
    let color = |end: TestEnd| match end {
        TestEnd::Passed => Color::Green,
        TestEnd::Failed => Color::Red,
        TestEnd::Skipped => Color::Skipped,
    };
    step.report.tests.iter().map(|(name, test)| (name.as_str(), color(test.end))).collect()
}

/// Red on both sides, but before there were tests that passed, and now there are none.
fn lost_its_tests(before: &Observed, after: &Observed) -> bool {
    let passed = |step: &Observed| colors(step).values().any(|color| *color == Color::Green) || step.report.unnamed > 0;
    before.is_explained() && passed(before) && after.report.is_empty()
}

/// What is known once a difference was looked at again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confirmed {
    /// Green in every run before the change, red in every run with it.
    pub regressed: BTreeSet<Unit>,
    /// Red in every run before, green in every run with it.
    pub fixed: BTreeSet<Unit>,
    /// Green in one run and red in another of the same side.
    pub flaky: BTreeSet<Unit>,
}

/// What all runs of both sides say of the differences, and of whatever flips.
pub fn confirm(compared: &Compared, before: &[Run], after: &[Run]) -> Confirmed {
    let mut found = Confirmed::default();
    for unit in flips(before).into_iter().chain(flips(after)) {
        found.flaky.insert(unit);
    }
    let every = |runs: &[Run], unit: &Unit, color: Color| runs.iter().all(|run| holds(run, unit, color));
    for unit in &compared.regressed {
        if !found.flaky.contains(unit) && every(before, unit, Color::Green) && every(after, unit, Color::Red) {
            found.regressed.insert(unit.clone());
        } else {
            found.flaky.insert(unit.clone());
        }
    }
    for unit in &compared.fixed {
        if !found.flaky.contains(unit) && every(before, unit, Color::Red) && every(after, unit, Color::Green) {
            found.fixed.insert(unit.clone());
        } else {
            found.flaky.insert(unit.clone());
        }
    }
    found
}

/// Whether a step or test has this colour in a run. A test that is counted and not
/// named is green unless it is named as failed; a step is red as well where it
/// does not get to its tests.
fn holds(run: &Run, unit: &Unit, color: Color) -> bool {
    let found = run.color(unit);
    let unnamed = run.steps.iter().any(|step| step.result.name == unit.step && step.report.unnamed > 0);
    found == color
        || (color == Color::Green && found == Color::Absent && unnamed)
        // A step that is red before for other tests' sake and loses all of them.
        || (color == Color::Green && unit.test.is_none() && found == Color::Red
            && run.steps.iter().any(|step| step.result.name == unit.step && step.is_explained()))
}

/// What is green in one run and red in another.
fn flips(runs: &[Run]) -> BTreeSet<Unit> {
    let units: BTreeSet<Unit> = runs.iter().flat_map(Run::units).collect();
    let flips = |unit: &Unit| {
        let colors: BTreeSet<Color> = runs.iter().map(|run| run.color(unit)).collect();
        let named = colors.contains(&Color::Green) && colors.contains(&Color::Red);
        let counted = unit.test.is_some()
            && colors.contains(&Color::Red)
            && runs.iter().any(|run| run.color(unit) == Color::Absent && holds(run, unit, Color::Green));
        named || counted
    };
    units.into_iter().filter(flips).collect()
}

/// The judgement. The first rule that holds decides:
///
/// 1. A step or test was green in every run and is red in every run with the change:
///    `regressed`. Where a program was there before and is missing after the change,
///    the change has removed it: that is red.
/// 2. A step ran into a limit, was killed or could not be started in any run:
///    `infra`. The machine failed, so nothing is known.
/// 3. A step or test is green in one run and red in another of the same code: `flaky`.
/// 4. A step or test of the baseline was red: `fixed` where all that was red is green
///    with the change, else `baseline-broken`.
/// 5. No step applies, or a program is missing: `no-data`, naming the program.
///    Steps that passed beside it do not make it a pass: what the consumer means
///    by "works" was tested in part only.
/// 6. Every step and test is green on both sides, and there is at least one: `pass`.
///
/// `before` and `after` hold every run, the first one first. Returns the judgement and
/// a line for people.
pub fn judge(before: &[Run], after: &[Run], confirmed: &Confirmed) -> (VerdictKind, String) {
    if let Some(unit) = foremost(&confirmed.regressed) {
        return (VerdictKind::Regressed, regression(unit, confirmed.regressed.len(), after));
    }
    for (side, runs) in [("before", before), ("after", after)] {
        if let Some(step) = runs.iter().find_map(Run::infra) {
            let (name, end) = (&step.name, &step.end);
            return (VerdictKind::Infra, format!("step `{name}`, {side} the change: {end}"));
        }
    }
    if let Some(unit) = confirmed.flaky.first() {
        let more = more(confirmed.flaky.len());
        return (VerdictKind::Flaky, format!("{unit} is green in one run and red in another of the same code{more}"));
    }
    let (Some(first), last) = (before.first(), after.first()) else {
        return (VerdictKind::NoData, NOTHING.to_owned());
    };
    if let Some(verdict) = red_before(first, last, confirmed) {
        return verdict;
    }
    for (side, run) in [("before", Some(first)), ("after", last)] {
        if let Some((name, program)) = run.and_then(Run::missing) {
            let reason = format!("step `{name}` needs `{program}`, which is not there {side} the change");
            return (VerdictKind::NoData, reason);
        }
    }
    if first.steps.is_empty() {
        return (VerdictKind::NoData, NOTHING.to_owned());
    }
    if last.is_none_or(|last| last.steps.len() != first.steps.len()) {
        return (VerdictKind::Infra, "the two sides did not run the same steps".to_owned());
    }
    let names: Vec<&str> = first.steps.iter().map(|step| step.result.name.as_str()).collect();
    let tests = match first.tests() {
        0 => String::new(),
        1 => " (1 test)".to_owned(),
        count => format!(" ({count} tests)"),
    };
    (VerdictKind::Pass, format!("green before and after the change: {}{tests}", names.join(", ")))
}

const NOTHING: &str = "no step applies: there is nothing that could be built or tested";

/// A test says more than its step.
fn foremost(units: &BTreeSet<Unit>) -> Option<&Unit> {
    units.iter().find(|unit| unit.test.is_some()).or_else(|| units.first())
}

fn more(count: usize) -> String {
    if count > 1 { format!(", and {} more", count - 1) } else { String::new() }
}

fn regression(unit: &Unit, count: usize, after: &[Run]) -> String {
    let step = after.first().and_then(|run| run.steps.iter().find(|step| step.result.name == unit.step));
    let end = match (step, &unit.test) {
        (Some(step), None) => format!(": {}", step.result.end),
        (_, Some(_)) | (None, _) => String::new(),
    };
    format!("{unit} was green before the change and is red after it{end}{}", more(count))
}

/// What was red before the change, and what has become of it.
fn red_before(first: &Run, last: Option<&Run>, confirmed: &Confirmed) -> Option<(VerdictKind, String)> {
    let red: Vec<Unit> = first
        .units()
        .into_iter()
        .filter(|unit| first.color(unit) == Color::Red && !is_missing(first, unit))
        // A step that is red for its tests' sake is told by them.
        .filter(|unit| unit.test.is_some() || !has_failed_tests(first, &unit.step))
        .collect();
    let unit = red.iter().find(|unit| !confirmed.fixed.contains(unit)).or_else(|| red.first())?;
    let still_red = |last: &Run| last.units().iter().any(|unit| last.color(unit) == Color::Red);
    let all_fixed = red.iter().all(|unit| confirmed.fixed.contains(unit));
    if all_fixed && last.is_some_and(|last| !still_red(last) && last.missing().is_none()) {
        let more = more(red.len());
        return Some((VerdictKind::Fixed, format!("{unit} was red before the change and is green after it{more}")));
    }
    let end = first.steps.iter().find(|step| step.result.name == unit.step).map(|step| &step.result.end);
    let end = end.filter(|_| unit.test.is_none()).map(|end| format!(": {end}")).unwrap_or_default();
    Some((VerdictKind::BaselineBroken, format!("{unit} was red before the change{end}")))
}

fn is_missing(run: &Run, unit: &Unit) -> bool {
    let step = run.steps.iter().find(|step| step.result.name == unit.step);
    step.is_some_and(|step| matches!(step.result.end, StepEnd::MissingProgram(_)))
}

fn has_failed_tests(run: &Run, step: &str) -> bool {
    run.steps.iter().any(|observed| observed.result.name == step && observed.is_explained())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::results::{TestEnd, TestReport};
    use crate::verify::verdict::StepResult;
    use VerdictKind::{BaselineBroken, Fixed, Flaky, Infra, NoData, Pass, Regressed};

    fn step(index: usize, end: &StepEnd, tests: &[(&str, TestEnd)]) -> Observed {
        let mut report = TestReport::default();
        for (name, end) in tests {
            let test = super::super::results::TestResult { end: *end, message: String::new() };
            report.tests.insert((*name).to_owned(), test);
        }
        let result = StepResult {
            name: format!("step-{index}"),
            command: Vec::new(),
            end: end.clone(),
            millis: 0,
            output: String::new(),
        };
        Observed { result, report, snapshots: Default::default() }
    }

    fn run(ends: &[StepEnd]) -> Run {
        let steps = ends.iter().enumerate().map(|(index, end)| step(index, end, &[])).collect();
        Run { steps, enforced: Vec::new() }
    }

    fn tested(tests: &str) -> Run {
        // One letter a test: what it is called, in upper case where it failed.
        let tests: Vec<(String, TestEnd)> = tests
            .chars()
            .map(|c| {
                let end = if c.is_uppercase() { TestEnd::Failed } else { TestEnd::Passed };
                (c.to_lowercase().to_string(), end)
            })
            .collect();
        let red = tests.iter().any(|(_, end)| *end == TestEnd::Failed);
        let tests: Vec<(&str, TestEnd)> = tests.iter().map(|(name, end)| (name.as_str(), *end)).collect();
        Run { steps: vec![step(0, &StepEnd::Exited(i32::from(red)), &tests)], enforced: Vec::new() }
    }

    fn judged(before: &[Run], after: &[Run]) -> (VerdictKind, String) {
        let compared = match (before.first(), after.first()) {
            (Some(before), Some(after)) => compare(before, after),
            _ => Compared::default(),
        };
        judge(before, after, &confirm(&compared, before, after))
    }

    fn check(before: &[StepEnd], after: &[StepEnd], kind: VerdictKind, reason: &str) {
        let after_runs = if after.is_empty() { Vec::new() } else { vec![run(after)] };
        let (judged, why) = judged(&[run(before)], &after_runs);
        assert_eq!(judged, kind, "{before:?} → {after:?}: {why}");
        assert!(why.contains(reason), "{why:?} lacks {reason:?}");
    }

    #[test]
    fn the_truth_table_of_steps() {
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
        check(&[red(), missing()], &[], BaselineBroken, "step-0");
        check(&[red(), red(), green()], &[green(), red(), green()], BaselineBroken, "step-1");
        check(&[red(), green()], &[green(), green()], Fixed, "step-0");

        check(&[], &[], NoData, "no step");
        check(&[missing()], &[], NoData, "`sbt`");
        check(&[green(), missing()], &[green(), missing()], NoData, "`sbt`");
    }

    #[test]
    fn the_truth_table_of_tests() {
        let once = |before: &str, after: &str| judged(&[tested(before)], &[tested(after)]);
        assert_eq!(once("ab", "ab").0, Pass);
        assert_eq!(once("ab", "aB").0, Regressed);
        // Red before and after, but not the same tests: crater's known gap.
        let other = once("Ab", "aB");
        assert_eq!(other.0, Regressed);
        assert!(other.1.contains("test `b`"), "{}", other.1);
        assert_eq!(once("Ab", "Ab").0, BaselineBroken);
        assert_eq!(once("Ab", "ab").0, Fixed);
        assert_eq!(once("ABc", "aBc").0, BaselineBroken);
        // A new test that fails was not green before.
        assert_eq!(once("A", "AB").0, BaselineBroken);
    }

    #[test]
    fn what_flips_is_flaky_and_what_stays_is_confirmed() {
        let all = |before: &[&str], after: &[&str]| {
            let runs = |texts: &[&str]| texts.iter().map(|text| tested(text)).collect::<Vec<_>>();
            judged(&runs(before), &runs(after)).0
        };
        assert_eq!(all(&["ab", "ab"], &["aB", "aB", "aB"]), Regressed);
        assert_eq!(all(&["ab", "ab"], &["aB", "ab", "aB"]), Flaky);
        assert_eq!(all(&["ab", "aB"], &["aB", "aB", "aB"]), Flaky);
        assert_eq!(all(&["aB", "ab"], &["ab", "ab", "ab"]), Flaky);
        assert_eq!(all(&["aB", "aB"], &["ab", "ab", "ab"]), Fixed);
        // One is confirmed, whatever flips beside it.
        assert_eq!(all(&["ab", "ab"], &["AB", "aB", "AB"]), Regressed);
    }

    #[test]
    fn a_build_that_fails_where_tests_ran_before_is_a_regression() {
        let broken = Run { steps: vec![step(0, &StepEnd::Exited(101), &[])], enforced: Vec::new() };
        assert_eq!(judged(&[tested("ab")], std::slice::from_ref(&broken)).0, Regressed);
        // Even where one of the tests was red.
        assert_eq!(judged(&[tested("Ab")], std::slice::from_ref(&broken)).0, Regressed);
        let both = std::slice::from_ref(&broken);
        assert_eq!(judged(both, both).0, BaselineBroken);
    }

    #[test]
    fn counted_tests_are_compared_by_their_number() {
        let counted = |passed: u64, failed: &[&str]| {
            let tests: Vec<(&str, TestEnd)> = failed.iter().map(|name| (*name, TestEnd::Failed)).collect();
            let mut step = step(0, &StepEnd::Exited(i32::from(!failed.is_empty())), &tests);
            step.report.unnamed = passed;
            Run { steps: vec![step], enforced: Vec::new() }
        };
        let once = |before: Run, after: Run| judged(&[before], &[after]).0;
        assert_eq!(once(counted(3, &["a"]), counted(3, &["b"])), Regressed);
        assert_eq!(once(counted(3, &["a"]), counted(3, &["a"])), BaselineBroken);
        assert_eq!(once(counted(3, &["a"]), counted(4, &[])), Fixed);
        // There are more than before: it may be new.
        assert_eq!(once(counted(3, &["a"]), counted(3, &["a", "b"])), BaselineBroken);
    }
}
