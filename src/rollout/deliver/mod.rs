//! Change sets on their way out and back. Every effect is announced in the
//! journal before it is made, and can be begun again after a kill: each file is
//! compared with both of its ends first.

mod clash;
mod effect;
mod look;
mod present;
mod revert;

use std::collections::BTreeMap;
use std::path::Path;

pub use clash::{is_clash, no_clash};
pub(super) use effect::{
    NOT_OF_THIS_STATE, committed, not_moved_there as not_moved, remote_of_record, unless_approved,
};
pub use effect::{is_ours, trailer};
pub use look::{is_own, own_writes};
pub use present::{Present, Told, is_committed, merged_as_files, present, tells_here};
use revert::Reverting;
pub use revert::{Named, SIDE_BY_SIDE, changed_since, is_revert, named, revert_id, trial};

use super::machine::consumer::{Event, State};
use super::{Hooks, RolloutError, shared};
use crate::changeset::{self, ChangeSet};
use crate::config::Delivery;
use crate::files::{self, FilesError};
use crate::git::GitError;
use crate::state::{DecisionKind, DeliveryRecord, DeliveryState, Entry, Phase, Refusal, Store};
use crate::workspace::{FileVersion, Pin, Workspace};

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
    /// Both ends of the files of change sets that were merged under it, the newest first.
    pub under: &'a [Vec<FileVersion>],
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

/// Where deliveries go that leave this machine.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The remote's name in a consumer's repository.
    pub remote: &'a str,
    /// The protocols that may be used.
    pub protocols: &'a [String],
}

/// How many tries may find a remote away before the delivery has failed: then a person
/// has to look.
pub const MOST_TRIES: u32 = 10;

/// After how many seconds a further try counts, the first time; twice as long after each,
/// until it is an hour: an outage of some hours is nobody's failure.
const PAUSE: i64 = 60;

/// Whether a remote that is away is tried again. However often it is asked before its pause
/// is over, that is one try: runs that follow each other quickly find what was mended. What a
/// person ended was none.
fn tried_again(record: &mut DeliveryRecord, now: i64) -> bool {
    if record.again.is_some_and(|again| now < again) || crate::interrupt::wanted() {
        return true;
    }
    if record.tries >= MOST_TRIES {
        return false;
    }
    record.again = Some(now + (PAUSE << record.tries).min(3600));
    record.tries += 1;
    true
}

/// Why an effect did not come about. It becomes a recorded state, not an error.
#[derive(Clone, Debug)]
pub enum Obstacle {
    /// The place must not be touched; it was not.
    Refused(String),
    /// A branch of others is where it goes: a person has to make room; it was not touched.
    Taken(String),
    /// Somebody else changed the same place since; it was not touched.
    Conflict(String),
    /// It was tried and failed.
    Failed(String),
    /// The other side could not be reached: it may have come about or not.
    Away(String),
    /// Its code is another one by now: nothing was done, and it has to be made anew.
    Moved(String),
    /// Another migration changes the same lines: a person has to say yes.
    Clash(String),
}

impl Obstacle {
    /// Why, for people.
    pub fn into_reason(self) -> String {
        match self {
            Self::Refused(reason) | Self::Taken(reason) | Self::Conflict(reason) | Self::Failed(reason) => reason,
            Self::Away(reason) | Self::Moved(reason) | Self::Clash(reason) => reason,
        }
    }
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
            GitError::Away { .. } => Self::Away(error.to_string()),
            other => Self::Failed(other.to_string()),
        }
    }
}

fn word(how: Delivery) -> &'static str {
    match how {
        Delivery::Patches => "patches",
        Delivery::Checkout => "checkout",
        Delivery::Branch => "branch",
        Delivery::Push => "push",
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
    let evidence = serde_json::to_value(&state).ok();
    let kept = Entry { detail: detail.to_owned(), evidence, ..entry("keep", id, record, Phase::Done, false) };
    go(store, id, record, (Event::Quarantine, state), kept)
}

/// Announces a delivery in the journal, unless something keeps it from being begun; false
/// where it came to its end already. A delivery that was begun is announced again.
///
/// # Errors
/// Where the state can't be written.
pub fn begin(
    store: &mut Store,
    shipment: &Shipment<'_>,
    target: &Target<'_>,
    record: &mut DeliveryRecord,
) -> Result<bool, RolloutError> {
    let id = shipment.place.id.as_str();
    let begun = record.state == DeliveryState::Delivering;
    if !begun && let Err(obstacle) = look::look_first(store, shipment, target, record)? {
        end(store, id, record, "deliver", obstacle)?;
        return Ok(false);
    }
    let intent = entry("deliver", id, record, Phase::Intent, false);
    go(store, id, record, (Event::Stage, DeliveryState::Delivering), intent)?;
    Ok(true)
}

