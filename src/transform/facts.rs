//! Facts across the files of a workspace: collected before the edit phase, and
//! once more over its result, which the rules must have nothing to change in.
//!
//! Where no rule collects and there is no project of dbt, nothing here reads a file.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use super::dependencies::Builds;
use super::file::{Fate, FileReport, caught, collect, failed, file, spread, unsettled};
use super::file_edits::Decided;
use super::fleet::Done;
use super::plan::Finding;
use super::{projects, skip};
use crate::dataset::elsewhere::Elsewhere;
use crate::dependency::Dependencies;
use crate::pin::{Found, PinError, Wanted, contents_of};
use crate::rule::{self, Facts, RuleSet, Seed};

/// What is known of a workspace beside the files that are edited, and the same of each.
#[derive(Default)]
pub(super) struct Beside {
    /// What its files say of each other, where they do.
    elsewhere: Option<Arc<Elsewhere>>,
    /// What its builds declare, where rules ask for that.
    dependencies: Option<Arc<Dependencies>>,
}

impl Beside {
    fn tell(&self, facts: &mut Facts) {
        self.elsewhere.iter().for_each(|one| facts.set_elsewhere(Arc::clone(one)));
        self.dependencies.iter().for_each(|one| facts.set_builds(rule::Builds::Read(Arc::clone(one), String::new())));
    }
}

/// Both of each workspace.
pub(super) fn beside(elsewhere: Vec<Option<Arc<Elsewhere>>>, builds: &[Option<Builds>]) -> Vec<Beside> {
    let both = elsewhere.into_iter().zip(builds);
    let one = |(elsewhere, builds): (_, &Option<Builds>)| {
        let dependencies = builds.as_ref().map(|builds| Arc::clone(&builds.dependencies));
        Beside { elsewhere, dependencies }
    };
    both.map(one).collect()
}

/// The facts of each workspace, or the first place where a rule failed to collect.
pub(super) fn of(rules: &RuleSet, wanted: &[Wanted<'_>], beside: &[Beside]) -> Vec<Result<Arc<Facts>, Finding>> {
    let (wanted, none) = concerned(rules, wanted);
    if none {
        let only = |beside: &Beside| {
            let mut facts = Facts::default();
            beside.tell(&mut facts);
            Ok(Arc::new(facts))
        };
        return beside.iter().map(only).collect();
    }
    gather(rules, &wanted, None, beside)
}

/// The files that tell something of others, and whether there are none.
fn concerned<'w>(rules: &RuleSet, wanted: &[Wanted<'w>]) -> (Vec<Wanted<'w>>, bool) {
    let mut none = true;
    let one = |wanted: &Wanted<'w>| {
        let roots = projects::roots(rules, wanted.paths.iter().copied());
        let tells = |path: &&&str| rules.collects() || projects::root_of(&roots, path).is_some();
        let paths: Vec<&'w str> = wanted.paths.iter().filter(tells).copied().collect();
        none &= paths.is_empty();
        Wanted { workspace: wanted.workspace, pin: wanted.pin, manifest: wanted.manifest, paths }
    };
    (wanted.iter().map(one).collect(), none)
}

/// A workspace once the change is made.
struct After<'a> {
    /// The files that are not as they were: their path, where they are not gone, and
    /// their bytes, where those are others.
    files: BTreeMap<&'a str, (Option<&'a str>, Option<&'a [u8]>)>,
    new: Vec<(&'a str, &'a [u8])>,
}

impl<'a> After<'a> {
    fn new(done: &'a [Done], decided: &'a Decided) -> Self {
        let one = |(path, _, report): &'a Done| {
            let to = match &report.fate {
                Fate::Stays => Some(path.as_str()),
                Fate::Moves { to, .. } => Some(to.as_str()),
                Fate::Goes { .. } => None,
            };
            let bytes = report.change.as_ref().map(|change| change.bytes.as_slice());
            (bytes.is_some() || to != Some(path)).then_some((path.as_str(), (to, bytes)))
        };
        let new = decided.new.iter().map(|(path, file)| (path.as_str(), file.text.as_bytes()));
        Self { files: done.iter().filter_map(one).collect(), new: new.collect() }
    }

    /// What a file is now; `None` where it is gone.
    fn of<'p>(&'p self, path: &'p str, pinned: &'p [u8]) -> Option<(&'p str, &'p [u8])> {
        let Some((to, bytes)) = self.files.get(path) else { return Some((path, pinned)) };
        Some(((*to)?, bytes.unwrap_or(pinned)))
    }
}

/// The facts of a workspace, by path what failed to be collected, and the texts of projects.
type Learned = (Facts, BTreeMap<String, Finding>, BTreeMap<String, String>);

/// What is learned of a workspace, and the roots of its projects.
type Slot = (Mutex<Learned>, Vec<String>);

