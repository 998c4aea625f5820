//! Verified change sets on their way to where the policy lets them go.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, mpsc};

use rayon::prelude::*;

use super::back::look_once_more;
use super::deliver::{self, Papers, Shipment, Target};
use super::ledger::excluded_by;
use super::machine::consumer::Event as Move;
use super::outcome::{Marks, disposition};
use super::pace::{self, Traffic};
use super::record::{consumers_of, earlier, head, message, new_record, slug};
use super::requests::heed_urgent;
use super::shared::{self, Whose};
use super::snapshot::Snapshot;
use super::supersede::{MADE_ANEW, is_withdrawn};
use super::traffic::{is_open, traffic};
use super::units;
use super::upstream::{Places, comes_first, is_below};
use super::versions::{files_of, versions_of};
use super::{Event, Request, RolloutError, Staged};
use crate::changeset::{self, ChangeSet};
use crate::config::{BranchPer, Delivery, Disposition};
use crate::files;
use crate::state::{
    DecisionKind, DeliveryRecord, DeliveryState, Entry, KeptBack, Refusal, Store, Wait, WaitFor, WorkspaceRecord,
};
use crate::transform::WorkspacePlan;
use crate::verify::{Strength, Verdict};
use crate::workspace::{Consumer, EntityRef, FileVersion, Workspace};

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
    /// The record of one that was withdrawn, since this one does not go out in its place.
    withdrawn: Option<&'a DeliveryRecord>,
    /// A person has approved exactly this one, over that.
    approved: bool,
}

/// What is open, what went out, and what is waited for, while change sets go out.
struct Traffics {
    now: Traffic,
    /// Branches that are open already: whoever joins one opens nothing.
    open: BTreeSet<Whose>,
    waits: Vec<Wait>,
}

/// Brings each verified change set to where the policy lets it go: proven many at once,
/// begun one after the other, in their order; pushed many at once. Of a wave that `fails` already
/// nothing more goes out.
pub(super) fn ship_all(
    store: &mut Store,
    request: &Request<'_>,
    snapshot: &Snapshot,
    wave: u32,
    (members, fails): (&[&str], bool),
) -> Result<Vec<Wait>, RolloutError> {
    let mut traffic = Traffics { now: traffic(store, request, snapshot)?, open: BTreeSet::new(), waits: Vec::new() };
    for (id, record) in snapshot.deliveries.iter().filter(|(_, record)| record.shared && is_open(record)) {
        traffic.open.extend(snapshot.workspaces.get(id).map(|place| Whose::of(record, &place.place)));
    }
    let places = Places::of(request, snapshot);
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
        let mut stopped = false;
        for (parcel, unproven) in parcels.iter().zip(proofs) {
            stopped = crate::interrupt::wanted() || !heed_urgent(store, request.tell)?;
            if stopped {
                break; // the next run goes on here
            }
            // What is held is there to be looked at all the same; of the rest nobody is asked.
            let asks = || disposition_of(request, parcel).0 == Disposition::Approve;
            let stays = fails && (goes_out(request, snapshot, parcel) || asks());
            if stays || excluded_since(store, request, snapshot, wave, parcel)? {
                continue;
            }
            // What is upstream is out before what is downstream goes.
            let below = |before: &Begun<'_>| is_below(request, &before.parcel.consumers, &parcel.consumers);
            if begun.iter().any(|before| !before.record.shared && below(before)) {
                push_all(store, request, std::mem::take(&mut begun), &mut traffic.waits)?;
            }
            let together = begun.iter().any(|before| before.record.shared && below(before));
            let first = comes_first(store, request, snapshot, &places, (parcel.id, &parcel.consumers))?;
            if let Some(wait) = first.filter(|_| !together && goes_out(request, snapshot, parcel)) {
                // One for each maker, however many consume it.
                if !traffic.waits.contains(&wait) {
                    traffic.waits.push(wait);
                }
                continue;
            }
            begun.extend(ship(store, request, (snapshot, wave), (parcel, unproven), &mut traffic)?);
        }
        push_all(store, request, begun, &mut traffic.waits)?;
        if stopped {
            break;
        }
    }
    Ok(traffic.waits)
}

