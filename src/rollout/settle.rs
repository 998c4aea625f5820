//! A second run over what a first one delivered: which of the changes in the
//! working trees are gander's own.

use std::collections::BTreeMap;

use super::RolloutError;
use super::deliver::{is_own, own_writes};
use crate::config::Delivery;
use crate::state::{DeliveryState, Store};
use crate::transform::WorkspacePlan;
use crate::workspace::{Fleet, Pin};

/// A workspace that is delivered into its working tree and has no commit to be
/// read from again: what was recorded when it was pinned.
#[derive(Clone, Debug)]
pub struct Settled {
    /// The bytes that it was planned from; they are no longer on disk.
    pub pin: Option<Pin>,
    /// The plan that was made of them.
    pub plan: WorkspacePlan,
}

/// Between discover and transform: takes the paths that gander itself changed out
/// of [`crate::workspace::GitPlace::dirty`], and gives, by index, the workspaces
/// that must not be transformed again because their pinned bytes were replaced.
/// The composition puts their recorded plans in the place of new ones.
///
/// # Errors
/// Where the state can't be read.
pub fn settle(store: &Store, fleet: &mut Fleet) -> Result<BTreeMap<usize, Settled>, RolloutError> {
    let own = own_writes(store)?;
    let mut settled = BTreeMap::new();
    if own.is_empty() {
        return Ok(settled);
    }
    let deliveries = store.deliveries()?;
    let mut recorded = store.workspaces::<WorkspacePlan>()?;
    for (index, workspace) in fleet.workspaces.iter_mut().enumerate() {
        let root = &workspace.root;
        if let Some(git) = &mut workspace.git {
            git.dirty.retain(|path| !is_own(&own, &root.join(path)));
        }
        let delivered = deliveries.get(&workspace.id).is_some_and(|record| {
            let active = matches!(
                record.state,
                DeliveryState::Delivered | DeliveryState::Delivering | DeliveryState::RollingBack
            );
            record.how == Delivery::Checkout && active
        });
        let Some(record) = recorded.remove(&workspace.id).filter(|_| delivered) else {
            continue;
        };
        if !matches!(record.pin, Some(Pin::Commit { .. })) {
            let (pin, plan) = (record.pin, record.plan);
            settled.insert(index, Settled { pin, plan });
        }
    }
    Ok(settled)
}
