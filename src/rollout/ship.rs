//! Verified change sets on their way to where the policy lets them go.

use std::collections::BTreeMap;
use std::sync::{Mutex, mpsc};

use rayon::prelude::*;

use super::deliver::{self, Papers, Shipment, Target};
use super::ledger::Snapshot;
use super::outcome::disposition;
use super::pace::{self, Traffic};
use super::versions::versions_of;
use super::{Event, Request, RolloutError, Staged};
use crate::changeset::{self, ChangeSet, Side};
use crate::config::{Delivery, Disposition};
use crate::digest::Digest;
use crate::files;
use crate::state::{DeliveryRecord, DeliveryState, Store, Wait, WaitFor, WorkspaceRecord};
use crate::transform::WorkspacePlan;
use crate::verify::Verdict;
use crate::workspace::{Consumer, EntityRef, FileVersion, Source, Workspace};

/// How many change sets are held in memory and proven at once.
const AT_ONCE: usize = 64;

/// How many are pushed at once: each waits for another machine most of the time.
const PUSHES: usize = 16;

/// After how many seconds a remote that was away is asked again.
pub(super) const AWAY: i64 = 60;

/// A change set with all that is known of it.
struct Parcel<'a> {
    id: &'a str,
    workspace: &'a WorkspaceRecord<WorkspacePlan>,
    consumers: Vec<&'a Consumer>,
    verdict: &'a Verdict,
    versions: Vec<FileVersion>,
    set: ChangeSet,
    /// The record of a delivery that was interrupted.
    begun: Option<&'a DeliveryRecord>,
}

/// Brings each verified change set to where the policy lets it go: proven many at once,
/// begun one after the other, in their order; pushed many at once.
pub(super) fn ship_all(
    store: &mut Store,
    request: &Request<'_>,
    snapshot: &Snapshot,
    wave: u32,
    members: &[&str],
) -> Result<Vec<Wait>, RolloutError> {
    let mut waits: Vec<Wait> = Vec::new();
    let mut traffic = traffic(store, request, snapshot)?;
    for members in members.chunks(AT_ONCE) {
        let mut parcels = Vec::with_capacity(members.len());
        for member in members {
            parcels.extend(pack(store, request, snapshot, wave, member)?);
        }
        let proofs: Vec<Option<String>> = parcels
            .par_iter()
            .map(|parcel| changeset::prove(&parcel.versions, &parcel.set).err())
            .map(|error| error.map(|error| format!("its patches were not proven: {error}")))
            .collect();
        let mut begun = Vec::new();
        for (parcel, unproven) in parcels.iter().zip(proofs) {
            if crate::interrupt::wanted() {
                break; // the next run goes on here
            }
            let owner = parcel.consumers.first().and_then(|consumer| consumer.owner.as_ref());
            let calendar = &request.migration.rollout.calendar;
            let barred = pace::barred(calendar, owner.map(EntityRef::as_str), &traffic, store.now());
            // What was begun is finished, and what is kept back touches nobody.
            match barred.filter(|_| parcel.begun.is_none_or(|record| record.state != DeliveryState::Delivering)) {
                Some(wait) if goes_out(request, snapshot, parcel) => {
                    if !waits.contains(&wait) {
                        waits.push(wait);
                    }
                }
                _ => match send_off(store, request, wave, parcel, unproven)? {
                    Sent::Ended(state) => {
                        if state == DeliveryState::Delivered {
                            traffic.open += 1;
                            traffic.recent.push(store.now());
                        }
                    }
                    Sent::Begun(delivery) => {
                        traffic.open += 1;
                        traffic.recent.push(store.now());
                        begun.push(*delivery);
                    }
                },
            }
        }
        push_all(store, request, begun, &mut waits)?;
        if crate::interrupt::wanted() {
            return Ok(waits);
        }
    }
    Ok(waits)
}

/// A delivery that is in the journal and not made yet.
struct Begun<'p> {
    parcel: &'p Parcel<'p>,
    folder: BTreeMap<String, Vec<u8>>,
    message: String,
    record: DeliveryRecord,
}

