//! Advances a rollout as far as it can: one wave after the other, and back where
//! one fails.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use super::bind::{bind, out_there};
use super::deliver;
use super::gate::{Judgement, judge};
use super::ledger::{Ledger, Snapshot, ledger, verdict_key};
use super::ship::{change_set, ship_all, shipment, workspace};
use super::{Event, Request, RolloutError, ToVerify};
use crate::config::OnFailedGate;
use crate::state::{DeliveryState, Entry, Phase, StateError, Store, WaveRecord, WaveState};
use crate::verify::{Verdict, VerdictKind};

/// Advances the rollout as far as it can and says where everybody stands. What an
/// earlier run did is not done again.
///
/// # Errors
/// Where the state can't be used, or does not belong to what is asked for.
pub fn run(store: &mut Store, request: &Request<'_>) -> Result<Ledger, RolloutError> {
    let run = store.begin_run()?;
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
        if !matches!(wave.state, WaveState::Running | WaveState::Passed(_) | WaveState::Inconclusive(_)) {
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
        set_waves(store, &numbers, &WaveState::Running, "retry", "")?;
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
        match wave.state {
            WaveState::Passed(_) => continue,
            WaveState::Failed(_) | WaveState::RolledBack(_) | WaveState::RollingBack(_) => break,
            WaveState::Inconclusive(_) if is_whole(&Snapshot::read(store)?, &wave) => break,
            WaveState::Planned | WaveState::Running | WaveState::Inconclusive(_) => {}
        }
        if !advance_wave(store, request, &wave)? {
            break;
        }
    }
    Ok(())
}

/// Verifies, delivers and judges one wave; true where the next one may open.
fn advance_wave(store: &mut Store, request: &Request<'_>, wave: &WaveRecord) -> Result<bool, RolloutError> {
    (request.tell)(Event::WaveOpened { number: wave.number, label: &wave.label, workspaces: wave.members.len() });
    set_waves(store, &[wave.number], &WaveState::Running, "open", "")?;
    verify(store, request, &wave.members)?;
    if crate::interrupt::wanted() {
        return Ok(false);
    }
    let snapshot = Snapshot::read(store)?;
    let members: Vec<&str> = wave.members.iter().map(String::as_str).collect();
    let members: Vec<&str> = members.into_iter().filter(|member| chosen(&snapshot, request, member)).collect();
    ship_all(store, request, &snapshot, wave.number, &members)?;
    let snapshot = Snapshot::read(store)?;
    if !is_whole(&snapshot, wave) {
        return Ok(false);
    }
    judge_wave(store, request, &snapshot, wave)
}

/// Every member has a verdict and an end to its delivery.
fn is_whole(snapshot: &Snapshot, wave: &WaveRecord) -> bool {
    wave.members.iter().all(|member| {
        let state = snapshot.deliveries.get(member).map(|record| &record.state);
        let ended = !matches!(state, None | Some(DeliveryState::Waiting | DeliveryState::Delivering));
        snapshot.verdict(member).is_some() && ended
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
    let lacks = |id: &str| snapshot.verdict(id).is_none_or(|verdict| unchallenged(id, verdict));
    let missing: BTreeSet<&str> =
        members.iter().map(String::as_str).filter(|id| lacks(id) && chosen(&snapshot, request, id)).collect();
    let places = &request.fleet.workspaces;
    let indices: Vec<usize> = (0..places.len()).filter(|index| missing.contains(places[*index].id.as_str())).collect();
    if indices.is_empty() {
        return Ok(());
    }
    let allowed: BTreeSet<usize> = indices.iter().copied().collect();
    let shared = Mutex::new((store, None::<StateError>));
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
        *error = store.record_verdict(&record.place.id, &key, &verdict).err();
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
        Some(error) => Err(error.into()),
        None => Ok(()),
    }
}

/// Judges a wave that is verified and delivered, and acts on it.
fn judge_wave(
    store: &mut Store,
    request: &Request<'_>,
    snapshot: &Snapshot,
    wave: &WaveRecord,
) -> Result<bool, RolloutError> {
    let counts = snapshot.counts(wave);
    let failed = wave
        .members
        .iter()
        .filter_map(|member| snapshot.deliveries.get(member))
        .filter(|record| matches!(record.state, DeliveryState::Failed(_)))
        .count();
    let judgement = match judge(&request.migration.rollout.gates, &counts) {
        Judgement::Passed(_) if failed > 0 => {
            Judgement::Inconclusive(format!("{failed} could not be delivered; see why and use --retry"))
        }
        judgement => judgement,
    };
    store.record_gate(wave.number, &judgement, &(counts, failed))?;
    let on_failed = request.migration.rollout.on_failed_gate;
    let (state, waves) = match judgement {
        Judgement::Passed(reason) => (WaveState::Passed(reason), vec![wave.number]),
        Judgement::Inconclusive(reason) => (WaveState::Inconclusive(reason), vec![wave.number]),
        Judgement::Failed(reason) => match on_failed {
            OnFailedGate::Stop => (WaveState::Failed(reason), vec![wave.number]),
            OnFailedGate::RollbackWave => (WaveState::RollingBack(reason), vec![wave.number]),
            OnFailedGate::RollbackAll => {
                let reason = format!("wave {}: {reason}", wave.number);
                let all = store.waves()?.into_iter().map(|w| w.number);
                let waves = all.filter(|number| *number <= wave.number).collect();
                (WaveState::RollingBack(reason), waves)
            }
        },
    };
    set_waves(store, &waves, &state, "judge", "")?;
    let number = wave.number;
    (request.tell)(Event::WaveJudged { number, state: &state });
    if matches!(state, WaveState::RollingBack(_)) {
        finish_rollbacks(store, request.tell)?;
    }
    Ok(matches!(state, WaveState::Passed(_)))
}

fn set_waves(store: &mut Store, waves: &[u32], state: &WaveState, verb: &str, detail: &str) -> Result<(), StateError> {
    let numbers: Vec<String> = waves.iter().map(ToString::to_string).collect();
    let entry = Entry {
        point: format!("wave.{verb}"),
        subject: format!("wave {}", numbers.join(", ")),
        phase: Phase::Done,
        before: None,
        after: None,
        detail: detail.to_owned(),
    };
    store.set_waves(waves, state, &entry)
}

/// What to take back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Every delivered wave.
    All,
    /// One wave, by number.
    Wave(u32),
    /// One consumer, by reference, with those that share its workspace.
    Consumer(String),
}