/// Sends one off, unless it has to wait; what is made together with others.
fn ship<'p>(
    store: &mut Store,
    request: &Request<'_>,
    (snapshot, wave): (&Snapshot, u32),
    (parcel, unproven): (&'p Parcel<'p>, Option<String>),
    traffic: &mut Traffics,
) -> Result<Option<Begun<'p>>, RolloutError> {
    let owner = parcel.consumers.first().and_then(|consumer| consumer.owner.as_ref());
    let calendar = &request.migration.rollout.calendar;
    let joins = request.migration.deliver.branch_per != BranchPer::Consumer
        && traffic.open.iter().any(|one| one.is_that_of(&record_of(request, wave, parcel).0, &parcel.workspace.place));
    // What is made anew is open already.
    let is_anew = parcel.over.is_some_and(is_open);
    let now = if joins || is_anew { Traffic { open: 0, ..traffic.now.clone() } } else { traffic.now.clone() };
    let barred = pace::barred(calendar, owner.map(EntityRef::as_str), &now, store.now());
    // What was begun is finished, and what is kept back touches nobody.
    let barred = barred.filter(|_| parcel.begun.is_none_or(|record| record.state != DeliveryState::Delivering));
    if let Some(wait) = barred.filter(|_| goes_out(request, snapshot, parcel)) {
        if !traffic.waits.contains(&wait) {
            traffic.waits.push(wait);
        }
        return Ok(None);
    }
    match send_off(store, request, wave, parcel, unproven)? {
        Sent::Ended(state) => {
            if state == DeliveryState::Delivered {
                traffic.now.open += u64::from(!is_anew);
                traffic.now.recent.push(store.now());
            }
            Ok(None)
        }
        Sent::Begun(delivery) => {
            let whose = Whose::of(&delivery.record, &delivery.parcel.workspace.place);
            let joins = delivery.record.shared && !traffic.open.insert(whose);
            traffic.now.open += u64::from(!joins && !is_anew);
            traffic.now.recent.push(store.now());
            Ok(Some(*delivery))
        }
    }
}

