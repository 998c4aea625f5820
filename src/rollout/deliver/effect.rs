//! What a delivery and a rollback do outside of gander's own folder: files of working
//! trees, branches here and elsewhere. Each may find parts of itself done already.

use super::look::{ends_match, on_either_end};
use super::{Obstacle, Papers, Shipment, Told, no_clash, tells_here, waits_for_approval};
use crate::changeset::Side;
use crate::config::Delivery;
use crate::digest::Digest;
use crate::fault;
use crate::files::{self, FilesError};
use crate::git::{self, BranchFacts, GitError, NewCommit, Present, Push, Remote, Repository, TRAILER, Work};
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
        Delivery::Branch => {
            let place = commit_place(shipment)?;
            let repository = Repository::open(&place.toplevel)?;
            let name = record.branch.as_ref().map(|(name, _)| name.clone()).unwrap_or_default();
            let tips = repository.tips("gander/")?;
            // What is there already was asked about then.
            if !tips.contains_key(&name) {
                unless_approved(record, no_clash(shipment, &name, &repository, (None, &tips)))?;
            }
            commit(shipment, papers, record).map(drop)
        }
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
    let known = known_changes(record);
    let Some((branch, commit)) = &mut record.branch else {
        return Err(Obstacle::Failed("the branch has no name".to_owned()));
    };
    let Papers { message, author, time, .. } = *papers;
    // One of its own from before may still stand here, though nobody has it any more elsewhere.
    let here = Repository::open(&place.toplevel)?.branch(branch)?;
    let stale = here.filter(|here| record.earlier.iter().any(|one| one.commit.as_ref() == Some(here)));
    let replaces = stale.as_deref().or(record.replaces.as_deref());
    let work = Work { branch, files: shipment.versions, message, author, time, replaces };
    match git::commit_on_branch(&place, &work) {
        Ok(made) => {
            *commit = Some(made.clone());
            Ok((place, branch.clone(), made))
        }
        // Where it is pushed, nobody needs a branch here.
        Err(GitError::CheckedOut { .. }) if record.how == Delivery::Push => {
            let made = git::commit_beside(&place, &work)?;
            *commit = Some(made.clone());
            Ok((place, branch.clone(), made))
        }
        // What is out stays out until somebody looks at something else.
        Err(error @ GitError::CheckedOut { .. }) if record.replaces.is_some() => {
            Err(Obstacle::Moved(format!("it can't be made anew: {error}")))
        }
        Err(GitError::Moved { .. }) if holds_unknown(&place, branch, &known) => {
            Err(Obstacle::Taken(format!("the branch {branch} here {NOT_OF_THIS_STATE}")))
        }
        // A branch of that name that is somebody else's: nothing was delivered.
        Err(error @ (GitError::Moved { .. } | GitError::CheckedOut { .. })) => Err(taken(&error)),
        Err(error) => Err(error.into()),
    }
}

/// Commits the change set and pushes it; what an earlier run pushed is found.
fn push(shipment: &Shipment<'_>, papers: &Papers<'_>, record: &mut DeliveryRecord) -> Result<(), Obstacle> {
    let base = commit_place(shipment)?;
    let repository = Repository::open(&base.toplevel)?;
    let remote = remote_of_record(record)?;
    let name = record.branch.as_ref().map(|(name, _)| name.clone()).unwrap_or_default();
    let present = remote.present(&repository.follows()?, "gander/")?;
    let found = present.tips.get(&name).cloned();
    // What is there already was made of what was there then.
    if found.is_none() || found == record.replaces {
        not_moved(shipment, &base, &repository, (&remote, &present))?;
    }
    if found.is_none() {
        unless_approved(record, no_clash(shipment, &name, &repository, (Some(&remote), &present.tips)))?;
    }
    let (place, branch, made) = commit(shipment, papers, record)?;
    if found.as_ref() == Some(&made) {
        return Ok(());
    }
    if found.is_some() && found != record.replaces {
        // The same, pushed from another clone or by a run whose state was lost?
        return adopt(&place, &remote, record, &made).and_then(|found| match found {
            true => Ok(()),
            false => Err(in_its_place(&remote, &branch, record)?),
        });
    }
    let push = Push { branch: &branch, commit: &made, replaces: found.as_deref() };
    let mut pushed = remote.push(&repository, &push);
    if let (Err(GitError::Rejected { .. }), Some(tip)) = (&pushed, found.as_deref()) {
        // Where a branch may only go forward, what is made anew comes after what was there.
        let after = repository.after(&made, tip)?;
        repository.set_branch(&branch, &after, Some(&made))?;
        record.branch = Some((branch.clone(), Some(after.clone())));
        pushed = remote.push(&repository, &Push { commit: &after, ..push });
    }
    match pushed {
        // The push of a run that was killed goes on without it, and may have come first.
        Err(error @ (GitError::Moved { .. } | GitError::Rejected { .. })) => {
            match remote.branch(&branch)? == Some(made.clone()) || adopt(&place, &remote, record, &made)? {
                true => Ok(()),
                false if matches!(error, GitError::Moved { .. }) => Err(taken(&error)),
                false => Err(error.into()),
            }
        }
        pushed => Ok(pushed?),
    }
}

