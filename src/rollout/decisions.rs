//! What the person on call decides: pause and resume, approve, exclude, retry. Each is on
//! record with who, when and why before anything follows; the next run acts on it.

use std::collections::BTreeSet;

use super::driver::move_waves;
use super::machine::consumer::Event;
use super::machine::wave::{Event as Move, State};
use super::observe::{is_half, is_unclear};
use super::snapshot::Snapshot;
use super::{RolloutError, deliver, unclear};
use crate::config::Gate;
use crate::digest::DigestBuilder;
use crate::state::{Decision, DecisionKind, DeliveryRecord, DeliveryState, Entry, Store, WaveRecord, WaveState};

/// The subject of a decision about all of it.
pub(super) const ROLLOUT: &str = "rollout";

/// Whom a decision is about.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum About {
    /// A wave, by its number.
    Wave(u32),
    /// A consumer, by reference, with those that share its code.
    Consumer(String),
}

/// Names what a person sees of a wave: the change sets of it that are out, a name each.
pub(super) fn wave_digest(snapshot: &Snapshot, wave: &WaveRecord) -> String {
    use DeliveryState as D;
    let stands =
        |record: &&DeliveryRecord| matches!(record.state, D::Delivering | D::Delivered | D::Superseded | D::Edited(_));
    let name = |member: &String| Some(name_of(member, snapshot.deliveries.get(member).filter(stands)?));
    wave.members.iter().filter_map(name).collect::<Vec<_>>().join(" ")
}

/// Names one change set of a wave.
fn name_of(member: &str, record: &DeliveryRecord) -> String {
    DigestBuilder::new("gander.wave").field(member).field(record.change_id.to_string()).finish().short()
}

/// Ends the approval of a wave that was given to a change set which comes again: whoever gave it has not seen that.
pub(super) fn end_approval_of(
    store: &mut Store,
    waves: &[WaveRecord],
    (id, record): (&str, &DeliveryRecord),
) -> Result<(), RolloutError> {
    let Some(wave) = waves.iter().find(|wave| wave.members.iter().any(|member| member == id)) else { return Ok(()) };
    let subject = format!("wave {}", wave.number);
    let approval = store.decision(DecisionKind::Approve, &subject)?;
    if approval.is_some_and(|approval| covers(&approval, &name_of(id, record))) {
        let why = format!("{id} comes once more, which it was about");
        store.undecide(DecisionKind::Approve, &subject, &Entry::of("unapprove", &*subject, why))?;
    }
    Ok(())
}

/// Whether an approval is about all of a wave that is out now.
pub(super) fn covers(approval: &Decision, now: &str) -> bool {
    let seen: BTreeSet<&str> = approval.about.split(' ').collect();
    now.split_whitespace().all(|name| seen.contains(name))
}

/// Nothing new is begun until [`resume`]; what is open is watched and judged on, and
/// what fails is taken back.
///
/// # Errors
/// Where the state can't be written.
pub fn pause(store: &mut Store, reason: &str) -> Result<(), RolloutError> {
    let entry = Entry::of("pause", ROLLOUT, reason);
    Ok(store.decide(DecisionKind::Pause, ROLLOUT, ("", reason), &entry)?)
}

/// Ends a pause.
///
/// # Errors
/// [`RolloutError::Undecidable`] where it is not paused.
pub fn resume(store: &mut Store, reason: &str) -> Result<(), RolloutError> {
    if store.decision(DecisionKind::Pause, ROLLOUT)?.is_none() {
        return Err(undecidable("nobody paused this rollout; `gander status` says what it waits for"));
    }
    Ok(store.undecide(DecisionKind::Pause, ROLLOUT, &Entry::of("resume", ROLLOUT, reason))?)
}

pub(super) fn undecidable(why: impl Into<String>) -> RolloutError {
    RolloutError::Undecidable(why.into())
}

