//! Facts across the files of a workspace: collected before the edit phase, and
//! once more over its result, which the rules must have nothing to change in.
//!
//! Where no rule collects, nothing here reads a file.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::file::{collect, unsettled};
use super::fleet::Done;
use super::plan::Finding;
use super::skip;
use crate::pin::{Found, PinError, Wanted, contents_of};
use crate::rule::{Facts, RuleSet};

/// The facts of each workspace, or the first place where a rule failed to collect.
pub(super) fn of(rules: &RuleSet, wanted: &[Wanted<'_>]) -> Vec<Result<Arc<Facts>, Finding>> {
    if !rules.collects() {
        return wanted.iter().map(|_| Ok(Arc::default())).collect();
    }
    gather(rules, wanted, &|_, _| None)
}

/// Collects over what `changed` gives for a file, or over its pinned bytes.
fn gather<'c>(
    rules: &RuleSet,
    wanted: &[Wanted<'_>],
    changed: &(dyn Fn(usize, &str) -> Option<&'c [u8]> + Sync),
) -> Vec<Result<Arc<Facts>, Finding>> {
    let slots: Vec<Mutex<(Facts, BTreeMap<String, Finding>)>> = wanted.iter().map(|_| Mutex::default()).collect();
    // A file that can't be read is reported by the edit phase, which reads it again.
    let _: Vec<Result<(), PinError>> = contents_of(wanted, skip::MAX_BYTES, &|index, path, found| {
        let Found::Bytes(pinned) = found else { return Ok(()) };
        let learned = collect(rules, path, changed(index, path).unwrap_or(pinned));
        let mut slot = slots[index].lock().unwrap_or_else(PoisonError::into_inner);
        match learned {
            Ok(facts) => slot.0.merge(facts),
            Err(finding) => {
                slot.1.insert(path.to_owned(), finding);
            }
        }
        Ok(())
    });
    let result = |slot: Mutex<(Facts, BTreeMap<String, Finding>)>| {
        let (facts, failed) = slot.into_inner().unwrap_or_else(PoisonError::into_inner);
        failed.into_values().next().map_or_else(|| Ok(Arc::new(facts)), Err)
    };
    slots.into_iter().map(result).collect()
}

/// Collects again over the result of each workspace, and refuses every file in
/// which the rules would go on changing something.
pub(super) fn check(rules: &RuleSet, wanted: &[Wanted<'_>], reports: &mut [Vec<Done>]) {
    if !rules.collects() {
        return;
    }
    let restless: Vec<Mutex<BTreeMap<String, String>>> = wanted.iter().map(|_| Mutex::default()).collect();
    {
        let changed: Vec<BTreeMap<&str, &[u8]>> = reports.iter().map(|done| changed_bytes(done)).collect();
        let new_bytes = |index: usize, path: &str| changed[index].get(path).copied();
        let facts = gather(rules, wanted, &new_bytes);
        let _: Vec<Result<(), PinError>> = contents_of(wanted, skip::MAX_BYTES, &|index, path, found| {
            let (Found::Bytes(pinned), Ok(facts)) = (found, &facts[index]) else { return Ok(()) };
            let bytes = new_bytes(index, path).unwrap_or(pinned);
            if let Some(rule) = unsettled(rules, facts, path, bytes) {
                restless[index].lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), rule);
            }
            Ok(())
        });
    }
    for (done, restless) in reports.iter_mut().zip(restless) {
        for (path, rule) in restless.into_inner().unwrap_or_else(PoisonError::into_inner) {
            refuse(done, &path, rule);
        }
    }
}

fn changed_bytes(done: &[Done]) -> BTreeMap<&str, &[u8]> {
    let changed = done.iter().filter_map(|(path, _, report)| Some((path.as_str(), report.change.as_ref()?)));
    changed.map(|(path, change)| (path, change.bytes.as_slice())).collect()
}

fn refuse(done: &mut [Done], path: &str, rule: String) {
    let Some((_, digest, report)) = done.iter_mut().find(|(p, ..)| p == path) else { return };
    *digest = None;
    report.refuse_as_unsettled(path, &rule);
}