/// What is said of a branch that holds a change of gander's which no record tells of.
pub(in crate::rollout) const NOT_OF_THIS_STATE: &str = "holds a change set of which this state knows nothing, as if it were \
    an older copy: put the newer one in its place; or move the state folder away, and `gander recover` rebuilds it from \
    what is out";

/// Whether a message names a change of gander's that a record knows nothing of: its own, which its owner brought back
/// in another form, is none of them.
fn names_unknown(message: &str, known: &[String]) -> bool {
    let mut named = git::changes_named(message).peekable();
    named.peek().is_some() && !named.any(|name| known.iter().any(|one| one == name))
}

/// The changes that a record tells of: its own, and those that were out in its place before.
fn known_changes(record: &DeliveryRecord) -> Vec<String> {
    let earlier = record.earlier.iter().map(|one| one.change_id.to_string());
    std::iter::once(record.change_id.to_string()).chain(earlier).collect()
}

/// Whether a branch that is here holds such a change.
fn holds_unknown(place: &GitPlace, branch: &str, known: &[String]) -> bool {
    let found = git::find_branch(place, branch).ok().flatten();
    found.is_some_and(|found| names_unknown(&found.message, known))
}

/// What stands at a remote where a change set was to go.
fn in_its_place(remote: &Remote, branch: &str, record: &DeliveryRecord) -> Result<Obstacle, Obstacle> {
    let message = remote.facts(branch)?.map(|facts| facts.message).unwrap_or_default();
    Ok(Obstacle::Taken(match names_unknown(&message, &known_changes(record)) {
        true => format!("the branch {branch} of {} {NOT_OF_THIS_STATE}", remote.url()),
        false => format!(
            "{} has a branch {branch} that gander did not make; rename or delete it, then run again with --retry",
            remote.url()
        ),
    }))
}

/// A person has seen exactly this, and let it out.
pub fn unless_approved(record: &DeliveryRecord, looked: Result<(), Obstacle>) -> Result<(), Obstacle> {
    match looked {
        Err(Obstacle::Clash(why)) if record.approved.as_ref() == Some(&waits_for_approval(&why)) => Ok(()),
        looked => looked,
    }
}

/// Takes the branch at a remote for ours where it is the same work, of another second: false
/// where it is not.
fn adopt(place: &GitPlace, remote: &Remote, record: &mut DeliveryRecord, made: &str) -> Result<bool, Obstacle> {
    let Some((branch, _)) = record.branch.clone() else { return Ok(false) };
    match (remote.facts(&branch)?, git::find_branch(place, &branch)?) {
        (Some(theirs), Some(ours))
            if (&theirs.tree, &theirs.parents, &theirs.message) == (&ours.tree, &ours.parents, &ours.message) =>
        {
            // The branch there is the one that counts.
            git::delete_branch(place, &branch, made)?;
            record.branch = Some((branch, Some(theirs.commit)));
            Ok(true)
        }
        _ => Ok(false),
    }
}

/// As [`not_moved`], over the pin of the shipment.
pub fn not_moved_there(
    shipment: &Shipment<'_>,
    repository: &Repository,
    there: (&Remote, &Present),
) -> Result<(), Obstacle> {
    not_moved(shipment, &commit_place(shipment)?, repository, there)
}

/// Nobody shall get a change of code that they do not have any more: where the remote moved
/// on since the pin, every file of the change set has to be the same there.
fn not_moved(
    shipment: &Shipment<'_>,
    base: &GitPlace,
    repository: &Repository,
    (remote, present): (&Remote, &Present),
) -> Result<(), Obstacle> {
    let Some(now) = present.commit.as_ref().filter(|now| **now != base.commit) else { return Ok(()) };
    remote.bring(repository, present)?;
    let mut moved = Vec::new();
    for version in shipment.versions {
        if repository.file_at(now, &shipment.set.joined(&version.path))? != version.before {
            moved.push(version.path.as_str());
        }
    }
    let Some(first) = moved.first() else { return Ok(()) };
    let more = if moved.len() > 1 { format!(" and {} more", moved.len() - 1) } else { String::new() };
    let behind = match repository.count_between(&base.commit, now)? {
        None | Some(0) => String::new(),
        Some(1) => " by 1 commit".to_owned(),
        Some(n) => format!(" by {n} commits"),
    };
    let branch = present.reference.strip_prefix("refs/heads/").unwrap_or(&present.reference);
    Err(Obstacle::Moved(format!(
        "{branch} of {} moved on{behind}, and {first}{more} with it: the rules are run over that, and it is verified again",
        remote.url()
    )))
}