/// How a reason says that a change set that was to be corrected stays what it is.
pub const NOT_CORRECTED: &str = "not corrected: ";

/// What a change set waits for that a person may let out.
pub(super) fn waits_for_approval(why: &str) -> String {
    format!("waits for approval: {why}")
}

/// The effect of a delivery that was begun: its folder below `state`, and what reaches
/// the consumer. Needs no store, so that many can be made at once.
///
/// # Errors
/// What kept it from coming about.
pub fn make(
    state: &Path,
    shipment: &Shipment<'_>,
    papers: &Papers<'_>,
    record: &mut DeliveryRecord,
) -> Result<(), Obstacle> {
    files::write_folder_whole(&state.join(&record.folder), papers.folder)?;
    effect::send(shipment, papers, record)
}

/// Records how the effect of a delivery ended, also where it failed. What is away is
/// tried again by the next run, so many times.
///
/// # Errors
/// Where the state can't be written.
pub fn finish(
    store: &mut Store,
    id: &str,
    record: &mut DeliveryRecord,
    made: Result<(), Obstacle>,
) -> Result<(), RolloutError> {
    match made {
        Err(Obstacle::Away(why)) if tried_again(record, store.now()) => {
            record.away = Some(why.clone());
            let again = Entry { detail: why, ..entry("away", id, record, Phase::Done, false) };
            go(store, id, record, (Event::Stage, DeliveryState::Delivering), again)
        }
        Err(Obstacle::Moved(why)) => made_anew(store, id, record, why),
        // What it was to take the place of stays out: a hook may let it through later.
        Err(Obstacle::Failed(why)) if record.replaces.is_some() && tried_again(record, store.now()) => {
            record.away = Some(why.clone());
            made_anew(store, id, record, why)
        }
        Err(Obstacle::Clash(why)) if record.over.is_none() && record.replaces.is_none() => {
            // What a person approved before was said without knowing of this.
            if store.decision(DecisionKind::Approve, id)?.is_some() {
                store.undecide(DecisionKind::Approve, id, &Entry::of("reopen", id, "something else came up"))?;
            }
            let why = waits_for_approval(&why);
            keep(store, id, record, DeliveryState::AwaitingApproval(why.clone()), &why)
        }
        Err(obstacle) => end(store, id, record, "deliver", obstacle),
        Ok(()) => {
            (record.tries, record.again, record.away) = (0, None, None);
            let done = entry("deliver", id, record, Phase::Done, false);
            go(store, id, record, (Event::Deliver, DeliveryState::Delivered), done)
        }
    }
}

