//! What failed or was taken back is tried again: a wave, where a person says so; waves that a
//! gate took back also by `--replan`, once somebody of them is excluded or has other code; and change
//! sets that another migration kept back, once that is out of the way.

use std::collections::BTreeSet;

use super::bind::{deliverable, out_there};
use super::decisions::{end_approval_of, reopen, undecidable, wave_of};
use super::deliver;
use super::driver::{moves_of, open_silent};
use super::machine::wave::Event as Move;
use super::rollback::BY_HAND;
use super::ship::{OPTED_OUT, change_set, shipment, workspace};
use super::snapshot::Snapshot;
use super::{Event, Request, RolloutError};
use crate::config::Delivery;
use crate::git::Repository;
use crate::state::{DeliveryRecord, DeliveryState, Refusal, Store, WaveRecord, WaveState};
use crate::verify::{Verdict, VerdictKind};

/// Has a wave tried again, and those after it that were taken back, too: each opens once the
/// one before has passed. Which ones.
///
/// # Errors
/// [`RolloutError::Undecidable`] where there is nothing to try again in it, or another wave
/// comes first; [`RolloutError::NoSuch`]; where the state can't be used.
pub fn retry_wave(store: &mut Store, number: u32) -> Result<Vec<u32>, RolloutError> {
    let snapshot = Snapshot::read(store)?;
    let wave = wave_of(&snapshot, number)?;
    let back = snapshot.waves.iter().find(|one| one.number < number && is_back(one)).map(|one| one.number);
    if let Some(before) = back.filter(|_| wave.state == WaveState::Planned) {
        return Err(undecidable(format!(
            "wave {number} was not opened, as wave {before} did not pass: `gander retry --wave {before}`"
        )));
    }
    if let Some(before) = back {
        return Err(undecidable(format!(
            "wave {before} comes before it and did not pass, either: `gander retry --wave {before}` tries both again"
        )));
    }
    match &wave.state {
        WaveState::RolledBack(_) | WaveState::Failed(_) => {
            again(store, &snapshot, wave, ("a person has it tried again", true))
        }
        WaveState::RollingBack(_) => {
            Err(undecidable(format!("wave {number} is still on its way back: `gander run` goes on with that")))
        }
        WaveState::Planned => Err(undecidable(format!("wave {number} was not opened: `gander run` comes to it"))),
        _ if open_silent(store, Some(number))? => Ok(vec![number]),
        _ => Err(undecidable(format!(
            "nothing of wave {number} failed or was without evidence; `gander retry CONSUMER` has one verified again"
        ))),
    }
}

/// A wave that did not pass, and is not to be opened again by itself.
pub(super) fn is_back(wave: &WaveRecord) -> bool {
    matches!(wave.state, WaveState::RolledBack(_) | WaveState::RollingBack(_) | WaveState::Failed(_))
}

/// A wave that a person took back.
pub(super) fn is_by_hand(wave: &WaveRecord) -> bool {
    matches!(&wave.state, WaveState::RolledBack(_) | WaveState::RollingBack(_))
        && wave.state.reason().starts_with(BY_HAND)
}

