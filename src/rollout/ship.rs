//! Verified change sets on their way to where the policy lets them go.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, mpsc};

use rayon::prelude::*;

use super::deliver::{self, Papers, Shipment, Target};
use super::ledger::excluded_by;
use super::machine::consumer::Event as Move;
use super::outcome::{Marks, disposition};
use super::pace::{self, Traffic};
use super::requests::heed_urgent;
use super::shared::{self, Whose};
use super::snapshot::Snapshot;
use super::units;
use super::versions::versions_of;
use super::{Event, Request, RolloutError, Staged};
use crate::changeset::{self, ChangeSet, Side};
use crate::config::{BranchPer, Delivery, Disposition};
use crate::digest::Digest;
use crate::files;
use crate::state::{DecisionKind, DeliveryRecord, DeliveryState, Entry, Store, Wait, WaitFor, WorkspaceRecord};
use crate::transform::WorkspacePlan;
use crate::verify::{Strength, Verdict};
use crate::workspace::{Consumer, EntityRef, FileVersion, Source, Workspace};

/// How many change sets are held in memory and proven at once.
const AT_ONCE: usize = 64;

/// How many are pushed at once: each waits for another machine most of the time.
const PUSHES: usize = 16;

/// How the reason of a consumer begins whose owners want no change.
pub(super) const OPTED_OUT: &str = "it opts out: ";

/// A change set with all that is known of it.
pub(super) struct Parcel<'a> {
    pub id: &'a str,
    pub workspace: &'a WorkspaceRecord<WorkspacePlan>,
    consumers: Vec<&'a Consumer>,
    verdict: &'a Verdict,
    pub versions: Vec<FileVersion>,
    set: ChangeSet,
    /// The record of a delivery that was interrupted.
    begun: Option<&'a DeliveryRecord>,
    /// The record of an earlier change set that this one replaces.
    over: Option<&'a DeliveryRecord>,
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
    let mut stopped = false;
    // Branches that are open already: whoever joins one opens nothing.
    let mut open: BTreeSet<Whose> = BTreeSet::new();
    for (id, record) in snapshot.deliveries.iter().filter(|(_, record)| record.shared && is_open(record)) {
        open.extend(snapshot.workspaces.get(id).map(|place| Whose::of(record, &place.place)));
    }
    // What shares a branch is put there together.
    let at_once = match request.migration.deliver.branch_per {
        BranchPer::Consumer => AT_ONCE,
        BranchPer::Owner | BranchPer::Wave => members.len().max(1),
    };
    for members in members.chunks(at_once) {
        let mut parcels = Vec::with_capacity(members.len());
        for member in members {
            parcels.extend(pack(store, request, snapshot, wave, member)?);
        }
        let proofs: Vec<Option<String>> = parcels
            .par_iter()
            .map(|parcel| changeset::prove(&parcel.versions, &parcel.set).err())
            .map(|error| error.map(|error| format!("its patches were not proven: {error}")))
            .collect();
        let mut begun: Vec<Begun<'_>> = Vec::new();
        for (parcel, unproven) in parcels.iter().zip(proofs) {
            if crate::interrupt::wanted() || !heed_urgent(store, request.tell)? {
                stopped = true;
                break; // the next run goes on here
            }
            if excluded_since(store, request, snapshot, wave, parcel)? {
                continue;
            }
            // What is upstream is out before what is downstream goes.
            if begun.iter().any(|before| !before.record.shared && is_below(request, before.parcel, parcel)) {
                push_all(store, request, std::mem::take(&mut begun), &mut waits)?;
            }
            let owner = parcel.consumers.first().and_then(|consumer| consumer.owner.as_ref());
            let calendar = &request.migration.rollout.calendar;
            let joins = request.migration.deliver.branch_per != BranchPer::Consumer
                && open.iter().any(|one| one.is_that_of(&record_of(request, wave, parcel).0, &parcel.workspace.place));
            let now = if joins { Traffic { open: 0, ..traffic.clone() } } else { traffic.clone() };
            let barred = pace::barred(calendar, owner.map(EntityRef::as_str), &now, store.now());
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
                        let whose = Whose::of(&delivery.record, &delivery.parcel.workspace.place);
                        let joins = delivery.record.shared && !open.insert(whose);
                        traffic.open += u64::from(!joins);
                        traffic.recent.push(store.now());
                        begun.push(*delivery);
                    }
                },
            }
        }
        push_all(store, request, begun, &mut waits)?;
        if stopped {
            return Ok(waits);
        }
    }
    Ok(waits)
}

