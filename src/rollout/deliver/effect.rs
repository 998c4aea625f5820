//! What a delivery and a rollback do outside of gander's own folder: files of working
//! trees, branches here and elsewhere. Each may find parts of itself done already.

use super::look::{ends_match, on_either_end};
use super::{Obstacle, Papers, Shipment};
use crate::changeset::Side;
use crate::config::Delivery;
use crate::digest::Digest;
use crate::fault;
use crate::files::{self, FilesError};
use crate::git::{self, GitError, Push, Remote, Repository, TRAILER, Work};
use crate::state::DeliveryRecord;
use crate::workspace::{FileVersion, GitPlace, Pin};

/// The effect itself; it may find parts of itself done already.
pub(super) fn send(shipment: &Shipment<'_>, papers: &Papers<'_>, record: &mut DeliveryRecord) -> Result<(), Obstacle> {
    match record.how {
        Delivery::Patches => Ok(()),
        Delivery::Checkout => {
            ends_match(shipment, on_either_end).map_err(third_state)?;
            match bring_to(shipment, Side::After) {
                Ok(()) => Ok(()),
                Err(error) => Err(undo(shipment, &error)),
            }
        }
        Delivery::Branch => commit(shipment, papers, record).map(drop),
        Delivery::Push => push(shipment, papers, record),
    }
}

/// Commits the change set on its branch; the commit, and what it is made over.
fn commit(
    shipment: &Shipment<'_>,
    papers: &Papers<'_>,
    record: &mut DeliveryRecord,
) -> Result<(GitPlace, String, String), Obstacle> {
    let place = commit_place(shipment)?;
    let Some((branch, commit)) = &mut record.branch else {
        return Err(Obstacle::Failed("the branch has no name".to_owned()));
    };
    let Papers { message, author, time, .. } = *papers;
    let replaces = record.replaces.as_deref();
    let work = Work { branch, files: shipment.versions, message, author, time, replaces };
    match git::commit_on_branch(&place, &work) {
        Ok(made) => {
            *commit = Some(made.clone());
            Ok((place, branch.clone(), made))
        }
        // A branch of that name that is somebody else's: nothing was delivered.
        Err(error @ (GitError::Moved { .. } | GitError::CheckedOut { .. })) => {
            Err(Obstacle::Refused(error.to_string()))
        }
        Err(error) => Err(error.into()),
    }
}

/// Commits the change set and pushes it; what an earlier run pushed is found.
fn push(shipment: &Shipment<'_>, papers: &Papers<'_>, record: &mut DeliveryRecord) -> Result<(), Obstacle> {
    let (place, branch, made) = commit(shipment, papers, record)?;
    let remote = remote_of_record(record)?;
    let found = remote.branch(&branch)?;
    if found.as_ref() == Some(&made) {
        return Ok(());
    }
    if found.is_some() && found != record.replaces {
        // The same, pushed from another clone or by a run whose state was lost?
        let (theirs, ours) = (remote.facts(&branch)?, git::find_branch(&place, &branch)?);
        return match (theirs, ours) {
            (Some(theirs), Some(ours))
                if (&theirs.tree, &theirs.parents, &theirs.message) == (&ours.tree, &ours.parents, &ours.message) =>
            {
                // The branch there is the one that counts.
                git::delete_branch(&place, &branch, &made)?;
                record.branch = Some((branch, Some(theirs.commit)));
                Ok(())
            }
            _ => Err(Obstacle::Refused(format!(
                "{} has a branch {branch} that gander did not make; rename or delete it, then run again with --retry",
                remote.url()
            ))),
        };
    }
    let push = Push { branch: &branch, commit: &made, replaces: found.as_deref() };
    match remote.push(&Repository::open(&place.toplevel)?, &push) {
        Err(error @ GitError::Moved { .. }) => Err(Obstacle::Refused(error.to_string())),
        pushed => Ok(pushed?),
    }
}

/// The remote that a delivery was begun for: its URL was allowed then.
pub fn remote_of_record(record: &DeliveryRecord) -> Result<Remote, GitError> {
    let url = record.remote.as_deref().unwrap_or_default();
    let protocol = url.split_once("://").map_or("ssh", |(protocol, _)| protocol);
    Remote::new(url, &[protocol.to_owned()])
}

/// After an intent, a file on neither end is a matter for a person.
fn third_state(obstacle: Obstacle) -> Obstacle {
    match obstacle {
        Obstacle::Refused(reason) => Obstacle::Failed(format!("{reason} while the delivery was interrupted")),
        other => other,
    }
}

/// A delivery that fails half-way is taken back at once: nobody wants half a migration.
fn undo(shipment: &Shipment<'_>, error: &FilesError) -> Obstacle {
    match bring_to(shipment, Side::Before) {
        Ok(()) => Obstacle::Failed(format!("{error}; the files are as they were")),
        Err(second) => Obstacle::Failed(format!(
            "{error}; taking it back failed too: {second}; compare the files with revert.patch"
        )),
    }
}

