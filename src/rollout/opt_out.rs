//! Owners who want no change after all, once it is out: what nobody has merged or gone on with is
//! withdrawn; of the rest its row says that they came too late.

use std::collections::{BTreeMap, BTreeSet};

use super::back::take_back_all;
use super::observe::{Look, is_unclear, observe};
use super::ship::{OPTED_OUT, change_set, shipment, workspace};
use super::snapshot::Snapshot;
use super::versions::files_of;
use super::{Request, RolloutError, deliver};
use crate::config::Delivery;
use crate::state::{DeliveryRecord, DeliveryState, Entry, Store};

/// Heeds those who opt out of what is out.
///
/// # Errors
/// Where the state can't be used.
pub(super) fn heed_owners(store: &mut Store, request: &Request<'_>) -> Result<(), RolloutError> {
    if !request.only.is_empty() {
        return Ok(()); // a run of all heeds them
    }
    let places = request.fleet.workspaces.iter().enumerate();
    let index: BTreeMap<&str, usize> = places.map(|(index, place)| (place.id.as_str(), index)).collect();
    let mut said: Vec<(String, Option<String>)> = Vec::new();
    let mut goes: BTreeSet<String> = BTreeSet::new();
    for (id, record) in store.deliveries()? {
        let Some(index) = index.get(id.as_str()).filter(|_| is_out(&record)) else { continue };
        let why = (request.opted_out)(*index);
        if why.is_some() && is_open(&record) {
            goes.insert(id.clone());
        }
        if why.is_some() || record.opted_out.is_some() {
            said.push((id, why));
        }
    }
    if !goes.is_empty() {
        // What they merged under another name is told by its files.
        let look = Look { only: Some(goes.clone()), closely: true, ..Look::at(request) };
        observe(store, &look, request.tell)?;
    }
    let because = |(id, why): &'_ (String, Option<String>)| {
        let why = why.as_ref().filter(|_| goes.contains(id))?;
        Some((id.clone(), format!("{OPTED_OUT}{why}")))
    };
    withdraw(store, request, &said.iter().filter_map(because).collect::<Vec<_>>())?;
    for (id, why) in said {
        note(store, &id, why)?;
    }
    Ok(())
}

/// Whether anything of it is with its owner, and stays there by itself.
fn is_out(record: &DeliveryRecord) -> bool {
    use DeliveryState as D;
    matches!(record.state, D::Delivered | D::Edited(_) | D::Superseded)
}

/// Whether its owner has not touched it.
fn is_open(record: &DeliveryRecord) -> bool {
    is_out(record)
        && !matches!(record.state, DeliveryState::Edited(_))
        && record.merged.is_none()
        && !is_unclear(record)
}

/// Withdraws those that their owners have not touched, each with why.
fn withdraw(store: &mut Store, request: &Request<'_>, all: &[(String, String)]) -> Result<(), RolloutError> {
    if all.is_empty() {
        return Ok(());
    }
    let snapshot = Snapshot::read(store)?;
    let mut back: Vec<(&str, &str)> = Vec::new();
    for (id, because) in all {
        let Some(record) = snapshot.deliveries.get(id).filter(|record| is_open(record)) else { continue };
        let place = workspace(&snapshot, id)?;
        let (versions, under) = files_of(store, id, record)?;
        let set = change_set(&place.place, &versions);
        let shipment = deliver::Shipment { under: &under, ..shipment(place, &versions, &set) };
        if record.over.is_some() {
            deliver::step_down(store, &shipment, &mut record.clone(), because)?;
            continue;
        }
        let is_theirs = match record.how {
            // Who has committed what gander wrote, or applied a patch, has taken it.
            Delivery::Checkout | Delivery::Patches => {
                deliver::committed(&shipment, record).is_some() || deliver::try_back(&shipment, record).is_err()
            }
            Delivery::Branch | Delivery::Push => false,
        };
        if !is_theirs {
            back.push((id, because));
        }
    }
    take_back_all(store, &snapshot, &back, &request.hooks()).map(drop)
}

/// Puts on record that an owner opted out too late, or does so no more, where that is news.
fn note(store: &mut Store, id: &str, why: Option<String>) -> Result<(), RolloutError> {
    let Some(record) = store.delivery(id)? else { return Ok(()) };
    let opted_out = why.filter(|_| is_out(&record));
    if record.opted_out == opted_out {
        return Ok(());
    }
    let said = opted_out.as_ref().map_or_else(|| "it opts out no more".to_owned(), |why| format!("{OPTED_OUT}{why}"));
    Ok(store.record_delivery(id, &DeliveryRecord { opted_out, ..record }, &Entry::of("opt-out", id, said))?)
}

/// What is said of one whose owner opts out of what they have.
pub(super) fn too_late(record: &DeliveryRecord, entity: &str) -> Option<String> {
    let why = record.opted_out.as_ref().filter(|_| is_out(record) && !is_unclear(record))?;
    let back = match record.state {
        DeliveryState::Edited(_) if record.merged.is_none() => {
            "its owner goes on with the branch: deleting that takes it back".to_owned()
        }
        _ => format!("`gander rollback --consumer {entity}` takes it back"),
    };
    Some(format!("its owner opts out since, too late for what they have ({why}): {back}"))
}