/// Keeps back whom somebody has excluded since the wave was looked at.
fn excluded_since(
    store: &mut Store,
    request: &Request<'_>,
    snapshot: &Snapshot,
    wave: u32,
    parcel: &Parcel<'_>,
) -> Result<bool, RolloutError> {
    let decision = store.decisions()?.remove(&(DecisionKind::Exclude, parcel.id.to_owned()));
    let Some(by) = decision else { return Ok(false) };
    match parcel.begun {
        // It is on its way.
        Some(begun) if begun.state == DeliveryState::Delivering => return Ok(false),
        // Whoever excluded it has put that on record.
        Some(_) => return Ok(true),
        None => {}
    }
    let excluded = (DeliveryState::Refused(excluded_by(&by)), "excluded");
    refuse(store, request, snapshot, (parcel.id, wave, parcel.over), excluded)?;
    Ok(true)
}

/// Whether a consumer of `parcel` consumes what one of `maker` makes.
fn is_below(request: &Request<'_>, maker: &Parcel<'_>, parcel: &Parcel<'_>) -> bool {
    let upstream = |consumer: &&Consumer| request.fleet.upstream.get(&consumer.entity);
    let makes = |name: &EntityRef| maker.consumers.iter().any(|consumer| consumer.entity == *name);
    parcel.consumers.iter().filter_map(upstream).any(|all| all.iter().any(makes))
}

/// A delivery that is in the journal and not made yet.
pub(super) struct Begun<'p> {
    pub parcel: &'p Parcel<'p>,
    pub folder: BTreeMap<String, Vec<u8>>,
    message: String,
    pub record: DeliveryRecord,
}

impl Begun<'_> {
    pub(super) fn shipment(&self) -> Shipment<'_> {
        shipment(self.parcel.workspace, &self.parcel.versions, &self.parcel.set)
    }
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
    let (shared, begun): (Vec<Begun<'_>>, Vec<Begun<'_>>) = begun.into_iter().partition(|one| one.record.shared);
    shared::deliver_together(store, shared, (&head(request), author), |store, one| ended(store, request, one, waits))?;
    let queue = Mutex::new(begun.into_iter());
    let (send, done) = mpsc::channel();
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
        for (mut one, made) in done {
            deliver::finish(store, one.parcel.id, &mut one.record, made)?;
            ended(store, request, &one, waits);
        }
        Ok(())
    })
}

/// Notes what follows from the end of a delivery.
fn ended(store: &Store, request: &Request<'_>, one: &Begun<'_>, waits: &mut Vec<Wait>) {
    let state = &one.record.state;
    if *state == DeliveryState::Delivering {
        let why = format!("the remote of {} can't be reached", one.parcel.id);
        waits.push(Wait { what: WaitFor::Remote, until: one.record.again, why });
    }
    if *state == DeliveryState::Superseded {
        let why = format!("the code of {} moved on at its remote: its change set is made anew", one.parcel.id);
        waits.push(Wait { what: WaitFor::Base, until: Some(store.now()), why });
    }
    (request.tell)(Event::Shipped { workspace: one.parcel.id, state });
}