/// What came of sending a parcel off.
enum Sent<'p> {
    /// Its delivery is over, one way or the other.
    Ended(DeliveryState),
    /// It is in the journal, and made together with others.
    Begun(Box<Begun<'p>>),
}

/// Makes many deliveries at once that wait for other machines, and records each as soon
/// as it has ended. Those whose remote is away are waited for.
fn push_all(
    store: &mut Store,
    request: &Request<'_>,
    begun: Vec<Begun<'_>>,
    waits: &mut Vec<Wait>,
) -> Result<(), RolloutError> {
    let (state, author, time) = (store.folder().to_owned(), request.migration.deliver.author.as_deref(), store.now());
    let queue = Mutex::new(begun.into_iter());
    let (send, ended) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..PUSHES {
            let (send, queue, state) = (send.clone(), &queue, &state);
            scope.spawn(move || {
                while let Some(mut one) = queue.lock().ok().and_then(|mut queue| queue.next()) {
                    let papers = Papers { folder: &one.folder, message: &one.message, author, time };
                    let shipment = shipment(one.parcel.workspace, &one.parcel.versions, &one.parcel.set);
                    let made = deliver::make(state, &shipment, &papers, &mut one.record);
                    // Where nobody listens any more, the state could not be written.
                    if send.send((one, made)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(send);
        for (mut one, made) in ended {
            deliver::finish(store, one.parcel.id, &mut one.record, made)?;
            let state = &one.record.state;
            if *state == DeliveryState::Delivering {
                let why = format!("the remote of {} can't be reached", one.parcel.id);
                waits.push(Wait { what: WaitFor::Remote, until: Some(store.now() + AWAY), why });
            }
            (request.tell)(Event::Shipped { workspace: one.parcel.id, state });
        }
        Ok(())
    })
}

/// What is open, and what went out within the hour.
fn traffic(store: &Store, request: &Request<'_>, snapshot: &Snapshot) -> Result<Traffic, RolloutError> {
    let calendar = &request.migration.rollout.calendar;
    let mut traffic = Traffic::default();
    if calendar.per_hour.is_some() {
        traffic.recent = store.deliveries_since(store.now() - 3600)?;
    }
    if calendar.max_open.is_some() {
        let out = snapshot.deliveries.values().filter(|record| record.state == DeliveryState::Delivered);
        // Nobody has to act on a patch in gander's own folder, or on a file in place.
        traffic.open = out.filter(|record| matches!(record.how, Delivery::Branch | Delivery::Push)).count() as u64;
    }
    Ok(traffic)
}

/// The policy, or a person, lets it out.
fn goes_out(request: &Request<'_>, snapshot: &Snapshot, parcel: &Parcel<'_>) -> bool {
    let result = &parcel.workspace.plan.result;
    let flagged = !parcel.verdict.flags.is_empty();
    let disposition = disposition(result, parcel.verdict.kind, flagged, &request.migration.policy).0;
    disposition == Disposition::Deliver || parcel.begun.is_some_and(|record| snapshot.approved(parcel.id, record))
}

/// Both ends of a workspace's files; nothing where there is no verdict yet or its
/// delivery came to an end already.
fn pack<'a>(
    store: &mut Store,
    request: &Request<'a>,
    snapshot: &'a Snapshot,
    wave: u32,
    id: &'a str,
) -> Result<Option<Parcel<'a>>, RolloutError> {
    let begun = snapshot.deliveries.get(id);
    if let (Some(excluded), None) = (snapshot.excluded(id), begun) {
        let mut record = new_record(request, wave, &consumers_of(request, id), &ChangeSet::new(&[], ""));
        let reason = format!("excluded by {}: {}", excluded.actor, excluded.reason);
        deliver::keep(store, id, &mut record, DeliveryState::Refused(reason), "excluded")?;
        return Ok(None);
    }
    if begun.is_none()
        && let Some(index) = request.fleet.workspaces.iter().position(|w| w.id == id)
        && let Some(reason) = (request.opted_out)(index)
    {
        let mut record = new_record(request, wave, &consumers_of(request, id), &ChangeSet::new(&[], ""));
        deliver::keep(store, id, &mut record, DeliveryState::Refused(format!("it opts out: {reason}")), "it opts out")?;
        return Ok(None);
    }
    let Some(verdict) = snapshot.verdict(id) else {
        return Ok(None);
    };
    let goes = |record: &DeliveryRecord| record.state == DeliveryState::Delivering || snapshot.approved(id, record);
    if !begun.is_none_or(goes) {
        return Ok(None);
    }
    let workspace = workspace(snapshot, id)?;
    let consumers = consumers_of(request, id);
    let versions = match begun {
        Some(_) => store.versions(id)?,
        None => match fresh_versions(request, id, &workspace.plan) {
            Ok(versions) => versions,
            Err(reason) => {
                let empty = ChangeSet::new(&[], "");
                let mut record = new_record(request, wave, &consumers, &empty);
                deliver::keep(store, id, &mut record, DeliveryState::Failed(reason), "it could not be staged")?;
                return Ok(None);
            }
        },
    };
    let set = change_set(&workspace.place, &versions);
    Ok(Some(Parcel { id, workspace, consumers, verdict, versions, set, begun }))
}

/// The record of a delivery that is about to be begun, and how it is to be kept back
/// where it is.
fn record_of(request: &Request<'_>, wave: u32, parcel: &Parcel<'_>) -> (DeliveryRecord, Option<DeliveryState>) {
    if let Some(begun) = parcel.begun {
        // One that was approved leaves the folder of what is held.
        let folder = format!("change-sets/wave-{wave}/{}", slug(&parcel.consumers));
        return (DeliveryRecord { folder, ..begun.clone() }, None);
    }
    let result = &parcel.workspace.plan.result;
    let (disposition, why) =
        disposition(result, parcel.verdict.kind, !parcel.verdict.flags.is_empty(), &request.migration.policy);
    let kept = match disposition {
        Disposition::Deliver => None,
        Disposition::Hold => Some(DeliveryState::Held(format!("held: {why}"))),
        Disposition::Approve => Some(DeliveryState::AwaitingApproval(format!("waits for approval: {why}"))),
    };
    let folder = if kept.is_some() { "held".to_owned() } else { format!("wave-{wave}") };
    let folder = format!("change-sets/{folder}/{}", slug(&parcel.consumers));
    (DeliveryRecord { folder, ..new_record(request, wave, &parcel.consumers, &parcel.set) }, kept)
}

fn send_off<'p>(
    store: &mut Store,
    request: &Request<'_>,
    wave: u32,
    parcel: &'p Parcel<'p>,
    unproven: Option<String>,
) -> Result<Sent<'p>, RolloutError> {
    let (id, set) = (parcel.id, &parcel.set);
    let (mut record, kept) = record_of(request, wave, parcel);
    let kept_back = match &kept {
        Some(DeliveryState::Held(reason) | DeliveryState::AwaitingApproval(reason)) => Some(reason.clone()),
        _ => None,
    };
    let folder = (request.describe)(&Staged {
        migration: request.migration,
        consumers: &parcel.consumers,
        place: &parcel.workspace.place,
        plan: &parcel.workspace.plan,
        verdict: parcel.verdict,
        versions: &parcel.versions,
        set,
        wave,
        kept_back: kept_back.as_deref(),
    });
    if parcel.begun.is_none() {
        store.record_versions(id, &parcel.versions)?;
    }
    if let Some(unproven) = unproven {
        deliver::keep(store, id, &mut record, DeliveryState::Failed(unproven), "the proof failed")?;
    } else if let Some(kept) = kept {
        hold(store, id, &mut record, kept, &folder)?;
    } else {
        let message = message(request, set);
        let shipment = shipment(parcel.workspace, &parcel.versions, set);
        let held = store.folder().join("change-sets/held").join(slug(&parcel.consumers));
        // A leftover of an earlier verdict is no reason to fail.
        let _ = files::remove_folder(&held);
        let target = Target { remote: &request.migration.deliver.remote, protocols: &request.migration.code.protocols };
        if deliver::begin(store, &shipment, &target, &mut record)? {
            if record.how == Delivery::Push {
                return Ok(Sent::Begun(Box::new(Begun { parcel, folder, message, record })));
            }
            let author = request.migration.deliver.author.as_deref();
            let papers = Papers { folder: &folder, message: &message, author, time: store.now() };
            let made = deliver::make(store.folder(), &shipment, &papers, &mut record);
            deliver::finish(store, id, &mut record, made)?;
        }
    }
    (request.tell)(Event::Shipped { workspace: id, state: &record.state });
    Ok(Sent::Ended(record.state))
}