/// Keeps back whom somebody has excluded since the wave was looked at.
fn excluded_since(
    store: &mut Store,
    request: &Request<'_>,
    snapshot: &Snapshot,
    wave: u32,
    parcel: &Parcel<'_>,
) -> Result<bool, RolloutError> {
    let decision = store.decision(DecisionKind::Exclude, parcel.id)?;
    let Some(by) = decision else { return Ok(false) };
    match parcel.begun {
        // It is on its way.
        Some(begun) if begun.state == DeliveryState::Delivering => return Ok(false),
        // Whoever excluded it has put that on record.
        Some(_) => return Ok(true),
        None => {}
    }
    let excluded = (DeliveryState::Refused(excluded_by(&by)), None, "excluded");
    refuse(store, request, snapshot, (parcel.id, wave, parcel.over), excluded)?;
    Ok(true)
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
    let count = begun.len();
    let queue = Mutex::new(begun.into_iter());
    let (send, done) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..PUSHES.min(count) {
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
        let name = one.record.branch.as_ref().filter(|_| one.record.shared).map(|(name, _)| name);
        let whose = name.map_or_else(|| one.parcel.id.to_owned(), |name| format!("the branch {name}"));
        let wait = Wait {
            what: WaitFor::Remote,
            until: one.record.again,
            why: format!("the remote of {whose} can't be reached"),
            maker: None,
        };
        if !waits.contains(&wait) {
            waits.push(wait);
        }
    }
    if *state == DeliveryState::Superseded {
        let (id, record) = (one.parcel.id, &one.record);
        waits.push(match record.away.as_ref().filter(|_| record.tries > 0) {
            Some(why) => Wait {
                what: WaitFor::Remote,
                until: record.again,
                why: format!("what was made anew of {id} could not be pushed: {why}"),
                maker: None,
            },
            None => Wait {
                what: WaitFor::Base,
                until: Some(store.now()),
                why: format!("the code of {id} moved on at its remote: its change set is made anew"),
                maker: None,
            },
        });
    }
    (request.tell)(Event::Shipped { workspace: one.parcel.id, state });
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

/// What the policy says of it, and why it stays where it does.
fn disposition_of(request: &Request<'_>, parcel: &Parcel<'_>) -> (Disposition, &'static str) {
    let result = &parcel.workspace.plan.result;
    disposition(result, parcel.verdict.kind, marks(request, parcel), &request.migration.policy)
}

/// The policy, or a person, lets it out.
fn goes_out(request: &Request<'_>, snapshot: &Snapshot, parcel: &Parcel<'_>) -> bool {
    disposition_of(request, parcel).0 == Disposition::Deliver
        || parcel.approved
        || parcel.begun.is_some_and(|record| snapshot.approved(parcel.id, record))
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
    // One that was killed between the two goes on here.
    let is_anew = |record: &&DeliveryRecord| is_withdrawn(record) && record.because.starts_with(MADE_ANEW);
    let begun = record.filter(|_| over.is_none()).filter(|record| !is_anew(record));
    let withdrawn = record.filter(is_anew);
    let index = request.fleet.workspaces.iter().position(|w| w.id == id);
    if begun.is_none() {
        let excluded = snapshot.excluded(id).map(|by| (excluded_by(by), None, "excluded"));
        let opts = |why| (format!("{OPTED_OUT}{why}"), Some(Refusal::OptedOut), "it opts out");
        let opted_out = || (request.opted_out)(index?).map(opts);
        if let Some((reason, refusal, why)) = excluded.or_else(opted_out) {
            // What was out and is withdrawn stays on record as that: its owner may still merge it.
            if withdrawn.is_some() {
                return Ok(None);
            }
            let refused = (DeliveryState::Refused(reason), refusal, why);
            refuse(store, request, snapshot, (id, wave, over), refused)?;
            return Ok(None);
        }
    }
    // An owner may opt out while a person is still to look.
    let kept = begun.filter(|one| matches!(one.state, DeliveryState::AwaitingApproval(_) | DeliveryState::Held(_)));
    if let Some((record, why)) = kept.zip(index.and_then(|index| (request.opted_out)(index))) {
        let state = DeliveryState::Refused(format!("{OPTED_OUT}{why}"));
        let mut record = DeliveryRecord { refusal: Some(Refusal::OptedOut), ..record.clone() };
        deliver::keep(store, id, &mut record, state, "it opts out")?;
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
                let failed = (DeliveryState::Failed(reason), None, "it could not be staged");
                refuse(store, request, snapshot, (id, wave, over), failed)?;
                return Ok(None);
            }
        },
    };
    let set = change_set(&workspace.place, &versions);
    let approved = over.is_some() && snapshot.has_approved(id, &set.id());
    Ok(Some(Parcel { id, workspace, consumers, verdict, versions, set, begun, over, withdrawn, approved }))
}

/// Keeps back a change set that was never made; one that is out in its place is withdrawn.
fn refuse(
    store: &mut Store,
    request: &Request<'_>,
    snapshot: &Snapshot,
    (id, wave, over): (&str, u32, Option<&DeliveryRecord>),
    (state, refusal, why): (DeliveryState, Option<Refusal>, &str),
) -> Result<(), RolloutError> {
    if let Some(over) = over {
        let (DeliveryState::Refused(reason) | DeliveryState::Failed(reason)) = &state else { return Ok(()) };
        return withdraw(store, request, workspace(snapshot, id)?, over, (reason, None)).map(drop);
    }
    let blank = new_record(request, wave, &consumers_of(request, id), &ChangeSet::new(&[], ""), None);
    let mut record = DeliveryRecord { refusal, ..blank };
    deliver::keep(store, id, &mut record, state, why)
}