/// Collects over the pinned files, or over what becomes of them.
fn gather(
    rules: &RuleSet,
    wanted: &[Wanted<'_>],
    after: Option<&[After<'_>]>,
    beside: &[Beside],
) -> Vec<Result<Arc<Facts>, Finding>> {
    let slots: Vec<Mutex<Learned>> = wanted.iter().map(|_| Mutex::default()).collect();
    let roots: Vec<Vec<String>> =
        wanted.iter().map(|wanted| projects::roots(rules, wanted.paths.iter().copied())).collect();
    let learn = |index: usize, path: &str, bytes: &[u8]| {
        let collected = || if rules.collects() { collect(rules, path, bytes) } else { Ok(Facts::default()) };
        let learned = caught(collected).unwrap_or_else(|| Err(failed(path)));
        let text = projects::root_of(&roots[index], path).and_then(|_| std::str::from_utf8(bytes).ok());
        let mut slot = slots[index].lock().unwrap_or_else(PoisonError::into_inner);
        slot.2.extend(text.map(|text| (path.to_owned(), text.to_owned())));
        match learned {
            Ok(facts) => slot.0.merge(facts),
            Err(finding) => {
                slot.1.insert(path.to_owned(), finding);
            }
        }
    };
    // A file that can't be read is reported by the edit phase, which reads it again.
    let _: Vec<Result<(), PinError>> = contents_of(wanted, skip::MAX_BYTES, &|index, path, found| {
        let Found::Bytes(pinned) = found else { return Ok(()) };
        if let Some((path, bytes)) = after.map_or(Some((path, pinned)), |after| after[index].of(path, pinned)) {
            learn(index, path, bytes);
        }
        Ok(())
    });
    for (index, after) in after.into_iter().flatten().enumerate() {
        after.new.iter().for_each(|(path, bytes)| learn(index, path, bytes));
    }
    let result = |(index, (learned, beside)): (usize, (Slot, &Beside))| {
        let (slot, roots) = learned;
        let (mut facts, failed, texts) = slot.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(finding) = failed.into_values().next() {
            return Err(finding);
        }
        projects::learn(rules, &roots, &texts, &mut facts)?;
        beside.tell(&mut facts);
        spread(rules, facts, |facts| planted(rules, &wanted[index], after.map(|after| &after[index]), facts))
    };
    slots.into_par_iter().zip(roots).zip(beside).enumerate().map(result).collect()
}

/// What the edits of a workspace's files ask for in all of them.
fn planted(rules: &RuleSet, wanted: &Wanted<'_>, after: Option<&After<'_>>, facts: &Arc<Facts>) -> BTreeSet<Seed> {
    let found: Mutex<BTreeSet<Seed>> = Mutex::default();
    let look = |path: &str, bytes: &[u8]| {
        let seeds = file(rules, facts, path, bytes).seeds;
        found.lock().unwrap_or_else(PoisonError::into_inner).extend(seeds);
    };
    let one = [Wanted {
        workspace: wanted.workspace,
        pin: wanted.pin,
        manifest: wanted.manifest,
        paths: wanted.paths.clone(),
    }];
    let _: Vec<Result<(), PinError>> = contents_of(&one, skip::MAX_BYTES, &|_, path, found| {
        let Found::Bytes(pinned) = found else { return Ok(()) };
        if let Some((path, bytes)) = after.map_or(Some((path, pinned)), |after| after.of(path, pinned)) {
            look(path, bytes);
        }
        Ok(())
    });
    after.into_iter().flat_map(|after| &after.new).for_each(|(path, bytes)| look(path, bytes));
    found.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Files in which the rules would go on, by path, and the rule that would.
type Restless = BTreeMap<String, String>;

/// Collects again over the result of each workspace, and refuses every file in
/// which the rules would go on changing something, or whose matches made such a file.
pub(super) fn check(
    rules: &RuleSet,
    wanted: &[Wanted<'_>],
    beside: &[Beside],
    reports: &mut [Vec<Done>],
    decided: &mut [Decided],
) {
    let (wanted, none) = concerned(rules, wanted);
    if none {
        return;
    }
    let restless = restless(rules, &wanted, beside, reports, decided);
    for ((done, decided), restless) in reports.iter_mut().zip(decided).zip(restless) {
        for (path, rule) in restless {
            let sources = decided.new.get(&path).map(|new| new.sources.clone());
            let moved = |report: &FileReport| matches!(&report.fate, Fate::Moves { to, .. } if *to == path);
            let own = || done.iter().position(|(p, _, report)| *p == path || moved(report)).into_iter().collect();
            for number in sources.unwrap_or_else(own) {
                let (path, digest, report) = &mut done[number];
                *digest = None;
                report.refuse_as_unsettled(path, &rule);
            }
        }
        decided.keep_wanted(|number, path| done[number].2.creations.iter().any(|creation| creation.path == path));
    }
}

fn restless(
    rules: &RuleSet,
    wanted: &[Wanted<'_>],
    beside: &[Beside],
    reports: &[Vec<Done>],
    decided: &[Decided],
) -> Vec<Restless> {
    let found: Vec<Mutex<Restless>> = wanted.iter().map(|_| Mutex::default()).collect();
    let after: Vec<After<'_>> = reports.iter().zip(decided).map(|(done, decided)| After::new(done, decided)).collect();
    let facts = gather(rules, wanted, Some(&after), beside);
    let look = |index: usize, named: &str, path: &str, bytes: &[u8]| {
        let facts = match &facts[index] {
            Ok(facts) => facts,
            // What can't be learned from the result fails the next run.
            Err(finding) => {
                if finding.path == path {
                    found[index]
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .insert(named.to_owned(), finding.rule.clone());
                }
                return;
            }
        };
        if let Some(rule) = unsettled(rules, facts, path, bytes, &|wanted| decided[index].there(wanted)) {
            found[index].lock().unwrap_or_else(PoisonError::into_inner).insert(named.to_owned(), rule);
        }
    };
    let _: Vec<Result<(), PinError>> = contents_of(wanted, skip::MAX_BYTES, &|index, path, found| {
        let Found::Bytes(pinned) = found else { return Ok(()) };
        if let Some((now, bytes)) = after[index].of(path, pinned) {
            look(index, path, now, bytes);
        }
        Ok(())
    });
    for (index, after) in after.iter().enumerate() {
        after.new.iter().for_each(|(path, bytes)| look(index, path, path, bytes));
    }
    found.into_iter().map(|slot| slot.into_inner().unwrap_or_else(PoisonError::into_inner)).collect()
}
