//! Change sets on their way out and back. Every effect is announced in the
//! journal before it is made, and can be begun again after a kill: each file is
//! compared with both of its ends first.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::RolloutError;
use super::machine::consumer::{Event, State};
use crate::changeset::{self, ChangeSet, FileDigest, Side};
use crate::config::Delivery;
use crate::digest::Digest;
use crate::fault;
use crate::files::{self, FilesError};
use crate::git::{self, GitError, Repository};
use crate::state::{DeliveryRecord, DeliveryState, Entry, Phase, StateError, Store};
use crate::workspace::{Content, FileVersion, GitPlace, Pin, Workspace};

/// The file that marks the folder of a change set that was taken back.
pub const WITHDRAWN: &str = "WITHDRAWN.md";

/// All that a delivery or a rollback of one workspace needs.
#[derive(Debug)]
pub struct Shipment<'a> {
    /// Where the workspace lies.
    pub place: &'a Workspace,
    /// Its pinned bytes.
    pub pin: Option<&'a Pin>,
    /// Both ends of its files.
    pub versions: &'a [FileVersion],
    /// Its patches.
    pub set: &'a ChangeSet,
}

/// What a delivery needs besides: what is written, and in whose name.
#[derive(Debug)]
pub struct Papers<'a> {
    /// The files of the change set's folder.
    pub folder: &'a BTreeMap<String, Vec<u8>>,
    /// The message of a commit.
    pub message: &'a str,
    /// `Name <address>`; the user's git identity where `None`.
    pub author: Option<&'a str>,
    /// Of a commit, in seconds since the Unix epoch.
    pub time: i64,
}

/// Why an effect did not come about. It becomes a recorded state, not an error.
enum Obstacle {
    /// The place must not be touched; it was not.
    Refused(String),
    /// Somebody else changed the same place since; it was not touched.
    Conflict(String),
    /// It was tried and failed.
    Failed(String),
}

impl From<FilesError> for Obstacle {
    fn from(error: FilesError) -> Self {
        match error {
            FilesError::Forbidden { .. } | FilesError::NotAFile { .. } => Self::Refused(error.to_string()),
            other => Self::Failed(other.to_string()),
        }
    }
}

impl From<GitError> for Obstacle {
    fn from(error: GitError) -> Self {
        match error {
            GitError::Moved { .. } | GitError::CheckedOut { .. } => Self::Conflict(error.to_string()),
            other => Self::Failed(other.to_string()),
        }
    }
}

fn word(how: Delivery) -> &'static str {
    match how {
        Delivery::Patches => "patches",
        Delivery::Checkout => "checkout",
        Delivery::Branch => "branch",
    }
}

fn entry(verb: &str, subject: &str, record: &DeliveryRecord, phase: Phase, back: bool) -> Entry {
    let ends = (Some(record.before), Some(record.after));
    let (before, after) = if back { (ends.1, ends.0) } else { ends };
    Entry {
        point: format!("{verb}.{}", word(record.how)),
        subject: subject.to_owned(),
        phase,
        before,
        after,
        ..Entry::default()
    }
}

/// Moves a delivery on: the table is asked, the move is recorded, and only then does
/// `record` say so.
pub(super) fn go(
    store: &mut Store,
    id: &str,
    record: &mut DeliveryRecord,
    (event, state): (Event, DeliveryState),
    entry: Entry,
) -> Result<(), RolloutError> {
    let from = State::of_delivery(&record.state);
    let to = from.step(event, id)?;
    let moved = DeliveryRecord { state, ..record.clone() };
    store.record_delivery(id, &moved, &entry.moving(from.as_str(), to.as_str()))?;
    *record = moved;
    Ok(())
}

/// Records why a change set is kept back.
///
/// # Errors
/// Where the state can't be written.
pub fn keep(
    store: &mut Store,
    id: &str,
    record: &mut DeliveryRecord,
    state: DeliveryState,
    detail: &str,
) -> Result<(), RolloutError> {
    let kept = Entry { detail: detail.to_owned(), ..entry("keep", id, record, Phase::Done, false) };
    go(store, id, record, (Event::Quarantine, state), kept)
}

