//! A second run over what a first one delivered: which of the changes in the
//! working trees are gander's own.

use std::collections::BTreeMap;

use super::RolloutError;
use super::bind::verify_digest;
use super::deliver::{is_own, own_writes};
use super::snapshot::verdict_key;
use crate::config::{Delivery, Migration};
use crate::files;
use crate::state::{DeliveryState, Store};
use crate::transform::WorkspacePlan;
use crate::workspace::{Fleet, Pin, Workspace};

/// A workspace whose change set is in place: what was recorded when it was pinned.
#[derive(Clone, Debug)]
pub struct Settled {
    /// The bytes that it was planned from; they may no longer be on disk.
    pub pin: Option<Pin>,
    /// The plan that was made of them.
    pub plan: WorkspacePlan,
    /// The commit and the tree that it is to be verified as, where those are not what lies there now.
    pub at: Option<(String, String)>,
}

/// Between discover and transform: takes the paths that gander itself changed out
/// of [`crate::workspace::GitPlace::dirty`], and gives, by index, the workspaces
/// that must not be transformed again because their change set is in place and
/// their pinned bytes are gone: delivered into a folder without git, or committed
/// by their owner since; and those that are merged and have to be
/// verified once more: their state was lost, or it is done in another way. The composition puts their recorded plans in the place of
/// new ones.
///
/// # Errors
/// Where the state can't be read.
pub fn settle(
    store: &Store,
    migration: &Migration,
    fleet: &mut Fleet,
) -> Result<BTreeMap<usize, Settled>, RolloutError> {
    let own = own_writes(store)?;
    let deliveries = store.deliveries()?;
    let mut settled = BTreeMap::new();
    if deliveries.is_empty() {
        return Ok(settled);
    }
    let mut recorded = store.workspaces::<WorkspacePlan>()?;
    let judged = match deliveries.values().any(|one| one.merged.is_some()) {
        true => store.verdict_keys()?,
        false => Default::default(),
    };
    let steps = verify_digest(store.binding()?.as_ref(), migration);
    for (index, workspace) in fleet.workspaces.iter_mut().enumerate() {
        let root = &workspace.root;
        if let Some(git) = &mut workspace.git {
            git.dirty.retain(|path| !is_own(&own, &root.join(path)));
        }
        let Some(delivery) = deliveries.get(&workspace.id) else {
            continue;
        };
        let Some(record) = recorded.remove(&workspace.id) else {
            continue;
        };
        let key = (workspace.id.clone(), verdict_key(&record.plan_digest, &steps).to_string());
        if delivery.merged.is_some() && delivery.state == DeliveryState::Delivered && !judged.contains(&key) {
            // Lost, or to be verified in another way: as what it was made of.
            if let Some(Pin::Commit { commit, tree }) = record.pin.clone().filter(|_| workspace.git.is_some()) {
                let (pin, plan, at) = (record.pin, record.plan, Some((commit, tree)));
                settled.insert(index, Settled { pin, plan, at });
                continue;
            }
        }
        let in_place = match delivery.state {
            // Half of it may be there: the journal knows, the bytes do not tell.
            DeliveryState::Delivering | DeliveryState::RollingBack => delivery.how == Delivery::Checkout,
            DeliveryState::Delivered => is_in_place(store, workspace)?,
            _ => false,
        };
        let (pin, plan) = (record.pin, record.plan);
        if in_place && !can_be_read_again(workspace, pin.as_ref()) {
            settled.insert(index, Settled { pin, plan, at: None });
        }
    }
    Ok(settled)
}

/// Every file of the change set is as it was delivered.
fn is_in_place(store: &Store, workspace: &Workspace) -> Result<bool, RolloutError> {
    let versions = store.versions(&workspace.id)?;
    Ok(versions.iter().all(|version| {
        let found = files::read_below(&workspace.root, &version.path);
        found.is_ok_and(|found| found == version.after)
    }))
}

/// The pinned bytes are those of the commit that git has checked out.
fn can_be_read_again(workspace: &Workspace, pin: Option<&Pin>) -> bool {
    match (pin, &workspace.git) {
        (Some(Pin::Commit { tree, .. }), Some(git)) => *tree == git.tree,
        _ => false,
    }
}
