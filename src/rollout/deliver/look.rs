//! What must hold before a change set is delivered, and whose the bytes are that lie
//! where it goes. Nothing is touched here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::effect::commit_place;
use super::{Obstacle, Shipment, Target};
use crate::changeset::FileDigest;
use crate::config::Delivery;
use crate::files;
use crate::git::{GitError, Remote, Repository};
use crate::state::{DeliveryRecord, DeliveryState, StateError, Store};
use crate::workspace::{Content, FileVersion, GitPlace, Pin, Workspace, below};

/// What must hold before a delivery is begun. Nothing is touched.
pub(super) fn look_first(
    store: &Store,
    shipment: &Shipment<'_>,
    target: &Target<'_>,
    record: &mut DeliveryRecord,
) -> Result<Result<(), Obstacle>, StateError> {
    match record.how {
        Delivery::Patches | Delivery::Branch => return Ok(Ok(())),
        Delivery::Push => {
            let found = remote_of(shipment, target);
            return Ok(found.map(|(remote, into)| {
                record.remote = Some(remote.url().to_owned());
                record.into = into;
            }));
        }
        Delivery::Checkout => {}
    }
    if let Some(git) = &shipment.place.git {
        let tree = match shipment.pin {
            Some(Pin::Commit { tree, .. }) => Some(tree.as_str()),
            // Pinned with somebody's changes: for patches, not for writing beside them.
            _ => None,
        };
        let dirty = match dirty_paths(shipment.place, git, tree, store.folder()) {
            Ok(dirty) => dirty,
            Err(obstacle) => return Ok(Err(obstacle)),
        };
        // Only asked for where it matters: it reads every delivery.
        if !dirty.is_empty() {
            let own = own_writes(store)?;
            if let Err(obstacle) = all_own(shipment.place, &dirty, &own) {
                return Ok(Err(obstacle));
            }
        }
    }
    let fits = ends_match(shipment, |version, found| found == version.before.as_ref());
    Ok(fits.and_then(|()| shipment.place.git.as_ref().map_or(Ok(()), |git| none_ignored(shipment, git))))
}

/// Every file that gander wrote into a working tree, with what it wrote, by absolute path:
/// what is still delivered, and what was put back over a change that its owner had committed.
///
/// # Errors
/// Where the state can't be read.
pub fn own_writes(store: &Store) -> Result<BTreeMap<PathBuf, Option<FileDigest>>, StateError> {
    let places = store.workspaces::<serde::de::IgnoredAny>()?;
    let mut own = BTreeMap::new();
    for (id, record) in store.deliveries()? {
        let back = record.state == DeliveryState::RolledBack;
        let active =
            matches!(record.state, DeliveryState::Delivered | DeliveryState::Delivering | DeliveryState::RollingBack);
        let Some(workspace) = places.get(&id).filter(|_| active || back) else {
            continue;
        };
        if record.how != Delivery::Checkout {
            continue;
        }
        for version in store.versions(&id)? {
            let path = workspace.place.root.join(&version.path);
            let wrote = if back { &version.before } else { &version.after };
            own.insert(path, wrote.as_ref().map(FileDigest::of));
        }
    }
    Ok(own)
}

/// True where what lies at `path` is exactly what gander wrote there, or the half
/// that a killed write of one of its files left, which the next write takes away.
pub fn is_own(own: &BTreeMap<PathBuf, Option<FileDigest>>, path: &Path) -> bool {
    if files::may_be_leftover(path) && own.keys().any(|written| files::leftover_of(written).as_deref() == Some(path)) {
        return true;
    }
    let (Some(wrote), Some(folder), Some(name)) = (own.get(path), path.parent(), path.file_name()) else {
        return false;
    };
    let found = files::read_below(folder, &name.to_string_lossy());
    found.is_ok_and(|found| found.as_ref().map(FileDigest::of) == *wrote)
}

/// The files of the workspace that differ from its commit, without those in
/// gander's own state folder; where a tree is given, it must be the committed one.
fn dirty_paths(place: &Workspace, git: &GitPlace, tree: Option<&str>, state: &Path) -> Result<Vec<PathBuf>, Obstacle> {
    let repository = Repository::open(&git.toplevel)?;
    let prefix = git.prefix.as_str();
    let now = match repository.head()? {
        Some(head) => repository.trees(&head, &[prefix])?.pop().flatten(),
        None => None,
    };
    if tree.is_some() && now.as_deref() != tree {
        let message = "its HEAD moved since it was pinned; plan again";
        return Err(Obstacle::Refused(message.to_owned()));
    }
    let dirty = repository.dirty(&[prefix])?.pop().unwrap_or_default();
    let paths = dirty.into_iter().map(|path| place.root.join(path));
    Ok(paths.filter(|path| !path.starts_with(state)).collect())
}