/// Delivers a change set, or goes on with a delivery that was begun. Where it
/// ends is recorded, also where it fails, and left in `record`.
///
/// # Errors
/// Where the state can't be written; an effect that fails is a recorded state.
pub fn deliver(
    store: &mut Store,
    shipment: &Shipment<'_>,
    papers: &Papers<'_>,
    record: &mut DeliveryRecord,
) -> Result<(), RolloutError> {
    let id = shipment.place.id.as_str();
    let begun = record.state == DeliveryState::Delivering;
    if !begun && let Err(obstacle) = look_first(store, shipment, record)? {
        return end(store, id, record, "deliver", obstacle);
    }
    let intent = entry("deliver", id, record, Phase::Intent, false);
    go(store, id, record, (Event::Stage, DeliveryState::Delivering), intent)?;
    let folder = store.folder().join(&record.folder);
    let made = files::write_folder_whole(&folder, papers.folder)
        .map_err(Obstacle::from)
        .and_then(|()| send(shipment, papers, record));
    if let Err(obstacle) = made {
        return end(store, id, record, "deliver", obstacle);
    }
    let done = entry("deliver", id, record, Phase::Done, false);
    go(store, id, record, (Event::Deliver, DeliveryState::Delivered), done)
}

/// Records the state that an obstacle leads to; its effect is over.
fn end(
    store: &mut Store,
    id: &str,
    record: &mut DeliveryRecord,
    verb: &str,
    obstacle: Obstacle,
) -> Result<(), RolloutError> {
    let back = verb == "rollback";
    let (event, state, reason) = match obstacle {
        // What can't be taken back now is still out there, whatever the reason.
        Obstacle::Refused(reason) | Obstacle::Conflict(reason) | Obstacle::Failed(reason) if back => {
            (Event::Conflict, DeliveryState::Conflict(reason.clone()), reason)
        }
        Obstacle::Refused(reason) => (Event::Quarantine, DeliveryState::Refused(reason.clone()), reason),
        Obstacle::Conflict(reason) | Obstacle::Failed(reason) => {
            (Event::Quarantine, DeliveryState::Failed(reason.clone()), reason)
        }
    };
    let ended = Entry { detail: reason, ..entry(verb, id, record, Phase::Done, back) };
    go(store, id, record, (event, state), ended)
}