/// The remote that a delivery was begun for: its URL was allowed then.
pub fn remote_of_record(record: &DeliveryRecord) -> Result<Remote, GitError> {
    let url = record.remote.as_deref().unwrap_or_default();
    let protocol = url.split_once("://").map_or("ssh", |(protocol, _)| protocol);
    Remote::new(url, &[protocol.to_owned()])
}

/// A branch of that name is in the way. A run alone does not try again what was refused.
fn taken(error: &GitError) -> Obstacle {
    Obstacle::Taken(format!("{error} with --retry"))
}

/// After an intent, a file on neither end is a matter for a person.
fn third_state(obstacle: Obstacle) -> Obstacle {
    match obstacle {
        Obstacle::Refused(reason) | Obstacle::Taken(reason) => {
            Obstacle::Failed(format!("{reason} while the delivery was interrupted"))
        }
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
        Delivery::Patches => not_applied(shipment, record),
        Delivery::Checkout => {
            ends_match(shipment, on_either_end)?;
            bring_to(shipment, Side::Before).map_err(Obstacle::from)
        }
        Delivery::Branch => delete_branch(shipment, &commit_place(shipment)?, record),
        Delivery::Push => {
            let Some((branch, commit)) = &record.branch else { return Ok(()) };
            let remote = remote_of_record(record)?;
            let found = match (remote.branch(branch)?, commit) {
                (None, _) => None,
                (Some(found), _) if Some(&found) == record.replaces.as_ref() => Some(found),
                (Some(_), Some(made)) => Some(made.clone()),
                // A kill between the push and its record: what is in it tells ours.
                (Some(_), None) => match remote.facts(branch)? {
                    None => None,
                    Some(facts) if ours(shipment, record, &facts)? => Some(facts.commit),
                    Some(_) => return Err(unknown(branch)),
                },
            };
            if let Some(expected) = found {
                remote.delete(branch, &expected)?;
            }
            // The consumer may have gone with its clone.
            match commit_place(shipment) {
                Ok(place) if place.toplevel.is_dir() => match delete_branch(shipment, &place, record) {
                    // Somebody looks at it here; at the remote it is gone.
                    Err(Obstacle::Conflict(_)) if is_checked_out(&place, branch) => Ok(()),
                    deleted => deleted,
                },
                _ => Ok(()),
            }
        }
    }
}

/// Patches are taken back by whoever applied them: seen where that is the folder that gander reads.
fn not_applied(shipment: &Shipment<'_>, record: &DeliveryRecord) -> Result<(), Obstacle> {
    let root = &shipment.place.root;
    let Some(first) = shipment.versions.iter().find(|one| one.before != one.after) else { return Ok(()) };
    let (path, is) = match tells_here(root, shipment.versions)? {
        Told::There => (first.path.clone(), "is as gander left it"),
        Told::Unclear { whole: Some(path), .. } => (path, "is as gander left it"),
        Told::Unclear { part: true, neither: Some(path), .. } => (path, "holds some of it"),
        Told::NotThere | Told::Unclear { .. } => return Ok(()),
    };
    Err(Obstacle::Conflict(format!(
        "it is applied: {path} {is} in {}; `git apply revert.patch` from {} there takes it out, and `gander run` goes on",
        root.display(),
        record.folder
    )))
}

/// What stands in the commit of a work tree whose files were put back: its owner has committed the
/// change set, and has to commit that it is back.
pub(in crate::rollout) fn committed(shipment: &Shipment<'_>, record: &DeliveryRecord) -> Option<String> {
    let in_folder = matches!(record.how, Delivery::Checkout | Delivery::Patches);
    let git = shipment.place.git.as_ref().filter(|_| in_folder)?;
    let repository = Repository::open(&git.toplevel).ok()?;
    let head = repository.head().ok()??;
    let paths: Vec<String> = shipment.versions.iter().map(|version| shipment.set.joined(&version.path)).collect();
    let found = repository.files_at(&head, &paths).ok()?;
    let stands = |(version, path): &(&FileVersion, &String)| {
        version.before != version.after && found.get(*path) == version.after.as_ref()
    };
    let (version, _) = shipment.versions.iter().zip(&paths).find(stands)?;
    Some(format!(
        "its files are put back, and its last commit still holds {} as gander left it: commit that",
        version.path
    ))
}

