//! Other migrations that change the same lines: told by the branches that they have where a
//! change set is about to go. Whichever is merged second would conflict, and a person decides
//! which that shall be.

use std::collections::{BTreeMap, BTreeSet};

use super::effect::commit_place;
use super::{Obstacle, Shipment};
use crate::git::{Remote, Repository, changes_named, merge_contents};
use crate::workspace::FileVersion;

/// How a clash is told.
const CLASH: &str = "the migration ";

/// Whether that is what a change set waits for.
pub fn is_clash(waits: &str) -> bool {
    waits.starts_with(&super::waits_for_approval(CLASH))
}

/// Holds a change set back where another migration's branch changes the same lines. `tips` are
/// the branches below `gander/`, by name; `remote` is where they are, if not here.
///
/// # Errors
/// [`Obstacle::Clash`], naming the other one and the place.
pub fn no_clash(
    shipment: &Shipment<'_>,
    own: &str,
    repository: &Repository,
    (remote, tips): (Option<&Remote>, &BTreeMap<String, String>),
) -> Result<(), Obstacle> {
    let own = own.split('/').take(2).collect::<Vec<_>>().join("/") + "/";
    let others: BTreeMap<&str, &str> = tips
        .iter()
        .filter(|(name, _)| name.starts_with("gander/") && !name.starts_with(&own))
        .map(|(name, tip)| (name.as_str(), tip.as_str()))
        .collect();
    if others.is_empty() || shipment.versions.is_empty() {
        return Ok(());
    }
    if let Some(remote) = remote {
        remote.bring_branches(repository, &others)?;
    }
    let files: BTreeMap<String, &FileVersion> =
        shipment.versions.iter().map(|version| (shipment.set.joined(&version.path), version)).collect();
    let tips: BTreeSet<&str> = others.values().copied().collect();
    let touched = repository.touched(&commit_place(shipment)?.commit, &tips)?;
    for (name, tip) in &others {
        for path in touched.get(*tip).into_iter().flatten() {
            let Some(version) = files.get(path) else { continue };
            let theirs = repository.file_at(tip, path)?;
            if theirs == version.after || theirs == version.before {
                continue;
            }
            let merged = merge_contents(version.after.as_ref(), version.before.as_ref(), theirs.as_ref())?;
            if merged.is_none() {
                let message = repository.message(tip)?;
                let change = changes_named(&message).next();
                let migration = name.split('/').nth(1).unwrap_or_default();
                let place = format!("{path}:{}", first_line(version));
                return Err(Obstacle::Clash(format!(
                    "{CLASH}{migration} changes the same lines at {place} (branch {name}, change {}); whichever \
                     is merged second conflicts until it is made anew",
                    change.map_or("unknown", |change| change.get(..12).unwrap_or(change))
                )));
            }
        }
    }
    Ok(())
}

/// The first line that a change set changes in a file, from 1.
fn first_line(version: &FileVersion) -> usize {
    let bytes = |content: &Option<crate::workspace::Content>| {
        content.as_ref().map(|content| content.bytes.clone()).unwrap_or_default()
    };
    let (before, after) = (bytes(&version.before), bytes(&version.after));
    let same = before.split(|byte| *byte == b'\n').zip(after.split(|byte| *byte == b'\n')).take_while(|(a, b)| a == b);
    same.count() + 1
}