/// Brings every file to one end; removals come first, so that a file can become a
/// folder and a folder a file.
fn bring_to(shipment: &Shipment<'_>, side: Side) -> Result<(), FilesError> {
    let end = |version: &FileVersion| match side {
        Side::Before => version.before.clone(),
        Side::After => version.after.clone(),
    };
    let root = &shipment.place.root;
    // Read before the removals: a file that moves keeps its permissions.
    let modes = files::Modes::read(root, shipment.versions);
    for removals in [true, false] {
        for version in shipment.versions {
            let wanted = end(version);
            if wanted.is_none() != removals {
                continue;
            }
            if files::read_below(root, &version.path)? == wanted {
                files::sweep_below(root, &version.path)?;
                continue;
            }
            modes.apply_below(root, &version.path, wanted.as_ref())?;
            fault::point("checkout.file");
        }
    }
    Ok(())
}

/// The workspace as a place that a commit can be made over.
pub(super) fn commit_place(shipment: &Shipment<'_>) -> Result<GitPlace, Obstacle> {
    match (&shipment.place.git, shipment.pin) {
        (Some(git), Some(Pin::Commit { commit, .. })) => Ok(GitPlace { commit: commit.clone(), ..git.clone() }),
        (Some(_), _) => Err(Obstacle::Refused(
            "it was pinned with uncommitted changes, and a branch starts from a commit".to_owned(),
        )),
        (None, _) => Err(Obstacle::Refused("it is not in a git repository, so it can have no branch".to_owned())),
    }
}

pub(super) fn take_back(shipment: &Shipment<'_>, record: &DeliveryRecord) -> Result<(), Obstacle> {
    match record.how {
        Delivery::Patches => Ok(()),
        Delivery::Checkout => {
            ends_match(shipment, on_either_end)?;
            bring_to(shipment, Side::Before).map_err(Obstacle::from)
        }
        Delivery::Branch => delete_branch(&commit_place(shipment)?, record),
        Delivery::Push => {
            let Some((branch, commit)) = &record.branch else { return Ok(()) };
            let remote = remote_of_record(record)?;
            let found = match (remote.branch(branch)?, commit) {
                (None, _) => None,
                (Some(found), _) if Some(&found) == record.replaces.as_ref() => Some(found),
                (Some(_), Some(made)) => Some(made.clone()),
                // A kill between the push and its record: the trailer tells ours.
                (Some(found), None) => {
                    let facts = remote.facts(branch)?;
                    let ours = facts.filter(|facts| facts.message.ends_with(&trailer(&record.change_id)));
                    Some(ours.map_or_else(|| "0".repeat(found.len()), |facts| facts.commit))
                }
            };
            if let Some(expected) = found {
                remote.delete(branch, &expected)?;
            }
            // The consumer may have gone with its clone.
            match commit_place(shipment) {
                Ok(place) if place.toplevel.is_dir() => delete_branch(&place, record),
                _ => Ok(()),
            }
        }
    }
}

/// What [`take_back`] would do, as far as can be told without doing it.
pub(super) fn look_back(shipment: &Shipment<'_>, record: &DeliveryRecord) -> Result<&'static str, Obstacle> {
    let conflict = |name: &str| Obstacle::Conflict(format!("somebody else moved the branch {name}"));
    match (record.how, &record.branch) {
        (Delivery::Patches, _) => Ok("its patches are marked as withdrawn"),
        (Delivery::Checkout, _) => {
            ends_match(shipment, on_either_end)?;
            Ok("its files are put back")
        }
        (_, None) => Ok("nothing is out"),
        (how, Some((name, made))) => {
            let found = match how {
                Delivery::Push => remote_of_record(record)?.branch(name)?,
                _ => git::find_branch(&commit_place(shipment)?, name)?.map(|found| found.commit),
            };
            match (found, made) {
                (None, _) => Ok("its branch is gone already"),
                (Some(found), Some(made)) if found == *made => Ok("its branch is deleted"),
                (Some(found), _) if Some(&found) == record.replaces.as_ref() => Ok("its branch is deleted"),
                (Some(_), None) => Ok("its branch is deleted where it is gander's"),
                _ => Err(conflict(name)),
            }
        }
    }
}

/// Deletes a branch of this repository, where it is still gander's own.
fn delete_branch(place: &GitPlace, record: &DeliveryRecord) -> Result<(), Obstacle> {
    let Some((branch, commit)) = &record.branch else { return Ok(()) };
    // A kill between the branch and its record: the trailer tells ours.
    let found = git::find_branch(place, branch)?;
    let replaced = || record.replaces.clone().filter(|old| found.as_ref().is_some_and(|found| found.commit == *old));
    let ours = found.as_ref().filter(|found| found.message.ends_with(&trailer(&record.change_id)));
    let expected = replaced().or_else(|| commit.clone()).or_else(|| ours.map(|found| found.commit.clone()));
    git::delete_branch(place, branch, expected.as_deref().unwrap_or_default()).map_err(Obstacle::from)
}

/// The line that names a change in the message of its commit.
pub fn trailer(change_id: &Digest) -> String {
    format!("{TRAILER}: {change_id}")
}