/// Takes back what a person asks for, the newest wave first, and closes its waves.
/// What is back already stays as it is.
///
/// # Errors
/// Where the state can't be used, or holds no such wave or consumer.
pub fn roll_back(store: &mut Store, scope: &Scope, tell: &dyn Fn(Event<'_>)) -> Result<Ledger, RolloutError> {
    let because = "rolled back by hand";
    let waves = store.waves()?;
    match scope {
        Scope::Consumer(entity) => {
            let consumers = store.consumers()?;
            let found = consumers.into_iter().find(|c| c.entity == *entity);
            let id = found.and_then(|consumer| consumer.workspace);
            let id = id.ok_or_else(|| RolloutError::NoSuch { what: format!("consumer {entity}") })?;
            let snapshot = Snapshot::read(store)?;
            take_back(store, &snapshot, &id, because, tell)?;
        }
        Scope::All | Scope::Wave(_) => {
            let within = |wave: &&WaveRecord| match scope {
                Scope::Wave(number) => wave.number == *number,
                _ => wave.state != WaveState::Planned,
            };
            let numbers: Vec<u32> = waves.iter().filter(within).map(|w| w.number).collect();
            if let (Scope::Wave(number), true) = (scope, numbers.is_empty()) {
                let what = format!("wave {number}");
                return Err(RolloutError::NoSuch { what });
            }
            let state = WaveState::RollingBack(because.to_owned());
            set_waves(store, &numbers, &state, "rollback", because)?;
        }
    }
    finish_rollbacks(store, tell)?;
    ledger(store)
}

/// Takes back the waves that are on their way back, the newest first.
fn finish_rollbacks(store: &mut Store, tell: &dyn Fn(Event<'_>)) -> Result<(), RolloutError> {
    let is_going_back = |wave: &WaveRecord| matches!(wave.state, WaveState::RollingBack(_));
    let mut waves = store.waves()?;
    waves.retain(is_going_back);
    if waves.is_empty() {
        return Ok(());
    }
    let snapshot = Snapshot::read(store)?;
    for wave in waves.iter().rev() {
        let WaveState::RollingBack(reason) = &wave.state else {
            continue;
        };
        let mut stuck = 0;
        for member in wave.members.iter().rev() {
            stuck += usize::from(!take_back(store, &snapshot, member, reason, tell)?);
        }
        let reason = match stuck {
            0 => reason.clone(),
            count => format!("{reason}; {count} could not be taken back"),
        };
        let state = WaveState::RolledBack(reason);
        set_waves(store, &[wave.number], &state, "rolled-back", "")?;
        let number = wave.number;
        tell(Event::WaveJudged { number, state: &state });
    }
    Ok(())
}

/// Takes back one delivery; false where a person has to look.
fn take_back(
    store: &mut Store,
    snapshot: &Snapshot,
    id: &str,
    because: &str,
    tell: &dyn Fn(Event<'_>),
) -> Result<bool, RolloutError> {
    let record = snapshot.deliveries.get(id);
    let Some(record) = record.filter(|record| out_there(&record.state)) else {
        return Ok(true);
    };
    let mut record = record.clone();
    let workspace = workspace(snapshot, id)?;
    let versions = store.versions(id)?;
    let set = change_set(&workspace.place, &versions);
    let shipment = shipment(workspace, &versions, &set);
    deliver::roll_back(store, &shipment, &mut record, because)?;
    let state = &record.state;
    tell(Event::Shipped { workspace: id, state });
    Ok(record.state == DeliveryState::RolledBack)
}
