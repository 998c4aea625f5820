//! Repositories that go by another URL now: what was delivered to one is looked for, and taken back,
//! where it is.
//!
//! Must not: take a copy for the repository. It is the same one where it holds what gander pushed.

use std::collections::{BTreeMap, BTreeSet};

use super::observe::{Look, observe};
use super::{Request, RolloutError};
use crate::git::{GitError, Remote, Repository};
use crate::state::{DeliveryRecord, Entry, Store};
use crate::workspace::{GitPlace, Workspace};

/// Puts on record where repositories are that did not answer under their old URL, and looks there.
///
/// # Errors
/// Where the state can't be used.
pub(super) fn follow(store: &mut Store, request: &Request<'_>) -> Result<(), RolloutError> {
    let places: BTreeMap<&str, &Workspace> =
        request.fleet.workspaces.iter().map(|place| (place.id.as_str(), place)).collect();
    let mut moved = BTreeSet::new();
    for (id, record) in store.deliveries()? {
        let is_unseen = record.pushed_to().is_some_and(|place| store.unseen(&place).is_some());
        let place = places.get(id.as_str()).filter(|_| is_unseen).and_then(|place| place.git.as_ref());
        // What can't be looked at stays where it is on record.
        let Some(Ok(Some(url))) = place.map(|git| now_at(request, git, &record)) else { continue };
        let entry = Entry::of("moved", &*id, format!("its repository is at {url} now"));
        store.record_delivery(&id, &at(record, &url), &entry)?;
        moved.insert(id);
    }
    if moved.is_empty() {
        return Ok(());
    }
    observe(store, &Look { only: Some(moved), ..Look::at(request) }, request.tell)
}

/// Where the repository is now, where that is somewhere else: it holds what gander put there.
fn now_at(request: &Request<'_>, git: &GitPlace, record: &DeliveryRecord) -> Result<Option<String>, GitError> {
    let repository = Repository::open(&git.toplevel)?;
    let url = repository.push_url(&request.migration.deliver.remote)?;
    let Some(url) = url.filter(|url| record.remote.as_ref() != Some(url)) else { return Ok(None) };
    let remote = Remote::new(&url, &request.migration.code.protocols)?;
    let prefix = format!("gander/{}/", request.migration.id);
    let (_, tips) = remote.tips(record.into.as_deref(), &prefix)?;
    let stands = |(name, commit): (&String, &String)| tips.get(name) == Some(commit);
    let made = record.branch.as_ref().and_then(|(name, commit)| Some((name, commit.as_ref()?)));
    let revert = record.revert.as_ref().map(|(name, commit)| (name, commit));
    if made.into_iter().chain(revert).any(stands) {
        return Ok(Some(url));
    }
    let history = remote.history(Some(&repository), record.into.as_deref(), &prefix)?;
    let (there, head) = history.repository();
    let Some(head) = there.commit_named(head)? else { return Ok(None) };
    for commit in record.merged.iter().chain(made.map(|(_, commit)| commit)) {
        if there.contains(&head, commit)? {
            return Ok(Some(url));
        }
    }
    let named = there.naming(&head, &BTreeSet::new())?;
    let id = record.change_id.to_string();
    Ok(named.iter().any(|(_, ids)| ids.contains(&id)).then_some(url))
}

/// A delivery, with all that was merged under it, at another URL.
fn at(record: DeliveryRecord, url: &str) -> DeliveryRecord {
    let over = record.over.map(|below| Box::new(at(*below, url)));
    DeliveryRecord { remote: Some(url.to_owned()), over, ..record }
}