/// Lets a wave go on, or a change set go out, that waits for approval. It is about
/// exactly what is there now: where that changes, it is asked for again. Its wave, where that failed
/// or was taken back: it goes out only once that is tried again.
///
/// # Errors
/// [`RolloutError::Undecidable`] where nothing of it waits for approval.
pub fn approve(store: &mut Store, about: &About, reason: &str, gates: &[Gate]) -> Result<Option<u32>, RolloutError> {
    let snapshot = Snapshot::read(store)?;
    match about {
        About::Wave(number) => {
            let wave = wave_of(&snapshot, *number)?;
            if !gates.contains(&Gate::Approval) {
                return Err(undecidable(format!("no gate of wave {number} asks for an approval")));
            }
            match State::of(&wave.state) {
                State::Baking | State::Judging | State::Inconclusive if wave.since.is_some() => {}
                State::Planned | State::Running | State::Baking | State::Judging | State::Inconclusive => {
                    return Err(undecidable(format!("not all of wave {number} is out; approve it once it is")));
                }
                state => {
                    return Err(undecidable(format!("wave {number} waits for no approval: it is {}", state.as_str())));
                }
            }
            let subject = format!("wave {number}");
            let entry = Entry::of("approve", &*subject, reason);
            store.decide(DecisionKind::Approve, &subject, (&wave_digest(&snapshot, wave), reason), &entry)?;
            Ok(None)
        }
        About::Consumer(entity) => {
            let id = workspace_of(&snapshot, entity)?;
            let waits = |record: &DeliveryRecord| match (&record.state, &record.correction) {
                (DeliveryState::AwaitingApproval(_), _) => Some(record.change_id),
                // What it has merged stays; what corrects that waits.
                (DeliveryState::Delivered, Some(kept)) if kept.asks => Some(kept.change_id),
                _ => None,
            };
            let change = snapshot.deliveries.get(&id).and_then(waits).ok_or_else(|| {
                undecidable(format!(
                    "no change set of {entity} waits for approval; `gander show {entity}` says where it stands"
                ))
            })?;
            // First: an approval of which the wave knows nothing would be forgotten by a kill.
            reopen(store, &snapshot, &id, "a change set of it was approved")?;
            let entry = Entry { after: Some(change), ..Entry::of("approve", &*id, reason) };
            store.decide(DecisionKind::Approve, &id, (&change.to_string(), reason), &entry)?;
            Ok(back_with(&snapshot, &id).map(|wave| wave.number))
        }
    }
}

pub(super) fn wave_of(snapshot: &Snapshot, number: u32) -> Result<&WaveRecord, RolloutError> {
    let found = snapshot.waves.iter().find(|wave| wave.number == number);
    found.ok_or_else(|| RolloutError::NoSuch { what: format!("wave {number}") })
}

fn workspace_of(snapshot: &Snapshot, entity: &str) -> Result<String, RolloutError> {
    let found = snapshot.consumers.iter().find(|consumer| consumer.entity == entity);
    let found = found.ok_or_else(|| RolloutError::NoSuch { what: format!("consumer {entity}") })?;
    found.workspace.clone().ok_or_else(|| undecidable(format!("the code of {entity} was not found")))
}

/// Opens the wave of a workspace again, where it was judged already.
pub(super) fn reopen(store: &mut Store, snapshot: &Snapshot, id: &str, why: &str) -> Result<(), RolloutError> {
    let wave = snapshot.waves.iter().find(|wave| wave.members.iter().any(|member| member == id));
    match wave {
        Some(wave) if wave.state != WaveState::Planned && State::of(&wave.state).after(Move::Reopen).is_some() => {
            move_waves(store, &[wave], Move::Reopen, why)
        }
        _ => Ok(()),
    }
}