/// Writes the folder of a change set that is kept back, for a person to look at.
fn hold(
    store: &mut Store,
    id: &str,
    record: &mut DeliveryRecord,
    kept: DeliveryState,
    folder: &BTreeMap<String, Vec<u8>>,
) -> Result<(), RolloutError> {
    let place = store.folder().join(&record.folder);
    let written = files::write_folder_whole(&place, folder);
    let state = written.map_or_else(|error| DeliveryState::Failed(error.to_string()), |()| kept);
    deliver::keep(store, id, record, state, "kept back")
}

fn fresh_versions(request: &Request<'_>, id: &str, plan: &WorkspacePlan) -> Result<Vec<FileVersion>, String> {
    let index = request.fleet.workspaces.iter().position(|w| w.id == id);
    let index = index.ok_or_else(|| "its workspace is not in the fleet".to_owned())?;
    versions_of(plan, &|path| (request.read_pinned)(index, path)).map_err(|error| error.to_string())
}

pub(super) fn workspace<'a>(
    snapshot: &'a Snapshot,
    id: &str,
) -> Result<&'a WorkspaceRecord<WorkspacePlan>, RolloutError> {
    let found = snapshot.workspaces.get(id);
    found.ok_or_else(|| RolloutError::UnknownWorkspace { workspace: id.to_owned() })
}

