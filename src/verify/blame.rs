//! Which edits turn a consumer red: Zeller and Hildebrandt's ddmin ("Simplifying and
//! Isolating Failure-Inducing Input", 2002) over rule and match site.
//!
//! Must not: know how a set of edits is run, or blame what was not confirmed.

use std::collections::{BTreeMap, BTreeSet};

use super::verdict::{Blame, Site};
use crate::edit;
use crate::transform::{FileOutcome, FilePlan};
use crate::tree::line_column;
use crate::workspace::{Content, FileVersion};

/// The most runs that finding one blame may take.
const MOST_RUNS: usize = 60;
/// The most independent causes that are looked for.
const MOST_CAUSES: usize = 3;

/// A change that can be left out alone: all edits of one match, or what becomes of a
/// whole file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it is called.
    pub site: Site,
    file: usize,
    /// The match within the file; `None` where the whole file is meant.
    found: Option<u32>,
}

/// The parts of a change set, ordered by file and match.
pub fn parts(files: &[FilePlan], changes: &[FileVersion]) -> Vec<Part> {
    let mut parts = Vec::new();
    for (file, plan) in files.iter().enumerate() {
        let whole = |rule: &str| Part {
            site: Site { rule: rule.to_owned(), path: plan.path.clone(), line: 0 },
            file,
            found: None,
        };
        match &plan.outcome {
            FileOutcome::Edit { edits, .. } => {
                let text = before(changes, &plan.path).map(|content| String::from_utf8_lossy(&content.bytes));
                let mut seen: BTreeMap<(&str, u32), usize> = BTreeMap::new();
                for edit in edits {
                    let start = seen.entry((&edit.rule, edit.match_id)).or_insert(edit.range.start);
                    *start = edit.range.start.min(*start);
                }
                for ((rule, found), start) in seen {
                    let line = text.as_ref().map_or(0, |text| line_column(text, start.min(text.len())).0);
                    let site = Site { rule: rule.to_owned(), path: plan.path.clone(), line };
                    parts.push(Part { site, file, found: Some(found) });
                }
            }
            FileOutcome::Create { rule, .. }
            | FileOutcome::Delete { rule }
            | FileOutcome::Rename { rule, .. }
            | FileOutcome::SetExecutable { rule, .. } => parts.push(whole(rule)),
        }
    }
    parts
}

fn before<'a>(changes: &'a [FileVersion], path: &str) -> Option<&'a Content> {
    changes.iter().find(|change| change.path == path)?.before.as_ref()
}

/// The change with these parts alone; `None` where they can't be had without others.
pub fn variant(
    files: &[FilePlan],
    changes: &[FileVersion],
    parts: &[Part],
    chosen: &BTreeSet<usize>,
) -> Option<Vec<FileVersion>> {
    let mut versions = Vec::new();
    for (file, plan) in files.iter().enumerate() {
        let here: Vec<&Part> = chosen.iter().filter_map(|index| parts.get(*index)).filter(|p| p.file == file).collect();
        if here.is_empty() {
            continue;
        }
        if let FileOutcome::Edit { edits, .. } = &plan.outcome {
            let kept = |edit: &&edit::Edit| {
                here.iter().any(|part| part.site.rule == edit.rule && part.found == Some(edit.match_id))
            };
            let edits: Vec<edit::Edit> = edits.iter().filter(kept).cloned().collect();
            let content = before(changes, &plan.path)?;
            let text = std::str::from_utf8(&content.bytes).ok()?;
            let splices = edit::compose(text, &edits).ok()?;
            let bytes = edit::apply(text, &splices).into_bytes();
            let after = Content { bytes, executable: content.executable };
            versions.push(FileVersion {
                path: plan.path.clone(),
                before: Some(content.clone()),
                after: Some(after),
                renamed_from: None,
            });
        } else {
            let own = |change: &&FileVersion| {
                change.path == plan.path || change.renamed_from.as_deref() == Some(plan.path.as_str())
            };
            versions.extend(changes.iter().filter(own).cloned());
        }
    }
    versions.sort_by(|a, b| a.path.cmp(&b.path));
    Some(versions)
}

/// The smallest sets of parts that are still red, each found among those that the
/// earlier ones leave. `is_red` says of a set whether it is; of sets that can't be
/// had, `None`.
pub fn find(count: usize, is_red: &mut dyn FnMut(&BTreeSet<usize>) -> Option<bool>) -> Vec<(BTreeSet<usize>, bool)> {
    let mut rest: BTreeSet<usize> = (0..count).collect();
    let mut causes = Vec::new();
    // The whole change was confirmed to be red.
    let mut red = true;
    while red && !rest.is_empty() && causes.len() < MOST_CAUSES {
        let mut budget = MOST_RUNS;
        let (cause, minimal) = ddmin(&rest, &mut |set| {
            if budget == 0 {
                return None;
            }
            budget -= 1;
            is_red(set)
        });
        let minimal = minimal && budget > 0;
        rest.retain(|index| !cause.contains(index));
        causes.push((cause, minimal));
        red = minimal && !rest.is_empty() && is_red(&rest) == Some(true);
    }
    causes
}