/// Leaves a consumer, and those that share its code, out of the rollout; what it has of a change set of which
/// nobody can tell what became is left to its owner. Its wave, where that
/// failed or was taken back: it does so without it only once it is tried again.
///
/// # Errors
/// [`RolloutError::Undecidable`] where its change set is out, and can be taken back.
pub fn exclude(store: &mut Store, entity: &str, reason: &str) -> Result<Option<u32>, RolloutError> {
    let snapshot = Snapshot::read(store)?;
    let id = workspace_of(&snapshot, entity)?;
    let record = snapshot.deliveries.get(&id);
    let is_theirs = |record: &DeliveryRecord| is_unclear(record) || is_half(record);
    if record.is_some_and(|record| super::bind::out_there(&record.state) && !is_theirs(record)) {
        return Err(undecidable(format!(
            "the change set of {entity} is out: take it back first with `gander rollback --consumer {entity}`"
        )));
    }
    let said = snapshot.excluded(&id).is_some_and(|by| by.reason == reason && by.actor == store.actor());
    let wave = back_with(&snapshot, &id).map(|wave| wave.number);
    if said {
        return Ok(wave);
    }
    let out = record.filter(|record| super::bind::out_there(&record.state));
    if let Some(record) = out {
        // First: of one that is excluded nobody would look at this again.
        let entry = Entry::of("exclude.left", &*id, "what its owner has of it stays, and so does its branch");
        let left = (Event::Close, DeliveryState::Closed(unclear::LEFT.to_owned()));
        deliver::go(store, &id, &mut record.clone(), left, entry)?;
    }
    let entry = Entry::of("exclude", &*id, reason);
    store.decide(DecisionKind::Exclude, &id, ("", reason), &entry)?;
    if let Some(record) = record.filter(|_| out.is_none()) {
        let state = DeliveryState::Refused(format!("excluded by {}: {reason}", store.actor()));
        // What was out once is known as that: its owner may still merge it.
        if record.state != state && !record.state.was_out() {
            deliver::keep(store, &id, &mut record.clone(), state, "excluded")?;
        }
    }
    Ok(wave)
}

/// The wave of a workspace, where it failed or was taken back.
fn back_with<'s>(snapshot: &'s Snapshot, id: &str) -> Option<&'s WaveRecord> {
    let wave = snapshot.waves.iter().find(|wave| wave.members.iter().any(|member| member == id))?;
    matches!(State::of(&wave.state), State::Failed | State::RollingBack | State::RolledBack).then_some(wave)
}

/// Has a consumer verified and delivered again by the next run. Whom a person has excluded
/// takes part again; its wave, where that has to be tried again for it.
///
/// # Errors
/// [`RolloutError::Undecidable`] where its change set is out, or its wave failed or was taken
/// back: nobody goes out alone.
pub fn retry(store: &mut Store, entity: &str) -> Result<Option<u32>, RolloutError> {
    let snapshot = Snapshot::read(store)?;
    let id = workspace_of(&snapshot, entity)?;
    if snapshot.deliveries.get(&id).is_some_and(|record| super::bind::out_there(&record.state)) {
        return Err(undecidable(format!("the change set of {entity} is out: there is nothing to try again")));
    }
    if let Some(record) = snapshot.deliveries.get(&id).filter(|record| unclear::is_left(&record.state)) {
        // What became of it is looked at as before.
        store.undecide(DecisionKind::Exclude, &id, &Entry::of("include", &*id, "it is tried again"))?;
        let entry = Entry::of("include.left", &*id, "it takes part again as it stands");
        let mut record = DeliveryRecord { because: String::new(), ..record.clone() };
        deliver::go(store, &id, &mut record, (Event::Deliver, DeliveryState::Delivered), entry)?;
        return Ok(back_with(&snapshot, &id).map(|wave| wave.number));
    }
    let record = snapshot.deliveries.get(&id).filter(|record| record.over.is_some() && record.state.is_thrown_away());
    if let Some(record) = record {
        let why = format!("{}its owner threw the correction away", deliver::NOT_CORRECTED);
        deliver::put_below(store, &id, &mut record.clone(), Some(why))?;
        return Err(undecidable(format!(
            "what {entity} has merged is out: there is nothing to try again; `gander correct` makes its correction anew"
        )));
    }
    let back = back_with(&snapshot, &id);
    if let Some(wave) = back.filter(|_| snapshot.excluded(&id).is_none()) {
        let (number, state) = (wave.number, State::of(&wave.state).as_str());
        return Err(undecidable(format!(
            "wave {number}, which {entity} is in, is {state} ({}), and nobody goes out alone: \
             `gander retry --wave {number}` tries all of it again",
            wave.state.reason()
        )));
    }
    if snapshot.excluded(&id).is_some() {
        store.undecide(DecisionKind::Exclude, &id, &Entry::of("include", &*id, "it is tried again"))?;
    }
    if let Some(wave) = back {
        return Ok(Some(wave.number));
    }
    // First: a kill after the next line would leave the approval to what comes again.
    if let Some(record) = snapshot.deliveries.get(&id) {
        end_approval_of(store, &snapshot.waves, (&id, record))?;
    }
    reopen(store, &snapshot, &id, "a consumer of it is tried again")?;
    store.forget(&[id], true)?;
    Ok(None)
}
