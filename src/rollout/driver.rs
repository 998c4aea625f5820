//! Advances a rollout as far as it can: one wave after the other, and back where
//! one fails.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use serde::Serialize;

use super::bind::{bind, out_there};
use super::decisions::ROLLOUT;
use super::judge::{judge_wave, note_waits};
use super::ledger::{Ledger, ledger};
use super::machine::consumer;
use super::machine::wave::{Event as Move, State};
use super::observe::{Look, observe};
use super::rollback::finish_rollbacks;
use super::ship::ship_all;
use super::snapshot::{Snapshot, verdict_key};
use super::{Event, Request, RolloutError, ToVerify};
use crate::digest::Digest;
use crate::state::{DecisionKind, DeliveryState, Entry, Store, WaveRecord, WaveState, WorkspaceRecord};
use crate::transform::WorkspacePlan;
use crate::verify::{Strength, Verdict, VerdictKind};
use crate::workspace::Pin;

/// Advances the rollout as far as it can and says where everybody stands. What an
/// earlier run did is not done again.
///
/// # Errors
/// Where the state can't be used, or does not belong to what is asked for.
pub fn run(store: &mut Store, request: &Request<'_>) -> Result<Ledger, RolloutError> {
    let run = store.begin_run()?;
    observe(store, &Look::at(request), request.tell)?;
    bind(store, request)?;
    if request.retry {
        forget(store)?;
    }
    advance(store, request)?;
    let ledger = ledger(store)?;
    store.end_run(run, &ledger.end)?;
    Ok(ledger)
}

/// Forgets verdicts that say nothing and deliveries that failed, and opens their
/// waves again.
fn forget(store: &mut Store) -> Result<(), RolloutError> {
    let snapshot = Snapshot::read(store)?;
    let (mut unverified, mut undelivered, mut waves) = (Vec::new(), Vec::new(), BTreeMap::new());
    for wave in &snapshot.waves {
        if wave.state == WaveState::Planned || State::of(&wave.state).after(Move::Reopen).is_none() {
            continue;
        }
        for member in &wave.members {
            let state = snapshot.deliveries.get(member).map(|record| &record.state);
            if state.is_some_and(out_there) {
                continue;
            }
            let silent = snapshot.verdict(member).is_some_and(|verdict| {
                use VerdictKind as V;
                matches!(verdict.kind, V::Infra | V::NoData | V::BaselineBroken | V::Flaky | V::NoChange)
            });
            if silent {
                unverified.push(member.clone());
            } else if matches!(state, Some(DeliveryState::Failed(_) | DeliveryState::Refused(_))) {
                undelivered.push(member.clone());
            } else {
                continue;
            }
            waves.insert(wave.number, ());
        }
    }
    // The waves first: a kill in between leaves them open, which does no harm.
    let numbers: Vec<u32> = waves.into_keys().collect();
    if !numbers.is_empty() {
        let waves: Vec<&WaveRecord> = snapshot.waves.iter().filter(|wave| numbers.contains(&wave.number)).collect();
        move_waves(store, &waves, Move::Reopen, "some of it is tried again")?;
        store.forget(&unverified, true)?;
        store.forget(&undelivered, false)?;
    }
    Ok(())
}

fn advance(store: &mut Store, request: &Request<'_>) -> Result<(), RolloutError> {
    finish_rollbacks(store, request.tell)?;
    if !request.only.is_empty() {
        let all: Vec<String> = store.waves()?.into_iter().flat_map(|wave| wave.members).collect();
        verify(store, request, &all)?;
    }
    for wave in store.waves()? {
        let open = match wave.state {
            WaveState::Passed(_) => true,
            WaveState::Failed(_) | WaveState::RolledBack(_) | WaveState::RollingBack(_) => false,
            // Its gates are asked again, and it goes on only where they pass.
            WaveState::Inconclusive(_) if is_whole(&Snapshot::read(store)?, &wave) => {
                judge_wave(store, request, wave.number)?
            }
            WaveState::Baking | WaveState::Judging => judge_wave(store, request, wave.number)?,
            WaveState::Planned | WaveState::Running | WaveState::Inconclusive(_) => {
                !is_paused(store)? && advance_wave(store, request, &wave)?
            }
        };
        if !open {
            break;
        }
    }
    Ok(())
}