/// What is open, and what went out within the hour.
fn traffic(store: &Store, request: &Request<'_>, snapshot: &Snapshot) -> Result<Traffic, RolloutError> {
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
fn is_open(record: &DeliveryRecord) -> bool {
    record.state == DeliveryState::Delivered
        && matches!(record.how, Delivery::Branch | Delivery::Push)
        && record.merged.is_none()
        && !record.departed
}

/// What a policy may speak of besides the verdict.
fn marks(request: &Request<'_>, parcel: &Parcel<'_>) -> Marks {
    let rules = units::rules_of(&parcel.workspace.plan);
    Marks {
        flagged: !parcel.verdict.flags.is_empty(),
        weak: parcel.verdict.strength() == Some(Strength::Weak),
        review: rules.iter().any(|rule| request.review.contains(*rule)),
    }
}

/// The policy, or a person, lets it out.
fn goes_out(request: &Request<'_>, snapshot: &Snapshot, parcel: &Parcel<'_>) -> bool {
    let result = &parcel.workspace.plan.result;
    let disposition = disposition(result, parcel.verdict.kind, marks(request, parcel), &request.migration.policy).0;
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
    let record = snapshot.deliveries.get(id);
    let over = record.filter(|record| record.state == DeliveryState::Superseded);
    let begun = record.filter(|_| over.is_none());
    let index = request.fleet.workspaces.iter().position(|w| w.id == id);
    if begun.is_none() {
        let excluded = snapshot.excluded(id).map(|by| (excluded_by(by), "excluded"));
        let opted_out = || (request.opted_out)(index?).map(|why| (format!("{OPTED_OUT}{why}"), "it opts out"));
        if let Some((reason, why)) = excluded.or_else(opted_out) {
            refuse(store, request, snapshot, (id, wave, over), (DeliveryState::Refused(reason), why))?;
            return Ok(None);
        }
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
                let failed = (DeliveryState::Failed(reason), "it could not be staged");
                refuse(store, request, snapshot, (id, wave, over), failed)?;
                return Ok(None);
            }
        },
    };
    let set = change_set(&workspace.place, &versions);
    Ok(Some(Parcel { id, workspace, consumers, verdict, versions, set, begun, over }))
}

/// Keeps back a change set that was never made; one that is out in its place is withdrawn.
fn refuse(
    store: &mut Store,
    request: &Request<'_>,
    snapshot: &Snapshot,
    (id, wave, over): (&str, u32, Option<&DeliveryRecord>),
    (state, why): (DeliveryState, &str),
) -> Result<(), RolloutError> {
    if let Some(over) = over {
        let (DeliveryState::Refused(reason) | DeliveryState::Failed(reason)) = &state else { return Ok(()) };
        return withdraw(store, workspace(snapshot, id)?, over, reason).map(drop);
    }
    let mut record = new_record(request, wave, &consumers_of(request, id), &ChangeSet::new(&[], ""), None);
    deliver::keep(store, id, &mut record, state, why)
}

/// Takes back the change set that is out, where its successor does not go out.
fn withdraw(
    store: &mut Store,
    workspace: &WorkspaceRecord<WorkspacePlan>,
    over: &DeliveryRecord,
    because: &str,
) -> Result<DeliveryState, RolloutError> {
    let id = workspace.place.id.as_str();
    let (versions, under) = files_of(store, id, over)?;
    let set = change_set(&workspace.place, &versions);
    let mut record = over.clone();
    if over.merged.is_some() {
        // What its owner has stays; the correction is what does not go out.
        let why = format!("not corrected: {because}");
        let entry = Entry::of("supersede", id, &*why);
        record.outdated = Some(why);
        deliver::go(store, id, &mut record, (Move::Deliver, DeliveryState::Delivered), entry)?;
        return Ok(record.state);
    }
    let because = format!("its base moved, and what was made anew does not go out: {because}");
    let shipment = Shipment { under: &under, ..shipment(workspace, &versions, &set) };
    match over.over {
        Some(_) => deliver::step_down(store, &shipment, &mut record, &because)?,
        None => deliver::roll_back(store, &shipment, &mut record, &because)?,
    }
    Ok(record.state)
}