/// Opens what a gate took back, where it may end otherwise now: somebody of it was excluded
/// since, or has other code.
pub(super) fn reopen_changed(store: &mut Store, tell: &dyn Fn(Event<'_>)) -> Result<(), RolloutError> {
    let snapshot = Snapshot::read(store)?;
    let Some(wave) = snapshot.waves.iter().find(|wave| is_back(wave)) else { return Ok(()) };
    match &wave.state {
        // What a person took back a person opens.
        WaveState::RolledBack(_) | WaveState::Failed(_) if !is_by_hand(wave) => {}
        _ => return Ok(()),
    }
    let why = changed(store, &snapshot, wave)?;
    if !why.is_empty() {
        let why = why.join("; ");
        again(store, &snapshot, wave, (&why, false))?;
        tell(Event::WaveReopened { number: wave.number, why: &why });
    }
    Ok(())
}

/// Has those tried again that another migration's branch kept back, once that does not change the
/// same lines any more.
///
/// # Errors
/// Where the state can't be used.
pub(super) fn reopen_free(store: &mut Store) -> Result<(), RolloutError> {
    let waits = |record: &DeliveryRecord| match &record.state {
        DeliveryState::AwaitingApproval(why) => deliver::is_clash(why),
        _ => false,
    };
    let deliveries = store.deliveries()?;
    let waiting: Vec<&String> = deliveries.iter().filter(|(_, record)| waits(record)).map(|(id, _)| id).collect();
    if waiting.is_empty() {
        return Ok(());
    }
    let snapshot = Snapshot::read(store)?;
    for id in waiting {
        let wave = snapshot.waves.iter().find(|wave| wave.members.contains(id));
        let stays = snapshot.excluded(id).is_some() || wave.is_none_or(is_back);
        // What can't be looked at now stays what it is.
        if !stays && is_free(store, &snapshot, id).unwrap_or(false) {
            reopen(store, &snapshot, id, "no other migration changes the same lines any more")?;
            store.forget(std::slice::from_ref(id), false)?;
        }
    }
    Ok(())
}

/// Has those tried again who opted out and do so no more, where nothing else of them is otherwise: a catalog may say so
/// alone.
///
/// # Errors
/// Where the state can't be used.
pub(super) fn reopen_heard(store: &mut Store, request: &Request<'_>) -> Result<(), RolloutError> {
    if !request.only.is_empty() {
        return Ok(()); // a run of all hears them
    }
    let opted_out = |record: &DeliveryRecord| match record.state {
        DeliveryState::RolledBack => record.merged.is_none() && record.because.starts_with(OPTED_OUT),
        DeliveryState::Refused(_) => record.refusal == Some(Refusal::OptedOut),
        _ => false,
    };
    let mut out = store.deliveries()?;
    out.retain(|_, record| opted_out(record));
    let places = request.fleet.workspaces.iter().enumerate().filter(|(_, place)| out.contains_key(&place.id));
    let is_in = |index: usize| deliverable(&request.plan.workspaces[index]) && (request.opted_out)(index).is_none();
    let heard: Vec<&str> = places.filter(|(index, _)| is_in(*index)).map(|(_, place)| place.id.as_str()).collect();
    if heard.is_empty() {
        return Ok(());
    }
    let snapshot = Snapshot::read(store)?;
    for id in heard.into_iter().filter(|id| snapshot.excluded(id).is_none()) {
        end_approval_of(store, &snapshot.waves, (id, &out[id]))?;
        reopen(store, &snapshot, id, "its owner opts out no more")?;
        store.forget(&[id.to_owned()], true)?;
    }
    Ok(())
}

/// Whether no other migration's branch changes the lines of a change set that is not out.
fn is_free(store: &Store, snapshot: &Snapshot, id: &str) -> Result<bool, RolloutError> {
    let (Some(record), place) = (snapshot.deliveries.get(id), workspace(snapshot, id)?) else { return Ok(false) };
    let (Some((name, _)), Some(git)) = (&record.branch, &place.place.git) else { return Ok(false) };
    let versions = store.versions(id)?;
    let set = change_set(&place.place, &versions);
    let looked = || -> Result<(), deliver::Obstacle> {
        let repository = Repository::open(&git.toplevel)?;
        let shipment = shipment(place, &versions, &set);
        match record.how {
            Delivery::Push => {
                let remote = deliver::remote_of_record(record)?;
                deliver::no_clash(&shipment, name, &repository, (Some(&remote), &remote.branches("gander/")?))
            }
            _ => deliver::no_clash(&shipment, name, &repository, (None, &repository.tips("gander/")?)),
        }
    };
    Ok(looked().is_ok())
}

/// What of a wave is otherwise than when it failed.
fn changed(store: &Store, snapshot: &Snapshot, wave: &WaveRecord) -> Result<Vec<String>, RolloutError> {
    let last = |subject: &str, is: &dyn Fn(&crate::state::Entry) -> bool| -> Result<i64, RolloutError> {
        let lines = store.journal_of(subject)?;
        Ok(lines.iter().rev().find(|line| is(&line.entry)).map_or(0, |line| line.seq))
    };
    let failed = last(&format!("wave {}", wave.number), &|entry| {
        matches!(entry.to.as_deref(), Some("failed" | "rolling-back"))
    })?;
    let verdicts = store.verdicts::<Verdict>()?;
    let known: BTreeSet<&str> = verdicts.keys().map(|(workspace, _)| workspace.as_str()).collect();
    let mut why = Vec::new();
    for member in &wave.members {
        if snapshot.excluded(member).is_some() {
            if last(member, &|entry| entry.point == "exclude")? > failed {
                why.push(format!("{member} is excluded"));
            }
        } else if snapshot.verdict(member).is_none() && known.contains(member.as_str()) {
            why.push(format!("{member} has other code"));
        }
    }
    Ok(why)
}

/// Opens a wave again, all at once with those that were taken back after it. What is out
/// stays out; what passed its verification need not do so again. What a person took back comes with
/// it only where a person asks.
fn again(
    store: &mut Store,
    snapshot: &Snapshot,
    wave: &WaveRecord,
    (why, asked): (&str, bool),
) -> Result<Vec<u32>, RolloutError> {
    let mut waves = vec![wave];
    if matches!(wave.state, WaveState::RolledBack(_)) {
        let back = |one: &WaveRecord| matches!(one.state, WaveState::RolledBack(_)) && (asked || !is_by_hand(one));
        let later = |one: &&WaveRecord| one.number > wave.number && back(one);
        waves.extend(snapshot.waves.iter().filter(later));
    }
    let (mut unverified, mut undelivered) = (Vec::new(), Vec::new());
    for member in waves.iter().flat_map(|wave| &wave.members) {
        // What is left to its owner has to be known as that when it is taken in again.
        let stays = |record: &DeliveryRecord| out_there(&record.state) || super::unclear::is_left(&record.state);
        if snapshot.deliveries.get(member).is_some_and(stays) {
            continue;
        }
        let passed = |verdict: &Verdict| matches!(verdict.kind, VerdictKind::Pass | VerdictKind::Fixed);
        match snapshot.verdict(member).is_some_and(passed) || snapshot.excluded(member).is_some() {
            true => undelivered.push(member.clone()),
            false => unverified.push(member.clone()),
        }
    }
    let moves = moves_of(&waves, Move::Again, why)?;
    store.reopen(&moves, &unverified, &undelivered)?;
    Ok(waves.iter().map(|wave| wave.number).collect())
}