fn consumers_of<'a>(request: &Request<'a>, id: &str) -> Vec<&'a Consumer> {
    let fleet = request.fleet;
    let index = fleet.workspaces.iter().position(|w| w.id == id);
    fleet.consumers.iter().filter(|c| matches!(c.source, Source::Workspace(i) if Some(i) == index)).collect()
}

/// Folders and branches are named by the first consumer of a workspace.
fn slug(consumers: &[&Consumer]) -> String {
    let first = consumers.first();
    first.map_or_else(|| "unnamed".to_owned(), |consumer| consumer.entity.slug())
}

pub(super) fn change_set(place: &Workspace, versions: &[FileVersion]) -> ChangeSet {
    let prefix = place.git.as_ref().map_or("", |git| git.prefix.as_str());
    ChangeSet::new(versions, prefix)
}

pub(super) fn shipment<'a>(
    workspace: &'a WorkspaceRecord<WorkspacePlan>,
    versions: &'a [FileVersion],
    set: &'a ChangeSet,
) -> Shipment<'a> {
    Shipment { place: &workspace.place, pin: workspace.pin.as_ref(), versions, set }
}

fn new_record(request: &Request<'_>, wave: u32, consumers: &[&Consumer], set: &ChangeSet) -> DeliveryRecord {
    let how = request.migration.deliver.how;
    let slug = slug(consumers);
    let branch = format!("gander/{}/{}", request.migration.id, branch_part(&slug));
    DeliveryRecord {
        state: DeliveryState::Waiting,
        how,
        wave,
        folder: format!("change-sets/held/{slug}"),
        change_id: set.id(),
        before: set.digest(Side::Before),
        after: set.digest(Side::After),
        branch: matches!(how, Delivery::Branch | Delivery::Push).then_some((branch, None)),
        remote: None,
        replaces: None,
        tries: 0,
    }
}

/// git takes no `..`, no `.lock` and no dot at the end of a name.
fn branch_part(slug: &str) -> String {
    if !slug.contains("..") && !slug.ends_with('.') && !slug.to_lowercase().ends_with(".lock") {
        return slug.to_owned();
    }
    let digest = Digest::of(slug.as_bytes()).short();
    format!("{}-{digest}", slug.replace('.', "-"))
}

fn message(request: &Request<'_>, set: &ChangeSet) -> String {
    let guide = match &request.migration.guide {
        Some(guide) => format!("Guide: {guide}\n\n"),
        None => String::new(),
    };
    let (title, trailer) = (&request.migration.title, deliver::trailer(&set.id()));
    format!("{title}\n\n{guide}{trailer}")
}
