//! What is taken back, and in which order: the newest wave first, and within it the
//! last one first.

use super::bind::out_there;
use super::deliver;
use super::driver::move_waves;
use super::judge::note_waits;
use super::ledger::{Ledger, Snapshot, ledger};
use super::machine::wave::Event as Move;
use super::ship::{AWAY, change_set, shipment, workspace};
use super::{Event, RolloutError};
use crate::state::{DeliveryRecord, DeliveryState, Store, Wait, WaitFor, WaveRecord, WaveState};

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
            let asked: Vec<&WaveRecord> = waves.iter().filter(|wave| numbers.contains(&wave.number)).collect();
            move_waves(store, &asked, Move::RollBack, because)?;
        }
    }
    finish_rollbacks(store, tell)?;
    ledger(store)
}

/// Takes back the waves that are on their way back, the newest first, and goes on with
/// rollbacks of single consumers that were begun. A wave of which a remote is away stays
/// on its way until the next run.
pub(super) fn finish_rollbacks(store: &mut Store, tell: &dyn Fn(Event<'_>)) -> Result<(), RolloutError> {
    let is_going_back = |wave: &WaveRecord| matches!(wave.state, WaveState::RollingBack(_));
    let waves = store.waves()?;
    let deliveries = store.deliveries()?;
    let going: Vec<&WaveRecord> = waves.iter().filter(|wave| is_going_back(wave)).collect();
    let alone = |(id, record): &(&String, &DeliveryRecord)| {
        record.state == DeliveryState::RollingBack && !going.iter().any(|wave| wave.members.contains(id))
    };
    let alone: Vec<&String> = deliveries.iter().filter(alone).map(|(id, _)| id).collect();
    if going.is_empty() && alone.is_empty() {
        return Ok(());
    }
    let snapshot = Snapshot::read(store)?;
    for id in alone {
        take_back(store, &snapshot, id, "rolled back by hand", tell)?;
    }
    for wave in going.iter().rev() {
        let WaveState::RollingBack(reason) = &wave.state else {
            continue;
        };
        let (mut stuck, mut away) = (0, Vec::new());
        for member in wave.members.iter().rev() {
            match take_back(store, &snapshot, member, reason, tell)? {
                DeliveryState::RolledBack => {}
                DeliveryState::RollingBack => away.push(member.as_str()),
                _ => stuck += 1,
            }
        }
        if let Some(first) = away.first() {
            let why = format!("the remote of {first} can't be reached, and {} wait to be taken back", away.len());
            note_waits(store, wave, &[Wait { what: WaitFor::Remote, until: Some(store.now() + AWAY), why }])?;
            continue;
        }
        let reason = match stuck {
            0 => reason.clone(),
            count => format!("{reason}; {count} could not be taken back"),
        };
        move_waves(store, &[wave], Move::Back, &reason)?;
        let (number, state) = (wave.number, WaveState::RolledBack(reason));
        tell(Event::WaveJudged { number, state: &state });
    }
    Ok(())
}

/// Takes back one delivery; where that led. What is not out is as good as back.
fn take_back(
    store: &mut Store,
    snapshot: &Snapshot,
    id: &str,
    because: &str,
    tell: &dyn Fn(Event<'_>),
) -> Result<DeliveryState, RolloutError> {
    let record = snapshot.deliveries.get(id);
    let Some(record) = record.filter(|record| out_there(&record.state)) else {
        return Ok(DeliveryState::RolledBack);
    };
    let mut record = record.clone();
    let workspace = workspace(snapshot, id)?;
    let versions = store.versions(id)?;
    let set = change_set(&workspace.place, &versions);
    let shipment = shipment(workspace, &versions, &set);
    deliver::roll_back(store, &shipment, &mut record, because)?;
    let state = &record.state;
    tell(Event::Shipped { workspace: id, state });
    Ok(record.state)
}
