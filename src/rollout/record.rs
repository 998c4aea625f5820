//! The record of a change set before anything of it is out: its folder, its branch, its words,
//! and what it takes the place of.
//!
//! Must not: read or write the state.

use std::collections::BTreeSet;

use super::{Request, deliver};
use crate::changeset::{ChangeSet, Side};
use crate::config::{BranchPer, Delivery};
use crate::digest::Digest;
use crate::state::{DeliveryRecord, DeliveryState, Earlier};
use crate::workspace::{Consumer, EntityRef, Source};

/// The consumers of a workspace.
pub(super) fn consumers_of<'a>(request: &Request<'a>, id: &str) -> Vec<&'a Consumer> {
    let fleet = request.fleet;
    let index = fleet.workspaces.iter().position(|w| w.id == id);
    fleet.consumers.iter().filter(|c| matches!(c.source, Source::Workspace(i) if Some(i) == index)).collect()
}

/// Folders and branches are named by the first consumer of a workspace.
pub(super) fn slug(consumers: &[&Consumer]) -> String {
    let first = consumers.first();
    first.map_or_else(|| "unnamed".to_owned(), |consumer| consumer.entity.slug())
}

/// How many change sets are kept of which an owner may still merge one. Each is one that was out
/// and was made anew over code that had moved on.
const MOST_EARLIER: usize = 1000;

/// The change sets that were out before this one and that an owner may still merge, the newest
/// first. What was merged and taken back is over.
pub(super) fn earlier(over: Option<&DeliveryRecord>, past: &[DeliveryRecord]) -> Vec<Earlier> {
    let over = over.filter(|over| over.merged.is_none());
    let mut all: Vec<Earlier> = Vec::new();
    for one in over.into_iter().chain(past.iter().filter(|one| one.merged.is_none())) {
        let out = one.branch.as_ref().is_some_and(|(_, commit)| commit.is_some());
        all.extend(out.then(|| Earlier::of(one)));
        all.extend(one.earlier.iter().cloned());
    }
    let mut seen = BTreeSet::new();
    all.retain(|one| seen.insert((one.change_id, one.commit.clone())));
    all.truncate(MOST_EARLIER);
    all
}

/// The record of a change set that is about to be made, over one that is out, where there is one.
pub(super) fn new_record(
    request: &Request<'_>,
    wave: u32,
    consumers: &[&Consumer],
    set: &ChangeSet,
    over: Option<&DeliveryRecord>,
) -> DeliveryRecord {
    let how = request.migration.deliver.how;
    let slug = slug(consumers);
    // What was merged keeps its branch; what corrects it has one of its own.
    let number = over.map_or(0, |over| over.number + u32::from(over.merged.is_some()));
    let owner = consumers.first().and_then(|consumer| consumer.owner.as_ref());
    let (branch, shared) = match request.migration.deliver.branch_per {
        BranchPer::Owner if number == 0 => (format!("wave-{wave}.{}", owner_part(owner)), true),
        BranchPer::Wave if number == 0 => (format!("wave-{wave}"), true),
        _ if number == 0 => (branch_part(&slug), false),
        // What corrects a merged change set is one consumer's alone.
        _ => (numbered(request, &branch_part(&slug), number + 1), false),
    };
    let shared = shared && matches!(how, Delivery::Branch | Delivery::Push);
    let branch = format!("gander/{}/{branch}", request.migration.id);
    // Made anew, it stays on the branch that it is on.
    let before = over.filter(|over| over.merged.is_none());
    let same = before.and_then(|over| over.branch.as_ref());
    let branch = same.map_or(branch, |(name, _)| name.clone());
    let shared = before.map_or(shared, |over| over.shared);
    let folder = format!("change-sets/held/{slug}");
    let digests = (set.id(), set.digest(Side::Before), set.digest(Side::After));
    DeliveryRecord {
        state: over.map_or(DeliveryState::Waiting, |over| over.state.clone()),
        branch: matches!(how, Delivery::Branch | Delivery::Push).then_some((branch, None)),
        replaces: before.and_then(|over| over.branch.as_ref()).and_then(|(_, commit)| commit.clone()),
        // What could not be pushed in its place counts on.
        tries: before.map_or(0, |before| before.tries),
        again: before.and_then(|before| before.again),
        away: before.and_then(|before| before.away.clone()),
        number,
        over: over.and_then(|over| match over.merged {
            Some(_) => {
                let below = DeliveryRecord { state: DeliveryState::Delivered, correction: None, ..over.clone() };
                Some(Box::new(below))
            }
            None => over.over.clone(),
        }),
        shared,
        ..DeliveryRecord::waiting(how, wave, folder, digests)
    }
}

/// The part of a branch that names a later change set of a consumer: one that names no other consumer.
pub(super) fn numbered(request: &Request<'_>, part: &str, number: u32) -> String {
    let usual = format!("{part}-{number}");
    let is_taken = request.fleet.consumers.iter().any(|one| branch_part(&one.entity.slug()) == usual);
    // No consumer's part holds a plus.
    if is_taken { format!("{part}+{number}") } else { usual }
}

/// The part of a branch that names an owner.
fn owner_part(owner: Option<&EntityRef>) -> String {
    let Some(owner) = owner else { return "nobody".to_owned() };
    let plain = owner.as_str().strip_prefix("group:default/");
    let plain = plain.filter(|name| name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')));
    plain.map_or_else(|| branch_part(&owner.slug()), str::to_owned)
}

/// The record of a workspace of which nothing is known yet.
pub(super) fn blank_record(request: &Request<'_>, wave: u32, id: &str, set: &ChangeSet) -> DeliveryRecord {
    let consumers = consumers_of(request, id);
    let folder = format!("change-sets/wave-{wave}/{}", slug(&consumers));
    DeliveryRecord { folder, ..new_record(request, wave, &consumers, set, None) }
}

/// git takes no `..`, no `.lock` and no dot at the end of a name.
fn branch_part(slug: &str) -> String {
    if !slug.contains("..") && !slug.ends_with('.') && !slug.to_lowercase().ends_with(".lock") {
        return slug.to_owned();
    }
    let digest = Digest::of(slug.as_bytes()).short();
    format!("{}-{digest}", slug.replace('.', "-"))
}

pub(super) fn message(request: &Request<'_>, set: &ChangeSet) -> String {
    format!("{}\n\n{}", head(request), deliver::trailer(&set.id()))
}

/// A commit's message, but for what names its changes.
pub(super) fn head(request: &Request<'_>) -> String {
    let title = &request.migration.title;
    match &request.migration.guide {
        Some(guide) => format!("{title}\n\nGuide: {guide}"),
        None => title.clone(),
    }
}
