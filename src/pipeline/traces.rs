//! Branches of a migration of which no state knows: it was lost, or lies elsewhere. Whoever began anew past
//! them would send out again what was merged, thrown away or taken back.
//!
//! Must not: change anything.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;

use super::PipelineError;
use super::base::{AT_ONCE, Tips};
use crate::clock::Clock;
use crate::config::{Delivery, Migration};
use crate::discover::{self, Fetching};
use crate::git::{GitError, Remote, Repository, changes_named};
use crate::workspace::Fleet;

/// Fails where branches of a migration are found, of which no state is there. What can't be asked tells nothing.
///
/// # Errors
/// [`PipelineError::Traces`], with the first of them.
pub fn none_left(migration: &Migration, clock: &Clock) -> Result<(), PipelineError> {
    let request = discover::Request { clock, fetching: Fetching::Never, names: None };
    match discover::discover(migration, &request) {
        Ok(discovery) => none_in(migration, &discovery.fleet, &Tips::new()),
        Err(_) => Ok(()),
    }
}

/// The same, of a fleet that is known. Remotes of which `tips` tells are not asked again.
pub(super) fn none_in(migration: &Migration, fleet: &Fleet, tips: &Tips) -> Result<(), PipelineError> {
    if !matches!(migration.deliver.how, Delivery::Branch | Delivery::Push) {
        return Ok(());
    }
    let mut places: BTreeMap<&Path, &str> = BTreeMap::new();
    for workspace in &fleet.workspaces {
        if let Some(git) = &workspace.git {
            places.entry(&git.toplevel).or_insert(&workspace.id);
        }
    }
    let (queue, found) = (Mutex::new(places.into_iter()), Mutex::new(BTreeMap::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((toplevel, id)) = queue.lock().ok().and_then(|mut queue| queue.next()) {
                    let Ok(Some(branch)) = look(migration, toplevel, tips.get(toplevel)) else { continue };
                    let Ok(mut found) = found.lock() else { return };
                    found.insert(id.to_owned(), branch);
                }
            });
        }
    });
    let found = found.into_inner().unwrap_or_default();
    let repositories = found.len();
    match found.into_iter().next() {
        None => Ok(()),
        Some((workspace, branch)) => Err(PipelineError::Traces { workspace, branch, repositories }),
    }
}

/// A branch of a repository, or of its remote, by a name that this migration gives and with a commit that names
/// a change: others may call a branch so, too.
fn look(
    migration: &Migration,
    toplevel: &Path,
    tips: Option<&BTreeMap<String, String>>,
) -> Result<Option<String>, GitError> {
    let repository = Repository::open(toplevel)?;
    let prefix = format!("gander/{}/", migration.id);
    let names_a_change = |message: &str| changes_named(message).next().is_some();
    if migration.deliver.how == Delivery::Branch {
        for (name, commit) in repository.tips(&prefix)? {
            if names_a_change(&repository.message(&commit)?) {
                return Ok(Some(name));
            }
        }
        return Ok(None);
    }
    if tips.is_some_and(BTreeMap::is_empty) {
        return Ok(None);
    }
    let Some(url) = repository.push_url(&migration.deliver.remote)? else { return Ok(None) };
    let remote = Remote::new(&url, &migration.code.protocols)?;
    let tips = match tips {
        Some(tips) => tips.clone(),
        None => remote.branches(&prefix)?,
    };
    for name in tips.into_keys() {
        if remote.facts(&name)?.is_some_and(|facts| names_a_change(&facts.message)) {
            return Ok(Some(name));
        }
    }
    Ok(None)
}