/// A new file that git ignores would be in no commit, and its old path out of the next.
fn none_ignored(shipment: &Shipment<'_>, git: &GitPlace) -> Result<(), Obstacle> {
    let new = shipment.versions.iter().filter(|version| version.before.is_none() && version.after.is_some());
    let new: Vec<String> = new.map(|version| below(&git.prefix, &version.path)).collect();
    if new.is_empty() {
        return Ok(());
    }
    match Repository::open(&git.toplevel)?.ignored(&new)?.first() {
        None => Ok(()),
        Some(path) => Err(Obstacle::Refused(format!(
            "git ignores {path}, so that no commit would hold this new file; give it another path, or change .gitignore"
        ))),
    }
}

/// Every one of the paths is exactly as gander wrote it.
fn all_own(place: &Workspace, dirty: &[PathBuf], own: &BTreeMap<PathBuf, Option<FileDigest>>) -> Result<(), Obstacle> {
    let mut theirs = dirty.iter().filter(|path| !is_own(own, path));
    let Some(first) = theirs.next() else {
        return Ok(());
    };
    let first = first.strip_prefix(&place.root).unwrap_or(first).display();
    let more = match theirs.count() {
        0 => String::new(),
        count => format!(" and {count} more"),
    };
    Err(Obstacle::Refused(format!("uncommitted changes that gander did not make: {first}{more}; commit or stash them")))
}

/// Every file is on an end that `fits`; the first one that is not is named.
pub(super) fn ends_match(
    shipment: &Shipment<'_>,
    fits: impl Fn(&FileVersion, Option<&Content>) -> bool,
) -> Result<(), Obstacle> {
    for version in shipment.versions {
        let found = files::read_below(&shipment.place.root, &version.path)?;
        if !fits(version, found.as_ref()) {
            let why = match lies_otherwise(shipment, version) {
                true => {
                    "git does not lay it out as it is committed (line ends, a filter, a sparse checkout): \
                     deliver to this consumer by `branch` or `push`"
                }
                false => "it is not what gander expects there; somebody changed it",
            };
            return Err(Obstacle::Refused(format!("{}: {why}", version.path)));
        }
    }
    Ok(())
}

/// Whether a file that is not as gander expects it is as git wants it all the same: it is committed
/// as expected and nobody changed it, but git lays it out with other bytes, or not at all.
fn lies_otherwise(shipment: &Shipment<'_>, version: &FileVersion) -> bool {
    let (Some(git), Some(before)) = (&shipment.place.git, &version.before) else { return false };
    let asked = || -> Result<bool, GitError> {
        let repository = Repository::open(&git.toplevel)?;
        let Some(head) = repository.head()? else { return Ok(false) };
        let committed = repository.file_at(&head, &below(&git.prefix, &version.path))?;
        let dirty = repository.dirty(&[&git.prefix])?;
        Ok(committed.as_ref() == Some(before) && !dirty.iter().flatten().any(|path| *path == version.path))
    };
    // Where git can't be asked, what is known is said.
    asked().unwrap_or(false)
}

pub(super) fn on_either_end(version: &FileVersion, found: Option<&Content>) -> bool {
    found == version.before.as_ref() || found == version.after.as_ref()
}

/// Where a workspace's branches are pushed to, and which branch there they are to be merged into.
fn remote_of(shipment: &Shipment<'_>, target: &Target<'_>) -> Result<(Remote, Option<String>), Obstacle> {
    let place = commit_place(shipment)?;
    let repository = Repository::open(&place.toplevel)?;
    let url = repository.push_url(target.remote)?;
    let url = url.ok_or_else(|| {
        Obstacle::Refused(format!(
            "its repository has no remote {:?}: add one, or name another in [deliver] remote",
            target.remote
        ))
    })?;
    let remote = Remote::new(&url, target.protocols).map_err(|error| Obstacle::Refused(error.to_string()))?;
    Ok((remote, repository.merges_into()?))
}
