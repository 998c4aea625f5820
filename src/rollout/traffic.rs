//! What is open and what went out of late, by what is on record.

use std::collections::BTreeSet;

use super::pace::Traffic;
use super::snapshot::Snapshot;
use super::{Request, RolloutError};
use crate::config::Delivery;
use crate::state::{DeliveryRecord, DeliveryState, Store};

/// What is open, and what went out within the hour.
pub(super) fn traffic(store: &Store, request: &Request<'_>, snapshot: &Snapshot) -> Result<Traffic, RolloutError> {
    let calendar = &request.migration.rollout.calendar;
    let mut traffic = Traffic::default();
    if calendar.per_hour.is_some() {
        traffic.recent = store.deliveries_since(store.now() - 3600)?;
    }
    if calendar.max_open.is_some() {
        let out = snapshot.deliveries.values().filter(|record| is_open(record));
        let (shared, alone): (Vec<_>, Vec<_>) = out.partition(|record| record.shared);
        let shared: BTreeSet<_> = shared.into_iter().map(|record| (&record.remote, &record.branch)).collect();
        traffic.open = (alone.len() + shared.len()) as u64;
    }
    Ok(traffic)
}

/// Whether somebody has to act on it: nobody has on a patch in gander's own folder, or on a
/// file in place.
pub(super) fn is_open(record: &DeliveryRecord) -> bool {
    use DeliveryState as D;
    let is_made = record.branch.as_ref().is_some_and(|(_, commit)| commit.is_some());
    let stands = match &record.state {
        D::Delivered | D::Edited(_) | D::Superseded | D::Conflict(_) => record.merged.is_none(),
        // Its revert waits for them.
        D::RollingBack => record.revert.is_some(),
        _ => false,
    };
    stands && is_made && matches!(record.how, Delivery::Branch | Delivery::Push) && !record.departed
}