/// A person wants nothing new to be begun.
fn is_paused(store: &Store) -> Result<bool, RolloutError> {
    Ok(store.decisions()?.contains_key(&(DecisionKind::Pause, ROLLOUT.to_owned())))
}

/// Verifies, delivers and judges one wave; true where the next one may open.
fn advance_wave(store: &mut Store, request: &Request<'_>, wave: &WaveRecord) -> Result<bool, RolloutError> {
    if wave.state != WaveState::Running {
        move_waves(store, &[wave], Move::Open, "")?;
    }
    (request.tell)(Event::WaveOpened { number: wave.number, label: &wave.label, workspaces: wave.members.len() });
    verify(store, request, &wave.members)?;
    if crate::interrupt::wanted() {
        return Ok(false);
    }
    let snapshot = Snapshot::read(store)?;
    let members: Vec<&str> = wave.members.iter().map(String::as_str).collect();
    let members: Vec<&str> = members.into_iter().filter(|member| chosen(&snapshot, request, member)).collect();
    let waits = ship_all(store, request, &snapshot, wave.number, &members)?;
    let snapshot = Snapshot::read(store)?;
    if !is_whole(&snapshot, wave) {
        note_waits(store, &current(store, wave.number)?, &waits)?;
        return Ok(false);
    }
    move_waves(store, &[&current(store, wave.number)?], Move::Whole, "")?;
    judge_wave(store, request, wave.number)
}

/// A wave as it is recorded now.
pub(super) fn current(store: &Store, number: u32) -> Result<WaveRecord, RolloutError> {
    let found = store.waves()?.into_iter().find(|wave| wave.number == number);
    found.ok_or_else(|| RolloutError::NoSuch { what: format!("wave {number}") })
}

/// Every member has a verdict and an end to its delivery.
fn is_whole(snapshot: &Snapshot, wave: &WaveRecord) -> bool {
    wave.members.iter().all(|member| {
        let state = snapshot.deliveries.get(member).map(|record| &record.state);
        let ended = !matches!(
            state,
            None | Some(DeliveryState::Waiting | DeliveryState::Superseded | DeliveryState::Delivering)
        );
        // Whom a person has excluded needs no verdict.
        let judged = snapshot.verdict(member).is_some() || snapshot.excluded(member).is_some();
        // What a person has approved since is still to go out.
        let approved = snapshot.deliveries.get(member).is_some_and(|record| snapshot.approved(member, record));
        judged && ended && !approved
    })
}

/// The request is about this workspace.
fn chosen(snapshot: &Snapshot, request: &Request<'_>, workspace: &str) -> bool {
    request.only.is_empty()
        || snapshot.consumers.iter().any(|consumer| {
            consumer.workspace.as_deref() == Some(workspace)
                && request.only.iter().any(|only| only.as_str() == consumer.entity)
        })
}

