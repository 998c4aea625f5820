//! One change set after the other on its way back, and a second look at what was withdrawn.

use std::collections::BTreeSet;

use super::bind::out_there;
use super::deliver::{self, Obstacle, Shipment};
use super::observe::{Look, is_unclear, note_doubt, observe};
use super::ship::{change_set, shipment, workspace};
use super::snapshot::Snapshot;
use super::versions::files_of;
use super::{Event, Hooks, RolloutError};
use crate::config::Delivery;
use crate::state::{DeliveryRecord, DeliveryState, Store};

/// Takes back some, in this order, each with why; where those are that anything was done about.
pub(super) fn take_back_all(
    store: &mut Store,
    snapshot: &Snapshot,
    all: &[(&str, &str)],
    hooks: &Hooks<'_>,
) -> Result<Vec<(String, DeliveryRecord)>, RolloutError> {
    let mut taken = Vec::with_capacity(all.len());
    for (id, because) in all {
        taken.extend(take_back(store, snapshot, id, because, hooks)?.map(|record| ((*id).to_owned(), record)));
    }
    let withdrawn: BTreeSet<String> =
        taken.iter().filter(|(_, record)| is_branch_gone(record)).map(|(id, _)| id.clone()).collect();
    look_at_withdrawn(store, &withdrawn, hooks)?;
    for (id, record) in taken.iter_mut().filter(|(id, _)| withdrawn.contains(id)) {
        *record = store.delivery(id)?.unwrap_or_else(|| record.clone());
    }
    Ok(taken)
}

/// Its branch was deleted, as nobody had merged it.
fn is_branch_gone(record: &DeliveryRecord) -> bool {
    record.state == DeliveryState::RolledBack
        && record.merged.is_none()
        && matches!(record.how, Delivery::Branch | Delivery::Push)
}

/// Looks once more at what was withdrawn just now: its owner may have merged it after the look before that and
/// before its branch was gone. What was is taken back by a revert.
fn look_at_withdrawn(store: &mut Store, withdrawn: &BTreeSet<String>, hooks: &Hooks<'_>) -> Result<(), RolloutError> {
    if withdrawn.is_empty() {
        return Ok(());
    }
    observe(store, &Look { only: Some(withdrawn.clone()), ..Look::default() }, hooks.tell)?;
    let snapshot = Snapshot::read(store)?;
    let merged =
        |id: &&String| snapshot.deliveries.get(*id).is_some_and(|record| record.state == DeliveryState::RollingBack);
    for id in withdrawn.iter().filter(merged) {
        take_back(store, &snapshot, id, &snapshot.deliveries[id].because, hooks)?;
    }
    Ok(())
}

/// The same of one that was withdrawn alone; `record` says what was seen.
pub(super) fn look_once_more(
    store: &mut Store,
    id: &str,
    record: &mut DeliveryRecord,
    hooks: &Hooks<'_>,
) -> Result<(), RolloutError> {
    if is_branch_gone(record) {
        look_at_withdrawn(store, &[id.to_owned()].into(), hooks)?;
        *record = store.delivery(id)?.unwrap_or_else(|| record.clone());
    }
    Ok(())
}

/// Takes back one delivery; where that led, `None` where nothing is out, or nobody can tell what is.
fn take_back(
    store: &mut Store,
    snapshot: &Snapshot,
    id: &str,
    because: &str,
    hooks: &Hooks<'_>,
) -> Result<Option<DeliveryRecord>, RolloutError> {
    // Read now: what shares a branch with another one may have moved with it.
    let Some(mut record) = store.delivery(id)?.filter(|record| !is_unclear(record)) else { return Ok(None) };
    if is_only_below(&record) {
        deliver::put_below(store, id, &mut record, None)?;
    }
    if !out_there(&record.state) && !record.state.is_thrown_away() {
        return Ok(None);
    }
    let workspace = workspace(snapshot, id)?;
    let (versions, under) = files_of(store, id, &record)?;
    let set = change_set(&workspace.place, &versions);
    let shipment = Shipment { under: &under, ..shipment(workspace, &versions, &set) };
    if record.state.is_thrown_away() {
        return Ok(match deliver::sweep(store, &shipment, &record)? {
            Ok(true) => Some(record),
            // Its wave waits for that.
            Err(Obstacle::Away(_)) => Some(DeliveryRecord { state: DeliveryState::RollingBack, ..record }),
            Ok(false) | Err(_) => None,
        });
    }
    deliver::roll_back(store, &shipment, &mut record, (because, hooks))?;
    if record.state == DeliveryState::RolledBack {
        note_doubt(store, id, deliver::committed(&shipment, &record))?;
    }
    let state = &record.state;
    (hooks.tell)(Event::Shipped { workspace: id, state });
    Ok(Some(record))
}

/// Its correction is not there any more, and what was merged under it is.
pub(super) fn is_only_below(record: &DeliveryRecord) -> bool {
    record.over.is_some() && record.state.is_thrown_away()
}