/// Takes back the change set that is out, where its successor does not go out.
fn withdraw(
    store: &mut Store,
    request: &Request<'_>,
    workspace: &WorkspaceRecord<WorkspacePlan>,
    over: &DeliveryRecord,
    (because, correction): (&str, Option<KeptBack>),
) -> Result<DeliveryState, RolloutError> {
    let id = workspace.place.id.as_str();
    let (versions, under) = files_of(store, id, over)?;
    let set = change_set(&workspace.place, &versions);
    let mut record = over.clone();
    if over.merged.is_some() {
        // What its owner has stays; the correction is what does not go out.
        let why = match &correction {
            Some(kept) if kept.asks => format!("its correction {because}: `gander approve` lets it out"),
            _ => format!("{}{because}", deliver::NOT_CORRECTED),
        };
        let asks = correction.as_ref().is_some_and(|kept| kept.asks);
        let kept = asks.then(|| DeliveryState::AwaitingApproval(because.to_owned()));
        let evidence = kept.and_then(|kept| serde_json::to_value(kept).ok());
        let entry = Entry { evidence, ..Entry::of("keep.correction", id, because) };
        (record.outdated, record.correction) = (Some(why), correction);
        deliver::go(store, id, &mut record, (Move::Deliver, DeliveryState::Delivered), entry)?;
        return Ok(record.state);
    }
    let because = format!("{MADE_ANEW}: {because}");
    let shipment = Shipment { under: &under, ..shipment(workspace, &versions, &set) };
    match over.over {
        Some(_) => deliver::step_down(store, &shipment, &mut record, &because)?,
        None => {
            deliver::roll_back(store, &shipment, &mut record, (&because, &request.hooks()))?;
            look_once_more(store, id, &mut record, &request.hooks())?;
        }
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
    let (disposition, why) = disposition_of(request, parcel);
    let asks = deliver::waits_for_approval(why);
    let (kept, approved) = match disposition {
        Disposition::Deliver => (None, None),
        Disposition::Hold => (Some(DeliveryState::Held(format!("held: {why}"))), None),
        Disposition::Approve if parcel.approved => (None, Some(asks)),
        Disposition::Approve => (Some(DeliveryState::AwaitingApproval(asks)), None),
    };
    let folder = if kept.is_some() { "held".to_owned() } else { format!("wave-{wave}") };
    let folder = format!("change-sets/{folder}/{}", slug(&parcel.consumers));
    let new = new_record(request, wave, &parcel.consumers, &parcel.set, parcel.over);
    (DeliveryRecord { folder, approved, pin: parcel.workspace.pin.clone(), ..new }, kept)
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
        let asks = matches!(kept, Some(DeliveryState::AwaitingApproval(_)));
        let correction = kept.as_ref().filter(|_| unproven.is_none()).map(|_| KeptBack { change_id: set.id(), asks });
        if correction.is_some() && over.merged.is_some() {
            files::write_folder_whole(&store.folder().join(&record.folder), &folder).ok();
        }
        let mut state = withdraw(store, request, parcel.workspace, over, (why, correction))?;
        // Nothing is out any more: what was made anew waits as any other does.
        if let (DeliveryState::RolledBack, Some(kept), true) = (&state, kept, asks && unproven.is_none()) {
            record = anew(record);
            store.keep_versions(id, &over.change_id)?;
            store.record_versions(id, &parcel.versions)?;
            record.earlier = earlier(Some(over), &store.past_deliveries(id)?);
            hold(store, id, &mut record, kept, &folder)?;
            state = record.state;
        }
        (request.tell)(Event::Shipped { workspace: id, state: &state });
        return Ok(Sent::Ended(state));
    }
    if parcel.begun.is_none() {
        // What is merged, and what an owner may still merge, is told by its files.
        let before = parcel.over.or(parcel.withdrawn);
        if let Some(before) = before {
            store.keep_versions(id, &before.change_id)?;
        }
        store.record_versions(id, &parcel.versions)?;
        record.earlier = earlier(before, &store.past_deliveries(id)?);
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
        if let Some(over) = parcel.over.filter(|over| over.merged.is_none() && over.folder != record.folder) {
            // Made anew in another wave: nobody shall take the old patch for the one that holds. First, as
            // nobody knows of the old one any more once this is begun.
            deliver::mark_withdrawn(store.folder(), over, "it was made anew");
        }
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

/// A record as of a change set of which nothing was out before.
fn anew(record: DeliveryRecord) -> DeliveryRecord {
    let branch = record.branch.map(|(name, _)| (name, None));
    DeliveryRecord { state: DeliveryState::Waiting, branch, replaces: None, ..record }
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
    // Why is in the history, too, and whoever is to approve it hears of it.
    let why = match &state {
        DeliveryState::Held(why) | DeliveryState::AwaitingApproval(why) | DeliveryState::Failed(why) => why.clone(),
        _ => "kept back".to_owned(),
    };
    deliver::keep(store, id, record, state, &why)
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
