//! Change sets of which nobody can tell whether their owners have merged them: what a person can do.
//!
//! Must not: decide what they are.

use super::RolloutError;
use super::deliver::{self, Told};
use super::rollback::shown;
use super::ship::workspace;
use super::snapshot::Snapshot;
use crate::git::Repository;
use crate::state::{DeliveryRecord, DeliveryState, Store};
use crate::workspace::below;

/// Why it is closed where a person leaves to its owner what can't be told. Its branch stands where it is.
pub(super) const LEFT: &str = "it is left to its owner, who may have a part of it";

/// Whether a person has left it to its owner.
pub(super) fn is_left(state: &DeliveryState) -> bool {
    matches!(state, DeliveryState::Closed(why) if why == LEFT)
}

/// What there is to be done.
pub(super) fn what_to_do(snapshot: &Snapshot, id: &str, record: &DeliveryRecord) -> String {
    let entity = snapshot.consumers.iter().find(|one| one.workspace.as_deref() == Some(id));
    let name = entity.map_or(id, |one| shown(&one.entity));
    let branch = record.branch.as_ref().filter(|_| !record.state.is_thrown_away());
    let gone = branch.map_or_else(String::new, |(branch, _)| format!(", and delete the branch {branch}"));
    format!(
        "bring the rest of it in or take it out by hand{gone}, then run again; or leave it as it is: \
         `gander exclude {name} --reason …`"
    )
}

/// The last commit that touched what can't be told, and the one that gander made; nothing where the remote is away.
///
/// # Errors
/// Where the state can't be read.
pub(super) fn places(
    store: &Store,
    snapshot: &Snapshot,
    id: &str,
    record: &DeliveryRecord,
) -> Result<Option<String>, RolloutError> {
    let place = &workspace(snapshot, id)?.place;
    let versions = store.versions_of(id, &record.change_id)?;
    let Some(git) = &place.git else { return Ok(None) };
    let Ok(present) = deliver::present(git, record) else { return Ok(None) };
    let Ok(Told::Unclear { path, neither, .. }) = present.tells(&git.prefix, &versions) else { return Ok(None) };
    let path = below(&git.prefix, &neither.unwrap_or(path));
    let head = present.head();
    let last = Repository::open(&git.toplevel).and_then(|repository| repository.last_change(head, &path));
    let made = record.branch.as_ref().and_then(|(_, commit)| commit.as_deref());
    let made = made.map(|made| format!(", gander made it in {made}")).unwrap_or_default();
    Ok(Some(match last {
        Ok(Some(commit)) => format!("{commit} changed {path} last{made}"),
        Ok(None) | Err(_) => format!("its owner is at {head}{made}"),
    }))
}
