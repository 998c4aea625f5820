//! Runs what was found: every example and every case, in parallel, each at most once
//! for the same rules, inputs, code and snapshot.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rayon::prelude::*;

use super::case::{self, inputs_key};
use super::{Case, CaseResult, ExampleResult, Found, Gap, Outcome, Report, RuleResult, Suite, SuiteResult, TestError};
use super::{examples, gaps, snapshot};
use crate::digest::{Digest, DigestBuilder};
use crate::rule::{Exercise, RuleSet};
use crate::script::{self, Source};

/// What to do besides running.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Write nothing, not even proposals.
    pub check: bool,
    /// Tell what no test exercises.
    pub coverage: bool,
}

/// What an earlier run of the same process found out: a change makes only what it
/// affects run again.
#[derive(Default)]
pub struct Memory {
    rules: Mutex<HashMap<Digest, Arc<RuleSet>>>,
    examples: Mutex<HashMap<Digest, Vec<ExampleResult>>>,
    cases: Mutex<HashMap<Digest, Outcome>>,
}

/// A case that was run, and the rules that it was run with.
type Done = (CaseResult, Arc<RuleSet>);

/// Rhai recurses; see the limits of `script`.
pub(super) const STACK: usize = 16 << 20;

/// Runs the tests, and proposes snapshots (`CASE.snap.new`) for what changed. No
/// snapshot is written.
pub fn run(found: Found, options: Options, memory: &Memory) -> Report {
    let pool = rayon::ThreadPoolBuilder::new().stack_size(STACK).build();
    let work = || {
        let Found { suites, errors } = found;
        let done: Vec<Result<Ran<'_>, Vec<TestError>>> =
            suites.par_iter().map(|suite| one(suite, options, memory)).collect();
        let mut report = Report { suites: Vec::new(), errors };
        let mut ran = Vec::new();
        for result in done {
            match result {
                Ok(suite) => ran.push(suite),
                Err(errors) => report.errors.extend(errors),
            }
        }
        exercised(&mut ran, options);
        report.suites = ran.into_iter().map(|one| one.result).collect();
        same_ids(&mut report);
        report
    };
    match pool {
        Ok(pool) => pool.install(work),
        Err(_) => work(),
    }
}

/// A suite that was run, and every set of its rules that was used.
struct Ran<'s> {
    suite: &'s Suite,
    sets: Vec<Arc<RuleSet>>,
    result: SuiteResult,
}