/// Has a change set made anew by the next run. What it was to take the place of is what is out.
fn made_anew(store: &mut Store, id: &str, record: &mut DeliveryRecord, why: String) -> Result<(), RolloutError> {
    if let Some((_, commit)) = &mut record.branch {
        commit.clone_from(&record.replaces);
    }
    let again = Entry { detail: why, ..entry("supersede", id, record, Phase::Done, false) };
    go(store, id, record, (Event::Supersede, DeliveryState::Superseded), again)
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
    if !back && record.over.is_some() && record.replaces.is_none() {
        // What is under it is still out, whatever came of what was to correct it.
        let why = format!("{NOT_CORRECTED}{}", obstacle.into_reason());
        return put_below(store, id, record, Some(why));
    }
    // While another one's change set is out in its place, nothing may be forgotten.
    let over = record.replaces.is_some() || record.state == DeliveryState::Superseded;
    record.refusal = matches!(obstacle, Obstacle::Taken(_)).then_some(Refusal::Taken);
    let (event, state, reason) = match obstacle {
        // No run does so by itself: a person has decided to take it back.
        Obstacle::Failed(reason) if back => {
            let reason = format!("{reason}; once that is mended, `gander rollback --consumer` tries it again");
            (Event::Conflict, DeliveryState::Conflict(reason.clone()), reason)
        }
        // What can't be taken back now is still out there, whatever the reason.
        Obstacle::Refused(reason)
        | Obstacle::Taken(reason)
        | Obstacle::Conflict(reason)
        | Obstacle::Failed(reason)
        | Obstacle::Away(reason)
        | Obstacle::Moved(reason)
        | Obstacle::Clash(reason)
            if back || over =>
        {
            (Event::Conflict, DeliveryState::Conflict(reason.clone()), reason)
        }
        Obstacle::Refused(reason) | Obstacle::Taken(reason) => {
            (Event::Quarantine, DeliveryState::Refused(reason.clone()), reason)
        }
        Obstacle::Conflict(reason)
        | Obstacle::Failed(reason)
        | Obstacle::Away(reason)
        | Obstacle::Moved(reason)
        | Obstacle::Clash(reason) => (Event::Quarantine, DeliveryState::Failed(reason.clone()), reason),
    };
    let ended = Entry { detail: reason, ..entry(verb, id, record, Phase::Done, back) };
    go(store, id, record, (event, state), ended)
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
    (because, hooks): (&str, &Hooks<'_>),
) -> Result<(), RolloutError> {
    use DeliveryState as D;
    if !State::of_delivery(&record.state).is_out() {
        return Ok(());
    }
    if record.state == D::RollingBack && record.revert.is_some() {
        return Ok(()); // its owner has to merge that
    }
    let id = shipment.place.id.as_str();
    let intent = Entry { detail: because.to_owned(), ..entry("rollback", id, record, Phase::Intent, true) };
    because.clone_into(&mut record.because);
    if record.state != D::RollingBack {
        (record.tries, record.again, record.away) = (0, None, None);
    }
    go(store, id, record, (Event::Revert, D::RollingBack), intent)?;
    let folder = store.folder().join(&record.folder);
    if record.how == Delivery::Patches {
        // Nobody shall apply it, also where somebody has and it can't be taken back.
        mark_withdrawn(store.folder(), record, because);
    }
    let said = revert::said(shipment, record);
    let place = record.pushed_to().filter(|_| record.merged.is_none());
    let unseen = place.and_then(|place| store.unseen(&place).map(str::to_owned));
    let taken = match (proven(shipment), unseen) {
        // Its branch may be gone as it was merged.
        (Ok(()), Some(why)) => Err(Obstacle::Away(format!("what became of it can't be seen: {why}"))),
        (Ok(()), None) if record.shared => shared::take_out(store, shipment, record)?,
        (Ok(()), None) => effect::take_back(shipment, record),
        (unproven, _) => unproven,
    };
    // A branch under a correction that was squashed is not in the history, and looks open.
    for below in std::iter::successors(record.over.as_deref(), |one| one.over.as_deref()).filter(|one| !one.shared) {
        // One that somebody moved since is theirs.
        let _ = effect::take_back(shipment, below);
    }
    let papers = Reverting { folder: &folder, time: store.now(), said, hooks };
    let taken = bring_back(shipment, record, papers, taken);
    match taken.and_then(|reverting| withdraw(&folder, because).map(|()| reverting)) {
        Ok(None) => {}
        // Back it is once its owner has merged that.
        Ok(Some(revert)) => {
            let asked = Entry {
                detail: format!("its owner is asked to merge {}", revert.0),
                ..entry("revert", id, record, Phase::Done, true)
            };
            record.revert = Some(revert);
            return go(store, id, record, (Event::Revert, D::RollingBack), asked);
        }
        Err(Obstacle::Away(why)) if tried_again(record, store.now()) => {
            record.away = Some(why.clone());
            let again = Entry { detail: why, ..entry("away", id, record, Phase::Done, true) };
            return go(store, id, record, (Event::Revert, D::RollingBack), again);
        }
        Err(obstacle) => return end(store, id, record, "rollback", obstacle),
    }
    let done = entry("rollback", id, record, Phase::Done, true);
    go(store, id, record, (Event::Back, D::RolledBack), done)
}

/// Takes a correction back, and leaves what was merged under it as it is. Where the remote
/// is away, the next run goes on.
///
/// # Errors
/// Where the state can't be written.
pub fn step_down(
    store: &mut Store,
    shipment: &Shipment<'_>,
    record: &mut DeliveryRecord,
    because: &str,
) -> Result<(), RolloutError> {
    let id = shipment.place.id.as_str();
    if record.state != DeliveryState::Superseded {
        let intent = Entry { detail: because.to_owned(), ..entry("withdraw", id, record, Phase::Intent, true) };
        go(store, id, record, (Event::Supersede, DeliveryState::Superseded), intent)?;
    }
    // What its owner did with the branch is the owner's.
    if let Err(Obstacle::Away(_)) = effect::take_back(shipment, record) {
        return Ok(());
    }
    put_below(store, id, record, None)
}

/// Whether the branch of a change set that its owner threw away stands all the same, as gander made
/// it: merged and taken back, it may be merged again.
///
/// # Errors
/// Where its remote can't be reached.
pub fn is_left(shipment: &Shipment<'_>, record: &DeliveryRecord) -> Result<bool, Obstacle> {
    let is_made = record.branch.as_ref().is_some_and(|(_, commit)| commit.is_some());
    if !record.state.is_thrown_away() || record.shared || !is_made {
        return Ok(false);
    }
    match effect::look_back(shipment, record) {
        Err(Obstacle::Away(why)) => Err(Obstacle::Away(why)),
        looked => Ok(matches!(looked, Ok(effect::DELETED))),
    }
}

/// Deletes such a branch: whether there was one.
///
/// # Errors
/// Where the state can't be written; within, where the remote can't be reached.
pub fn sweep(
    store: &mut Store,
    shipment: &Shipment<'_>,
    record: &DeliveryRecord,
) -> Result<Result<bool, Obstacle>, RolloutError> {
    match is_left(shipment, record) {
        Ok(true) => {}
        other => return Ok(other),
    }
    let id = shipment.place.id.as_str();
    let why = "its owner took it back, and its branch stands";
    store.note(&Entry { detail: why.to_owned(), ..entry("withdraw", id, record, Phase::Intent, true) })?;
    let taken = effect::take_back(shipment, record);
    if taken.is_ok() {
        store.note(&entry("withdraw", id, record, Phase::Done, true))?;
    }
    Ok(taken.map(|()| true))
}

/// Puts the change set that was merged under a correction in its place again.
///
/// # Errors
/// Where the state can't be written.
pub fn put_below(
    store: &mut Store,
    id: &str,
    record: &mut DeliveryRecord,
    outdated: Option<String>,
) -> Result<(), RolloutError> {
    let Some(below) = record.over.take() else { return Ok(()) };
    let why = outdated.clone().unwrap_or_else(|| "its correction is withdrawn".to_owned());
    *record = DeliveryRecord { state: record.state.clone(), outdated, ..*below };
    go(store, id, record, (Event::Deliver, DeliveryState::Delivered), Entry::of("correct", id, why))
}

/// Whether something of it is in its owner's hands that a revert alone takes back.
fn is_merged(record: &DeliveryRecord) -> bool {
    matches!(record.how, Delivery::Branch | Delivery::Push) && (record.merged.is_some() || record.over.is_some())
}

/// Withdraws what is not merged, and reverts what is: the branch and commit that do so.
fn bring_back(
    shipment: &Shipment<'_>,
    record: &DeliveryRecord,
    papers: Reverting<'_>,
    withdrawn: Result<(), Obstacle>,
) -> Result<Option<(String, String)>, Obstacle> {
    match withdrawn {
        // What its owner did with the branch after the merge is the owner's.
        Err(Obstacle::Conflict(_)) if is_merged(record) => {}
        taken => taken?,
    }
    match is_merged(record) {
        true => revert::revert(shipment, record, papers),
        false => Ok(None),
    }
}

/// How a change set would come back, in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WayBack {
    /// At once.
    Now(&'static str),
    /// Once its owner has merged a revert.
    Merge(&'static str),
}

/// What taking a change set back would come to, were it tried now; nothing is done.
///
/// # Errors
/// What would keep it from being taken back.
pub fn try_back(shipment: &Shipment<'_>, record: &DeliveryRecord) -> Result<WayBack, Obstacle> {
    proven(shipment)?;
    match record.how {
        _ if record.revert.is_some() => Ok(WayBack::Merge("its revert waits for its owner")),
        Delivery::Branch | Delivery::Push if is_merged(record) => {
            let reverse = revert::plan(shipment, record, None)?;
            Ok(match reverse.files.is_empty() {
                true => WayBack::Now("it is back already"),
                false => WayBack::Merge("it is merged: a revert is asked for"),
            })
        }
        _ => effect::look_back(shipment, record).map(WayBack::Now),
    }
}

fn proven(shipment: &Shipment<'_>) -> Result<(), Obstacle> {
    changeset::prove(shipment.versions, shipment.set).map_err(|error| Obstacle::Failed(error.to_string()))
}

/// Marks the folder of a change set that does not hold any more, below the state folder. Where
/// that can't be written, it stays what it is.
pub(super) fn mark_withdrawn(state: &Path, record: &DeliveryRecord, because: &str) {
    let _ = withdraw(&state.join(&record.folder), because);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quick_tries_of_a_remote_that_is_away_are_one() {
        let mut record = crate::state::tests::delivery(DeliveryState::Delivering);
        for now in 0..60 {
            assert!(tried_again(&mut record, now));
        }
        assert_eq!((record.tries, record.again), (1, Some(60)));
        let mut now = 60;
        while tried_again(&mut record, now) {
            now = record.again.unwrap();
        }
        assert_eq!((record.tries, now), (MOST_TRIES, 60 + 60 * (2 + 4 + 8 + 16 + 32) + 4 * 3600));
    }
}