/// Verifies those of `members` that have no verdict yet, and records each as soon
/// as it is there.
fn verify(store: &mut Store, request: &Request<'_>, members: &[String]) -> Result<(), RolloutError> {
    let snapshot = Snapshot::read(store)?;
    let Some(binding) = store.binding()? else {
        return Ok(());
    };
    let first = snapshot.waves.first().map(|wave| wave.members.clone()).unwrap_or_default();
    // The first wave is always challenged, also where a verdict is known from a later one.
    let unchallenged = |id: &str, verdict: &Verdict| {
        let lead = first.iter().any(|member| member == id) && !snapshot.deliveries.contains_key(id);
        lead && verdict.kind == VerdictKind::Pass && verdict.evidence.is_none()
    };
    let lacks = |id: &str| {
        snapshot.excluded(id).is_none() && snapshot.verdict(id).is_none_or(|verdict| unchallenged(id, verdict))
    };
    let missing: BTreeSet<&str> =
        members.iter().map(String::as_str).filter(|id| lacks(id) && chosen(&snapshot, request, id)).collect();
    let places = &request.fleet.workspaces;
    let indices: Vec<usize> = (0..places.len()).filter(|index| missing.contains(places[*index].id.as_str())).collect();
    if indices.is_empty() {
        return Ok(());
    }
    let allowed: BTreeSet<usize> = indices.iter().copied().collect();
    let before = |id: &str| match snapshot.verdict(id) {
        Some(_) => consumer::State::Verified,
        None => consumer::State::Transformed,
    };
    let shared = Mutex::new((store, None::<RolloutError>));
    let take = |index: usize, verdict: Verdict| {
        let mut guard = match shared.lock() {
            Ok(guard) => guard,
            Err(poisoned) => poisoned.into_inner(),
        };
        let (store, error) = &mut *guard;
        let record = places.get(index).and_then(|place| snapshot.workspaces.get(&place.id));
        let Some(record) = record.filter(|_| allowed.contains(&index) && error.is_none()) else {
            return;
        };
        let key = verdict_key(&record.plan_digest, &binding.verify_digest);
        let (from, to) = (before(&record.place.id), consumer::State::Verified);
        *error = match from.step(consumer::Event::Verify, &record.place.id) {
            Err(forbidden) => Some(forbidden.into()),
            Ok(_) => {
                let entry = Entry::of("verify", &*record.place.id, &*verdict.reason)
                    .moving(from.as_str(), to.as_str())
                    .resting_on(&Seen::of(&verdict, record, &key));
                store.record_verdict(&record.place.id, &key, &verdict, &entry).err().map(RolloutError::from)
            }
        };
    };
    let wanted: Vec<ToVerify> = indices
        .iter()
        .map(|index| ToVerify { index: *index, first_wave: first.contains(&places[*index].id) })
        .collect();
    (request.verify)(&wanted, &take);
    let (_, error) = match shared.into_inner() {
        Ok(inner) => inner,
        Err(poisoned) => poisoned.into_inner(),
    };
    match error {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// What the journal keeps of an attempt: the latest whole verdict is in the state.
#[derive(Serialize)]
struct Seen<'a> {
    verdict: VerdictKind,
    evidence: Option<Strength>,
    signature: Option<&'a str>,
    flags: usize,
    steps: (usize, usize),
    tests: (u64, u64),
    pin: Option<&'a Pin>,
    plan: String,
    key: String,
}

impl<'a> Seen<'a> {
    fn of(verdict: &'a Verdict, about: &'a WorkspaceRecord<WorkspacePlan>, key: &Digest) -> Self {
        Self {
            verdict: verdict.kind,
            evidence: verdict.strength(),
            signature: verdict.signature.as_deref(),
            flags: verdict.flags.len(),
            steps: (verdict.baseline.len(), verdict.patched.len()),
            tests: verdict.tests,
            pin: about.pin.as_ref(),
            plan: about.plan_digest.to_string(),
            key: key.to_string(),
        }
    }
}

/// Moves waves on together: the table is asked, and each move is in the journal.
pub(super) fn move_waves(
    store: &mut Store,
    waves: &[&WaveRecord],
    event: Move,
    reason: &str,
) -> Result<(), RolloutError> {
    let mut moves = Vec::with_capacity(waves.len());
    for wave in waves {
        let to = State::of(&wave.state).step(event, wave.number)?;
        let entry = Entry::of(format!("wave.{}", event.as_str()), format!("wave {}", wave.number), reason)
            .moving(wave.state.as_str(), to.as_str());
        moves.push((wave.number, to.because(reason.to_owned()), entry));
    }
    Ok(store.set_waves(&moves)?)
}