/// What was exercised of each file of rules: by its own tests, and by the cases of the
/// migration that it belongs to.
fn exercised(ran: &mut [Ran<'_>], options: Options) {
    let migrations: Vec<(Option<PathBuf>, Vec<Arc<RuleSet>>)> =
        ran.iter().filter(|one| one.suite.migration).map(|one| (one.suite.owner.clone(), one.sets.clone())).collect();
    for one in ran.iter_mut().filter(|one| !one.suite.migration) {
        let above = migrations.iter().filter(|(owner, _)| owner.is_some() && one.suite.owner == *owner);
        let sets: Vec<&RuleSet> = one.sets.iter().chain(above.flat_map(|(_, sets)| sets)).map(AsRef::as_ref).collect();
        one.result.rules = rule_results(one.suite, &sets);
        if options.coverage {
            // A migration has rules of other files, too.
            let own = |gap: &Gap| one.result.rules.iter().any(|rule| rule.id == gap.rule);
            one.result.gaps = gaps(&sets).into_iter().filter(own).collect();
            one.result.gaps.iter_mut().for_each(|gap| gap.place = shown(one.suite, &gap.place));
        }
    }
}

fn one<'s>(suite: &'s Suite, options: Options, memory: &Memory) -> Result<Ran<'s>, Vec<TestError>> {
    let sources = read(suite)?;
    let (rules, key) = load(suite, &sources, None, memory)?;
    let mut sets = vec![Arc::clone(&rules)];
    // The files of a migration are suites of their own, which run their examples.
    let examples = if suite.migration { Vec::new() } else { remembered(&memory.examples, key, || examples(&rules)).0 };
    let done: Vec<Result<Done, Vec<TestError>>> =
        suite.cases.par_iter().map(|case| one_case(suite, case, &sources, options, memory)).collect();
    let (mut cases, mut errors) = (Vec::new(), Vec::new());
    for result in done {
        match result {
            Ok((case, set)) => {
                cases.push(case);
                if !sets.iter().any(|s| Arc::ptr_eq(s, &set)) {
                    sets.push(set);
                }
            }
            Err(more) => errors.extend(more),
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let (file, owner, unused) = (suite.file.clone(), suite.owner.clone(), suite.unused.clone());
    let mut examples = examples;
    examples.iter_mut().for_each(|example| example.place = shown(suite, &example.place));
    let result = SuiteResult { file, owner, rules: Vec::new(), examples, cases, unused, gaps: Vec::new() };
    Ok(Ran { suite, sets, result })
}

/// The place of a rule as people name it.
fn shown(suite: &Suite, place: &str) -> String {
    suite.base.join(place).display().to_string()
}

fn rule_results(suite: &Suite, sets: &[&RuleSet]) -> Vec<RuleResult> {
    let Some(first) = sets.first() else { return Vec::new() };
    let one = |rule: &crate::rule::Rule| {
        let of_set = |set: &&RuleSet| {
            let index = set.rules.iter().position(|other| other.id == rule.id)?;
            Some(set.exercise.as_ref()?.of_rule(index))
        };
        let done = sets.iter().filter_map(of_set);
        let (matches, time) = done.fold((0, Duration::ZERO), |all, one| (all.0 + one.0, all.1 + one.1));
        RuleResult {
            id: rule.id.clone(),
            place: shown(suite, &rule.place),
            matches,
            time,
            untested: rule.examples.is_empty() && matches == 0,
        }
    };
    first.rules.iter().map(one).collect()
}

/// The rule files, named as messages of rules should name them anywhere.
fn read(suite: &Suite) -> Result<Vec<Source>, Vec<TestError>> {
    let sources = script::read(&suite.rules).map_err(|errors| vec![TestError::Rules(errors)])?;
    let named = |source: Source| {
        let path = PathBuf::from(&source.name);
        let name = path.strip_prefix(&suite.base).unwrap_or(&path).display().to_string();
        Source { name, ..source }
    };
    Ok(sources.into_iter().map(named).collect())
}

fn load(
    suite: &Suite,
    sources: &[Source],
    case: Option<&Case>,
    memory: &Memory,
) -> Result<(Arc<RuleSet>, Digest), Vec<TestError>> {
    let mut key = DigestBuilder::new("gander.rule-test");
    for source in sources {
        key = key.field(&source.name).field(&source.text);
    }
    let key = key
        .field(suite.file.to_string_lossy().as_bytes())
        .field(inputs_key(case.map_or(&suite.inputs, |case| &case.inputs)))
        .field(format!("{:?}", suite.partial))
        .finish();
    let known = memory.rules.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
    if let Some(rules) = known {
        return Ok((rules, key));
    }
    let inputs = case.map_or(&suite.inputs, |case| &case.inputs);
    let mut rules = script::load(sources, inputs).map_err(|mut errors| {
        errors.0.iter_mut().for_each(|e| e.file = shown(suite, &e.file));
        vec![TestError::Rules(errors)]
    })?;
    rules.exercise = Some(Arc::<Exercise>::default());
    // What they import or declare lies in files of its own, which are read each time: each rule's identity
    // holds them.
    let key = match rules.modular || !rules.libraries.is_empty() {
        true => {
            let beside = DigestBuilder::new("gander.rule-test.beside").field(key.as_bytes());
            rules.rules.iter().fold(beside, |digest, rule| digest.field(rule.identity.as_bytes())).finish()
        }
        false => key,
    };
    let mut all = memory.rules.lock().unwrap_or_else(PoisonError::into_inner);
    Ok((Arc::clone(all.entry(key).or_insert_with(|| Arc::new(rules))), key))
}

/// What is remembered under `key`, or what `work` gives; and whether it was done now.
fn remembered<T: Clone>(all: &Mutex<HashMap<Digest, T>>, key: Digest, work: impl FnOnce() -> T) -> (T, bool) {
    let known = all.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
    if let Some(known) = known {
        return (known, false);
    }
    let made = work();
    all.lock().unwrap_or_else(PoisonError::into_inner).insert(key, made.clone());
    (made, true)
}

fn one_case(
    suite: &Suite,
    case: &Case,
    sources: &[Source],
    options: Options,
    memory: &Memory,
) -> Result<Done, Vec<TestError>> {
    let since = Instant::now();
    let single = |error: TestError| vec![error];
    let (rules, key) = load(suite, sources, Some(case), memory)?;
    let input = case::read(case).map_err(single)?;
    let wanted = if case.must_stay() { None } else { snapshot::read(&case.snapshot).map_err(single)? };
    let key = DigestBuilder::new("gander.rule-test.case")
        .field(key.as_bytes())
        .field(case.folder.to_string_lossy().as_bytes())
        .field(input.key())
        .field(wanted.as_deref().unwrap_or("\0"))
        .finish();
    let mut failed = None;
    let (outcome, ran) = remembered(&memory.cases, key, || match case::run(&rules, case, input, suite.partial) {
        Ok(became) => outcome(case, wanted, became),
        Err(error) => {
            failed = Some(error);
            Outcome::Passed
        }
    });
    if let Some(error) = failed {
        memory.cases.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
        return Err(vec![error]);
    }
    if !options.check {
        match &outcome {
            Outcome::New(text) | Outcome::Changed { new: text, .. } => snapshot::propose(suite, case, text),
            Outcome::Passed => snapshot::settle(case),
            Outcome::Touched(_) => Ok(()),
        }
        .map_err(single)?;
    }
    let time = if ran { since.elapsed() } else { Duration::ZERO };
    let (name, folder, snapshot) = (case.name.clone(), case.folder.clone(), case.snapshot.clone());
    Ok((CaseResult { name, folder, snapshot, outcome, time, ran }, rules))
}

fn outcome(case: &Case, wanted: Option<String>, became: case::Became) -> Outcome {
    if case.must_stay() {
        return if became.unchanged { Outcome::Passed } else { Outcome::Touched(became.text) };
    }
    match wanted {
        None => Outcome::New(became.text),
        Some(old) if snapshot::same(&old, &became.text) => Outcome::Passed,
        Some(old) => Outcome::Changed { old, new: became.text },
    }
}

/// Two rule files with the same id: each loads alone, but nobody could run both. Rules
/// of different migrations may share ids.
fn same_ids(report: &mut Report) {
    let mut seen: HashMap<(Option<&Path>, &str), &str> = HashMap::new();
    let mut errors = Vec::new();
    for suite in &report.suites {
        for rule in &suite.rules {
            let first = *seen.entry((suite.owner.as_deref(), &rule.id)).or_insert(&rule.place);
            if first != rule.place {
                let (id, first, second) = (rule.id.clone(), first.to_owned(), rule.place.clone());
                errors.push(TestError::SameId { id, first, second });
            }
        }
    }
    report.errors.extend(errors);
}