/// A subset of `all`, which is red, that is red and of which no part can be left out;
/// false where some sets could not be had, so that this is not certain.
fn ddmin(all: &BTreeSet<usize>, is_red: &mut dyn FnMut(&BTreeSet<usize>) -> Option<bool>) -> (BTreeSet<usize>, bool) {
    let mut known: BTreeMap<BTreeSet<usize>, Option<bool>> = BTreeMap::new();
    let mut ask = |set: &BTreeSet<usize>| *known.entry(set.clone()).or_insert_with(|| is_red(set));
    let mut current = all.clone();
    let mut pieces = 2;
    let mut certain = true;
    while current.len() > 1 {
        let list: Vec<usize> = current.iter().copied().collect();
        let size = list.len().div_ceil(pieces);
        let chunks: Vec<BTreeSet<usize>> = list.chunks(size).map(|chunk| chunk.iter().copied().collect()).collect();
        let complements = chunks.iter().map(|chunk| current.difference(chunk).copied().collect::<BTreeSet<_>>());
        let complements: Vec<BTreeSet<usize>> = if chunks.len() > 2 { complements.collect() } else { Vec::new() };
        if let Some(red) = chunks.iter().find(|chunk| ask(chunk) == Some(true)) {
            current = red.clone();
            pieces = 2;
        } else if let Some(red) = complements.iter().find(|set| ask(set) == Some(true)) {
            current = red.clone();
            pieces = (pieces - 1).max(2);
        } else if pieces < list.len() {
            pieces = (pieces * 2).min(list.len());
        } else {
            // Each single part was left out: where that could not be had, it may be needless.
            certain = complements.iter().chain(&chunks).all(|set| ask(set).is_some());
            break;
        }
    }
    (current, certain)
}

/// As it is recorded.
pub fn named(parts: &[Part], causes: &[(BTreeSet<usize>, bool)]) -> Vec<Blame> {
    let sites = |set: &BTreeSet<usize>| {
        let mut sites: Vec<Site> = set.iter().filter_map(|index| parts.get(*index)).map(|p| p.site.clone()).collect();
        sites.sort();
        sites
    };
    causes.iter().map(|(set, minimal)| Blame { edits: sites(set), minimal: *minimal }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn set(items: &[usize]) -> BTreeSet<usize> {
        items.iter().copied().collect()
    }

    fn found(count: usize, causes: &[&[usize]]) -> Vec<BTreeSet<usize>> {
        let causes: Vec<BTreeSet<usize>> = causes.iter().map(|cause| set(cause)).collect();
        find(count, &mut |tried| Some(causes.iter().any(|cause| cause.is_subset(tried))))
            .into_iter()
            .map(|(cause, minimal)| {
                assert!(minimal);
                cause
            })
            .collect()
    }

    #[test]
    fn one_edit_is_found_among_many() {
        let mut runs = 0;
        let causes = find(1000, &mut |tried| {
            runs += 1;
            Some(tried.contains(&617))
        });
        assert_eq!(causes, [(set(&[617]), true)]);
        assert!(runs <= 25, "{runs} runs");
    }

    #[test]
    fn edits_that_only_break_together_are_found_together() {
        assert_eq!(found(40, &[&[3, 31]]), [set(&[3, 31])]);
        assert_eq!(found(1, &[&[0]]), [set(&[0])]);
    }

    #[test]
    fn independent_causes_are_all_found() {
        let mut causes = found(30, &[&[2], &[17], &[25, 26]]);
        causes.sort();
        assert_eq!(causes, [set(&[2]), set(&[17]), set(&[25, 26])]);
    }

    #[test]
    fn where_sets_cannot_be_had_it_says_that_it_may_be_smaller() {
        // Nothing but the whole can be had.
        let causes = find(4, &mut |tried| (tried.len() == 4).then_some(true));
        assert_eq!(causes, [(set(&[0, 1, 2, 3]), false)]);
    }

    proptest! {
        #[test]
        fn what_is_found_is_red_and_minimal(count in 1_usize..24, picks in proptest::collection::btree_set(0_usize..24, 1..4)) {
            let cause: BTreeSet<usize> = picks.into_iter().map(|pick| pick % count).collect();
            let causes = find(count, &mut |tried| Some(cause.is_subset(tried)));
            prop_assert_eq!(&causes[0].0, &cause);
        }
    }
}