/// What must hold before a delivery is begun. Nothing is touched.
fn look_first(
    store: &Store,
    shipment: &Shipment<'_>,
    record: &DeliveryRecord,
) -> Result<Result<(), Obstacle>, StateError> {
    if record.how != Delivery::Checkout {
        return Ok(Ok(()));
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

/// Every file that gander wrote into a working tree and that is still delivered,
/// by absolute path, with what it wrote.
///
/// # Errors
/// Where the state can't be read.
pub fn own_writes(store: &Store) -> Result<BTreeMap<PathBuf, Option<FileDigest>>, StateError> {
    let places = store.workspaces::<serde::de::IgnoredAny>()?;
    let mut own = BTreeMap::new();
    for (id, record) in store.deliveries()? {
        let active =
            matches!(record.state, DeliveryState::Delivered | DeliveryState::Delivering | DeliveryState::RollingBack);
        let Some(workspace) = places.get(&id).filter(|_| active) else {
            continue;
        };
        if record.how != Delivery::Checkout {
            continue;
        }
        for version in store.versions(&id)? {
            let path = workspace.place.root.join(&version.path);
            own.insert(path, version.after.as_ref().map(FileDigest::of));
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
    let within = |path: &str| match git.prefix.as_str() {
        "" => path.to_owned(),
        prefix => format!("{prefix}/{path}"),
    };
    let new = shipment.versions.iter().filter(|version| version.before.is_none() && version.after.is_some());
    let new: Vec<String> = new.map(|version| within(&version.path)).collect();
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
fn ends_match(shipment: &Shipment<'_>, fits: impl Fn(&FileVersion, Option<&Content>) -> bool) -> Result<(), Obstacle> {
    for version in shipment.versions {
        let found = files::read_below(&shipment.place.root, &version.path)?;
        if !fits(version, found.as_ref()) {
            return Err(Obstacle::Refused(format!(
                "{} is not what gander expects there; somebody changed it",
                version.path
            )));
        }
    }
    Ok(())
}

fn on_either_end(version: &FileVersion, found: Option<&Content>) -> bool {
    found == version.before.as_ref() || found == version.after.as_ref()
}

/// The effect itself; it may find parts of itself done already.
fn send(shipment: &Shipment<'_>, papers: &Papers<'_>, record: &mut DeliveryRecord) -> Result<(), Obstacle> {
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
            let Some((branch, commit)) = &mut record.branch else {
                return Err(Obstacle::Failed("the branch has no name".to_owned()));
            };
            let versions = shipment.versions;
            match git::commit_on_branch(&place, branch, versions, papers.message, papers.author, papers.time) {
                Ok(made) => {
                    *commit = Some(made);
                    Ok(())
                }
                // A branch of that name that is somebody else's: nothing was delivered.
                Err(error @ (GitError::Moved { .. } | GitError::CheckedOut { .. })) => {
                    Err(Obstacle::Refused(error.to_string()))
                }
                Err(error) => Err(error.into()),
            }
        }
    }
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
fn commit_place(shipment: &Shipment<'_>) -> Result<GitPlace, Obstacle> {
    match (&shipment.place.git, shipment.pin) {
        (Some(git), Some(Pin::Commit { commit, .. })) => Ok(GitPlace { commit: commit.clone(), ..git.clone() }),
        (Some(_), _) => Err(Obstacle::Refused(
            "it was pinned with uncommitted changes, and a branch starts from a commit".to_owned(),
        )),
        (None, _) => Err(Obstacle::Refused("it is not in a git repository, so it can have no branch".to_owned())),
    }
}

/// Takes a delivery back, or goes on with a rollback that was begun. Where it ends
/// is recorded and left in `record`; a delivery that was never begun stays as it is.
///
/// # Errors
/// Where the state can't be written; an effect that fails is a recorded state.
pub fn roll_back(
    store: &mut Store,
    shipment: &Shipment<'_>,
    record: &mut DeliveryRecord,
    because: &str,
) -> Result<(), RolloutError> {
    use DeliveryState as D;
    if !State::of_delivery(&record.state).is_out() {
        return Ok(());
    }
    let id = shipment.place.id.as_str();
    let intent = Entry { detail: because.to_owned(), ..entry("rollback", id, record, Phase::Intent, true) };
    go(store, id, record, (Event::Revert, D::RollingBack), intent)?;
    let folder = store.folder().join(&record.folder);
    let taken = proven(shipment).and_then(|()| take_back(shipment, record)).and_then(|()| withdraw(&folder, because));
    if let Err(obstacle) = taken {
        return end(store, id, record, "rollback", obstacle);
    }
    let done = entry("rollback", id, record, Phase::Done, true);
    go(store, id, record, (Event::Back, D::RolledBack), done)
}

fn proven(shipment: &Shipment<'_>) -> Result<(), Obstacle> {
    changeset::prove(shipment.versions, shipment.set).map_err(|error| Obstacle::Failed(error.to_string()))
}

fn take_back(shipment: &Shipment<'_>, record: &DeliveryRecord) -> Result<(), Obstacle> {
    match record.how {
        Delivery::Patches => Ok(()),
        Delivery::Checkout => {
            ends_match(shipment, on_either_end)?;
            bring_to(shipment, Side::Before).map_err(Obstacle::from)
        }
        Delivery::Branch => {
            let place = commit_place(shipment)?;
            let Some((branch, commit)) = &record.branch else {
                return Ok(());
            };
            // A kill between the branch and its record: the trailer tells ours.
            let found = git::find_branch(&place, branch)?;
            let ours = found.filter(|found| found.message.ends_with(&trailer(&record.change_id)));
            let expected = commit.clone().or_else(|| ours.map(|found| found.commit));
            git::delete_branch(&place, branch, expected.as_deref().unwrap_or_default()).map_err(Obstacle::from)
        }
    }
}

/// The line that names a change in the message of its commit.
pub fn trailer(change_id: &Digest) -> String {
    format!("Gander-Change-Id: {change_id}")
}

fn withdraw(folder: &Path, because: &str) -> Result<(), Obstacle> {
    if !folder.is_dir() {
        return Ok(());
    }
    let text = format!(
        "# Withdrawn\n\nThis change set was taken back ({because}). Do not apply \
         `change.patch`; where somebody did, `git apply revert.patch` takes it back.\n"
    );
    files::write_whole(&folder.join(WITHDRAWN), text.as_bytes(), false).map_err(Obstacle::from)
}