/// What becomes of a branch that is still as gander made it.
pub(super) const DELETED: &str = "its branch is deleted";

/// What [`take_back`] would do, as far as can be told without doing it.
pub(super) fn look_back(shipment: &Shipment<'_>, record: &DeliveryRecord) -> Result<&'static str, Obstacle> {
    match (record.how, &record.branch) {
        (Delivery::Patches, _) => not_applied(shipment, record).map(|()| "its patches are marked as withdrawn"),
        (Delivery::Checkout, _) => {
            ends_match(shipment, on_either_end)?;
            Ok("its files are put back")
        }
        (_, None) => Ok("nothing is out"),
        (how, Some((name, made))) => {
            let found = match (how, made) {
                (Delivery::Push, Some(_)) => remote_of_record(record)?.branch(name)?.map(|commit| (commit, None)),
                (Delivery::Push, None) => remote_of_record(record)?.facts(name)?.map(with_commit),
                _ => git::find_branch(&commit_place(shipment)?, name)?.map(with_commit),
            };
            match (found, made) {
                (None, _) => Ok("its branch is gone already"),
                (Some((found, _)), made)
                    if record.shared && (made.as_ref() == Some(&found) || record.replaces.as_ref() == Some(&found)) =>
                {
                    Ok("it is taken out of the branch that it shares")
                }
                (Some((found, _)), Some(made)) if found == *made => Ok(DELETED),
                (Some((found, _)), _) if Some(&found) == record.replaces.as_ref() => Ok(DELETED),
                (Some((_, Some(facts))), None) if ours(shipment, record, &facts)? => Ok(DELETED),
                (_, None) => Err(unknown(name)),
                _ => Err(moved(name)),
            }
        }
    }
}

/// Deletes a branch of this repository, where it is still gander's own.
fn delete_branch(shipment: &Shipment<'_>, place: &GitPlace, record: &DeliveryRecord) -> Result<(), Obstacle> {
    let Some((branch, commit)) = &record.branch else { return Ok(()) };
    let Some(found) = git::find_branch(place, branch)? else { return Ok(()) };
    let replaced = record.replaces.clone().filter(|old| found.commit == *old);
    let expected = match replaced.or_else(|| commit.clone()) {
        Some(expected) => expected,
        // A kill between the branch and its record: what is in it tells ours.
        None if ours(shipment, record, &found)? => found.commit,
        None => return Err(unknown(branch)),
    };
    git::delete_branch(place, branch, &expected).map_err(Obstacle::from)
}

fn is_checked_out(place: &GitPlace, branch: &str) -> bool {
    Repository::open(&place.toplevel).and_then(|repository| repository.is_checked_out(branch)).unwrap_or(false)
}

fn with_commit(facts: BranchFacts) -> (String, Option<BranchFacts>) {
    (facts.commit.clone(), Some(facts))
}

/// A branch of which no record says which commit gander put there, and that gander would not make so.
fn unknown(branch: &str) -> Obstacle {
    Obstacle::Conflict(format!(
        "the branch {branch} is not what gander made, as far as anything tells since the state was lost: look at it, \
         and delete it by hand where it is to go"
    ))
}

fn moved(branch: &str) -> Obstacle {
    Obstacle::Conflict(format!("somebody else moved the branch {branch}"))
}

/// Whether a branch is gander's by all that is in it.
fn ours(shipment: &Shipment<'_>, record: &DeliveryRecord, facts: &BranchFacts) -> Result<bool, Obstacle> {
    Ok(is_ours(&commit_place(shipment)?, shipment.versions, &record.change_id, facts)?)
}

/// Whether a commit is what gander makes of a change set over `place.commit` or an earlier
/// one: its parent with the change set's files in it and nothing else, named by its trailer.
/// A message alone says nothing: whoever amends a commit keeps it.
///
/// # Errors
/// Where the repository can't be asked.
pub fn is_ours(
    place: &GitPlace,
    files: &[FileVersion],
    change_id: &Digest,
    facts: &BranchFacts,
) -> Result<bool, GitError> {
    let [parent] = facts.parents.as_slice() else { return Ok(false) };
    let repository = Repository::open(&place.toplevel)?;
    if !facts.message.ends_with(&trailer(change_id)) || !repository.contains(&place.commit, parent)? {
        return Ok(false);
    }
    let (base, prefix) = (parent.as_str(), place.prefix.as_str());
    let new = NewCommit { branch: "", expected: None, base, prefix, files, message: "", author: "", time: 0 };
    Ok(facts.tree == repository.tree_of(&new)?)
}

/// The line that names a change in the message of its commit.
pub fn trailer(change_id: &Digest) -> String {
    format!("{TRAILER}: {change_id}")
}