/// The record of a delivery that is about to be begun, and how it is to be kept back
/// where it is.
fn record_of(request: &Request<'_>, wave: u32, parcel: &Parcel<'_>) -> (DeliveryRecord, Option<DeliveryState>) {
    if let Some(begun) = parcel.begun {
        // One that was approved leaves the folder of what is held.
        let folder = format!("change-sets/wave-{wave}/{}", slug(&parcel.consumers));
        let approved = match &begun.state {
            DeliveryState::AwaitingApproval(why) => Some(why.clone()),
            _ => begun.approved.clone(),
        };
        return (DeliveryRecord { folder, approved, ..begun.clone() }, None);
    }
    let result = &parcel.workspace.plan.result;
    let (disposition, why) =
        disposition(result, parcel.verdict.kind, marks(request, parcel), &request.migration.policy);
    let kept = match disposition {
        Disposition::Deliver => None,
        Disposition::Hold => Some(DeliveryState::Held(format!("held: {why}"))),
        Disposition::Approve => Some(DeliveryState::AwaitingApproval(format!("waits for approval: {why}"))),
    };
    let folder = if kept.is_some() { "held".to_owned() } else { format!("wave-{wave}") };
    let folder = format!("change-sets/{folder}/{}", slug(&parcel.consumers));
    let new = new_record(request, wave, &parcel.consumers, &parcel.set, parcel.over);
    (DeliveryRecord { folder, pin: parcel.workspace.pin.clone(), ..new }, kept)
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
    let paths: Vec<&str> = parcel.versions.iter().map(|version| version.path.as_str()).collect();
    let index = request.fleet.workspaces.iter().position(|w| w.id == id);
    let code_owners = index.map(|index| (request.code_owners)(index, &paths)).unwrap_or_default();
    let folder = (request.describe)(&Staged {
        code_owners: &code_owners,
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
    if let (Some(over), Some(why)) = (parcel.over, unproven.as_deref().or(kept_back.as_deref())) {
        let state = withdraw(store, parcel.workspace, over, why)?;
        (request.tell)(Event::Shipped { workspace: id, state: &state });
        return Ok(Sent::Ended(state));
    }
    if parcel.begun.is_none() {
        if let Some(merged) = parcel.over.filter(|over| over.merged.is_some()) {
            store.keep_versions(id, &merged.change_id)?;
        }
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
            if record.how == Delivery::Push || record.shared {
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
    Shipment { place: &workspace.place, pin: workspace.pin.as_ref(), versions, set, under: &[] }
}

/// Both ends of the files of a change set, and of those that were merged under it, the newest
/// first.
pub(super) fn files_of(
    store: &Store,
    id: &str,
    record: &DeliveryRecord,
) -> Result<(Vec<FileVersion>, Vec<Vec<FileVersion>>), RolloutError> {
    let under = std::iter::successors(record.over.as_deref(), |one| one.over.as_deref());
    let under: Result<Vec<_>, _> = under.map(|one| store.versions_of(id, &one.change_id)).collect();
    Ok((store.versions_of(id, &record.change_id)?, under?))
}

fn new_record(
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
        _ => (format!("{}-{}", branch_part(&slug), number + 1), false),
    };
    let shared = shared && matches!(how, Delivery::Branch | Delivery::Push);
    let branch = format!("gander/{}/{branch}", request.migration.id);
    // Made anew, it stays on the branch that it is on.
    let same = over.filter(|over| over.merged.is_none()).and_then(|over| over.branch.as_ref());
    let branch = same.map_or(branch, |(name, _)| name.clone());
    let shared = over.filter(|over| over.merged.is_none()).map_or(shared, |over| over.shared);
    let folder = format!("change-sets/held/{slug}");
    let digests = (set.id(), set.digest(Side::Before), set.digest(Side::After));
    DeliveryRecord {
        state: over.map_or(DeliveryState::Waiting, |over| over.state.clone()),
        branch: matches!(how, Delivery::Branch | Delivery::Push).then_some((branch, None)),
        replaces: over
            .filter(|over| over.merged.is_none())
            .and_then(|over| over.branch.as_ref())
            .and_then(|(_, commit)| commit.clone()),
        number,
        over: over.and_then(|over| match over.merged {
            Some(_) => Some(Box::new(DeliveryRecord { state: DeliveryState::Delivered, ..over.clone() })),
            None => over.over.clone(),
        }),
        shared,
        ..DeliveryRecord::waiting(how, wave, folder, digests)
    }
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
fn head(request: &Request<'_>) -> String {
    let title = &request.migration.title;
    match &request.migration.guide {
        Some(guide) => format!("{title}\n\nGuide: {guide}"),
        None => title.clone(),
    }
}
